using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>SESSION_TRANSCRIPT_MESSAGES: `{"messages":[…],"last_seq":17}`.</summary>
internal static class MessagesWriter
{
    public static void Write(Message message, TranscriptOutput output)
    {
        output.Small.Raw("{\"id\":\"m-"u8).Number(message.Seq).Raw("\",\"role\":\""u8).Raw(RoleOf(message))
            .Raw("\",\"seq\":"u8).Number(message.Seq).Raw(",\"last_seq\":"u8).Number(message.LastSeq)
            .Raw(",\"timestamp\":"u8).TimeOrNull(message.Timestamp).Raw(",\"turn_id\":"u8).TextOrNull(message.TurnId)
            .Raw(",\"text\":\""u8);
        foreach (Part part in message.Parts)
        {
            if (part.Kind == PartKind.Text)
            {
                output.Raw(part.Text);
            }
        }

        if (message.Role == Role.Error)
        {
            output.Raw(ErrorText(message.Parts[0].Data.Span));
        }

        output.Small.Raw("\",\"parts\":["u8);
        for (int i = 0; i < message.Parts.Count; i++)
        {
            output.Small.Raw(i == 0 ? ""u8 : ","u8);
            WritePart(message.Parts[i], output);
        }

        output.Small.Raw("],\"stop_reason\":"u8).TextOrNull(message.StopReason).Raw(",\"usage\":"u8);
        output.Raw(message.Usage.IsSet ? message.Usage.Span : "null"u8).Small.Byte('}');
    }

    /// <summary>What an error says, the inside of a JSON string.</summary>
    public static ReadOnlySpan<byte> ErrorText(ReadOnlySpan<byte> data)
        => (data is [(byte)'"', ..] ? data : TranscriptBuilder.Member(data, "message"u8))
            is [(byte)'"', .. var inside, (byte)'"'] ? inside : default;

    private static ReadOnlySpan<byte> RoleOf(Message message) => message.Role switch
    {
        Role.User => "user"u8,
        Role.Assistant => "assistant"u8,
        _ => "error"u8,
    };

    private static void WritePart(Part part, TranscriptOutput output)
    {
        switch (part.Kind)
        {
            case PartKind.Text:
            case PartKind.Reasoning:
                output.Small.Raw(part.Kind == PartKind.Text
                    ? "{\"type\":\"text\",\"text\":\""u8 : "{\"type\":\"reasoning\",\"text\":\""u8);
                output.Raw(part.Text).Small.Raw(part.IsInterrupted ? "\",\"interrupted\":true}"u8 : "\"}"u8);
                break;
            case PartKind.Tool:
                WriteTool(part.Tool!, output);
                break;
            case PartKind.File:
                output.Small.Raw("{\"type\":\"file\",\"data\":"u8);
                output.Raw(part.Data.Span).Small.Byte('}');
                break;
            default:
                output.Small.Raw("{\"type\":\""u8).Raw(part.Type.Span).Raw("\",\"data\":"u8);
                output.Raw(part.Data.Span).Small.Byte('}');
                break;
        }
    }

    private static void WriteTool(ToolCall tool, TranscriptOutput output)
    {
        ReadOnlySpan<byte> status = tool.Status.IsSet ? tool.Status.Span : tool.State switch
        {
            ToolState.OutputAvailable => "completed"u8,
            _ => "pending"u8,
        };
        output.Small.Raw("{\"type\":\"tool_call\",\"tool_call_id\":\""u8).Raw(tool.Id.Span).Raw("\",\"name\":"u8)
            .TextOrNull(tool.Name).Raw(",\"title\":"u8).TextOrNull(tool.Title).Raw(",\"kind\":"u8)
            .TextOrNull(tool.Kind).Raw(",\"status\":\""u8).Raw(status).Raw("\",\"input\":"u8);
        output.Raw(tool.Input.IsSet ? tool.Input.Span : "{}"u8).Small.Raw(",\"output\":"u8);
        output.Raw(tool.Output.IsSet ? tool.Output.Span : "null"u8).Small.Byte('}');
    }

    /// <summary>A JSON string of what is inside of one, or null.</summary>
    public static Utf8Buffer TextOrNull(this Utf8Buffer output, in Chunk inside)
        => inside.IsSet ? output.Byte('"').Raw(inside.Span).Byte('"') : output.Raw("null"u8);

    public static Utf8Buffer TimeOrNull(this Utf8Buffer output, long time)
        => time == 0 ? output.Raw("null"u8) : output.Number(time);
}
