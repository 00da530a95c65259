using Sessions.Json;
using Sessions.Model;

namespace Sessions.Storage.Log;

/// <summary>A part of a branch's history: what it sees of an ancestor's log, a hard link of which
/// stands in its folder.</summary>
/// <param name="SessionId">The ancestor; names the link.</param>
/// <param name="FirstSeq">The first event that stands in the file.</param>
/// <param name="LastSeq">The last event of it that belongs to the branch.</param>
/// <param name="Bytes">Where the line of that event ends in the file.</param>
internal sealed record HistoryPart(string SessionId, long FirstSeq, long LastSeq, long Bytes);

/// <summary>A rewind: the marker's number, and what it hides.</summary>
internal sealed record Rewind(long Seq, long FirstSeq, long LastSeq);

/// <summary>A compaction: the marker's number, and where the context starts from then on.</summary>
internal sealed record Compaction(long Seq, long FromSeq)
{
    /// <summary>The type of the marker.</summary>
    public const string Type = "compaction";

    /// <summary>So many are known; only rewinds ever ask for one before the last.</summary>
    public const int KeptMax = 256;

    /// <summary>The compaction that a marker's data speaks of: from_seq is an event before it. Null where
    /// it speaks of none; then the marker is an event like any other.</summary>
    public static Compaction? Read(long seq, ReadOnlyMemory<byte> data)
    {
        if (data.Span[0] != '{')
        {
            return null;
        }

        ReadOnlySpan<byte> text = JsonMembers.Of(data).FindLast(m => m.Name == "from_seq").Value.Span;
        return System.Buffers.Text.Utf8Parser.TryParse(text, out long from, out int used) && used == text.Length
            && from > 0 && from <= seq ? new Compaction(seq, from) : null;
    }
}

/// <summary>
/// What has to be known of a conversation to read its log: log.json, which is there only where it
/// says something. Immutable; changed by whole images, like every small file.
/// </summary>
internal sealed record LogState
{
    public static readonly LogState Plain = new();

    private readonly IReadOnlyList<Rewind> _rewinds = [];
    private HiddenRanges? _hidden;

    /// <summary>The first event that is left; those before it were pruned.</summary>
    public long FirstSeq { get; init; } = 1;

    /// <summary>What stands before the session's own log, oldest first.</summary>
    public IReadOnlyList<HistoryPart> History { get; init; } = [];

    /// <summary>Rewinds that were not undone, in the order of their markers.</summary>
    public IReadOnlyList<Rewind> Rewinds
    {
        get => _rewinds;
        init => (_rewinds, _hidden) = (value, null);
    }

    /// <summary>Compactions in the order of their markers.</summary>
    public IReadOnlyList<Compaction> Compactions { get; init; } = [];

    /// <summary>The last event that stands in an ancestor's log, or was pruned; the session's own log goes
    /// on behind it.</summary>
    public long LastInHistory => Math.Max(History.Count == 0 ? 0 : History[^1].LastSeq, FirstSeq - 1);

    /// <summary>The first event that stands in the session's own log, or will.</summary>
    public long FirstOwn => History.Count == 0 ? FirstSeq : History[^1].LastSeq + 1;

    /// <summary>True where the log is made of the same parts: offsets found under one hold under the other,
    /// unless its own file was replaced.</summary>
    public bool HasPartsOf(LogState other) => FirstSeq == other.FirstSeq && History.SequenceEqual(other.History);

    public bool IsPlain => FirstSeq == 1 && History.Count + Rewinds.Count + Compactions.Count == 0;

    /// <summary>What the rewinds hide together; made once it is asked for. Two threads may make it at the same
    /// time, and then have the same.</summary>
    public HiddenRanges Hidden => _hidden ??= HiddenRanges.Of(Rewinds);

    /// <summary>True where a rewind hides the event.</summary>
    public bool IsHidden(long seq) => Rewinds.Count > 0 && Hidden.Contains(seq);

    /// <summary>The last of the hidden events that a hidden event stands among; 0 where it is not hidden.</summary>
    public long HiddenUntil(long seq) => Rewinds.Count > 0 ? Hidden.LastOf(seq) : 0;

