using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>The text of a rope in one piece.</summary>
internal static class RawText
{
    public static ReadOnlySpan<byte> Of(in Rope rope)
    {
        if (rope.Count <= 1)
        {
            return rope.Count == 0 ? default : rope[0];
        }

        var joined = new Utf8Buffer((int)Math.Min(rope.Length, Array.MaxLength));
        for (int i = 0; i < rope.Count; i++)
        {
            joined.Raw(rope[i]);
        }

        return joined.Written;
    }
}

/// <summary>What parts say in a line. All texts are insides of JSON strings.</summary>
internal static class PartText
{
    public static ReadOnlySpan<byte> Member(Part part, ReadOnlySpan<byte> name)
        => TextOf(TranscriptBuilder.Member(part.Data.Span, name));

    public static ReadOnlySpan<byte> StateOf(ToolCall tool) => tool.Status.IsSet ? tool.Status.Span
        : tool.State == ToolState.OutputAvailable ? "completed"u8 : "pending"u8;

    /// <summary>The gist of a data part; empty where there is none to tell.</summary>
    public static ReadOnlySpan<byte> Summary(Part part)
    {
        ReadOnlySpan<byte> type = part.Type.Span;
        if (type.SequenceEqual("permission"u8))
        {
            return Decision(part);
        }

        if (type.SequenceEqual("file_read"u8) || type.SequenceEqual("file_write"u8))
        {
            return Member(part, "path"u8);
        }

        return type.SequenceEqual("damaged"u8) ? "this event cannot be read"u8
            : type.SequenceEqual("file"u8) ? Member(part, "name"u8) : default;
    }

    // The name of what was chosen stands in the question; the decision may have only its id.
    private static ReadOnlySpan<byte> Decision(Part part)
    {
        ReadOnlySpan<byte> outcome = TranscriptBuilder.Member(part.Data.Span, "outcome"u8);
        ReadOnlySpan<byte> word = TextOf(outcome);
        word = word.IsEmpty ? TextOf(TranscriptBuilder.Member(outcome, "outcome"u8)) : word;
        ReadOnlySpan<byte> chosen = TranscriptBuilder.Member(outcome, "option_id"u8);
        if (chosen.IsEmpty)
        {
            return word.IsEmpty ? "waiting for a decision"u8 : word;
        }

        ReadOnlySpan<byte> name = NameOf(chosen, part.Data.Span);
        name = name.IsEmpty ? NameOf(chosen, part.Question.Span) : name;
        return name.IsEmpty ? TextOf(chosen) : name;
    }

    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> optionId, ReadOnlySpan<byte> data)
    {
        var options = new ItemScan(TranscriptBuilder.Member(data, "options"u8));
        while (options.Next())
        {
            if (TranscriptBuilder.Member(options.Value, "option_id"u8).SequenceEqual(optionId))
            {
                return TextOf(TranscriptBuilder.Member(options.Value, "name"u8));
            }
        }

        return default;
    }

    private static ReadOnlySpan<byte> TextOf(ReadOnlySpan<byte> value)
        => value is [(byte)'"', .. var inside, (byte)'"'] ? inside : default;
}
