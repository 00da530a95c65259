using Sessions.Storage;

namespace Sessions.Sharing;

/// <summary>Adds a share whose secret is on stable storage already, or finds the one that a call
/// with the same options made.</summary>
internal sealed class AddShareRequest(Row row, SessionShareOptions options, string shareId) : CommitRequest
{
    /// <summary>The id of the share that it adds.</summary>
    public string ShareId => shareId;

    /// <summary>The share there is now: the new one, or one that was there first.</summary>
    public ShareRecord? Result { get; private set; }

    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        List<ShareRecord> records = ShareList.Read(transaction.Shares(row));
        ShareRecord? same = ShareMatch.Find(records, options, transaction.Now);
        if (options.Flags.HasFlag(ShareFlags.Rotate))
        {
            ShareRecord? old = same ?? records.FindLast(r => r.CanBeResolved(transaction.Now));
            if (old is not null)
            {
                records[records.IndexOf(old)] = old with { RevokedAt = transaction.Now };
            }
        }
        else if (same is not null)
        {
            Result = same;
            return;
        }

        bool live = options.Flags.HasFlag(ShareFlags.Live);
        Result = new ShareRecord
        {
            ShareId = shareId,
            CreatedAt = transaction.Now,
            FirstSeq = Math.Max(options.FirstSeq, 1),
            LastSeq = live ? 0 : options.LastSeq == 0 ? info.LastSeq : Math.Min(options.LastSeq, info.LastSeq),
            Live = live,
            ExpiresAt = options.ExpiresAt,
            MaxUses = options.MaxUses,
            AskedFirst = options.FirstSeq,
            AskedLast = options.LastSeq,
        };
        records.Add(Result);
        ShareCommit.Put(transaction, row, info, records);
    }
}

/// <summary>Counts a use of a share; fails with NotFound where it cannot be used.</summary>
internal sealed class UseShareRequest(Row row, string shareId) : CommitRequest
{
    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        List<ShareRecord> records = ShareList.Read(transaction.Shares(row));
        int index = records.FindIndex(r => r.ShareId == shareId);
        if (index < 0 || !records[index].CanBeResolved(transaction.Now))
        {
            throw Errors.NotFound("share");
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

/// <summary>What the three have in common.</summary>
internal static class ShareCommit
{
    /// <summary>The new list, and the info where what it says of the newest share changes.</summary>
    public static void Put(Transaction transaction, Row row, SessionInfo info, List<ShareRecord> records)
    {
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
    /// <summary>The newest share that can be resolved and was asked for in the same words.</summary>
    public static ShareRecord? Find(List<ShareRecord> records, SessionShareOptions options, long now)
        => records.FindLast(r => r.CanBeResolved(now) && r.Live == options.Flags.HasFlag(ShareFlags.Live)
            && r.ExpiresAt == options.ExpiresAt && r.MaxUses == options.MaxUses
            && r.AskedFirst == options.FirstSeq && r.AskedLast == options.LastSeq);
}
