using Sessions.Images;
using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Rows;

/// <content>Lists of shares, and when shares end.</content>
internal sealed partial class RowTable
{
    private readonly Dictionary<string, long> _shareEnds = []; // by session, the first end that is to come
    private long _nextShareEnd = long.MaxValue;

    /// <summary>When the next share ends, of those that this process knows of; the largest number: never. Also without
    /// the gate.</summary>
    public long NextShareEnd => Volatile.Read(ref _nextShareEnd);

    /// <summary>shares.json of a row, compact; empty where there is none. Without the store lock
    /// (not <paramref name="isSettled"/>) a folder that is missing is NotFound.</summary>
    public byte[] ReadShares(Row row, bool isSettled = true)
    {
        if (row.Shares is null)
        {
            row.Shares = ReadSmall(row, Layout.SharesFile, c => ShareList.CanRead(c, row.Id), isSettled) ?? [];
            NoteShareEnd(row.Id, ShareList.NextEnd(row.Shares));
        }

        return row.Shares;
    }

    /// <summary>Notes when the next share of a session ends; 0: none does.</summary>
    public void NoteShareEnd(string id, long at)
    {
        if (at == 0)
        {
            _shareEnds.Remove(id); // whoever comes for the next one finds out
            return;
        }

        _shareEnds[id] = at;
        Volatile.Write(ref _nextShareEnd, Math.Min(_nextShareEnd, at));
    }

    /// <summary>The sessions of which a share has ended by a time; they are forgotten until a share is noted again.
    /// </summary>
    public List<Row> TakeEndedShares(long now)
    {
        var ended = new List<Row>();
        long next = long.MaxValue;
        foreach ((string id, long at) in _shareEnds)
        {
            if (at > now)
            {
                next = Math.Min(next, at);
            }
            else if (_rows.TryGetValue(id, out Row? row) && row.IsLive)
            {
                ended.Add(row);
            }
        }

        foreach (string id in _shareEnds.Where(e => e.Value <= now).Select(e => e.Key).ToList())
        {
            _shareEnds.Remove(id);
        }

        Volatile.Write(ref _nextShareEnd, next);
        return ended;
    }

    private void Install(Row row, byte[] shares)
    {
        foreach (string share in _byShare is null || row.Shares is null ? [] : ShareList.Ids(row.Shares))
        {
            _byShare!.Remove(share);
        }

        row.Shares = shares;
        foreach (string share in _byShare is null ? [] : ShareList.Ids(shares))
        {
            _byShare![share] = row.Id;
        }

        NoteShareEnd(row.Id, ShareList.NextEnd(shares));
    }

    /// <summary>The live session that has the share; null where there is none.</summary>
    public Row? FindByShare(string shareId, bool isSettled)
    {
        Complete();
        Dictionary<string, string>? found = _byShare;
        if (found is null)
        {
            bool isWhole = true;
            found = [];
            foreach (Row row in _rows.Values.Where(MayBeShared))
            {
                byte[]? shares = TryReadShares(row, isSettled);
                isWhole &= shares is not null;
                foreach (string share in ShareList.Ids(shares ?? []))
                {
                    found[share] = row.Id;
                }
            }

            _byShare = isWhole ? found : null; // a file that may not be read may be put right
        }

        return found.TryGetValue(shareId, out string? id) && Find(id) is { IsLive: true } live ? live : null;
    }

    /// <summary>The info as people see it at a time: no file changes when a share expires.</summary>
    public SessionInfo Shown(Row row, SessionInfo info, long now, bool isSettled = true)
    {
        if (info.Share is not { ExpiresAt: > 0 } share || now < share.ExpiresAt)
        {
            return info;
        }

        List<ShareRecord> records = ShareList.Read(TryReadShares(row, isSettled) ?? []);
        return info with { Share = ShareList.Summarize(records, now) };
    }

    // Null for a list that this user may not read, empty for one that is damaged (and kept aside): nothing in either
    // can be resolved or shown. The others' can.
    private byte[]? TryReadShares(Row row, bool isSettled)
    {
        try
        {
            return ReadShares(row, isSettled);
        }
        catch (SessionException e) when (e.Status is SessionStatus.Corrupt or SessionStatus.AccessDenied)
        {
            return e.Status == SessionStatus.Corrupt ? [] : null;
        }
        catch (DiskException e) when (Obstacle.HidesContent(e))
        {
            return null;
        }
    }

    // share_info is null where no share can be resolved, so that most sessions need no look at their file.
    private static bool MayBeShared(Row row) => row.IsLive && (row.Info is { } info
        ? info.Share is not null
        : row.Slice.IsEmpty || row.Slice.Span.IndexOf("\"share_info\":null"u8) < 0);
}
