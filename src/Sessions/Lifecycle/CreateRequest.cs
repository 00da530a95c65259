using Sessions.Storage.Commit;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Lifecycle;

/// <summary>Makes a session, or finds the one that the same idempotency key made.</summary>
internal class CreateRequest(StoreCore core, SessionInfo pattern) : CommitRequest
{
    public override int SizeHint => 600 + pattern.Metadata.Length + pattern.Facts.Length;

    /// <summary>The id it has now.</summary>
    public string Id { get; private set; } = "";

    protected StoreCore Core => core;

    public override void Run(Transaction transaction)
    {
        if (pattern.IdempotencyKey is { } key)
        {
            if (transaction.WorkingKeys.TryGetValue(key, out string? sibling)
                && transaction.FindLive(sibling) is not null)
            {
                Id = sibling;
                return;
            }

            if (transaction.Rows.FindByKey(key) is { } first && transaction.FindLive(first.Id) is not null)
            {
                Id = first.Id;
                return;
            }
        }

        if (pattern.ParentId is { } parent && transaction.FindLive(parent) is null)
        {
            throw transaction.Rows.Find(parent) is { IsGone: false }
                ? Errors.Deleted(parent) : Errors.NotFound("parent", parent);
        }

        BranchPoint? branch = Branch(transaction);
        Id = transaction.NextId(core.Disk);
        core.Rows.RequirePlace(Id);
        if (pattern.IdempotencyKey is { } added)
        {
            transaction.WorkingKeys[added] = Id;
        }

        // The id goes on from the last one, whatever the clock was then; the time is the real one.
        SessionIds.TryParse(Id, out long created, out _);
        created = RealTime.After(created, transaction.Now);
        SessionInfo info = pattern with { Id = Id, CreatedAt = created, UpdatedAt = created };
        var row = new Row(Id);
        if (branch is null)
        {
            transaction.Put(row, info, isNew: true);
            return;
        }

        Counters counters = branch.Counters with { UpdatedAt = created };
        transaction.Put(row, (info with { ForkSeq = counters.LastSeq }).With(counters), isNew: true);
        transaction.PutLog(row, branch.State);
        transaction.LinkHistory(row, pattern.ParentId!);
    }

    /// <summary>What it takes along of its parent's conversation; null: nothing.</summary>
    protected virtual BranchPoint? Branch(Transaction transaction) => null;
}

/// <summary>Makes a branch of a session: a new one that sees its events up to one of them.</summary>
/// <param name="core">The store.</param>
/// <param name="pattern">What the branch is to be, with its parent's id.</param>
/// <param name="parent">The parent.</param>
/// <param name="atSeq">The last event it sees; 0: the last one there is.</param>
/// <param name="found">What it takes along, as it was found; null: all there is, which ends with that event.</param>
internal sealed class ForkRequest(StoreCore core, SessionInfo pattern, Row parent, long atSeq, FoundBranchPoint? found)
    : CreateRequest(core, pattern)
{
    /// <summary>True where the log is not what it was when it was looked at, and nothing was done.</summary>
    public bool IsStale { get; private set; }

    public override void Run(Transaction transaction)
    {
        IsStale = found is not null
            ? parent.Rewrites != found.Rewrites || !transaction.Log(parent).HasPartsOf(found.State)
            : atSeq != 0 && atSeq < transaction.Live(parent).LastSeq;
        if (!IsStale)
        {
            base.Run(transaction);
        }
    }

    protected override BranchPoint? Branch(Transaction transaction)
    {
        SessionInfo info = transaction.Live(parent);
        if (found is not null)
        {
            return found.Point;
        }

        if (atSeq > info.LastSeq)
        {
            throw Errors.Argument("at_seq", "at_seq must be the number of an event that is there already.");
        }

        long length = parent.Working?.LogLength ?? parent.LogLength;
        LogState state = transaction.Log(parent);
        if (length < 0)
        {
            length = EventLogFile.OwnLength(Core.Disk, parent, state, info.LastSeq);
        }

        return BranchPoint.AtEnd(parent.Id, info, state, length);
    }
}

/// <summary>A branch point, and what the parent's log was when it was found.</summary>
internal sealed record FoundBranchPoint(BranchPoint Point, LogState State, int Rewrites);
