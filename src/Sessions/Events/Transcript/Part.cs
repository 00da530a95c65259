namespace Sessions.Events.Transcript;

internal enum PartKind
{
    Text,
    Reasoning,
    Tool,

    /// <summary>Something attached to a prompt that has an address.</summary>
    File,

    /// <summary>Anything else: a type and its data.</summary>
    Data,
}

/// <summary>A part of a message.</summary>
internal sealed class Part(PartKind kind, Message message, long seq)
{
    /// <summary>Of text and reasoning: the inside of a JSON string. A field, since it grows in place.</summary>
    public Rope Text;

    public PartKind Kind => kind;

    public Message Message => message;

    /// <summary>The number of its first event.</summary>
    public long Seq => seq;

    /// <summary>True where the text ends because whoever wrote it was gone.</summary>
    public bool IsInterrupted { get; set; }

    public ToolCall? Tool { get; init; }

    /// <summary>Of a data part, the inside of a JSON string.</summary>
    public Chunk Type { get; init; }

    /// <summary>Of a data part, JSON.</summary>
    public Chunk Data { get; set; }

    /// <summary>Of a permission, the data of what was asked, which a decision leaves out.</summary>
    public Chunk Question { get; set; }

    /// <summary>The part as Markdown and as HTML, until it changes.</summary>
    public byte[]? Markdown { get; set; }

    public byte[]? Html { get; set; }

    /// <summary>Bytes of what it shows, loosely.</summary>
    public long Size => Text.Length + Data.Length + (Tool is { } tool ? tool.Input.Length + tool.Output.Length : 0);

    /// <summary>Notes that an event changed the part.</summary>
    public void Touch(long seq)
    {
        message.LastSeq = Math.Max(message.LastSeq, seq);
        Markdown = Html = null;
    }
}
