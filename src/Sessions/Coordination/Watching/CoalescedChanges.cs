using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Watching;

/// <summary>
/// Tells for each session that something has changed, and what it is now: never more than one change a session,
/// so nothing is ever missed and nothing grows. Filled under the rows' gate, as frames are taken in.
/// </summary>
internal sealed class CoalescedChanges(StoreCore core, WatchFilter filter) : ChangeSource
{
    private readonly Dictionary<string, Entry> _byId = [];
    private readonly Queue<Entry> _inOrder = new(); // by the first change that is not told yet
    private bool _isAllChanged;

    /// <summary>Takes in a frame.</summary>
    public void Take(Frame frame)
    {
        foreach (Change change in frame.Changes)
        {
            WatchKinds kinds = WatchKind.Of(change) & filter.Kinds;
            if (kinds != WatchKinds.None && filter.Takes(change.Id))
            {
                Mark(change.Id, kinds, frame.Lsn, frame.At);
            }
        }
    }

    /// <summary>Frames may have been missed, so everything may have changed.</summary>
    public void MarkAll() => _isAllChanged = true;

    public override void Add(LocalChange change)
    {
        if ((filter.Kinds & change.Kind) != 0 && filter.Takes(change.SessionId))
        {
            Mark(change.SessionId, change.Kind, change.Lsn, change.At);
        }
    }

    public override bool Look(long bytesMax = long.MaxValue)
    {
        lock (core.Rows.Gate)
        {
            if (_isAllChanged)
            {
                MarkRows();
            }

            return _inOrder.Count > 0;
        }
    }

    public override void WritePage(Utf8Buffer b, uint limit)
    {
        lock (core.Rows.Gate)
        {
            Look();
            b.Raw("{\"changes\":["u8);
            for (uint count = 0; _inOrder.TryPeek(out Entry? entry) && (limit == 0 || count < limit); count++)
            {
                int length = b.Length;
                b.Raw(count > 0 ? ","u8 : ""u8);
                ChangeWriter.WriteChanged(b, entry.Lsn, entry.At, entry.Id, entry.Kinds,
                    entry.Id.Length == 0 ? default : core.Rows.TryReadNumbers(entry.Id));
                if (count > 0 && b.Length > Limits.PageBytes)
                {
                    b.Truncate(length);
                    break;
                }

                _inOrder.Dequeue();
                _byId.Remove(entry.Id);
            }

            bool hasMore = _inOrder.TryPeek(out Entry? next);
            b.Byte(']').Member("next_lsn", hasMore ? next!.FirstLsn - 1 : core.Rows.Lsn)
                .Member("has_more", hasMore).Byte('}');
        }
    }

    private void MarkRows()
    {
        core.Rows.Complete();
        foreach (Row row in core.Rows.Rows)
        {
            if (filter.Takes(row.Id))
            {
                Mark(row.Id, WatchKinds.Gap, core.Rows.Lsn, core.Now);
            }
        }

        _isAllChanged = false;
    }

    private void Mark(string id, WatchKinds kinds, long lsn, long at)
    {
        if (!_byId.TryGetValue(id, out Entry? entry))
        {
            entry = new Entry(id, lsn);
            _byId.Add(id, entry);
            _inOrder.Enqueue(entry);
        }

        entry.Kinds |= kinds;
        entry.Lsn = Math.Max(entry.Lsn, lsn);
        entry.At = Math.Max(entry.At, at);
    }

    private sealed class Entry(string id, long lsn)
    {
        public string Id { get; } = id;
        public long FirstLsn { get; } = lsn;
        public long Lsn { get; set; } = lsn;
        public long At { get; set; }
        public WatchKinds Kinds { get; set; }
    }
}
