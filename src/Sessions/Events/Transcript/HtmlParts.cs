using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>Parts of messages as HTML.</summary>
internal static class HtmlParts
{
    public static byte[] Render(Part part, TranscriptOutput room)
    {
        Utf8Buffer b = room.ForPart(256 + (part.Size * 9 / 8));
        switch (part.Kind)
        {
            case PartKind.Text when part.Message.Role == Role.User:
                Paragraph(b, RawText.Of(part.Text));
                break;
            case PartKind.Text:
                HtmlText.Markdown(b, TranscriptOutput.Unescaped(RawText.Of(part.Text), room));
                b.Raw(part.IsInterrupted ? "<div class=\"stop\">Interrupted</div>\n"u8 : "\n"u8);
                break;
            case PartKind.Reasoning:
                Summary(b, "think"u8, "\u2026"u8, "Thought"u8, default);
                HtmlText.Markdown(b, TranscriptOutput.Unescaped(RawText.Of(part.Text), room));
                b.Raw("</div></details>\n"u8);
                break;
            case PartKind.Tool:
                Tool(b, part.Tool!, room);
                break;
            case PartKind.File:
                HtmlFile.Write(b, FileReference.Of(part));
                break;
            default:
                Data(b, part, room);
                break;
        }

        return b.ToArray();
    }

    private static void Tool(Utf8Buffer b, ToolCall tool, TranscriptOutput room)
    {
        ToolState state = tool.State;
        Summary(b, state switch
        {
            ToolState.OutputAvailable => "ok"u8,
            ToolState.OutputError => "bad"u8,
            _ => "run"u8,
        }, state switch
        {
            ToolState.OutputAvailable => "\u2713"u8,
            ToolState.OutputError => "\u2717"u8,
            _ => "\u25cb"u8,
        }, tool.ShownName, PartText.StateOf(tool));
        if (tool.Input.IsSet)
        {
            b.Raw("<div class=\"l\">Input</div>"u8);
            Value(b, tool.Input.Span, room);
        }

        if (tool.Output.IsSet)
        {
            b.Raw("<div class=\"l\">Output</div>"u8);
            Value(b, tool.Output.Span, room);
        }

        b.Raw("</div></details>\n"u8);
    }

    private static void Data(Utf8Buffer b, Part part, TranscriptOutput room)
    {
        ReadOnlySpan<byte> type = part.Type.Span;
        ReadOnlySpan<byte> text = part.Message.Role == Role.Error ? MessagesWriter.ErrorText(part.Data.Span)
            : type.SequenceEqual("note"u8) ? PartText.Member(part, "text"u8) : default;
        if (!text.IsEmpty)
        {
            Paragraph(b, text);
        }
        else if (type.SequenceEqual("plan"u8) && TranscriptBuilder.Member(part.Data.Span, "entries"u8) is
            [(byte)'[', ..] and var entries)
        {
            Plan(b, entries);
        }
        else
        {
            bool isDamage = type.SequenceEqual("damaged"u8);
            Summary(b, isDamage ? "warn"u8 : "run"u8, isDamage ? "!"u8 : "\u00b7"u8,
                isDamage ? "Damaged"u8 : TitleOf(type), PartText.Summary(part));
            Value(b, part.Data.Span, room);
            b.Raw("</div></details>\n"u8);
        }
    }

    private static ReadOnlySpan<byte> TitleOf(ReadOnlySpan<byte> type)
        => type.SequenceEqual("permission"u8) ? "Permission"u8
        : type.SequenceEqual("file_read"u8) ? "Read"u8
        : type.SequenceEqual("file_write"u8) ? "Wrote"u8
        : type.SequenceEqual("file"u8) ? "File"u8 : type;

    private static void Plan(Utf8Buffer b, ReadOnlySpan<byte> entries)
    {
        b.Raw("<ul>"u8);
        var items = new ItemScan(entries);
        while (items.Next())
        {
            ReadOnlySpan<byte> status = TranscriptBuilder.Member(items.Value, "status"u8);
            ReadOnlySpan<byte> content = TranscriptBuilder.Member(items.Value, "content"u8);
            b.Raw(status.SequenceEqual("\"completed\""u8) ? "<li class=\"done\"><span class=\"s\">\u2713"u8
                : status.SequenceEqual("\"in_progress\""u8) ? "<li class=\"now\"><span class=\"s\">\u25cf"u8
                : "<li><span class=\"s\">\u25cb"u8).Raw("</span><span dir=\"auto\">"u8);
            HtmlText.Escape(b, content is [(byte)'"', ..] ? Unescape.Utf8(content[1..^1]) : content);
            b.Raw("</span></li>"u8);
        }

        b.Raw("</ul>\n"u8);
    }

    private static void Paragraph(Utf8Buffer b, ReadOnlySpan<byte> inside)
    {
        b.Raw("<div class=\"p\" dir=\"auto\">"u8);
        HtmlText.Prose(b, Unescape.Utf8(inside));
        b.Raw("</div>\n"u8);
    }

    // Opens a folded block and its body. Title and word are insides of JSON strings.
    private static void Summary(Utf8Buffer b, ReadOnlySpan<byte> style, ReadOnlySpan<byte> sign,
        ReadOnlySpan<byte> title, ReadOnlySpan<byte> word)
    {
        b.Raw("<details class=\""u8).Raw(style).Raw("\"><summary><span class=\"s\">"u8).Raw(sign)
            .Raw("</span><span class=\"x\" dir=\"auto\">"u8);
        HtmlText.Escape(b, Unescape.Utf8(title));
        b.Raw("</span>"u8);
        if (!word.IsEmpty)
        {
            b.Raw("<span class=\"k\">"u8);
            HtmlText.Escape(b, Unescape.Utf8(word));
            b.Raw("</span>"u8);
        }

        b.Raw("</summary><div class=\"b\">"u8);
    }

    // A text as text, the members of an object one below the other, all else as JSON.
    private static void Value(Utf8Buffer b, ReadOnlySpan<byte> json, TranscriptOutput room)
    {
        ReadOnlySpan<byte> text = ToolText.Text(json);
        if (!text.IsEmpty || json is [(byte)'"', ..])
        {
            Preformatted(b, TranscriptOutput.Unescaped(text, room));
            return;
        }

        if (json is not [(byte)'{', ..])
        {
            Pretty(b, json, room);
            return;
        }

        var members = new MemberScan(json);
        while (members.Next())
        {
            b.Raw("<div class=\"kv\"><span>"u8);
            HtmlText.Escape(b, members.Name);
            b.Raw("</span>"u8);
            if (members.IsText)
            {
                Preformatted(b, TranscriptOutput.Unescaped(members.RawText, room));
            }
            else
            {
                Pretty(b, members.Value, room);
            }

            b.Raw("</div>"u8);
        }
    }

    private static void Pretty(Utf8Buffer b, ReadOnlySpan<byte> json, TranscriptOutput room)
    {
        Utf8Buffer pretty = room.ForText(json.Length + 64);
        JsonPretty.Write(json, pretty);
        Preformatted(b, pretty.Written);
    }

    // A newline right behind the tag would be dropped, so one goes first.
    private static void Preformatted(Utf8Buffer b, ReadOnlySpan<byte> text)
    {
        b.Raw("<pre dir=\"auto\">\n"u8);
        HtmlText.Escape(b, text);
        b.Raw("</pre>"u8);
    }
}
