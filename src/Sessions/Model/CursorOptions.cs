namespace Sessions;

/// <summary>What a cursor shows besides the plain events. The values are those of SESSION_READ_*.</summary>
[Flags]
public enum ReadFlags : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Also what a rewind hides, marked with "hidden":true.</summary>
    Hidden = 1,

    /// <summary>Only what the context has: from the last compaction's kept point on.</summary>
    Context = 2,

    /// <summary>"data" is a string with the JSON in it, so that no reader rounds its numbers.</summary>
    DataAsText = 4,
}

/// <summary>Options of <see cref="Session.OpenCursor"/>.</summary>
public sealed record EventCursorOptions
{
    /// <summary>What to show.</summary>
    public ReadFlags Flags { get; init; }

    /// <summary>Where the cursor stands first: behind this number; 0: before the first event.</summary>
    public long AfterSeq { get; init; }

    /// <summary>Only events with this timestamp or a later one (unix ms); 0: open.</summary>
    public long Since { get; init; }

    /// <summary>Only events with this timestamp or an earlier one (unix ms); 0: open.</summary>
    public long Until { get; init; }

    /// <summary>Bytes of a page, at most 64 MiB; 0: 1 MiB. A page has one event at least.</summary>
    public long PageBytes { get; init; }

    /// <summary>Types separated by commas; one that ends in "*" stands for all that begin so. Null: all.</summary>
    public string? Types { get; init; }

    /// <summary>Only events of this turn; null: all.</summary>
    public string? TurnId { get; init; }
}
