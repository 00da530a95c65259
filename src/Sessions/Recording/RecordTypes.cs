namespace Sessions;

/// <summary>Where a tool call stands. The last four are final.</summary>
public enum ToolCallStatus
{
#pragma warning disable CS1591 // the words of docs/EVENTS.md
    Pending,
    InProgress,
    Completed,
    Failed,
    Cancelled,
    Interrupted,
#pragma warning restore CS1591
}

/// <summary>How urgent an entry of a plan is.</summary>
public enum PlanPriority
{
#pragma warning disable CS1591
    High,
    Medium,
    Low,
#pragma warning restore CS1591
}

/// <summary>How far an entry of a plan is.</summary>
public enum PlanStatus
{
#pragma warning disable CS1591
    Pending,
    InProgress,
    Completed,
#pragma warning restore CS1591
}

/// <summary>Why a turn ended.</summary>
public enum StopReason
{
#pragma warning disable CS1591
    EndTurn,
    MaxTokens,
    MaxTurnRequests,
    Refusal,
    Cancelled,
    Interrupted,
    Error,
#pragma warning restore CS1591
}

/// <summary>An image that a prompt refers to: by the id of an attachment or by its address.</summary>
/// <param name="FileId">The attachment; null where there is an address.</param>
/// <param name="Url">The address; null where there is an attachment.</param>
/// <param name="Name">What people call it; null: nothing.</param>
public sealed record ImageReference(string? FileId = null, string? Url = null, string? Name = null);

/// <summary>A file that a prompt refers to: by the id of an attachment or by its path.</summary>
/// <param name="FileId">The attachment; null where there is a path.</param>
/// <param name="Path">The path; null where there is an attachment.</param>
/// <param name="Name">What people call it; null: nothing.</param>
public sealed record FileReference(string? FileId = null, string? Path = null, string? Name = null);

/// <summary>What a person asked.</summary>
/// <param name="Text">The words; may be empty.</param>
public sealed record UserPrompt(string Text)
{
    /// <summary>Images that belong to it.</summary>
    public IReadOnlyList<ImageReference> Images { get; init; } = [];

    /// <summary>Files that belong to it.</summary>
    public IReadOnlyList<FileReference> Files { get; init; } = [];

    /// <summary>The host's own name for the prompt; null: none.</summary>
    public string? PromptId { get; init; }
}

/// <summary>A tool call, or news of one; what is null says nothing. The raw members are JSON in UTF-8,
/// recorded token for token.</summary>
/// <param name="ToolCallId">Names the call; not empty.</param>
public sealed record ToolCallRecord(string ToolCallId)
{
    /// <summary>For people.</summary>
    public string? Title { get; init; }

    /// <summary>Such as "read", "edit" or "execute".</summary>
    public string? Kind { get; init; }

    /// <summary>Where it stands.</summary>
    public ToolCallStatus? Status { get; init; }

    /// <summary>What the tool was given.</summary>
    public ReadOnlyMemory<byte>? RawInput { get; init; }

    /// <summary>What it answered.</summary>
    public ReadOnlyMemory<byte>? RawOutput { get; init; }

    /// <summary>What to show of it.</summary>
    public ReadOnlyMemory<byte>? Content { get; init; }

    /// <summary>A JSON array of the places that it touches.</summary>
    public ReadOnlyMemory<byte>? Locations { get; init; }
}

/// <summary>One step of a plan.</summary>
public sealed record PlanEntry(string Content, PlanPriority Priority, PlanStatus Status);

/// <summary>One answer that a person may give.</summary>
public sealed record PermissionOption(string OptionId, string Name, string? Kind = null);

/// <summary>What was decided.</summary>
/// <param name="OptionId">The option that was selected; null: the question was cancelled.</param>
public sealed record PermissionOutcome(string? OptionId);

/// <summary>A question to a person, or its answer: the same request id with an outcome.</summary>
/// <param name="RequestId">Names the question; not empty.</param>
public sealed record PermissionRecord(string RequestId)
{
    /// <summary>The tool call that it is about; null: none.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>The answers to choose from.</summary>
    public IReadOnlyList<PermissionOption> Options { get; init; } = [];

    /// <summary>Null while it is open.</summary>
    public PermissionOutcome? Outcome { get; init; }
}

/// <summary>A file that was read or written.</summary>
/// <param name="Path">Which; not empty.</param>
public sealed record FileUse(string Path)
{
    /// <summary>The first line, from 1; null: all of it.</summary>
    public long? Line { get; init; }

    /// <summary>How many lines; null: to the end.</summary>
    public long? Limit { get; init; }

    /// <summary>How many bytes; null: not known.</summary>
    public long? Bytes { get; init; }
}

/// <summary>What something cost. Tokens lie between 0 and 2^53-1; null: not known.</summary>
public sealed record TokenUsage
{
    /// <summary>Tokens that the model read.</summary>
    public long? InputTokens { get; init; }

    /// <summary>Tokens that it wrote.</summary>
    public long? OutputTokens { get; init; }

    /// <summary>Both, as the provider counts them.</summary>
    public long? TotalTokens { get; init; }

    /// <summary>In units of <see cref="Currency"/>.</summary>
    public decimal? Cost { get; init; }

    /// <summary>Such as "USD"; only beside a cost.</summary>
    public string? Currency { get; init; }
}

/// <summary>Something that failed.</summary>
/// <param name="Message">For people.</param>
public sealed record ErrorRecord(string Message)
{
    /// <summary>For programs; null: none.</summary>
    public string? Code { get; init; }

    /// <summary>Any JSON in UTF-8; null: none.</summary>
    public ReadOnlyMemory<byte>? Data { get; init; }
}
