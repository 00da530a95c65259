namespace Sessions.Tests.Disks;

/// <summary>The power is gone, or the process was killed: nothing reaches the disk any more. Not a
/// DiskException, so the engine has no business with it.</summary>
internal sealed class PowerCutException(string what, Exception? cause = null) : Exception(what, cause);

/// <summary>The engine broke the one rule: it changed a file before the frame that can rebuild it
/// was on stable storage.</summary>
internal sealed class OneRuleException(string what) : Exception(what);

/// <summary>What a crash may do.</summary>
internal sealed record PowerCutOptions
{
    /// <summary>Names change in the order in which they were changed, up to some point, as on a
    /// journaled file system. Without it each name goes its own way.</summary>
    public bool MetadataOrdered { get; init; }

    /// <summary>A file that had a durable name and has one now keeps at least one of them: rename is
    /// one step on every file system we promise for. Without it a rename is two names with nothing
    /// in common, and a moved file may be gone.</summary>
    public bool AtomicRenames { get; init; } = true;

    /// <summary>How likely an unsynced change is kept: 0 none, 1 all, null: drawn for each file.</summary>
    public double? Keep { get; init; }
}

/// <summary>One call of a disk, as the system names it.</summary>
internal readonly record struct DiskOperation(string Name, string Path, bool IsChange)
{
    public bool IsSync => Name is "fdatasync" or "fsync" or "syncfs";
}
