namespace Sessions;

/// <summary>When a commit counts as done.</summary>
public enum Durability
{
    /// <summary>When its journal frame is on stable storage.</summary>
    Full = 0,

    /// <summary>When it is in the system's cache: survives a killed process at once, and a power
    /// cut from the next full commit, flush or close on, at the latest after one second.</summary>
    Relaxed = 1,
}

/// <summary>How a store is opened. The values are those of SESSION_STORE_*.</summary>
[Flags]
public enum StoreFlags : uint
{
    /// <summary>Create if missing, migrate if older, local disks only.</summary>
    None = 0,

    /// <summary>Nothing is written, not even a repair.</summary>
    ReadOnly = 1,

    /// <summary>A missing store is <see cref="SessionStatus.NotFound"/>.</summary>
    MustExist = 2,

    /// <summary>An older format is <see cref="SessionStatus.Version"/>.</summary>
    NoMigrate = 4,

    /// <summary>Network file systems are taken too, without the promises.</summary>
    AllowNetwork = 8,

    /// <summary>A store of a team: the folder and what is in it may belong to any user and be open to others, and
    /// what is made takes the folder's permissions. Everybody who may write there is trusted with all of it.</summary>
    SharedOwners = 16,
}

/// <summary>Options of <see cref="SessionStore.Open(string?, SessionStoreOptions?)"/>; they concern this process
/// only.</summary>
public sealed record SessionStoreOptions
{
    /// <summary>Flags.</summary>
    public StoreFlags Flags { get; init; }

    /// <summary>What commits wait for unless they choose.</summary>
    public Durability Durability { get; init; }

    /// <summary>How long a commit waits for a neighbour, in milliseconds; 0 means 5,000.</summary>
    public uint BusyTimeoutMs { get; init; }

    /// <summary>What share links start with; null means "sessions:share/".</summary>
    public string? ShareBaseUrl { get; init; }

    /// <summary>What other processes see of this one; null means "unknown".</summary>
    public string? ClientType { get; init; }
}

/// <summary>Options of <see cref="SessionStore.Create"/>.</summary>
public sealed record SessionCreateOptions
{
    /// <summary>Null: "New Session", title source "default".</summary>
    public string? Title { get; init; }

    /// <summary>A JSON object; null: {}.</summary>
    public ReadOnlyMemory<byte>? Metadata { get; init; }

    /// <summary>A JSON object; null: {}.</summary>
    public ReadOnlyMemory<byte>? Facts { get; init; }

    /// <summary>A repeat opens the first one; null: none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The answer to a decision; null: none. An unknown one is NotFound.</summary>
    public string? DecisionId { get; init; }
}

/// <summary>Order of a list. The values are those of SESSION_ORDER_*.</summary>
public enum ListOrder
{
#pragma warning disable CS1591
    UpdatedDescending = 0,
    UpdatedAscending = 1,
    CreatedDescending = 2,
    CreatedAscending = 3,
    ActiveDescending = 4,
#pragma warning restore CS1591
}

/// <summary>Which sessions a list takes by their archived flag.</summary>
public enum ArchivedFilter
{
#pragma warning disable CS1591
    Exclude = 0,
    Only = 1,
    Include = 2,
#pragma warning restore CS1591
}

/// <summary>SESSION_LIST_*.</summary>
[Flags]
public enum ListFlags : uint
{
#pragma warning disable CS1591
    None = 0,
    Roots = 1,
    Trash = 2,
#pragma warning restore CS1591
}

/// <summary>Options of <see cref="SessionStore.WriteList"/>.</summary>
public sealed record SessionListOptions
{
#pragma warning disable CS1591 // each is documented once, in session.h
    public ListFlags Flags { get; init; }
    public ListOrder Order { get; init; }
    public ArchivedFilter Archived { get; init; }
    public uint Limit { get; init; }
    public string? ParentId { get; init; }
    public string? TitleContains { get; init; }
    public ReadOnlyMemory<byte>? Filter { get; init; }
    public string? Fields { get; init; }
    public string? Cursor { get; init; }
#pragma warning restore CS1591
}

/// <summary>SESSION_SHARE_*.</summary>
[Flags]
public enum ShareFlags : uint
{
#pragma warning disable CS1591
    None = 0,
    Rotate = 1,
    Live = 2,
#pragma warning restore CS1591
}

/// <summary>Options of <see cref="Session.WriteShare"/>.</summary>
public sealed record SessionShareOptions
{
#pragma warning disable CS1591
    public ShareFlags Flags { get; init; }
    public long ExpiresAt { get; init; }
    public long FirstSeq { get; init; }
    public long LastSeq { get; init; }
    public uint MaxUses { get; init; }
#pragma warning restore CS1591
}

/// <summary>What a delete does with children, and whether it goes through the trash.</summary>
[Flags]
public enum DeletePolicy
{
    /// <summary>All descendants go too, all or nothing.</summary>
    Cascade = 0,

    /// <summary>Children stay and lose their parent.</summary>
    Orphan = 1,

    /// <summary>With children: <see cref="SessionStatus.HasChildren"/>.</summary>
    Refuse = 2,

    /// <summary>Added to a policy: gone for good.</summary>
    NoTrash = 0x100,
}

/// <summary>SESSION_ABORT_*.</summary>
[Flags]
public enum AbortFlags : uint
{
#pragma warning disable CS1591
    None = 0,
    Tree = 1,
    Relaxed = 2,
#pragma warning restore CS1591
}

/// <summary>SESSION_APPEND_*.</summary>
[Flags]
public enum AppendFlags : uint
{
#pragma warning disable CS1591
    None = 0,
    Relaxed = 1,
    Durable = 2,
    Check = 4,
#pragma warning restore CS1591
}

/// <summary>SESSION_REPAIR_*.</summary>
[Flags]
public enum RepairFlags : uint
{
#pragma warning disable CS1591
    None = 0,
    DryRun = 1,
    Force = 2,
#pragma warning restore CS1591
}

/// <summary>Options of an append.</summary>
public readonly record struct AppendOptions
{
#pragma warning disable CS1591
    public AppendFlags Flags { get; init; }
    public long Timestamp { get; init; }
    public string? TurnId { get; init; }
    public string? Id { get; init; }
#pragma warning restore CS1591
}

/// <summary>SESSION_STAT_*.</summary>
[Flags]
public enum StatFlags : uint
{
#pragma warning disable CS1591
    None = 0,
    Aborted = 1,
    Archived = 2,
    ReadOnly = 4,
    Locked = 8,
#pragma warning restore CS1591
}

/// <summary>The numbers of a session, without JSON or allocation.</summary>
public readonly record struct SessionStat(StatFlags Flags, long Revision, long LastSeq, long EventCount,
    long MessageCount, long AbortCount, long CreatedAt, long UpdatedAt, long LastEventAt);
