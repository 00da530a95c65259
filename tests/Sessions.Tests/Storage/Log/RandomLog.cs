using System.Text.Json;
using Sessions.Events.Pages;
using Sessions.Json;
using Sessions.Storage.Log;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Log;

/// <summary>A log of every kind, with a state that hides some of it, and what a reader should see of it by
/// the plainest way of telling.</summary>
internal sealed class RandomLog
{
    private static readonly string[] Types = ["user_prompt", "tool_call", "custom:a", "custom:b", "note"];
    private static readonly string?[] Turns = [null, "t-1", "t-2", "t-3"];

    public RandomLog(Random random)
    {
        var output = new Utf8Buffer();
        int count = random.Next(4) == 0 ? random.Next(4) : random.Next(400), sizes = random.Next(3);
        bool isDamaged = random.Next(2) == 0;
        long seq = 0, time = 1000;
        State = MakeState(random, count);
        for (int i = 0; i < count; i++)
        {
            seq += random.Next(20) == 0 ? random.Next(1, 4) : 1;
            time += random.Next(-20, 60);
            if (seq < State.FirstSeq)
            {
                continue;
            }

            int length = sizes == 0 ? random.Next(30) : sizes == 1 ? random.Next(3000) : random.Next(40_000);
            int start = output.Length;
            EventLine.Write(output, seq, Types[random.Next(Types.Length)], time, Turns[random.Next(Turns.Length)], null,
                Stores.Utf8($"{{\"text\":\"{new string('x', length)}\\n\\\"\"}}"));
            if (isDamaged && random.Next(25) == 0)
            {
                output.Writable[start + random.Next(output.Length - start - 1)] ^= 1;
            }
        }

        Bytes = output.ToArray();
        LastSeq = seq;
        Events = [.. new NaiveLog(Bytes, seq).Events];
    }

    public byte[] Bytes { get; }

    public long LastSeq { get; }

    public LogState State { get; }

    public List<(long Seq, string Text)> Events { get; }

    /// <summary>A sight on it: all of it, or the range of a share.</summary>
    public Sight See(Random random)
    {
        long first = random.Next(3) == 0 ? random.NextInt64(1, LastSeq + 2) : 1;
        long last = random.Next(3) == 0 ? random.NextInt64(first - 1, LastSeq + 1) : LastSeq;
        return new Sight(new SeqRange(first, last), State, LastSeq, (ReadFlags)random.Next(8));
    }

    public static EventCursorOptions Ask(Random random) => new()
    {
        Types = random.Next(6) switch { 0 => "custom:*", 1 => "tool_call,note", 2 => "damaged", _ => null },
        TurnId = random.Next(5) == 0 ? "t-2" : null,
        Since = random.Next(6) == 0 ? random.Next(1000, 4000) : 0,
        Until = random.Next(6) == 0 ? random.Next(4000, 9000) : 0,
    };

    /// <summary>Why a number is not shown whatever is asked for; null where it is.</summary>
    public string? Hole(Sight sight, long seq)
    {
        bool isThere = Events.Exists(e => e.Seq == seq);
        return seq < sight.Range.First ? "outside_share"
            : seq < State.FirstSeq && !isThere ? "pruned"
            : !sight.Flags.HasFlag(ReadFlags.Hidden) && State.IsHidden(seq) ? "rewound"
            : isThere ? null : "missing";
    }

    /// <summary>The events that pass, in order.</summary>
    public List<(long Seq, string Text)> Visible(Sight sight, EventCursorOptions options) => [.. Events.Where(e =>
        e.Seq >= sight.From && e.Seq <= Math.Min(sight.Range.Last, LastSeq) && Hole(sight, e.Seq) is null
        && Passes(JsonDocument.Parse(e.Text).RootElement, options))];

    private static bool Passes(JsonElement e, EventCursorOptions options)
    {
        string type = e.GetProperty("type").GetString()!;
        bool isOfType = options.Types is null || options.Types.Split(',').Any(t => t.EndsWith('*')
            ? type.StartsWith(t[..^1], StringComparison.Ordinal) : t == type);
        string? turn = e.TryGetProperty("turn_id", out JsonElement id) ? id.GetString() : null;
        long? time = e.GetProperty("timestamp").ValueKind == JsonValueKind.Number
            ? e.GetProperty("timestamp").GetInt64() : null;
        return isOfType && (options.TurnId is null || options.TurnId == turn)
            && (options.Since == 0 || time >= options.Since) && (options.Until == 0 || time <= options.Until);
    }

    private static LogState MakeState(Random random, int count)
    {
        var rewinds = new List<Rewind>();
        for (int i = random.Next(4); i > 1; i--)
        {
            long first = random.NextInt64(1, count + 2);
            rewinds.Add(new Rewind(count + 1, first, first + random.Next(count / 2 + 1)));
        }

        return new LogState
        {
            FirstSeq = random.Next(3) == 0 ? random.NextInt64(1, count + 2) : 1,
            Rewinds = rewinds,
            Compactions = random.Next(2) == 0 ? [] : [new Compaction(count + 2, random.NextInt64(1, count + 2))],
        };
    }
}
