using Sessions.Images;
using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Rows;

namespace Sessions.Sharing;

/// <summary>What stays of shares that are over: their records up to a number and for a time, their secrets not at
/// all.</summary>
internal static class ShareEnds
{
    /// <summary>So many are kept of a session: those that ended last.</summary>
    public const int KeptMax = 32;

    /// <summary>And none that ended longer ago than this: 30 days.</summary>
    public const long KeptMs = 30L * 24 * 60 * 60 * 1000;

    private const int RetryMs = 60 * 1000;
    private const int SleepMsMin = 250;
    private const int SleepMsMax = 60 * 60 * 1000; // the clock may be set

    /// <summary>Notes which shares have ended by a time, and leaves out what need not be kept. True where that
    /// changes anything.</summary>
    public static bool Settle(List<ShareRecord> records, long now)
    {
        bool changes = false;
        for (int i = 0; i < records.Count; i++)
        {
            ShareRecord r = records[i];
            if (!r.IsOver && !r.CanBeResolved(now))
            {
                records[i] = r with { EndedAt = r.CanBeSeen(now) ? Math.Max(r.LastUsedAt, 1) : r.ExpiresAt };
                changes = true;
            }
        }

        List<ShareRecord> over = [.. records.Where(r => r.IsOver).OrderBy(OverAt)];
        HashSet<ShareRecord> kept = [.. over.TakeLast(KeptMax).Where(r => OverAt(r) >= now - KeptMs)];
        return records.RemoveAll(r => r.IsOver && !kept.Contains(r)) > 0 || changes;
    }

    /// <summary>Writes down what has ended of all sessions' shares that this process knows of, so that their secrets
    /// go. What cannot be written now waits for another time: it opens nothing meanwhile.</summary>
    public static void Sweep(StoreCore core, Action<CommitRequest> commit)
    {
        List<Row> rows;
        lock (core.Rows.Gate)
        {
            long now = core.Now;
            rows = core.Rows.NextShareEnd > now ? [] : core.Rows.TakeEndedShares(now);
        }

        foreach (Row row in rows)
        {
            try
            {
                commit(new EndSharesRequest(row));
            }
            catch (Exception e) when (e is SessionException or DiskException)
            {
                LogRing.Add("warning", $"{row.Id}: secrets of shares that have ended stay for now: {e.Message}");
                lock (core.Rows.Gate)
                {
                    core.Rows.NoteShareEnd(row.Id, core.Now + RetryMs);
                }
            }
        }
    }

    /// <summary>How long a store may sleep that might otherwise sleep so long: until the next share ends.</summary>
    public static int SleepMs(StoreCore core, int otherwise)
    {
        long next = core.Rows.NextShareEnd;
        if (next == long.MaxValue)
        {
            return otherwise;
        }

        int sleepMs = (int)Math.Clamp(next - core.Now, SleepMsMin, SleepMsMax);
        return otherwise == Timeout.Infinite ? sleepMs : Math.Min(otherwise, sleepMs);
    }

    private static long OverAt(ShareRecord r) => r.RevokedAt != 0 ? r.RevokedAt : r.EndedAt;
}

/// <summary>Notes which shares of a session have ended.</summary>
internal sealed class EndSharesRequest(Row row) : CommitRequest
{
    public override void Run(Transaction transaction)
    {
        if (!Transaction.IsLive(row))
        {
            return;
        }

        SessionInfo info = transaction.Live(row);
        List<ShareRecord> records = ShareList.Read(transaction.Shares(row));
        if (ShareEnds.Settle(records, transaction.Now))
        {
            ShareCommit.Put(transaction, row, info, records);
        }
    }
}
