using Sessions.Storage.Rows;

namespace Sessions.Storage.Commit;

/// <summary>A change of one live session's facts by a pure function.</summary>
internal sealed class ChangeRequest(Row row, Func<SessionInfo, SessionInfo> change) : CommitRequest
{
    /// <summary>0: any.</summary>
    public long ExpectedRevision { get; init; }

    public bool UsesReserve { get; init; }

    public override bool MayUseReserve => UsesReserve;

    /// <summary>The session's revision after it.</summary>
    public long Revision { get; private set; }

    public bool HasChanged { get; private set; }

    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        if (ExpectedRevision != 0 && ExpectedRevision != info.Revision)
        {
            throw Errors.Conflict(ExpectedRevision, info.Revision);
        }

        SessionInfo changed = change(info);
        HasChanged = !ReferenceEquals(info, changed);
        Revision = HasChanged ? transaction.Lsn : info.Revision;
        if (HasChanged)
        {
            transaction.Put(row, changed);
        }
    }
}
