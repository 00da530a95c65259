using Sessions.Events.Repair;
using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Lifecycle;

/// <summary>One abort on its way into the journal: reads what the logs have open, without the store lock, and
/// asks for the commit; again where others appended meanwhile, and without results where there is no room.</summary>
internal sealed class AbortRecord(StoreCore core, Row row, string? reason, bool tree, bool isFull)
{
    private const int TriesMax = 4;

    // What is read again in no time need not be kept.
    private const long KeptFrom = 256 * 1024;

    private readonly Dictionary<Row, WarmLedger> _ledgers = [];

    /// <summary>Returns how many sessions were reached.</summary>
    public int Write(Action<CommitRequest> commit)
    {
        try
        {
            return Try(commit);
        }
        finally
        {
            foreach ((Row member, WarmLedger ledger) in _ledgers)
            {
                ledger.LetGo();
                if (ledger.BytesRead >= KeptFrom)
                {
                    core.Warm.Keep(new LedgerKey(member), ledger);
                }
            }
        }
    }

    private int Try(Action<CommitRequest> commit)
    {
        for (int i = 1; ; i++)
        {
            Members().ForEach(Bring);
            var request = new AbortRequest(core, row, reason, tree)
            {
                Full = isFull,
                Ledgers = _ledgers,
                IsByItself = i >= TriesMax,
            };
            try
            {
                commit(request);
            }
            catch (SessionException e) when (e.Status == SessionStatus.NoSpace)
            {
                LogRing.Add("warning", "The disk is full: an abort is recorded without results.");
                request = new AbortRequest(core, row, reason, tree) { Full = isFull };
                commit(request);
            }

            if (!request.IsStale)
            {
                return request.Count;
            }
        }
    }

    private List<Row> Members()
    {
        lock (core.Rows.Gate)
        {
            return tree ? Family.Of(core.Rows.LiveRows(), row) : [row];
        }
    }

    // What stands in the way here is met again under the store lock, and judged there.
    private void Bring(Row member)
    {
        try
        {
            LogView? log;
            LogState state;
            long lastSeq;
            int rewrites;
            lock (core.Rows.Gate)
            {
                lastSeq = core.Rows.Read(member).LastSeq;
                state = core.Rows.ReadLog(member, isSettled: false);
                rewrites = member.Rewrites;
                log = lastSeq == 0 ? null
                    : RowLog.Open(core.Disk, member, state, mustExist: lastSeq > state.LastInHistory);
            }

            using (log)
            {
                if (log is not null)
                {
                    Ledger(member).TryBring(log, state, rewrites, lastSeq, long.MaxValue);
                }
            }
        }
        catch (Exception e) when (e is DiskException or SessionException)
        {
            LogRing.Add("debug", $"{member.Id}: its log could not be read ahead: {e.Message}");
        }
    }

    private WarmLedger Ledger(Row member)
    {
        if (!_ledgers.TryGetValue(member, out WarmLedger? ledger))
        {
            ledger = core.Warm.Find<WarmLedger>(new LedgerKey(member)) is { } warm && warm.TryTake()
                ? warm : new WarmLedger(isTaken: true);
            _ledgers.Add(member, ledger);
        }

        return ledger;
    }

    private sealed record LedgerKey(Row Member);
}
