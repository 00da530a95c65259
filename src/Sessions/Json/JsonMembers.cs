using System.Buffers.Text;
using System.Text.Json;

namespace Sessions.Json;

/// <summary>One member of an object, as text: its name decoded and raw, its value raw.</summary>
internal readonly record struct JsonMember(string Name, ReadOnlyMemory<byte> RawName, ReadOnlyMemory<byte> Value)
{
    public bool IsNull => Value.Span.SequenceEqual("null"u8);

    public bool IsObject => Value.Span is [(byte)'{', ..];

    public string? TextOrNull => IsNull ? null : Text;

    /// <summary>The value as a string; FormatException where it is not one.</summary>
    public string Text
    {
        get
        {
            var reader = new Utf8JsonReader(Value.Span);
            return reader.Read() && reader.TokenType == JsonTokenType.String
                ? JsonString.Decode(ref reader) : throw new FormatException();
        }
    }

    /// <summary>The value as the UTF-8 of a string; FormatException where it is not one.</summary>
    public byte[] Utf8
    {
        get
        {
            var reader = new Utf8JsonReader(Value.Span);
            if (!reader.Read() || reader.TokenType != JsonTokenType.String)
            {
                throw new FormatException();
            }

            byte[] text = new byte[reader.ValueSpan.Length];
            return text[..reader.CopyString(text)];
        }
    }

    /// <summary>What double-precision numbers have exactly, which is what most readers of JSON keep.</summary>
    public const long NumberMax = (1L << 53) - 1;

    /// <summary>The value as a whole number from 0 to 2^53-1; FormatException where it is none. No file and no
    /// frame of ours has any other, and sums of a few of them do not overflow.</summary>
    public long Number => Utf8Parser.TryParse(Value.Span, out long value, out int used) && used == Value.Length
        && (ulong)value <= NumberMax ? value : throw new FormatException();

    /// <summary>The same from 1 on.</summary>
    public long NumberAboveZero => Number is > 0 and var value ? value : throw new FormatException();

    public long NumberOrZero => IsNull ? 0 : Number;

    public bool Flag => Value.Span.SequenceEqual("true"u8) ? true
        : Value.Span.SequenceEqual("false"u8) ? false : throw new FormatException();
}

/// <summary>Reads the members of compact JSON objects and the items of compact arrays without
/// touching their spelling.</summary>
internal static class JsonMembers
{
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = JsonText.OwnDepthMax };

    /// <summary>The members in their order, repeats included.</summary>
    public static List<JsonMember> Of(ReadOnlyMemory<byte> compactObject)
    {
        var members = new List<JsonMember>();
        var reader = new Utf8JsonReader(compactObject.Span, Deep);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new FormatException();
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = JsonString.Decode(ref reader);
            int nameStart = (int)reader.TokenStartIndex, nameLength = reader.ValueSpan.Length + 2;
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            members.Add(new JsonMember(name, compactObject.Slice(nameStart, nameLength),
                compactObject[start..(int)reader.BytesConsumed]));
        }

        return members;
    }

    /// <summary>The items of an array, each raw.</summary>
    public static List<ReadOnlyMemory<byte>> Items(ReadOnlyMemory<byte> compactArray)
    {
        var items = new List<ReadOnlyMemory<byte>>();
        var reader = new Utf8JsonReader(compactArray.Span, Deep);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
        {
            throw new FormatException();
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            items.Add(compactArray[start..(int)reader.BytesConsumed]);
        }

        return items;
    }
}
