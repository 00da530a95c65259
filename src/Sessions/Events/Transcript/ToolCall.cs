using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>Where a tool call is, in the words of the AI SDK.</summary>
internal enum ToolState
{
    InputStreaming,
    InputAvailable,
    OutputAvailable,
    OutputError,
}

/// <summary>What is known of a tool call: the last word of its events on each member.</summary>
internal sealed class ToolCall(long seq) : KnownCall(seq)
{
    /// <summary>Where it is shown.</summary>
    public Part? Part { get; set; }

    /// <summary>The inside of a JSON string, as are title, kind, name and status.</summary>
    public Chunk Id { get; init; }

    public Chunk Title { get; private set; }

    public Chunk Kind { get; private set; }

    /// <summary>The tool's own name, where a host says it.</summary>
    public Chunk Name { get; private set; }

    public Chunk Status { get; private set; }

    /// <summary>JSON; not set where no event had it.</summary>
    public Chunk Input { get; private set; }

    /// <summary>JSON: the raw output, else the content; not set where no event had it.</summary>
    public Chunk Output => RawOutput.IsSet ? RawOutput : Content;

    private Chunk RawOutput { get; set; }

    private Chunk Content { get; set; }

    public ToolState State
    {
        get
        {
            ReadOnlySpan<byte> status = Status.Span;
            if (status.SequenceEqual("completed"u8))
            {
                return ToolState.OutputAvailable;
            }

            if (status.SequenceEqual("failed"u8) || status.SequenceEqual("cancelled"u8)
                || status.SequenceEqual("interrupted"u8))
            {
                return ToolState.OutputError;
            }

            // Without a word on the status the result itself is the word.
            if (!Status.IsSet && Output.IsSet)
            {
                return ToolState.OutputAvailable;
            }

            return Input.IsSet || status.SequenceEqual("in_progress"u8)
                ? ToolState.InputAvailable : ToolState.InputStreaming;
        }
    }

    /// <summary>Takes over what an event says; null counts as not said.</summary>
    public void Update(Arena arena, ReadOnlySpan<byte> data)
    {
        bool hasStatus = false, isFinal = false, hasOutput = false;
        var members = new MemberScan(data);
        while (members.Next())
        {
            ReadOnlySpan<byte> name = members.Name, value = members.Value;
            if (value.SequenceEqual("null"u8))
            {
                continue;
            }

            if (name.SequenceEqual("raw_input"u8))
            {
                Input = arena.Add(value);
            }
            else if (name.SequenceEqual("raw_output"u8))
            {
                RawOutput = arena.Add(value);
                hasOutput = true;
            }
            else if (name.SequenceEqual("content"u8))
            {
                Content = value.SequenceEqual("[]"u8) ? default : arena.Add(value);
            }
            else if (members.IsText)
            {
                SetText(arena, name, members.RawText);
                if (name.SequenceEqual("status"u8))
                {
                    (hasStatus, isFinal) = (true, IsFinal(members.RawText));
                }
            }
        }

        // What counts as a result is what does so for a repair.
        IsOpen &= !(hasStatus ? isFinal : hasOutput);
    }

    private static bool IsFinal(ReadOnlySpan<byte> status) => status.SequenceEqual("completed"u8)
        || status.SequenceEqual("failed"u8) || status.SequenceEqual("cancelled"u8)
        || status.SequenceEqual("interrupted"u8);

    private void SetText(Arena arena, ReadOnlySpan<byte> name, ReadOnlySpan<byte> text)
    {
        if (name.SequenceEqual("title"u8))
        {
            Title = arena.Add(text);
        }
        else if (name.SequenceEqual("kind"u8))
        {
            Kind = arena.Add(text);
        }
        else if (name.SequenceEqual("status"u8))
        {
            Status = arena.Add(text);
        }
        else if (name.SequenceEqual("name"u8) || name.SequenceEqual("tool_name"u8))
        {
            Name = arena.Add(text);
        }
    }

    /// <summary>A word that a program can branch on: the tool's name, else its kind, else a title that is a
    /// word; empty where there is none.</summary>
    public ReadOnlySpan<byte> PlainName => IsPlain(Name.Span) ? Name.Span
        : IsPlain(Kind.Span) && !Kind.Span.SequenceEqual("other"u8) ? Kind.Span
        : IsPlain(Title.Span) ? Title.Span : default;

    /// <summary>What people call it.</summary>
    public ReadOnlySpan<byte> ShownName => Title.Length > 0 ? Title.Span : Name.Length > 0 ? Name.Span
        : Kind.Length > 0 ? Kind.Span : "tool"u8;

    private static bool IsPlain(ReadOnlySpan<byte> name)
    {
        if (name.Length is 0 or > 64)
        {
            return false;
        }

        foreach (byte b in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'_' or (byte)'-'))
            {
                return false;
            }
        }

        return true;
    }
}
