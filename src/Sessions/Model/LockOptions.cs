namespace Sessions;

/// <summary>What <see cref="Session.Lock"/> does where somebody else has the lock. The values are those of
/// SESSION_LOCK_*.</summary>
public enum LockMode
{
    /// <summary>Answers <see cref="SessionStatus.Locked"/>.</summary>
    Try = 0,

    /// <summary>Waits until it is free.</summary>
    Wait = 1,

    /// <summary>Takes it from a holder that is idle, or of which nothing was heard for a minute; a busy one
    /// answers <see cref="SessionStatus.Processing"/> or <see cref="SessionStatus.WaitingPermission"/>.</summary>
    Force = 2,

    /// <summary>Takes it from any holder.</summary>
    Interrupt = 3,
}

/// <summary>SESSION_LOCK_ASK.</summary>
[Flags]
public enum LockFlags : uint
{
#pragma warning disable CS1591
    None = 0,
    Ask = 1,
#pragma warning restore CS1591
}

/// <summary>Options of <see cref="Session.Lock"/>.</summary>
public sealed class LockOptions
{
    /// <summary>With <see cref="LockFlags.Ask"/> the holder is asked first, and may agree or refuse.</summary>
    public LockFlags Flags { get; init; }

    /// <summary>How long to wait for the lock or an answer, in milliseconds; 0 means the store's busy timeout,
    /// <see cref="uint.MaxValue"/> for ever.</summary>
    public uint TimeoutMs { get; init; }

    /// <summary>Shown to people whom the holder may ask; at most 4 KiB. Null: none.</summary>
    public string? Message { get; init; }
}
