using Sessions.Recording;

namespace Sessions;

/// <content>A method for each type of event. Each returns the event's number. A turn id of null means
/// the turn that is open, or none where none is.</content>
public sealed partial class Recorder
{
    /// <summary>What a person asked.</summary>
    public long Prompt(UserPrompt prompt, string? turnId = null)
        => Record("user_prompt", RecordWriter.Prompt(prompt), turnId);

    /// <summary>What a person asked, in words alone.</summary>
    public long Prompt(string text, string? turnId = null) => Prompt(new UserPrompt(text), turnId);

    /// <summary>What the agent said; <paramref name="interrupted"/> where it was cut off.</summary>
    public long AgentMessage(string text, bool interrupted = false, string? turnId = null)
        => Record("agent_message", RecordWriter.Text("text", text, interrupted ? true : null), turnId);

    /// <summary>What the agent thought; <paramref name="interrupted"/> where it was cut off.</summary>
    public long AgentThought(string text, bool interrupted = false, string? turnId = null)
        => Record("agent_thought", RecordWriter.Text("text", text, interrupted ? true : null), turnId);

    /// <summary>A tool call begins.</summary>
    public long ToolCall(ToolCallRecord call, string? turnId = null)
        => Record("tool_call", RecordWriter.Tool(call), turnId);

    /// <summary>News of a tool call, its result among them.</summary>
    public long ToolCallUpdate(ToolCallRecord call, string? turnId = null)
        => Record("tool_call_update", RecordWriter.Tool(call), turnId);

    /// <summary>The agent's plan, whole, each time that it changes.</summary>
    public long Plan(IReadOnlyList<PlanEntry> entries, string? turnId = null)
        => Record("plan", RecordWriter.Plan(entries), turnId);

    /// <summary>A question to a person, or its answer.</summary>
    public long Permission(PermissionRecord permission, string? turnId = null)
        => Record("permission", RecordWriter.Permission(permission), turnId);

    /// <summary>A file was read.</summary>
    public long FileRead(FileUse use, string? turnId = null) => Record("file_read", RecordWriter.File(use), turnId);

    /// <summary>A file was written.</summary>
    public long FileWrite(FileUse use, string? turnId = null) => Record("file_write", RecordWriter.File(use), turnId);

    /// <summary>What it cost.</summary>
    public long Usage(TokenUsage usage, string? turnId = null) => Record("usage", RecordWriter.Usage(usage), turnId);

    /// <summary>Something failed.</summary>
    public long Error(ErrorRecord error, string? turnId = null) => Record("error", RecordWriter.Error(error), turnId);

    /// <summary>The conversation has another title now. This is what happened, not the session's title:
    /// <see cref="Session.UpdateTitle"/> sets that.</summary>
    public long Title(string title, string? turnId = null)
        => Record("title", RecordWriter.Text("title", title), turnId);

    /// <summary>A remark.</summary>
    public long Note(string text, string? turnId = null) => Record("note", RecordWriter.Text("text", text), turnId);

    /// <summary>An event of the host's own, stored untouched.</summary>
    /// <param name="name">The type without "custom:" before it; with it at most 128 bytes.</param>
    /// <param name="data">Any JSON in UTF-8.</param>
    /// <param name="turnId">Null: the turn that is open.</param>
    public long Custom(string name, ReadOnlySpan<byte> data, string? turnId = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Record("custom:" + name, data, turnId);
    }
}
