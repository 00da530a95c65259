using Sessions.Images;
using Sessions.Storage.Commit;
using Sessions.Storage.Rows;

namespace Sessions.Sharing;

/// <summary>Adds a share whose secret is on stable storage already, or finds the one that a call
/// with the same options made.</summary>
/// <param name="row">The session.</param>
/// <param name="options">What is asked for.</param>
/// <param name="shareId">The id that the new share gets.</param>
/// <param name="lostId">The share with these terms whose secret was found to be lost, and whose place the new one
/// takes; null: none.</param>
internal sealed class AddShareRequest(Row row, SessionShareOptions options, string shareId, string? lostId)
    : CommitRequest
{
    /// <summary>The id of the share that it adds.</summary>
    public string ShareId => shareId;

    /// <summary>The share there is now: the new one, or one that was there first.</summary>
    public ShareRecord? Result { get; private set; }

    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        List<ShareRecord> records = ShareList.Read(transaction.Shares(row));
        ShareRecord? same = ShareMatch.Find(records, options, info.LastSeq, transaction.Now);
        bool rotates = options.Flags.HasFlag(ShareFlags.Rotate);
        if (same is not null && !rotates && same.ShareId != lostId)
        {
            Result = same;
            return;
        }

        ShareRecord? old = same ?? (rotates ? ShareMatch.FindAsked(records, options, transaction.Now) : null);
        if (old is not null)
        {
            records[records.IndexOf(old)] = old with { RevokedAt = transaction.Now };
        }

        (long first, long last) = ShareMatch.Range(options, info.LastSeq);
        Result = new ShareRecord
        {
            ShareId = shareId,
            CreatedAt = transaction.Now,
            FirstSeq = first,
            LastSeq = last,
            Live = options.Flags.HasFlag(ShareFlags.Live),
            ExpiresAt = options.ExpiresAt,
            MaxUses = options.MaxUses,
            AskedFirst = options.FirstSeq,
            AskedLast = options.LastSeq,
        };
        records.Add(Result);
        ShareCommit.Put(transaction, row, info, records);
    }
}

/// <summary>Counts a use of a share.</summary>
internal sealed class UseShareRequest(Row row, string shareId) : CommitRequest
{
    /// <summary>True where it could not be used any more, and at most that was noted.</summary>
    public bool IsOver { get; private set; }

    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        List<ShareRecord> records = ShareList.Read(transaction.Shares(row));
        int index = records.FindIndex(r => r.ShareId == shareId);
        IsOver = index < 0 || !records[index].CanBeResolved(transaction.Now);
        if (IsOver)
        {
            if (ShareEnds.Settle(records, transaction.Now))
            {
                ShareCommit.Put(transaction, row, info, records);
            }

            return;
        }

        records[index] = records[index] with { Uses = Limits.Next(records[index].Uses), LastUsedAt = transaction.Now };
        ShareCommit.Put(transaction, row, info, records);
    }
}

/// <summary>Ends a share; its secret goes and open handles go blind.</summary>
internal sealed class RevokeShareRequest(Row row, string shareId) : CommitRequest
{
    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        List<ShareRecord> records = ShareList.Read(transaction.Shares(row));
        int index = records.FindIndex(r => r.ShareId == shareId);
        if (index < 0)
        {
            throw Errors.NotFound("share");
        }

        if (records[index].RevokedAt == 0)
        {
            records[index] = records[index] with { RevokedAt = transaction.Now };
            ShareCommit.Put(transaction, row, info, records);
        }
    }
}

/// <summary>What these have in common.</summary>
internal static class ShareCommit
{
    /// <summary>The new list, without what is over and need not be kept, and the info where what it says of the newest
    /// share changes.</summary>
    public static void Put(Transaction transaction, Row row, SessionInfo info, List<ShareRecord> records)
    {
        ShareEnds.Settle(records, transaction.Now);
        ShareSummary? summary = ShareList.Summarize(records, transaction.Now);
        transaction.PutShares(row, ShareList.Write(records, row.Id));
        if (summary != info.Share)
        {
            transaction.Put(row, info with { Share = summary });
        }
    }
}

/// <summary>Tells a repeated call from a new wish.</summary>
internal static class ShareMatch
{
    /// <summary>The events that are asked for, in a conversation that ends with an event; the last is 0 where the
    /// share follows the conversation.</summary>
    public static (long First, long Last) Range(SessionShareOptions options, long lastSeq)
        => (Math.Max(options.FirstSeq, 1), options.Flags.HasFlag(ShareFlags.Live) ? 0
            : options.LastSeq == 0 ? lastSeq : Math.Min(options.LastSeq, lastSeq));

    /// <summary>The newest share that can be resolved, shows what is asked for now and has the same terms.</summary>
    public static ShareRecord? Find(List<ShareRecord> records, SessionShareOptions options, long lastSeq, long now)
    {
        (long first, long last) = Range(options, lastSeq);
        return records.FindLast(r => HasTerms(r, options, now) && r.FirstSeq == first && (r.Live || r.LastSeq == last));
    }

    /// <summary>What a rotation ends where none shows the same: the newest share that was asked for in the same words
    /// when the conversation was shorter, else the newest of all.</summary>
    public static ShareRecord? FindAsked(List<ShareRecord> records, SessionShareOptions options, long now)
        => records.FindLast(r => HasTerms(r, options, now) && r.AskedFirst == options.FirstSeq
            && r.AskedLast == options.LastSeq) ?? records.FindLast(r => r.CanBeResolved(now));

    private static bool HasTerms(ShareRecord r, SessionShareOptions options, long now) => r.CanBeResolved(now)
        && r.Live == options.Flags.HasFlag(ShareFlags.Live) && r.ExpiresAt == options.ExpiresAt
        && r.MaxUses == options.MaxUses;
}
