using Sessions.Platform;

namespace Sessions.Storage.Index;

/// <summary>
/// Finds single rows of the index: what is asked for a session whose file is damaged. The index is read once for
/// all that ask, as long as it stays the same file and memory is not wanted for anything else.
/// </summary>
internal sealed class IndexLookup(IDisk disk)
{
    private readonly WeakReference<Dictionary<string, ReadOnlyMemory<byte>>> _rows = new([]);
    private IndexClosing? _closing;

    /// <summary>The compact JSON of one session; null where there is no index that reaches the LSN, or it has
    /// none.</summary>
    public byte[]? Find(long lsn, string id)
    {
        if (IndexFile.ReadClosing(disk) is not { } closing || closing.Lsn < lsn)
        {
            return null;
        }

        if (closing != _closing || !_rows.TryGetTarget(out Dictionary<string, ReadOnlyMemory<byte>>? rows))
        {
            var read = new Dictionary<string, ReadOnlyMemory<byte>>();
            IndexFile.TryLoad(disk, lsn, (head, slice) => read[head.Id] = slice);
            _rows.SetTarget(rows = read);
            _closing = closing;
        }

        return rows.TryGetValue(id, out ReadOnlyMemory<byte> row) && !row.IsEmpty ? row.ToArray() : null;
    }
}
