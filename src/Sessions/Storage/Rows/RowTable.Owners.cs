using Sessions.Images;

namespace Sessions.Storage.Rows;

/// <content>Sessions whose side files speak of somebody who may die.</content>
internal sealed partial class RowTable
{
    /// <summary>Those whose lock.json or queue.json this process has seen to name a holder, an asker or a
    /// claimer.</summary>
    public HashSet<Row> WithOwners { get; } = [];

    private void NoteOwners(Row row)
    {
        bool hasOwner = row.Sides is { } sides && (sides[SmallFileKind.Lock.Index] is { Length: > 0 }
            || sides[SmallFileKind.Queue.Index].AsSpan().IndexOf("\"claimed\""u8) >= 0);
        if (hasOwner)
        {
            WithOwners.Add(row);
        }
        else if (WithOwners.Count > 0)
        {
            WithOwners.Remove(row);
        }
    }
}
