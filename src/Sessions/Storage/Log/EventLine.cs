using System.Text.Json;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Log;

/// <summary>
/// One line of events.jsonl: the event as readers get it, with "crc" as its last member: CRC-32C of
/// the line before it, closed by a brace. So a reader hands out the bytes of a line that is whole
/// without parsing it, and knows one that is not.
/// </summary>
internal static class EventLine
{
    private const int SuffixLength = 18; // ,"crc":"01234567"}

    /// <summary>What every line begins with.</summary>
    public static ReadOnlySpan<byte> Beginning => "{\"seq\":"u8;

    /// <summary>The type of what a person asked.</summary>
    public const string Prompt = "user_prompt";

    private static readonly JsonReaderOptions Deep = new() { MaxDepth = JsonText.OwnDepthMax };

    /// <summary>Appends a line with its newline.</summary>
    public static void Write(Utf8Buffer output, long seq, string type, long timestamp, string? turnId, string? id,
        ReadOnlySpan<byte> data)
    {
        int start = output.Length;
        output.Raw("{\"seq\":"u8).Number(seq).Raw(",\"type\":"u8).Text(type).Raw(",\"timestamp\":"u8).Number(timestamp);
        if (turnId is not null)
        {
            output.Raw(",\"turn_id\":"u8).Text(turnId);
        }

        if (id is not null)
        {
            output.Raw(",\"id\":"u8).Text(id);
        }

        output.Raw(",\"data\":"u8).Raw(data).Byte('}');
        uint crc = Crc32C.Compute(output.Written[start..]);
        output.Truncate(output.Length - 1);
        CheckedJson.AppendChecksum(output, crc);
        output.Byte('}').Byte('\n');
    }

    /// <summary>The event of a line without its newline, still without its closing brace; false where
    /// the line is damaged. A line without a checksum (from another tool) counts if it is JSON.</summary>
    public static bool TryRead(ReadOnlySpan<byte> line, out long seq, out ReadOnlySpan<byte> unclosed)
    {
        unclosed = default;
        if (!TrySeq(line, out seq) || line[^1] != '}')
        {
            return false;
        }

        Checksum checksum = CheckedJson.Check(line, out int length);
        unclosed = checksum == Checksum.Good ? line[..length] : line[..^1];
        return checksum == Checksum.Good || (checksum == Checksum.None && JsonCheck.IsObject(line));
    }

    /// <summary>
    /// Finds an event that was glued onto a piece of another: its line begins at <paramref name="at"/>.
    /// Only a checksum tells it from the inside of an event.
    /// </summary>
    public static bool TryReadGlued(ReadOnlySpan<byte> line, out int at, out long seq,
        out ReadOnlySpan<byte> unclosed)
    {
        seq = 0;
        unclosed = default;
        at = line.LastIndexOf(Beginning);
        return at > 0 && TryRead(line[at..], out seq, out unclosed)
            && CheckedJson.Check(line[at..], out _) == Checksum.Good;
    }

    /// <summary>The number that a line begins with; false where it begins with none.</summary>
    private static bool TrySeq(ReadOnlySpan<byte> line, out long seq)
    {
        seq = 0;
        return line.Length > SuffixLength && line.StartsWith(Beginning)
            && System.Buffers.Text.Utf8Parser.TryParse(line[7..], out seq, out int used)
            && seq is > 0 and <= Limits.IntegerMax && 7 + used < line.Length
            && line[7 + used] is (byte)',' or (byte)'}';
    }

    /// <summary>What stands before the data of a whole line. Another tool's may be odd; what is not as
    /// it should be is then left out, and so is all that stands behind what is no JSON: a checksum has no key.
    /// </summary>
    public static EventHead Head(ReadOnlySpan<byte> line)
    {
        var head = new EventHead(0, "", 0, null, null);
        try
        {
            Read(line, ref head);
        }
        catch (JsonException)
        {
            return head;
        }

        return head;
    }

    private static void Read(ReadOnlySpan<byte> line, ref EventHead head)
    {
        var reader = new Utf8JsonReader(line, isFinalBlock: false, new JsonReaderState(Deep));
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = JsonString.Decode(ref reader);
            if (name == "data" || !reader.Read())
            {
                break;
            }

            switch (name)
            {
                case "seq" when reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long seq)
                    && Plausible.IsCount(seq):
                    head = head with { Seq = seq };
                    break;
                case "type" when reader.TokenType == JsonTokenType.String:
                    head = head with { Type = JsonString.Decode(ref reader) };
                    break;
                case "timestamp" when reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long at)
                    && Plausible.IsCount(at):
                    head = head with { Timestamp = at };
                    break;
                case "turn_id" when reader.TokenType == JsonTokenType.String:
                    head = head with { TurnId = JsonString.Decode(ref reader) };
                    break;
                case "id" when reader.TokenType == JsonTokenType.String:
                    head = head with { Id = JsonString.Decode(ref reader) };
                    break;
                case "turn_id" when reader.TokenType == JsonTokenType.String:
                    head = head with { TurnId = JsonString.Decode(ref reader) };
                    break;
                default:
                    if (!reader.TrySkip())
                    {
                        return;
                    }

                    break;
            }
        }
    }

    /// <summary>True for the types that message_count counts.</summary>
    public static bool IsMessage(string type) => type is Prompt or "agent_message";
}

/// <summary>The head of an event.</summary>
internal readonly record struct EventHead(long Seq, string Type, long Timestamp, string? Id, string? TurnId = null);
