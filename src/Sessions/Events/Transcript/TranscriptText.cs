using System.Buffers;
using Sessions.Model;

namespace Sessions.Events.Transcript;

/// <summary>Writes what a builder has as one text.</summary>
internal static class TranscriptText
{
    /// <summary>Messages that an event after <paramref name="afterSeq"/> is in or changed; each is whole.</summary>
    public static void Write(TranscriptBuilder builder, TranscriptFormat format, string title, long afterSeq,
        IBufferWriter<byte> writer, JobContext? context = null)
    {
        var output = new TranscriptOutput(writer);
        bool isJson = format is TranscriptFormat.Messages or TranscriptFormat.UiMessages, isFirst = true;
        if (isJson)
        {
            output.Raw("{\"messages\":["u8);
        }
        else if (format == TranscriptFormat.Markdown)
        {
            MarkdownWriter.WriteTitle(title, output);
        }
        else
        {
            HtmlWriter.WriteHead(title, builder.Messages.FindAll(m => m.LastSeq > afterSeq).Count, output);
        }

        foreach (Message message in builder.Messages)
        {
            if (message.LastSeq <= afterSeq)
            {
                continue;
            }

            context?.ThrowIfCancelled();
            output.Small.Raw(isJson && !isFirst ? ","u8 : ""u8);
            isFirst = false;
            Write(message, format, output);
        }

        if (isJson)
        {
            output.Small.Raw("],\"last_seq\":"u8).Number(builder.LastSeq).Byte('}');
        }
        else if (format == TranscriptFormat.Html)
        {
            HtmlWriter.WriteTail(output);
        }

        output.Flush();
    }

    private static void Write(Message message, TranscriptFormat format, TranscriptOutput output)
    {
        switch (format)
        {
            case TranscriptFormat.Messages: MessagesWriter.Write(message, output); break;
            case TranscriptFormat.UiMessages: UiMessagesWriter.Write(message, output); break;
            case TranscriptFormat.Markdown: MarkdownWriter.Write(message, output); break;
            default: HtmlWriter.Write(message, output); break;
        }
    }
}
