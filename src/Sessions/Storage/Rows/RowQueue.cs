using Sessions.Images;

namespace Sessions.Storage.Rows;

/// <summary>The queue of a row, read once for each image.</summary>
internal static class RowQueue
{
    /// <summary>What an image of a row says. It never changes, so it may be looked at and put down without the rows'
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
        int index = SmallFileKind.Queue.Index;
        if (row.Added is { } added && row.Sides?[index] is { } image)
        {
            row.KnownQueue = QueueCodec.WithAdded(Of(row, image), added.ConvertAll(a => a.Entry), row.Id);
            row.Sides[index] = row.KnownQueue.Image;
            row.Added = null;
        }
    }
}
