using Sessions.Events;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Lifecycle;

/// <summary>Takes a session, and by policy its descendants, to the trash or away for good, in one frame.</summary>
internal sealed class DeleteRequest(StoreCore core, Row row, DeletePolicy policy) : CommitRequest
{
    public override bool MayUseReserve => true;

    public override void Run(Transaction transaction)
    {
        transaction.Live(row);
        List<Row> children = [.. transaction.LiveRows().Where(r => r.ParentId == row.Id).Select(r => r.Row)];
        bool isForGood = policy.HasFlag(DeletePolicy.NoTrash);
        DeletePolicy kind = policy & ~DeletePolicy.NoTrash;
        if (kind == DeletePolicy.Refuse && children.Count > 0)
        {
            throw new SessionException(SessionStatus.HasChildren, "The session has children.",
                Errors.Details(b => b.Member("children", children.Count)));
        }

        var taken = new List<Row> { row };
        if (kind == DeletePolicy.Cascade)
        {
            taken = Family.Of(transaction.LiveRows(), row);
        }

        // What can fail comes before the first change: the infos are read here, and the logs that open
        // streams end in.
        taken.ForEach(r => transaction.Live(r));
        List<LogAppender> ends = taken.FindAll(r => transaction.Streams(r.Id).Count > 0 && !isForGood)
            .ConvertAll(r => new LogAppender(core, transaction, r));
        ends.ForEach(e => e.EndAll());
        if (kind == DeletePolicy.Orphan)
        {
            foreach ((Row child, SessionInfo info) in children.ConvertAll(c => (c, transaction.Live(c))))
            {
                transaction.Put(child, info with { ParentId = null });
            }
        }

        ends.ForEach(e => e.Commit());
        foreach (Row gone in taken)
        {
            if (isForGood)
            {
                foreach (OpenStream stream in transaction.Streams(gone.Id))
                {
                    transaction.EndStream(stream, 0, isKept: false);
                }

                transaction.Purge(gone, 0);
            }
            else
            {
                transaction.Trash(gone, transaction.Lsn, transaction.Live(gone));
            }
        }
    }
}

/// <summary>Brings back everything that one delete took.</summary>
internal sealed class RestoreRequest(StoreCore core, string id) : CommitRequest
{
    public override void Run(Transaction transaction)
    {
        Row row = transaction.Rows.Find(id) ?? throw Errors.NotFound("session", id);
        long deletion = transaction.Any(row).DeletionLsn;
        if (deletion == 0)
        {
            return; // live already: what was asked for is so
        }

        transaction.Rows.Complete();
        var taken = new List<(Row Row, SessionInfo Info)>();
        foreach (Row other in transaction.Rows.Rows)
        {
            if (!other.IsGone && other.DeletionLsn == deletion && !other.IsWorking)
            {
                taken.Add((other, transaction.Any(other)));
            }
        }

        if (core.Disk.Stat(Layout.TrashFolder(deletion, id)) is null && core.State.Applied >= core.State.Published)
        {
            throw Errors.NotFound("session", id); // somebody emptied the trash by hand
        }

        HashSet<string> back = taken.Select(t => t.Row.Id).ToHashSet();
        foreach ((Row other, SessionInfo info) in taken)
        {
            bool parentIsThere = info.ParentId is null || back.Contains(info.ParentId)
                || transaction.FindLive(info.ParentId) is not null;
            transaction.Restore(other, parentIsThere ? info : info with { ParentId = null });
        }
    }
}

/// <summary>Removes for good what lies in the trash since before a time.</summary>
internal sealed class PurgeRequest(long deletedBefore) : CommitRequest
{
    private const int SessionsMax = 500; // a frame that fits even the reserve of a full journal

    public override bool MayUseReserve => true;

    public int Count { get; private set; }

    public bool HasMore { get; private set; }

    public override void Run(Transaction transaction)
    {
        HasMore = false;
        transaction.Rows.Complete();
        var due = new List<Row>();
        foreach (Row row in transaction.Rows.Rows)
        {
            if (row.IsGone || row.DeletionLsn == 0 || row.IsWorking)
            {
                continue;
            }

            if (!transaction.Rows.CanWrite(row))
            {
                LogRing.Add("warning", $"{row.Folder} is damaged or not this user's, and was not purged.");
                continue;
            }

            if (transaction.Rows.Read(row).DeletedAt >= deletedBefore)
            {
                continue;
            }

            if (due.Count == SessionsMax)
            {
                HasMore = true;
                break;
            }

            due.Add(row);
        }

        due.ForEach(row => transaction.Purge(row, row.DeletionLsn));
        Count = due.Count;
    }
}

/// <summary>Who descends from whom.</summary>
internal static class Family
{
    /// <summary>A live session and its live descendants, parents first. Call under the rows' gate.</summary>
    public static List<Row> Of(IEnumerable<(Row Row, string? ParentId)> live, Row root)
    {
        var children = new Dictionary<string, List<Row>>();
        foreach ((Row row, string? parent) in live)
        {
            if (parent is not null)
            {
                (children.TryGetValue(parent, out List<Row>? list) ? list : children[parent] = []).Add(row);
            }
        }

        var family = new List<Row> { root };
        var seen = new HashSet<string> { root.Id };
        for (int i = 0; i < family.Count; i++)
        {
            foreach (Row child in children.GetValueOrDefault(family[i].Id) ?? [])
            {
                if (seen.Add(child.Id))
                {
                    family.Add(child);
                }
            }
        }

        return family;
    }
}
