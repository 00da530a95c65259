using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Queueing;

/// <summary>queue.json with what it says, so that an image of mebibytes is read once.</summary>
/// <param name="Image">The compact image; this very array is what the row has.</param>
/// <param name="State">What it says.</param>
/// <param name="EntriesEnd">Where in it the array of entries ends; 0: there is none.</param>
internal sealed record KnownQueue(byte[] Image, QueueState State, int EntriesEnd)
{
    /// <summary>That of an image of a row. It never changes, so it may be looked at and put down without the rows'
    /// gate.</summary>
    public static KnownQueue Of(Row row, byte[] image)
    {
        if (row.KnownQueue is not { } known || !ReferenceEquals(known.Image, image))
        {
            row.KnownQueue = known = QueueCodec.ReadKnown(image);
        }

        return known;
    }

    /// <summary>Lays what frames have added over a row's image, where it has that. Call under the rows' gate.</summary>
    public static void TakeIn(Row row)
    {
        int index = SideFile.IndexOf(ChangeKind.Queue);
        if (row.Added is { } added && row.Sides?[index] is { } image)
        {
            row.KnownQueue = QueueCodec.WithAdded(Of(row, image), added.ConvertAll(a => a.Entry), row.Id);
            row.Sides[index] = row.KnownQueue.Image;
            row.Added = null;
        }
    }
}
