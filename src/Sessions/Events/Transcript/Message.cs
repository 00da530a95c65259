namespace Sessions.Events.Transcript;

internal enum Role
{
    User,
    Assistant,

    /// <summary>An error, which stands alone.</summary>
    Error,
}

/// <summary>A message of a transcript: a user's prompt, an error, or all else of one turn.</summary>
internal sealed class Message(Role role, long seq, long timestamp, Chunk turnId)
{
    public Role Role => role;

    /// <summary>The number of its first event, which its id is made of: no other message has it, and no
    /// later event changes it.</summary>
    public long Seq { get; } = seq;

    /// <summary>The number of the last event that is in it or changed it.</summary>
    public long LastSeq { get; set; } = seq;

    /// <summary>When its first event was; 0: unknown.</summary>
    public long Timestamp => timestamp;

    /// <summary>The inside of a JSON string; not set where the turn has no name.</summary>
    public Chunk TurnId => turnId;

    public List<Part> Parts { get; } = new(role == Role.Assistant ? 4 : 1);

    /// <summary>True where a call in it has an id that was there before, here or in another message.</summary>
    public bool MayRepeatCallIds { get; set; }

    /// <summary>Why the turn ended, the inside of a JSON string.</summary>
    public Chunk StopReason { get; set; }

    /// <summary>What the turn has used, as JSON: the last count.</summary>
    public Chunk Usage { get; set; }
}
