namespace Sessions.Platform;

/// <summary>All that a store takes from outside, so that tests can put their own in its place.</summary>
internal sealed class StoreEnvironment
{
    /// <summary>The disk with the store's folder as its root.</summary>
    public required IDisk Disk { get; init; }

    /// <summary>Wall clock and monotonic clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Fills a span with random bytes.</summary>
    public Action<Span<byte>> FillRandom { get; init; } = SystemRandom.Fill;

    /// <summary>The process id others see.</summary>
    public int ProcessId { get; init; } = Environment.ProcessId;

    /// <summary>The name of this machine that others see.</summary>
    public string Hostname { get; init; } = Environment.MachineName;

    /// <summary>Which numbering of processes <see cref="ProcessId"/> belongs to; containers of one machine may have one
    /// each. 0 where the system has but one, or does not say.</summary>
    public long PidNamespace { get; init; } = Machine.PidNamespace;

    /// <summary>When a process of this machine started, in unix ms; 0 where there is no such process, null where
    /// the system does not say.</summary>
    public Func<long, long?> ProcessStartedAt { get; init; } = Machine.ProcessStartedAtMs;

    /// <summary>A number that is another after each start of the machine; 0 where unknown.</summary>
    public ulong BootId { get; init; }

    /// <summary>The disk is disposed of when the store closes.</summary>
    public bool OwnsDisk { get; init; }

    /// <summary>Called at each numbered step of a commit, a checkpoint or a recovery; tests stop or
    /// kill the process there.</summary>
    public Action<Step>? AtStep { get; init; }

    /// <summary>Starts a thread; throws <see cref="OutOfMemoryException"/> where none is to be had.</summary>
    public Action<Thread> StartThread { get; init; } = thread => thread.Start();

    /// <summary>Without it no thread runs in the background and tests call the maintenance
    /// themselves.</summary>
    public bool RunsInBackground { get; init; } = true;
}

/// <summary>The places where tests stop or kill a process.</summary>
internal enum Step
{
#pragma warning disable CS1591
    CommitLocked = 1,
    CommitCaughtUp,
    CommitWritten,
    CommitSynced,
    CommitApplied,
    CommitPublished,
    CommitUnlocked,
    CheckpointStarted,
    CheckpointImages,
    CheckpointSynced,
    CheckpointIndexed,
    CheckpointRetired,
    RecoveryStarted,
    RecoveryFolded,
    RecoveryApplied,
    RecoverySynced,
    RecoveryIndexed,
    RecoverySealed,
    SegmentMade,
    SegmentSwitched,
    PurgeMoved,
    PurgeRemoved,
    MigrationCopied,
    MigrationStepped,
    FileStaged,
    FilePlaced,
#pragma warning restore CS1591
}
