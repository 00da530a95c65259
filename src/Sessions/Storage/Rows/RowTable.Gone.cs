using Sessions.Images;

namespace Sessions.Storage.Rows;

/// <content>
/// Sessions that are gone for good. Their rows stay while the index may still have them, so that nobody takes them
/// for sessions; then the table forgets them. A handle keeps its own row, which says for ever that it is gone.
/// </content>
internal sealed partial class RowTable
{
    private readonly Queue<(long Lsn, Row Row)> _gone = new();

    /// <summary>Forgets the sessions that the index, which has everything up to an LSN, knows to be gone. Call under
    /// the gate.</summary>
    public void DropGone(long indexed)
    {
        while (_gone.TryPeek(out (long Lsn, Row Row) gone) && gone.Lsn <= indexed)
        {
            _gone.Dequeue();
            Forget(gone.Row);
        }
    }

    private void Purge(Row row, long lsn)
    {
        if (row.Info?.IdempotencyKey is { } key && _byKey is not null
            && _byKey.TryGetValue(key, out string? id) && id == row.Id)
        {
            _byKey.Remove(key);
        }

        foreach (string share in _byShare is null || row.Shares is null ? [] : ShareList.Ids(row.Shares))
        {
            _byShare!.Remove(share);
        }

        row.IsGone = true;
        row.Moves++;
        row.Info = null;
        row.Slice = default;
        row.Tail = null;
        row.Written = null;
        row.EventIds = null;
        row.Writers = null;
        row.Log = null;
        row.Sides = null;
        row.Added = null;
        row.QueueSegment = 0;
        row.Shares = null;
        row.KnownLock = null;
        row.KnownClaims = null;
        WithOwners.Remove(row);
        Lagging.Remove(row);
        _gone.Enqueue((lsn, row));
    }

    // What starts over reads the journal from where the index ends, so it hears again of what that does not know.
    private void DropAllGone()
    {
        foreach ((_, Row row) in _gone)
        {
            Forget(row);
        }

        _gone.Clear();
    }

    // Of a session that others purged while this process did not follow, nothing tells once the index is read: it has
    // no row there, no frame speaks of it, and it has no folder.
    private void DropLost(Row[] known)
    {
        List<Row>? lost = null;
        foreach (Row row in known)
        {
            if (row is { IsGone: false, Info: null, Slice.IsEmpty: true, Pending: null, Tail: null }
                && disk.Stat(row.Folder) is null)
            {
                (lost ??= []).Add(row);
            }
        }

        foreach (Row row in lost ?? [])
        {
            row.IsGone = true;
            Forget(row);
        }
    }

    private void Forget(Row row)
    {
        if (_rows.TryGetValue(row.Id, out Row? listed) && ReferenceEquals(listed, row))
        {
            _rows.Remove(row.Id);
        }

        if (Touched.TryGetValue(row.Id, out Row? touched) && ReferenceEquals(touched, row))
        {
            Touched.Remove(row.Id);
        }

        InJournal.Remove(row);
        row.LastSegment = 0; // it is not in InJournal any more
    }
}
