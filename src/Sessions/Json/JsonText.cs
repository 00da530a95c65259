using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Sessions.Json;

/// <summary>JSON as text that stays what it was: every token keeps its spelling, the order of keys
/// and their repeats too; only white space between tokens comes and goes.</summary>
internal static class JsonText
{
    private const int IndentedLevels = 4;

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = Limits.JsonDepthMax };

    // Our own files wrap what hosts hand in.
    private static readonly JsonReaderOptions Own = new() { MaxDepth = Limits.JsonDepthMax + 8 };

    /// <summary>Appends the text without insignificant white space. Throws InvalidUtf8 or InvalidJson
    /// with the byte at fault.</summary>
    public static void Compact(ReadOnlySpan<byte> json, string argument, Utf8Buffer output)
    {
        RequireUtf8(json, argument);
        var reader = new Utf8JsonReader(json, Strict);
        try
        {
            Copy(ref reader, output, indented: false);
        }
        catch (JsonException e)
        {
            throw Invalid(json, argument, e, Expected(reader));
        }
    }

    /// <summary>The same as a new array; where <paramref name="isObject"/>, anything but an object is
    /// an InvalidArgument.</summary>
    public static byte[] Compact(ReadOnlySpan<byte> json, string argument, bool isObject)
    {
        var output = new Utf8Buffer(json.Length + 1);
        Compact(json, argument, output);
        if (isObject && output.Written[0] != '{')
        {
            throw Errors.Argument(argument, $"{argument} must be a JSON object.");
        }

        return output.ToArray();
    }

    /// <summary>The same, where text of the host's is shown again as a part of ours: a half of a surrogate pair is
    /// an InvalidJson too, with the byte at which it stands.</summary>
    public static byte[] CompactText(ReadOnlySpan<byte> json, string argument, bool isObject)
    {
        byte[] compact = Compact(json, argument, isObject);
        RequirePairs(json, argument);
        return compact;
    }

    /// <summary>Throws InvalidJson where the JSON has half of a surrogate pair.</summary>
    public static void RequirePairs(ReadOnlySpan<byte> json, string argument)
    {
        int half = HalfPairs.Find(json);
        if (half >= 0)
        {
            ReadOnlySpan<byte> before = json[..half];
            throw Invalid(argument, half, before.Count((byte)'\n'), half - (before.LastIndexOf((byte)'\n') + 1),
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

    /// <summary>Throws InvalidUtf8 unless the bytes are UTF-8.</summary>
    public static void RequireUtf8(ReadOnlySpan<byte> text, string argument)
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

        throw Errors.InvalidUtf8(argument, offset);
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
        JsonTokenType.StartObject or JsonTokenType.StartArray when reader.CurrentDepth >= Limits.JsonDepthMax - 1
            => "at most 128 levels",
        JsonTokenType.PropertyName when reader.CurrentDepth >= Limits.JsonDepthMax => "at most 128 levels",
        JsonTokenType.StartObject => "property name",
        JsonTokenType.PropertyName or JsonTokenType.StartArray => "value",
        _ => reader.CurrentDepth == 0 ? "end of text" : "comma or end",
    };

    private static SessionException Invalid(ReadOnlySpan<byte> json, string argument, JsonException e, string expected)
    {
        long line = e.LineNumber ?? 0, column = e.BytePositionInLine ?? 0;
        int start = 0;
        for (long i = 0; i < line; i++)
        {
            start += json[start..].IndexOf((byte)'\n') + 1;
        }

        return Invalid(argument, Math.Min(start + column, json.Length), line, column, expected);
    }

    private static SessionException Invalid(string argument, long offset, long line, long column, string expected)
        => new(SessionStatus.InvalidJson, $"{argument} is not JSON at byte {offset}.",
            Errors.Details(b => b.Member("argument", argument).Member("offset", offset).Member("line", line + 1)
                .Member("column", column + 1).Member("expected", expected)), offset);
}
