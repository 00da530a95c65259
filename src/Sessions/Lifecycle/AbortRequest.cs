using Sessions.Events;
using Sessions.Events.Repair;
using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Lifecycle;

/// <summary>
/// Records an abort of a session, and of its descendants where asked, and gives in the same frame a result to each
/// open tool call of their logs. Which these are was read before, without the store lock; here comes only what was
/// appended since, as long as that is little.
/// </summary>
internal sealed class AbortRequest(StoreCore core, Row row, string? reason, bool tree) : CommitRequest
{
    // What is read of logs under the store lock at most.
    private const long ReadBytesMax = 1 << 20;

    // More than this is not taken out of the reserve of a full journal: the next abort needs it too.
    private const long ReserveBytesMax = 32 * 1024;

    private long _bytes;

    public override bool MayUseReserve => _bytes <= ReserveBytesMax;

    /// <summary>True where it is by itself in its batch: then every log has all that its session says.</summary>
    public bool IsByItself { get; init; }

    public override bool IsAlone => IsByItself;

    /// <summary>What was read of the sessions' turns; null where nothing is to be settled.</summary>
    public IReadOnlyDictionary<Row, WarmLedger>? Ledgers { get; init; }

    public int Count { get; private set; }

    /// <summary>True where too much was appended since, and nothing was recorded.</summary>
    public bool IsStale { get; private set; }

    public override void Run(Transaction transaction)
    {
        (Count, IsStale, _bytes) = (0, false, 0);
        transaction.Live(row);
        List<Row> family = tree ? Family.Of(transaction.LiveRows(), row) : [row];
        family.ForEach(r => transaction.Live(r));
        var logs = new List<LogAppender>();
        long bytesLeft = ReadBytesMax;
        foreach (Row member in Ledgers is null ? [] : family)
        {
            if (!TrySettle(transaction, member, ref bytesLeft, logs) && !IsByItself)
            {
                IsStale = true;
                return;
            }
        }

        logs.ForEach(l => l.Commit());
        foreach (Row member in family)
        {
            SessionInfo info = transaction.Live(member);
            transaction.Put(member,
                info with { IsAborted = true, AbortReason = reason, AbortCount = Limits.Next(info.AbortCount) });
        }

        Count = family.Count;
    }

    // False where it cannot be told what a log has open. An abort does not fail for that: it stays open then, and
    // a repair ends it.
    private bool TrySettle(Transaction transaction, Row member, ref long bytesLeft, List<LogAppender> logs)
    {
        try
        {
            SessionInfo info = transaction.Live(member);
            if (info.LastSeq != transaction.Rows.Read(member).LastSeq)
            {
                return false; // of this very batch, and in no log yet
            }

            WarmLedger ledger = Ledgers!.TryGetValue(member, out WarmLedger? known) ? known : new WarmLedger();
            if (info.LastSeq > 0 && !TryBring(ledger, transaction.Log(member), member, info.LastSeq, ref bytesLeft))
            {
                return false;
            }

            List<NewEvent> events = ledger.Settlement();
            if (events.Count > 0)
            {
                var log = new LogAppender(core, transaction, member);
                events.ForEach(e => log.AddBeside(e));
                _bytes += events.Sum(e => e.Data.Length + 128);
                logs.Add(log);
            }

            return true;
        }
        catch (Exception e) when (e is DiskException or SessionException)
        {
            LogRing.Add("warning", $"{member.Id}: what its log has open could not be settled: {e.Message}");
            return false;
        }
    }

    private bool TryBring(WarmLedger ledger, LogState state, Row member, long lastSeq, ref long bytesLeft)
    {
        if (ledger.IsAt(state, member.Rewrites, lastSeq))
        {
            return true;
        }

        using LogView log = RowLog.Open(core.Disk, member, state);
        long before = ledger.BytesRead;
        bool isThere = ledger.TryBring(log, state, member.Rewrites, lastSeq, bytesLeft);
        bytesLeft -= ledger.BytesRead - before;
        return isThere;
    }
}

/// <summary>Clears an abort, also one that was signalled and of which there is no record: that one is counted by
/// being cleared, so that every process hears of it.</summary>
internal sealed class ClearAbortRequest(StoreCore core, Row row) : CommitRequest
{
    public override bool MayUseReserve => true;

    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        bool isPending = core.AbortOf(row, info).Look(core.State)
            && info.AbortCount == transaction.Rows.Read(row).AbortCount; // else this batch has seen to it
        if (info.IsAborted || isPending)
        {
            transaction.Put(row, info with
            {
                IsAborted = false,
                AbortReason = null,
                AbortCount = info.AbortCount + (info.IsAborted ? 0 : 1),
            });
        }
    }
}
