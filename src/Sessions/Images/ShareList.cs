using Sessions.Json;
using Sessions.Model;

namespace Sessions.Images;

/// <summary>shares.json: the shares of a session in the order they were made.</summary>
internal static class ShareList
{
    private static readonly string[] Required =
    [
        "share_id", "created_at", "first_seq", "last_seq", "live", "expires_at", "max_uses", "uses", "last_used_at",
        "revoked_at",
        "asked_first", "asked_last",
    ];

    /// <summary>The shares of an image; FormatException where it is none.</summary>
    public static List<ShareRecord> Read(ReadOnlyMemory<byte> compact)
    {
        var records = new List<ShareRecord>();
        if (compact.IsEmpty)
        {
            return records;
        }

        JsonMember list = JsonMembers.Of(compact).Find(m => m.Name == "shares");
        foreach (ReadOnlyMemory<byte> item in list.Name is null
            ? throw new FormatException() : JsonMembers.Items(list.Value))
        {
            var m = new Dictionary<string, JsonMember>();
            foreach (JsonMember member in JsonMembers.Of(item))
            {
                m[member.Name] = member;
            }

            if (Array.Exists(Required, name => !m.ContainsKey(name)))
            {
                throw new FormatException();
            }

            records.Add(new ShareRecord
            {
                ShareId = ShareIds.Require(m["share_id"].Text),
                CreatedAt = m["created_at"].Number,
                FirstSeq = m["first_seq"].Number,
                LastSeq = m["last_seq"].NumberOrZero,
                Live = m["live"].Flag,
                ExpiresAt = m["expires_at"].NumberOrZero,
                MaxUses = m["max_uses"].NumberOrZero,
                Uses = m["uses"].Number,
                LastUsedAt = m["last_used_at"].NumberOrZero,
                RevokedAt = m["revoked_at"].NumberOrZero,
                EndedAt = m.TryGetValue("ended_at", out JsonMember ended) ? ended.NumberOrZero : 0,
                AskedFirst = m["asked_first"].Number,
                AskedLast = m["asked_last"].Number,
            });
        }

        return records;
    }

    /// <summary>Whether this is a list as this version writes it, and that session's: a reader that slept
    /// with a file open may find that another session's list was written into it.</summary>
    public static bool CanRead(ReadOnlyMemory<byte> compact, string sessionId)
    {
        try
        {
            Read(compact);
            JsonMember owner = JsonMembers.Of(compact).Find(m => m.Name == "session_id");
            return owner.Name is null || owner.Text == sessionId;
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or System.Text.Json.JsonException)
        {
            return false; // the caller's answer to this is the answer: the file is damaged
        }
    }

    public static byte[] Write(IReadOnlyList<ShareRecord> records, string sessionId)
    {
        var b = new Utf8Buffer(256);
        b.Byte('{').Member("session_id", sessionId).Raw(",\"shares\":["u8);
        for (int i = 0; i < records.Count; i++)
        {
            ShareRecord r = records[i];
            b.Raw(i == 0 ? "{"u8 : ",{"u8).Member("share_id", r.ShareId).Member("asked_first", r.AskedFirst)
                .Member("asked_last", r.AskedLast);
            WriteFacts(r, b);
            if (r.EndedAt != 0)
            {
                b.Member("ended_at", r.EndedAt);
            }

            b.Byte('}');
        }

        return b.Raw("]}"u8).ToArray();
    }

    /// <summary>A share as it is handed out.</summary>
    public static void WritePublic(ShareRecord r, string sessionId, Utf8Buffer b)
    {
        b.Byte('{').Member("share_id", r.ShareId).Member("session_id", sessionId);
        WriteFacts(r, b);
        b.Byte('}');
    }

    /// <summary>The ids of all shares, ended ones included.</summary>
    public static IEnumerable<string> Ids(ReadOnlyMemory<byte> compact) => Read(compact).Select(r => r.ShareId);

    /// <summary>The ids whose secrets are of no more use once a list takes the place of an older one: those of shares
    /// that are over, and of those that are not kept any more.</summary>
    public static IEnumerable<string> OverIds(ReadOnlyMemory<byte> compact, ReadOnlyMemory<byte> older)
    {
        List<ShareRecord> records = Read(compact);
        HashSet<string> open = [.. records.Where(r => !r.IsOver).Select(r => r.ShareId)];
        return records.Concat(Read(older)).Select(r => r.ShareId).Where(id => !open.Contains(id)).Distinct();
    }

    /// <summary>When the first share ends by its time that is not known to be over; 0: none does.</summary>
    public static long NextEnd(ReadOnlyMemory<byte> compact)
    {
        long next = 0;
        foreach (ShareRecord r in HasExpiry(compact.Span) ? Read(compact) : [])
        {
            next = r.IsOver || r.ExpiresAt == 0 || (next != 0 && next <= r.ExpiresAt) ? next : r.ExpiresAt;
        }

        return next;
    }

    // Most lists have none, and need not be read for that.
    private static bool HasExpiry(ReadOnlySpan<byte> compact)
    {
        ReadOnlySpan<byte> name = "\"expires_at\":"u8;
        while (compact.IndexOf(name) is >= 0 and var at)
        {
            compact = compact[(at + name.Length)..];
            if (!compact.StartsWith("null"u8))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What a session's info says of its shares: the newest that still opens.</summary>
    public static ShareSummary? Summarize(IReadOnlyList<ShareRecord> records, long now)
    {
        ShareRecord? newest = records.Reverse().FirstOrDefault(r => r.CanBeResolved(now));
        return newest is null ? null : new ShareSummary(newest.ShareId, newest.CreatedAt, newest.ExpiresAt);
    }

    /// <summary>The members that a share is shown with.</summary>
    public static void WriteFacts(ShareRecord r, Utf8Buffer b)
    {
        b.Member("first_seq", r.FirstSeq).Member("last_seq", r.Live ? null : r.LastSeq).Member("live", r.Live)
            .Member("created_at", r.CreatedAt).TimeMember("expires_at", r.ExpiresAt)
            .Member("max_uses", r.MaxUses == 0 ? null : r.MaxUses).Member("uses", r.Uses)
            .TimeMember("last_used_at", r.LastUsedAt).TimeMember("revoked_at", r.RevokedAt);
    }
}
