using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Sessions.Json;

/// <summary>JSON as text that stays what it was: every token keeps its spelling, the order of keys
/// and their repeats too; only white space between tokens comes and goes.</summary>
internal static class JsonText
{
    /// <summary>Levels that a text of a host may have.</summary>
    public const int DepthMax = 128;

    /// <summary>Levels that a text of ours may have, which wraps what hosts hand in.</summary>
    public const int OwnDepthMax = DepthMax + 8;

    private const int IndentedLevels = 4;

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = DepthMax };
    private static readonly JsonReaderOptions Own = new() { MaxDepth = OwnDepthMax };

    /// <summary>Appends the text without insignificant white space. Throws <see cref="JsonTextException"/> with the
    /// byte at fault.</summary>
    public static void Compact(ReadOnlySpan<byte> json, Utf8Buffer output)
    {
        RequireUtf8(json);
        var reader = new Utf8JsonReader(json, Strict);
        try
        {
            Copy(ref reader, output, indented: false);
        }
        catch (JsonException e)
        {
            throw Invalid(json, e, Expected(reader));
        }
    }

    /// <summary>Throws where the JSON has half of a surrogate pair.</summary>
    public static void RequirePairs(ReadOnlySpan<byte> json)
    {
        int half = HalfPairs.Find(json);
        if (half >= 0)
        {
            ReadOnlySpan<byte> before = json[..half];
            throw new JsonTextException(half, before.Count((byte)'\n'), half - (before.LastIndexOf((byte)'\n') + 1),
                "the other half of a surrogate pair");
        }
    }

    /// <summary>The compact form, or null where the bytes are not one whole JSON object.</summary>
    public static byte[]? TryCompactObject(ReadOnlySpan<byte> json)
    {
        if (!JsonCheck.IsObject(json))
        {
            return null;
        }

        var output = new Utf8Buffer(json.Length + 1);
        var reader = new Utf8JsonReader(json, Own);
        Copy(ref reader, output, indented: false);
        return output.ToArray();
    }

    /// <summary>The text for people: two spaces a level, for so many levels; what is deeper stands on one line.
    /// So it is never more than six times as long as the compact text.</summary>
    public static void Indent(ReadOnlySpan<byte> compact, Utf8Buffer output)
    {
        var reader = new Utf8JsonReader(compact, Own);
        Copy(ref reader, output, indented: true);
    }

    private static void RequireUtf8(ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
        {
            return;
        }

        int offset = 0;
        while (Rune.DecodeFromUtf8(text[offset..], out _, out int consumed) == OperationStatus.Done)
        {
            offset += consumed;
        }

        throw new JsonTextException(offset);
    }

    private static void Copy(ref Utf8JsonReader reader, Utf8Buffer output, bool indented)
    {
        JsonTokenType before = JsonTokenType.None;
        while (reader.Read())
        {
            JsonTokenType token = reader.TokenType;
            bool closes = token is JsonTokenType.EndObject or JsonTokenType.EndArray;
            bool opened = before is JsonTokenType.StartObject or JsonTokenType.StartArray;
            if (!closes && before is not (JsonTokenType.None or JsonTokenType.PropertyName) && !opened)
            {
                output.Byte(',');
            }

            if (indented && before is not (JsonTokenType.None or JsonTokenType.PropertyName) && !(closes && opened)
                && reader.CurrentDepth + (closes ? 1 : 0) <= IndentedLevels)
            {
                output.Byte('\n');
                for (int i = reader.CurrentDepth; i > 0; i--)
                {
                    output.Raw("  "u8);
                }
            }

            switch (token)
            {
                case JsonTokenType.PropertyName:
                    output.Byte('"').Raw(reader.ValueSpan).Raw(indented ? "\": "u8 : "\":"u8);
                    break;
                case JsonTokenType.String:
                    output.Byte('"').Raw(reader.ValueSpan).Byte('"');
                    break;
                default:
                    output.Raw(reader.ValueSpan);
                    break;
            }

            before = token;
        }
    }

    // What could have stood where reading stopped, by what was read last.
    private static string Expected(in Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.None => "value",
        JsonTokenType.StartObject or JsonTokenType.StartArray when reader.CurrentDepth >= DepthMax - 1
            => "at most 128 levels",
        JsonTokenType.PropertyName when reader.CurrentDepth >= DepthMax => "at most 128 levels",
        JsonTokenType.StartObject => "property name",
        JsonTokenType.PropertyName or JsonTokenType.StartArray => "value",
        _ => reader.CurrentDepth == 0 ? "end of text" : "comma or end",
    };

    private static JsonTextException Invalid(ReadOnlySpan<byte> json, JsonException e, string expected)
    {
        long line = e.LineNumber ?? 0, column = e.BytePositionInLine ?? 0;
        int start = 0;
        for (long i = 0; i < line; i++)
        {
            start += json[start..].IndexOf((byte)'\n') + 1;
        }

        return new JsonTextException(Math.Min(start + column, json.Length), line, column, expected);
    }
}
