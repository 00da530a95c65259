using System.Buffers;
using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>SESSION_TRANSCRIPT_MARKDOWN. What people and agents wrote is Markdown, in which no HTML is markup
/// (<see cref="MarkdownText"/>); what tools printed stands in fences that nothing in it can close; errors, notes and
/// names are plain text.</summary>
internal static class MarkdownWriter
{
    // Controls, what Markdown might take for markup, and what the direction marks begin with.
    private static readonly SearchValues<byte> Special = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
        30, 31, 0xe2, 0xd8, .. "\\`*_[]<>#&!|~"u8]);

    public static void WriteTitle(string title, TranscriptOutput output)
    {
        output.Small.Raw("# "u8);
        OneLine(output.Small, new Utf8Buffer().Text(title).Written[1..^1]);
        output.Small.Byte('\n');
    }

    public static void Write(Message message, TranscriptOutput output)
    {
        output.Small.Raw(message.Role switch
        {
            Role.User => "\n## User\n"u8,
            Role.Assistant => "\n## Assistant\n"u8,
            _ => "\n## Error\n"u8,
        });
        foreach (Part part in message.Parts)
        {
            output.Raw(part.Markdown ??= Render(part, output));
        }

        if (message.StopReason.IsSet && !message.StopReason.Span.SequenceEqual("end_turn"u8))
        {
            output.Small.Raw("\n*Stopped: "u8);
            OneLine(output.Small, message.StopReason.Span);
            output.Small.Raw("*\n"u8);
        }
    }

    private static byte[] Render(Part part, TranscriptOutput room)
    {
        Utf8Buffer b = room.ForPart(256 + (part.Size * 9 / 8));
        b.Byte('\n');
        switch (part.Kind)
        {
            case PartKind.Text:
                MarkdownText.Write(b, TranscriptOutput.Unescaped(RawText.Of(part.Text), room));
                b.Raw(part.IsInterrupted ? "\n\n*Interrupted.*\n"u8 : "\n"u8);
                break;
            case PartKind.Reasoning:
                b.Raw("> **Thought**\n"u8);
                Utf8Buffer thought = room.ForText(part.Size + 64);
                MarkdownText.Write(thought, Unescape.Utf8(RawText.Of(part.Text))); // the room has the thought
                Quote(b, thought.Written, isMarkdown: true);
                break;
            case PartKind.Tool:
                Tool(b, part.Tool!, room);
                break;
            case PartKind.File:
                FileReference file = FileReference.Of(part);
                b.Raw("**File** "u8);
                OneLine(b, file.Name.IsEmpty ? file.MediaType : file.Name);
                Block(b, Unescape.Utf8(file.Url), ""u8);
                break;
            default:
                Data(b, part, room);
                break;
        }

        return b.ToArray();
    }

    private static void Tool(Utf8Buffer b, ToolCall tool, TranscriptOutput room)
    {
        b.Raw("**Tool** "u8);
        OneLine(b, tool.ShownName);
        b.Raw(" ("u8);
        OneLine(b, PartText.StateOf(tool));
        b.Raw(")\n"u8);
        if (tool.Input.IsSet)
        {
            b.Raw("\nInput:\n"u8);
            Value(b, tool.Input.Span, room);
        }

        if (tool.Output.IsSet)
        {
            b.Raw("\nOutput:\n"u8);
            Value(b, tool.Output.Span, room);
        }
    }

    private static void Data(Utf8Buffer b, Part part, TranscriptOutput room)
    {
        ReadOnlySpan<byte> text = part.Message.Role == Role.Error ? MessagesWriter.ErrorText(part.Data.Span)
            : part.Type.Span.SequenceEqual("note"u8) ? PartText.Member(part, "text"u8) : default;
        if (!text.IsEmpty)
        {
            Quote(b, Unescape.Utf8(text), isMarkdown: false);
            return;
        }

        b.Raw("**"u8);
        OneLine(b, part.Type.Span);
        b.Raw("**"u8);
        ReadOnlySpan<byte> summary = PartText.Summary(part);
        if (!summary.IsEmpty)
        {
            b.Raw(": "u8);
            OneLine(b, summary);
        }

        b.Byte('\n');
        Value(b, part.Data.Span, room);
    }

    private static void Value(Utf8Buffer b, ReadOnlySpan<byte> json, TranscriptOutput room)
    {
        ReadOnlySpan<byte> text = ToolText.Text(json);
        if (!text.IsEmpty || json is [(byte)'"', ..])
        {
            Block(b, TranscriptOutput.Unescaped(text, room), ""u8);
            return;
        }

        Utf8Buffer pretty = room.ForText(json.Length * 2L);
        JsonPretty.Write(json, pretty);
        Block(b, pretty.Written, "json"u8);
    }

    // A fence is longer than any run of backticks in what it holds.
    private static void Block(Utf8Buffer b, ReadOnlySpan<byte> text, ReadOnlySpan<byte> language)
    {
        int longest = 2, run = 0;
        foreach (byte c in text)
        {
            run = c == '`' ? run + 1 : 0;
            longest = Math.Max(longest, run);
        }

        Bidi.WriteShown(Fence(b.Byte('\n'), longest + 1).Raw(language).Byte('\n'), text);
        Fence(text is [.., (byte)'\n'] ? b : b.Byte('\n'), longest + 1).Byte('\n');
    }

    private static Utf8Buffer Fence(Utf8Buffer b, int length)
    {
        for (int i = 0; i < length; i++)
        {
            b.Byte('`');
        }

        return b;
    }

    // One line of it after the other, so that nothing in it stands outside the quote.
    private static void Quote(Utf8Buffer b, ReadOnlySpan<byte> text, bool isMarkdown)
    {
        ReadOnlySpan<byte> end;
        do
        {
            ReadOnlySpan<byte> line = MarkdownText.TakeLine(ref text, out end);
            b.Raw("> "u8);
            if (isMarkdown)
            {
                b.Raw(line);
            }
            else
            {
                Plain(b, line);
            }

            b.Byte('\n');
        }
        while (!end.IsEmpty);
    }

    private static void OneLine(Utf8Buffer b, ReadOnlySpan<byte> inside) => Plain(b, Unescape.Utf8(inside));

    // Text from outside in a line of ours: nothing in it is markup, and it stays one line.
    private static void Plain(Utf8Buffer b, ReadOnlySpan<byte> text)
    {
        while (text.IndexOfAny(Special) is >= 0 and var at)
        {
            b.Raw(text[..at]);
            text = text[at..];
            int length = 1;
            if (text[0] >= 0x80)
            {
                bool isShown = Bidi.Next(text[..Math.Min(text.Length, 3)]) == 0;
                length = isShown ? Bidi.Show(b, text) : 1;
                b.Raw(isShown ? default : text[..1]);
            }
            else if (text[0] < ' ')
            {
                b.Byte(' ');
            }
            else
            {
                b.Byte('\\').Raw(text[..1]);
            }

            text = text[length..];
        }

        b.Raw(text);
    }
}
