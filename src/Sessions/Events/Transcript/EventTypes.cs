namespace Sessions.Events.Transcript;

/// <summary>What a transcript does with an event.</summary>
internal enum EventKind
{
    /// <summary>Shown as it is.</summary>
    Other,
    Prompt,
    Message,
    Thought,
    ToolCall,
    ToolUpdate,
    Permission,
    Plan,
    Error,
    Usage,
    TurnEnd,

    /// <summary>Says something of the session, not in the conversation.</summary>
    Silent,
}

/// <summary>The types of events that a transcript knows.</summary>
internal static class EventTypes
{
    public static EventKind Of(ReadOnlySpan<byte> type)
        => type.SequenceEqual("agent_message"u8) ? EventKind.Message
        : type.SequenceEqual("agent_thought"u8) ? EventKind.Thought
        : type.SequenceEqual("tool_call"u8) ? EventKind.ToolCall
        : type.SequenceEqual("tool_call_update"u8) ? EventKind.ToolUpdate
        : type.SequenceEqual("user_prompt"u8) ? EventKind.Prompt
        : type.SequenceEqual("turn_end"u8) ? EventKind.TurnEnd
        : type.SequenceEqual("permission"u8) ? EventKind.Permission
        : type.SequenceEqual("plan"u8) ? EventKind.Plan
        : type.SequenceEqual("usage"u8) ? EventKind.Usage
        : type.SequenceEqual("error"u8) ? EventKind.Error
        : IsSilent(type) ? EventKind.Silent : EventKind.Other;

    private static bool IsSilent(ReadOnlySpan<byte> type)
        => type.SequenceEqual("session_start"u8) || type.SequenceEqual("session_end"u8)
        || type.SequenceEqual("title"u8) || type.SequenceEqual("rewind"u8)
        || type.SequenceEqual("rewind_undone"u8) || type.SequenceEqual("compaction"u8);
}