    /// <summary>Where the context starts: the kept point of the last compaction that is not hidden;
    /// the first event that is left where there is none.</summary>
    public long ContextFrom
    {
        get
        {
            for (int i = Compactions.Count - 1; i >= 0; i--)
            {
                if (!IsHidden(Compactions[i].Seq))
                {
                    return Math.Max(Compactions[i].FromSeq, FirstSeq);
                }
            }

            return FirstSeq;
        }
    }

    /// <summary>The compact image; empty where there is nothing to say.</summary>
    public byte[] Write(string sessionId)
    {
        if (IsPlain)
        {
            return [];
        }

        var b = new Utf8Buffer(256);
        b.Byte('{').Member("session_id", sessionId).Member("first_seq", FirstSeq).Raw(",\"history\":["u8);
        for (int i = 0; i < History.Count; i++)
        {
            b.Raw(i == 0 ? "{"u8 : ",{"u8).Member("session_id", History[i].SessionId)
                .Member("first_seq", History[i].FirstSeq).Member("last_seq", History[i].LastSeq)
                .Member("bytes", History[i].Bytes).Byte('}');
        }

        b.Raw("],\"rewinds\":["u8);
        for (int i = 0; i < Rewinds.Count; i++)
        {
            b.Raw(i == 0 ? "{"u8 : ",{"u8).Member("seq", Rewinds[i].Seq).Member("first_seq", Rewinds[i].FirstSeq)
                .Member("last_seq", Rewinds[i].LastSeq).Byte('}');
        }

        b.Raw("],\"compactions\":["u8);
        for (int i = 0; i < Compactions.Count; i++)
        {
            b.Raw(i == 0 ? "{"u8 : ",{"u8).Member("seq", Compactions[i].Seq)
                .Member("from_seq", Compactions[i].FromSeq).Byte('}');
        }

        return b.Raw("]}"u8).ToArray();
    }

    /// <summary>The state of an image; FormatException where it is none.</summary>
    public static LogState Read(ReadOnlyMemory<byte> compact)
    {
        if (compact.IsEmpty)
        {
            return Plain;
        }

        List<JsonMember> m = JsonMembers.Of(compact);
        return new LogState
        {
            FirstSeq = Find(m, "first_seq").NumberAboveZero,
            History = ReadHistory(Items(m, "history")),
            Rewinds = [.. Items(m, "rewinds").Select(i =>
                new Rewind(Find(i, "seq").Number, Find(i, "first_seq").Number, Find(i, "last_seq").Number))],
            Compactions = [.. Items(m, "compactions").Select(i =>
                new Compaction(Find(i, "seq").Number, Find(i, "from_seq").Number))],
        };
    }

    // The id of a part names a file, and the bytes of all of them are added up.
    private static List<HistoryPart> ReadHistory(IEnumerable<List<JsonMember>> items)
    {
        var parts = new List<HistoryPart>();
        long bytes = 0;
        foreach (List<JsonMember> i in items)
        {
            var part = new HistoryPart(Find(i, "session_id").AsId(), Find(i, "first_seq").NumberAboveZero,
                Find(i, "last_seq").Number, Find(i, "bytes").Number);
            bytes += part.Bytes + 1;
            parts.Add(Plausible.IsCount(bytes) ? part : throw new FormatException());
        }

        return parts;
    }

    /// <summary>Whether this is a state as this version writes it, and that session's.</summary>
    public static bool CanRead(ReadOnlyMemory<byte> compact, string sessionId)
    {
        try
        {
            Read(compact);
            return Find(JsonMembers.Of(compact), "session_id").Text == sessionId;
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or System.Text.Json.JsonException)
        {
            return false; // the caller's answer to this is the answer: the file is damaged
        }
    }

    private static IEnumerable<List<JsonMember>> Items(List<JsonMember> members, string name)
        => JsonMembers.Items(Find(members, name).Value).Select(JsonMembers.Of);

    private static JsonMember Find(List<JsonMember> members, string name)
    {
        JsonMember found = members.Find(m => m.Name == name);
        return found.Name is null ? throw new FormatException() : found;
    }
}
