namespace Sessions;

/// <summary>How a watch tells. The values are those of SESSION_WATCH_*.</summary>
[Flags]
public enum WatchFlags : uint
{
    /// <summary>Each change by itself, in order.</summary>
    None = 0,

    /// <summary>One change a session, with its newest numbers, so that there are no gaps.</summary>
    Coalesce = 1,
}

/// <summary>Options of <see cref="SessionStore.OpenWatch"/>.</summary>
public sealed record WatchOptions
{
    /// <summary>Flags.</summary>
    public WatchFlags Flags { get; init; }

    /// <summary>Where it begins: behind this LSN; 0: from now on.</summary>
    public long AfterLsn { get; init; }

    /// <summary>Only what happens to this session; null: all.</summary>
    public string? SessionId { get; init; }

    /// <summary>Only these kinds, separated by commas; null: all. A gap is told whatever this says.</summary>
    public string? Kinds { get; init; }

    /// <summary>Called by a thread of the store each time that there is something to give where there was
    /// nothing; it must only signal. Never called once Dispose has returned.</summary>
    public Action? Wake { get; init; }
}
