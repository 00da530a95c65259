using System.Text;
using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>What a tool call says for people: why it failed, what its output reads like.</summary>
internal static class ToolText
{
    /// <summary>Writes the inside of a JSON string: why the call failed.</summary>
    public static void WriteError(ToolCall tool, Utf8Buffer output)
    {
        ReadOnlySpan<byte> result = tool.Output.Span;
        ReadOnlySpan<byte> text = Text(result);
        if (text.IsEmpty && result is [(byte)'{', ..])
        {
            text = First(result, "message"u8, "error"u8);
        }

        if (!text.IsEmpty)
        {
            output.Raw(text);
        }
        else if (!result.IsEmpty)
        {
            int start = output.Length;
            output.Text(Encoding.UTF8.GetString(result));
            output.Writable[(start + 1)..].CopyTo(output.Writable[start..]); // without its quotes
            output.Truncate(output.Length - 2);
        }
        else
        {
            output.Raw(tool.Status.IsSet ? tool.Status.Span : "failed"u8);
        }
    }

    /// <summary>The inside of the JSON string that a value is, or that it wraps as the only text: empty
    /// where there is more to it.</summary>
    public static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> value)
    {
        if (value is [(byte)'"', ..])
        {
            return value[1..^1];
        }

        // [{"type":"content","content":{"type":"text","text":"..."}}], as agents wrap what a tool printed
        var items = new ItemScan(value);
        if (!items.Next())
        {
            return default;
        }

        ReadOnlySpan<byte> first = items.Value;
        if (items.Next())
        {
            return default;
        }

        ReadOnlySpan<byte> inner = TranscriptBuilder.Member(first, "content"u8);
        ReadOnlySpan<byte> text = TranscriptBuilder.Member(inner.IsEmpty ? first : inner, "text"u8);
        return text is [(byte)'"', ..] ? text[1..^1] : default;
    }

    private static ReadOnlySpan<byte> First(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name,
        ReadOnlySpan<byte> otherName)
    {
        ReadOnlySpan<byte> value = TranscriptBuilder.Member(data, name);
        value = value is [(byte)'"', ..] ? value : TranscriptBuilder.Member(data, otherName);
        return value is [(byte)'"', ..] ? value[1..^1] : default;
    }
}
