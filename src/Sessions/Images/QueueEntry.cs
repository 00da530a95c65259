namespace Sessions.Images;

/// <summary>Where an entry of a queue stands. The last three are final.</summary>
internal enum QueueEntryState
{
    /// <summary>It waits.</summary>
    Queued,

    /// <summary>Somebody delivers it.</summary>
    Claimed,

    /// <summary>Who delivered it is gone without a word; the host decides.</summary>
    Interrupted,

    /// <summary>It is in the log.</summary>
    Sent,

    /// <summary>It could not be delivered.</summary>
    Failed,

    /// <summary>Somebody did not want it any more.</summary>
    Cancelled,
}

/// <summary>A prompt that comes again.</summary>
/// <param name="EveryMs">From one occurrence to the next.</param>
/// <param name="Until">No occurrence is later; 0: its count ends it.</param>
/// <param name="Count">How many occurrences there still are, this one with them; 0: its time ends it.</param>
internal sealed record QueueRepeat(long EveryMs, long Until, long Count)
{
    /// <summary>The occurrence behind one that was due at a time: the first that is still to come, since what was
    /// missed is not made up for. Null where there is none.</summary>
    public (long At, QueueRepeat Repeat)? Next(long dueAt, long now)
    {
        long steps = now < dueAt ? 1 : ((now - dueAt) / EveryMs) + 1;
        long at = dueAt + (steps * EveryMs);
        bool isOver = Count == 1 || (Until != 0 && at > Until) || at > Limits.IntegerMax;
        return isOver ? null : (at, this with { Count = Math.Max(0, Count - 1) });
    }
}

/// <summary>One entry of a session's queue. Immutable. What the host wrote keeps its spelling.</summary>
internal sealed record QueueEntry
{
    public static readonly ReadOnlyMemory<byte> EmptyText = "\"\""u8.ToArray();
    public static readonly ReadOnlyMemory<byte> EmptyArray = "[]"u8.ToArray();

    public string Id { get; init; } = "";
    public QueueEntryState State { get; init; }

    /// <summary>How often the queue had been cleared when it was added.</summary>
    public long Generation { get; init; }

    /// <summary>A string, as JSON.</summary>
    public ReadOnlyMemory<byte> Message { get; init; } = EmptyText;

    /// <summary>An array of ids, as JSON.</summary>
    public ReadOnlyMemory<byte> ImageIds { get; init; } = EmptyArray;

    /// <summary>An array of ids, as JSON.</summary>
    public ReadOnlyMemory<byte> FileIds { get; init; } = EmptyArray;
    public string? ClientId { get; init; }
    public string? PromptName { get; init; }

    /// <summary>An object, as JSON.</summary>
    public ReadOnlyMemory<byte> Arguments { get; init; } = SessionInfo.EmptyObject;
    public string? Title { get; init; }
    public long QueuedAt { get; init; }

    /// <summary>0: as soon as it is its turn.</summary>
    public long ScheduledAt { get; init; }
    public QueueRepeat? Repeat { get; init; }

    /// <summary>What makes an add of it again answer this one.</summary>
    public string? Key { get; init; }

    /// <summary>The turn that it was claimed for.</summary>
    public string? TurnId { get; init; }

    /// <summary>The open store that claimed it.</summary>
    public string? ClaimedBy { get; init; }
    public long ClaimedAt { get; init; }

    /// <summary>The user_prompt that it became; 0: none.</summary>
    public long Seq { get; init; }

    /// <summary>What the last settle said of it, or why it went.</summary>
    public string? Detail { get; init; }

    /// <summary>When it is due: a time that is past for one that waits for its turn alone.</summary>
    public long DueAt => ScheduledAt == 0 ? QueuedAt : ScheduledAt;

    public bool IsSettled => State >= QueueEntryState.Sent;

    /// <summary>The state in a word.</summary>
    public static string Word(QueueEntryState state) => state switch
    {
        QueueEntryState.Queued => "queued",
        QueueEntryState.Claimed => "claimed",
        QueueEntryState.Interrupted => "interrupted",
        QueueEntryState.Sent => "sent",
        QueueEntryState.Failed => "failed",
        _ => "cancelled",
    };
}
