namespace Sessions.Images;

/// <summary>Who has the lock of a session, as lock.json says it.</summary>
internal sealed record LockHolder
{
    public const string Idle = "idle";
    public const string Processing = "processing";
    public const string WaitingForPermission = "waiting_for_permission";

    public required long Pid { get; init; }

    /// <summary>Unix ms; 0 where the system does not say.</summary>
    public required long ProcessStartedAt { get; init; }
    public required string Hostname { get; init; }

    /// <summary>16 hexadecimal digits, others after each start of its machine; null where that is not known.</summary>
    public string? BootId { get; init; }

    /// <summary>Which numbering of processes <see cref="Pid"/> belongs to; 0 where that is not known.</summary>
    public long PidNamespace { get; init; }

    /// <summary>The open store that its handle belongs to.</summary>
    public required string InstanceId { get; init; }
    public required string ClientType { get; init; }
    public required long StartedAt { get; init; }
    public required long HeartbeatAt { get; init; }
    public required long LastActivityAt { get; init; }
    public string Status { get; init; } = Idle;
    public string? StatusMessage { get; init; }

    public static bool IsStatus(string text) => text is Idle or Processing or WaitingForPermission;
}

/// <summary>Somebody who asks the holder to hand over.</summary>
internal sealed record LockAsk
{
    public required string RequestId { get; init; }
    public required long Pid { get; init; }
    public required string ClientType { get; init; }
    public required string InstanceId { get; init; }
    public string? Message { get; init; }
    public required long At { get; init; }

    /// <summary>Unix ms; 0: it waits for ever.</summary>
    public long Deadline { get; init; }

    public bool IsOver(long now) => Deadline != 0 && now >= Deadline;
}

/// <summary>What is known of a holder.</summary>
internal enum HolderLife
{
    /// <summary>It lives, or nothing says otherwise.</summary>
    Alive,

    /// <summary>There is no proof either way, and nothing was heard of it for a minute: it counts as gone.</summary>
    Stale,

    /// <summary>It is gone for certain: its operating system let go of its byte, or its handle was let go of.</summary>
    Dead,
}

/// <summary>What becomes of an attempt to take a lock.</summary>
internal enum LockVerdict
{
    /// <summary>It may be taken.</summary>
    Free,

    /// <summary>Somebody has it.</summary>
    Held,

    /// <summary>The last holder gave it to somebody who asked.</summary>
    Reserved,

    /// <summary>Force met a holder at work.</summary>
    Processing,

    /// <summary>Force met a holder that waits for a permission.</summary>
    WaitingPermission,
}

/// <summary>
/// The lock of one session: who has it, who asks for it, whom it is kept for. Immutable; each method is a
/// decision without effects, so that a model can be held against it.
/// </summary>
internal sealed record LockState
{
    public static readonly LockState Free = new();

    /// <summary>The LSN of the frame by which the holder, or the last one, got it; 0: unknown. It is the
    /// fencing token: never the same twice, and higher with each holder.</summary>
    public long Epoch { get; init; }

    public LockHolder? Holder { get; init; }

    /// <summary>The request that the last holder agreed to: nobody else takes the lock while it stands.</summary>
    public string? ReservedFor { get; init; }

    public IReadOnlyList<LockAsk> Asks { get; init; } = [];

    /// <summary>True where there is no need of a file.</summary>
    public bool SaysNothing => Holder is null && Asks.Count == 0;

    public bool IsHeldUnder(long epoch) => Holder is not null && Epoch == epoch;

    public LockAsk? Find(string requestId)
    {
        foreach (LockAsk ask in Asks)
        {
            if (ask.RequestId == requestId)
            {
                return ask;
            }
        }

        return null;
    }

    /// <summary>Without the requests whose time is over or whose asker is gone, and what was kept for them.</summary>
    public LockState Tidy(long now, Func<string, bool> isInstanceAlive)
    {
        List<LockAsk> asks = Asks.Where(a => !a.IsOver(now) && isInstanceAlive(a.InstanceId)).ToList();
        return asks.Count == Asks.Count && (ReservedFor is null || Find(ReservedFor) is not null) ? this : With(asks);
    }

    /// <summary>What an attempt comes to; <paramref name="requestId"/> is that of who asked before, else null.
    /// The state is tidy.</summary>
    public LockVerdict Judge(LockMode mode, HolderLife life, string? requestId) => Holder switch
    {
        null => ReservedFor is null || ReservedFor == requestId ? LockVerdict.Free : LockVerdict.Reserved,
        _ when life != HolderLife.Alive || mode == LockMode.Interrupt => LockVerdict.Free,
        _ when mode != LockMode.Force => LockVerdict.Held,
        { Status: LockHolder.Idle } => LockVerdict.Free,
        { Status: LockHolder.Processing } => LockVerdict.Processing,
        _ => LockVerdict.WaitingPermission,
    };

    /// <summary>The lock in new hands; the request that led to it is done.</summary>
    public LockState Acquire(LockHolder holder, long epoch, string? requestId)
        => With(Asks.Where(a => a.RequestId != requestId).ToList()) with
        {
            Epoch = epoch,
            Holder = holder,
            ReservedFor = null,
        };

    /// <summary>Nobody has it; who asks goes on asking.</summary>
    public LockState Release() => this with { Holder = null };

    /// <summary>The holder was alive and had done something by then.</summary>
    public LockState Beat(long now, long lastActivityAt) => Holder is null ? this : this with
    {
        Holder = Holder with
        {
            HeartbeatAt = Math.Max(now, Holder.HeartbeatAt),
            LastActivityAt = Math.Max(lastActivityAt, Holder.LastActivityAt),
        },
    };

    /// <summary>What the holder says it does.</summary>
    public LockState SetActivity(string status, string? message, long now) => Holder is null ? this
        : Beat(now, now).WithStatus(status, message);

    public LockState Ask(LockAsk ask) => this with { Asks = [.. Asks, ask] };

    /// <summary>Without a request, and what was kept for it.</summary>
    public LockState Withdraw(string requestId) => With(Asks.Where(a => a.RequestId != requestId).ToList());

    /// <summary>The holder hands over: the lock is kept for who asked.</summary>
    public LockState Accept(string requestId) => this with { Holder = null, ReservedFor = requestId };

    private LockState WithStatus(string status, string? message)
        => this with { Holder = Holder! with { Status = status, StatusMessage = message } };

    private LockState With(List<LockAsk> asks) => this with
    {
        Asks = asks,
        ReservedFor = asks.Exists(a => a.RequestId == ReservedFor) ? ReservedFor : null,
    };
}
