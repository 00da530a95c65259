using System.Text.Json;
using Sessions.Json;
using Sessions.Model;

namespace Sessions.Storage.Log;

/// <summary>One event as it was recorded, its data as text. Of a damaged line there are only its number
/// and what is wrong with it.</summary>
internal sealed record EventView
{
    public required long Seq { get; init; }

    /// <summary>"damaged" where the line cannot be read.</summary>
    public required string Type { get; init; }

    /// <summary>Unix milliseconds; 0 where there is none.</summary>
    public long Timestamp { get; init; }

    public string? TurnId { get; init; }

    public string? Id { get; init; }

    /// <summary>Compact JSON of any kind, token for token; empty where the line is damaged.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    public Piece? Damage { get; init; }

    /// <summary>The event that a walk stands at. Its bytes are copied: the walk goes on.</summary>
    public static EventView Of(LogWalk walk)
    {
        if (walk.Damage is { } damage)
        {
            return new EventView { Seq = walk.Seq, Type = "damaged", Damage = damage };
        }

        return TryRead(walk.Seq, walk.Unclosed.Span)
            ?? new EventView { Seq = walk.Seq, Type = "damaged", Damage = walk.Unread };
    }

    /// <summary>The event of a whole line that is still without its closing brace; null where the line has the
    /// checksum of what it is, and is no JSON.</summary>
    public static EventView? TryRead(long seq, ReadOnlySpan<byte> unclosed)
    {
        try
        {
            return Read(seq, [.. unclosed, (byte)'}']);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    // A line from another tool may have anything in any place; what is not as it should be is left out.
    private static EventView Read(long seq, byte[] text)
    {
        string type = "";
        string? turn = null, id = null;
        long timestamp = 0;
        ReadOnlyMemory<byte> data = default;
        foreach (JsonMember m in JsonMembers.Of(text))
        {
            byte first = m.Value.Span[0];
            switch (m.Name)
            {
                case "type" when first == '"': type = m.Text; break;
                case "turn_id" when first == '"': turn = m.Text; break;
                case "id" when first == '"': id = m.Text; break;
                case "data": data = m.Value; break;
                case "timestamp" when System.Buffers.Text.Utf8Parser.TryParse(m.Value.Span, out long at, out int used)
                    && used == m.Value.Length && Plausible.IsCount(at):
                    timestamp = at;
                    break;
                default: break;
            }
        }

        return new EventView
        {
            Seq = seq,
            Type = type,
            Timestamp = timestamp,
            TurnId = turn,
            Id = id,
            Data = data.IsEmpty ? "null"u8.ToArray() : data,
        };
    }
}
