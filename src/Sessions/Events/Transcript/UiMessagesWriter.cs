using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>SESSION_TRANSCRIPT_UI_MESSAGES: `{"messages":[…],"last_seq":17}`, each message a UIMessage
/// of the AI SDK.</summary>
internal static class UiMessagesWriter
{
    public static void Write(Message message, TranscriptOutput output)
    {
        output.Small.Raw("{\"id\":\"m-"u8).Number(message.Seq)
            .Raw(message.Role == Role.User ? "\",\"role\":\"user"u8 : "\",\"role\":\"assistant"u8)
            .Raw("\",\"metadata\":{\"seq\":"u8).Number(message.Seq).Raw(",\"last_seq\":"u8).Number(message.LastSeq)
            .Raw(",\"timestamp\":"u8).TimeOrNull(message.Timestamp).Raw(",\"turn_id\":"u8).TextOrNull(message.TurnId)
            .Raw(",\"stop_reason\":"u8).TextOrNull(message.StopReason).Raw(",\"usage\":"u8);
        output.Raw(message.Usage.IsSet ? message.Usage.Span : "null"u8).Small.Raw("},\"parts\":["u8);
        KeyTable<Part>? ids = message.MayRepeatCallIds ? new KeyTable<Part>() : null;
        for (int i = 0; i < message.Parts.Count; i++)
        {
            output.Small.Raw(i == 0 ? ""u8 : ","u8);
            WritePart(message.Parts[i], i, ids, output);
        }

        output.Small.Raw("]}"u8);
    }

    private static void WritePart(Part part, int index, KeyTable<Part>? ids, TranscriptOutput output)
    {
        switch (part.Kind)
        {
            case PartKind.Text:
            case PartKind.Reasoning:
                output.Small.Raw(part.Kind == PartKind.Text
                    ? "{\"type\":\"text\",\"text\":\""u8 : "{\"type\":\"reasoning\",\"text\":\""u8);
                output.Raw(part.Text).Small.Raw("\"}"u8);
                break;
            case PartKind.Tool:
                WriteTool(part, ids, output);
                break;
            case PartKind.File:
                WriteFile(FileReference.Of(part), output);
                break;
            default:
                output.Small.Raw("{\"type\":\"data-"u8).Raw(part.Type.Span).Raw("\",\"id\":\"d-"u8).Number(part.Seq);
                if (part.Message.Role == Role.User)
                {
                    output.Small.Byte('-').Number(index); // one prompt may bring many files
                }

                output.Small.Raw("\",\"data\":"u8);
                output.Raw(part.Data.Span).Small.Byte('}');
                break;
        }
    }

    private static void WriteTool(Part part, KeyTable<Part>? ids, TranscriptOutput output)
    {
        ToolCall tool = part.Tool!;
        ReadOnlySpan<byte> plain = tool.PlainName;
        Utf8Buffer head = output.Small;
        if (plain.IsEmpty)
        {
            head.Raw("{\"type\":\"dynamic-tool\",\"toolName\":\""u8).Raw(tool.ShownName);
        }
        else
        {
            head.Raw("{\"type\":\"tool-"u8).Raw(plain);
        }

        WriteId(part, ids, head.Raw("\",\"toolCallId\":\""u8));
        if (tool.Title.Length > 0)
        {
            head.Raw("\",\"title\":\""u8).Raw(tool.Title.Span);
        }

        ToolState state = tool.State;
        head.Raw("\",\"state\":\""u8).Raw(NameOf(state)).Byte('"');
        if (state != ToolState.InputStreaming)
        {
            head.Raw(",\"input\":"u8);
            output.Raw(tool.Input.IsSet ? tool.Input.Span : "{}"u8);
        }

        if (state == ToolState.OutputAvailable)
        {
            output.Small.Raw(",\"output\":"u8);
            output.Raw(tool.Output.IsSet ? tool.Output.Span : "null"u8);
        }
        else if (state == ToolState.OutputError)
        {
            ToolText.WriteError(tool, output.Small.Raw(",\"errorText\":\""u8));
            output.Small.Byte('"');
        }

        output.Small.Byte('}');
    }

    // Hosts find a part by its id: in a message, a call whose id was there before has the number of its first event
    // behind it.
    private static void WriteId(Part part, KeyTable<Part>? ids, Utf8Buffer head)
    {
        int start = head.Length;
        head.Raw(part.Tool!.Id.Span);
        while (ids?.Find(Unescape.Utf8(head.Written[start..])) is not null)
        {
            head.Byte('-').Number(part.Seq);
        }

        ids?.Set(Unescape.Utf8(head.Written[start..]), part);
    }

    private static ReadOnlySpan<byte> NameOf(ToolState state) => state switch
    {
        ToolState.InputStreaming => "input-streaming"u8,
        ToolState.InputAvailable => "input-available"u8,
        ToolState.OutputAvailable => "output-available"u8,
        _ => "output-error"u8,
    };

    private static void WriteFile(FileReference file, TranscriptOutput output)
    {
        output.Small.Raw("{\"type\":\"file\",\"mediaType\":\""u8).Raw(file.MediaType);
        if (!file.Name.IsEmpty)
        {
            output.Small.Raw("\",\"filename\":\""u8).Raw(file.Name);
        }

        output.Small.Raw("\",\"url\":\""u8);
        output.Raw(file.Url).Small.Raw("\"}"u8);
    }
}
