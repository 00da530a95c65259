using System.Buffers.Text;
using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Log;

namespace Sessions.Events.Transcript;

/// <summary>An event as slices of its line; valid until the walk goes on.</summary>
internal readonly ref struct EventSlice
{
    public required long Seq { get; init; }

    /// <summary>The inside of the JSON string, still escaped.</summary>
    public ReadOnlySpan<byte> Type { get; init; }

    /// <summary>The same of the turn; empty where there is none.</summary>
    public ReadOnlySpan<byte> TurnId { get; init; }

    /// <summary>Unix milliseconds; 0 where there is none.</summary>
    public long Timestamp { get; init; }

    /// <summary>One compact value.</summary>
    public ReadOnlySpan<byte> Data { get; init; }

    /// <summary>What is wrong with the line; null where nothing is.</summary>
    public Piece? Damage { get; init; }

    /// <summary>The file that the line is damaged in, relative to the session's folder; null where the reader
    /// is not told.</summary>
    public string? File { get; init; }

    /// <summary>The event that a walk stands at.</summary>
    public static EventSlice Of(LogView log, LogWalk walk)
    {
        if (walk.Damage is { } damage)
        {
            if (log.HidesPlaces)
            {
                return new EventSlice { Seq = walk.Seq, Damage = damage };
            }

            (string file, long offset) = log.Locate(damage.Offset);
            return new EventSlice { Seq = walk.Seq, Damage = damage with { Offset = offset }, File = file };
        }

        return TryOwn(walk.Seq, walk.Unclosed.Span, out EventSlice own) ? own : Of(EventView.Of(walk));
    }

    // A line of another tool, parsed.
    private static EventSlice Of(EventView view)
    {
        ReadOnlySpan<byte> data = view.Data.Span;
        if (!JsonScan.IsOneValue(data))
        {
            data = Compact(data);
        }

        return new EventSlice
        {
            Seq = view.Seq,
            Type = Inside(view.Type),
            TurnId = view.TurnId is { } turn ? Inside(turn) : default,
            Timestamp = view.Timestamp,
            Data = data,
        };
    }

    // A line as this library writes it; others have their members in any order, and white space.
    private static bool TryOwn(long seq, ReadOnlySpan<byte> unclosed, out EventSlice slice)
    {
        slice = default;
        ReadOnlySpan<byte> rest = unclosed["{\"seq\":"u8.Length..];
        rest = rest[Math.Max(0, rest.IndexOf((byte)','))..];
        ReadOnlySpan<byte> type = Text(rest, ",\"type\":"u8);
        rest = Behind(rest, ",\"type\":"u8, type);
        if (type.IsEmpty || !rest.StartsWith(",\"timestamp\":"u8)
            || !Utf8Parser.TryParse(rest[13..], out long timestamp, out int used))
        {
            return false;
        }

        rest = rest[(13 + used)..];
        ReadOnlySpan<byte> turn = Text(rest, ",\"turn_id\":"u8);
        rest = Behind(rest, ",\"turn_id\":"u8, turn);
        rest = Behind(rest, ",\"id\":"u8, Text(rest, ",\"id\":"u8));
        if (!rest.StartsWith(",\"data\":"u8) || !JsonScan.IsOneValue(rest[8..]))
        {
            return false;
        }

        slice = new EventSlice
        {
            Seq = seq,
            Type = type[1..^1],
            TurnId = turn.IsEmpty ? default : turn[1..^1],
            Timestamp = timestamp,
            Data = rest[8..],
        };
        return true;
    }

    // The string of a member, quotes included; empty where there is no such member.
    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> rest, scoped ReadOnlySpan<byte> name)
        => rest.StartsWith(name) && rest.Length > name.Length && rest[name.Length] == '"'
            ? rest.Slice(name.Length, JsonScan.StringLength(rest[name.Length..])) : default;

    private static ReadOnlySpan<byte> Behind(ReadOnlySpan<byte> rest, scoped ReadOnlySpan<byte> name,
        scoped ReadOnlySpan<byte> text) => text.IsEmpty ? rest : rest[(name.Length + text.Length)..];

    private static ReadOnlySpan<byte> Inside(string text) => new Utf8Buffer().Text(text).ToArray().AsSpan()[1..^1];

    // Another tool's may be too deep to be shown; the event itself keeps its place.
    private static byte[] Compact(ReadOnlySpan<byte> data)
        => JsonCheck.IsValue(data) ? JsonArgument.Compact(data, "data", isObject: false) : "null"u8.ToArray();
}
