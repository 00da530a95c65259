using Sessions.Coordination.Watching;
using Sessions.Jobs;
using Sessions.Platform;

namespace Sessions.Storage;

/// <summary>An open store put together: opens it, closes it, and hands requests on.</summary>
internal sealed class StoreEngine
{
    private readonly Recovery _recovery;
    private readonly BatchRunner _runner;
    private readonly Committer _committer;
    private readonly Maintenance _maintenance;
    private readonly Checkpointer _checkpointer;
    private int _isClosed;

    private StoreEngine(StoreCore core)
    {
        Core = core;
        _recovery = new Recovery(core);
        _runner = new BatchRunner(core, new Takeover(core, _recovery));
        _committer = new Committer(core, _runner);
        _checkpointer = new Checkpointer(core, _committer.Commit, _runner);
        Streams = new Events.StreamKeeper(core);
        Feed = new Feed(core);
        Jobs = new JobBoard(core);
        core.OnJobDone = (id, kind, status) => Feed.Announce(WatchKinds.Job, null, JobBoard.Detail(id, kind, status));
        _maintenance = new Maintenance(core, _checkpointer, _runner)
        {
            IsWatching = () => Streams.IsWatching || core.Locks.IsWatching,
            SweepLocks = () => core.Locks.Sweep(_committer.Commit),
            SleepMs = () => core.Locks.SleepMs,
            SweepStreams = () => Streams.Sweep(_committer.Commit),
        };
        Streams.Wake = _maintenance.Watch;
        core.Locks.Wake = _maintenance.Watch;
        _runner.OnCommitted = _maintenance.OnCommitted;
    }

    public StoreCore Core { get; }

    public Checkpointer Checkpointer => _checkpointer;

    /// <summary>Sees to streams that nobody will end.</summary>
    public Events.StreamKeeper Streams { get; }

    /// <summary>Tells watches what is published.</summary>
    public Feed Feed { get; }

    /// <summary>The long calls that are under way.</summary>
    public JobBoard Jobs { get; }

    /// <summary>What runs the batches; a test makes its own.</summary>
    public BatchRunner Runner => _runner;

    public bool IsClosed => Volatile.Read(ref _isClosed) != 0;

    public void Commit(CommitRequest request) => _committer.Commit(request);

    /// <summary>Opens the store on a disk; creates, migrates and recovers it as needed and allowed.</summary>
    public static StoreEngine Open(StoreEnvironment environment, SessionStoreOptions options,
        IReadOnlyList<IMigrationStep>? migrations = null)
    {
        try
        {
            return OpenUnchecked(environment, options, migrations ?? Migration.Steps);
        }
        catch (DiskException e)
        {
            Release(environment);
            throw Errors.From(e);
        }
        catch
        {
            Release(environment);
            throw;
        }
    }

    private static void Release(StoreEnvironment environment)
    {
        if (environment.OwnsDisk)
        {
            environment.Disk.Dispose();
        }
    }

    private static StoreEngine OpenUnchecked(StoreEnvironment environment, SessionStoreOptions options,
        IReadOnlyList<IMigrationStep> migrations)
    {
        IDisk disk = environment.Disk;
        bool readOnly = options.Flags.HasFlag(StoreFlags.ReadOnly);
        StoreFile? file = disk.Stat("") is { } root
            ? root.IsFolder ? StoreFile.Read(disk) : throw new DiskException(DiskError.NotFolder, "open", "", 20)
            : null;
        if (file is null && (readOnly || options.Flags.HasFlag(StoreFlags.MustExist)))
        {
            throw Errors.NotFound("store");
        }

        if (file is null)
        {
            file = ReadBesideRemains(disk);
            disk.CreateFolder("");
            disk.SpreadFolders("");
        }

        if (!disk.Capabilities.IsLocal && !options.Flags.HasFlag(StoreFlags.AllowNetwork))
        {
            throw Errors.NotLocal(disk.Capabilities.FileSystem);
        }

        file ??= StoreFile.Create(environment);
        if (file.Version > StoreFile.CurrentVersion)
        {
            throw Migration.Unsupported(file.Version);
        }

        if (file.Version < StoreFile.CurrentVersion && (readOnly || options.Flags.HasFlag(StoreFlags.NoMigrate)))
        {
            throw Migration.Unsupported(file.Version);
        }

        ILockFile locks = disk.OpenLocks(Layout.StoreFile, readOnly);
        try
        {
            return readOnly ? OpenToRead(environment, options, file, locks)
                : OpenToWrite(environment, options, file, locks, migrations);
        }
        catch
        {
            locks.Dispose();
            throw;
        }
    }

    private static StoreEngine OpenToWrite(StoreEnvironment environment, SessionStoreOptions options, StoreFile file,
        ILockFile locks, IReadOnlyList<IMigrationStep> migrations)
    {
        IDisk disk = environment.Disk;
        var storeLock = new StoreLock(locks, environment.Time);
        var engine = new StoreEngine(new StoreCore(environment, options, file.StoreId) { Lock = storeLock });
        StoreCore core = engine.Core;
        Await(core, () => locks.TryLock(StoreLock.Opening, exclusive: true), "The lock for opening");
        if (!locks.IsLinked)
        {
            locks.Dispose(); // migrated or salvaged while this one waited: it is another file now
            return OpenUnchecked(environment, options, migrations);
        }

        bool alone = locks.TryLock(StoreLock.Alive, exclusive: true);
        if (file.Version < StoreFile.CurrentVersion)
        {
            if (!alone)
            {
                throw Errors.Busy("The store, to migrate it,");
            }

            Migration.Run(environment, file, migrations);
            locks.Dispose();
            return OpenUnchecked(environment, options, migrations); // store.json is another file now
        }

        disk.CreateFolder(Layout.Locks);
        disk.CreateFolder(Layout.Temporary);
        var state = new SharedState(disk.OpenSharedPage(Layout.SharedPage, readOnly: false)!);
        core.Replica.State = state;
        if (alone)
        {
            engine._recovery.RunAlone(state);
        }
        else if (!core.CanFollow(state) || state.Health == StoreHealth.Poisoned)
        {
            // Those who have it open lost the page, poisoned the store, or only read it, so that the page
            // may be older than the machine's last start: recover it under their eyes.
            Await(core, () => storeLock.TryTake(state, 0), "The store lock");
            try
            {
                if (!core.CanFollow(state) || state.Health == StoreHealth.Poisoned)
                {
                    engine._recovery.RunBesideOthers(engine._runner.Applier);
                }
            }
            finally
            {
                storeLock.Release(state);
            }
        }

        Await(core, () => locks.TryLock(StoreLock.Alive, exclusive: false), "The store");
        locks.Unlock(StoreLock.Opening);
        engine.Begin();
        engine.EndStreamsLeft(engine._committer.Commit);
        core.OnForeignStreams = engine._maintenance.Watch;
        if (core.Rows.Streams.HasForeign)
        {
            engine._maintenance.Watch();
        }

        return engine;
    }

    // What processes that are gone were writing becomes events. It can wait: until then it is shown as
    // open, and the store's thread, and the next opening, try again.
    private void EndStreamsLeft(Action<CommitRequest> commit)
    {
        try
        {
            Streams.Sweep(commit);
        }
        catch (Exception e) when (e is SessionException or DiskException)
        {
            LogRing.Add("warning", $"Streams of a process that is gone stay open for now: {e.Message}");
        }
    }

    private static StoreEngine OpenToRead(StoreEnvironment environment, SessionStoreOptions options, StoreFile file,
        ILockFile locks)
    {
        var engine = new StoreEngine(new StoreCore(environment, options, file.StoreId)
        {
            Lock = new StoreLock(locks, environment.Time),
        });
        StoreCore core = engine.Core;
        bool others = locks.IsHeldByOther(StoreLock.Alive);
        locks.TryLock(StoreLock.Alive, exclusive: false);
        if (others && environment.Disk.OpenSharedPage(Layout.SharedPage, readOnly: true) is { } page)
        {
            var shared = new SharedState(page, isReadOnly: true);
            if (core.CanFollow(shared))
            {
                core.Replica.State = shared;
                engine.Begin();
                return engine;
            }
        }

        // Nobody to follow: what the journal has beyond the files is laid over them in memory.
        core.Replica.State = new SharedState(new PrivatePage()) { Layout = SharedState.Magic, Generation = 1 };
        engine.Overlay();
        return engine;
    }

    private void Begin()
    {
        lock (Core.Rows.Gate)
        {
            if (Core.State.Health == StoreHealth.Corrupt)
            {
                Overlay();
                return;
            }

            Core.Replica.Reset();
            Core.Replica.CatchUp();
        }
    }

    // A journal that may not be written to, or is damaged: all its whole frames count, in memory.
    private void Overlay()
    {
        JournalScan scan = JournalScan.Read(Core.Disk, new Journal(Core.Disk, Core.Seed, Core.InstanceId));
        Core.Corruption ??= scan.Corruption;
        bool isCorrupt = Core.Corruption is not null;
        List<Frame> frames = isCorrupt ? WholeFrames.Of(Core.Disk, scan) : scan.Frames;
        SharedState state = Core.State;
        lock (Core.Rows.Gate)
        {
            long indexed = IndexFile.ReadClosing(Core.Disk)?.Lsn ?? 0;
            long last = Math.Max(frames.Count > 0 ? frames[^1].Lsn : scan.LastLsn, indexed);
            bool isPrivate = state.Page is PrivatePage;
            if (isPrivate)
            {
                state.Indexed = indexed;
                state.Published = last;
                state.Health = isCorrupt ? StoreHealth.Corrupt : StoreHealth.Sound;
            }

            Core.Replica.Reset();
            foreach (Frame frame in frames)
            {
                Core.Replica.Take([frame], 0, areApplied: false);
            }

            if (isCorrupt)
            {
                Core.Rows.ForgetLogLengths();
            }

            Core.Rows.Lsn = isPrivate ? last : state.Published;
        }
    }

    /// <summary>Ends the use of the store. Throws what the last write met; the store is closed all the same.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
        {
            return;
        }

        StoreCore core = Core;
        core.State.Announce();
        Jobs.Close();
        Feed.Close();
        ILockFile locks = core.Lock!.Locks;
        try
        {
            if (!core.IsReadOnly)
            {
                // No commit but those of the close itself comes between its last checkpoint and its end.
                _maintenance.Stop();
                _committer.Close();
                if (core.State.Health == StoreHealth.Sound)
                {
                    try
                    {
                        Streams.EndOwn(_committer.CommitAtClose);
                        ReleaseLocks();
                    }
                    finally
                    {
                        Settle(locks); // what could not be ended is saved, and the next opening ends it
                    }
                }

                _runner.Applier.Close();
                if (core.State.Health == StoreHealth.Poisoned)
                {
                    throw Errors.Poisoned(); // relaxed commits that a close was to make durable are in doubt
                }
            }
        }
        catch (DiskException e)
        {
            throw Errors.From(e);
        }
        finally
        {
            _committer.Close(); // locks are let go of below, and nobody may be writing then
            _runner.Journal.Dispose();
            core.Replica.Close();
            core.Warm.Clear();
            locks.Dispose();
            if (core.Environment.OwnsDisk)
            {
                core.Disk.Dispose();
            }
        }
    }

    // What cannot be written now is known all the same once the locks' bytes are let go of.
    private void ReleaseLocks()
    {
        try
        {
            Core.Locks.ReleaseAll(_committer.CommitAtClose);
        }
        catch (SessionException e)
        {
            LogRing.Add("warning", $"Locks of sessions end with the store, but lock.json stays: {e.Message}");
        }
    }

    // The last one to leave takes the journal with it; others only see to what they wrote.
    private void Settle(ILockFile locks)
    {
        StoreCore core = Core;
        bool last = locks.TryLock(StoreLock.Opening, exclusive: true)
            && locks.TryLock(StoreLock.Alive, exclusive: true);
        var closer = new Checkpointer(core, _committer.CommitAtClose, _runner);
        if (!last)
        {
            locks.Unlock(StoreLock.Opening); // whoever opens need not wait for the flush
            if (core.State.Published > core.State.Synced || core.Rows.Lagging.Count > 0)
            {
                closer.Flush();
            }

            return;
        }

        EndStreamsLeft(_committer.CommitAtClose); // everybody else is gone, however
        SharedState state = core.State;
        if (state.Segment == 0 && state.Published == state.Indexed)
        {
            return; // nothing was written since the journal was closed
        }

        if (!closer.TryRun() || state.Published != state.Indexed)
        {
            return; // the next open recovers
        }

        long segment = core.Replica.Segment;
        _runner.Journal.CreateClosing(new SegmentHeader
        {
            Number = segment + 1,
            Size = SegmentHeader.Length,
            FirstLsn = state.Published + 1,
            PreviousEnd = core.Replica.Offset,
            PreviousLsn = state.Published,
            FirstNeeded = segment + 1,
            IdMs = state.IdMs,
            IdN = state.IdN,
            Told = core.Rows.Lsn == state.Published ? core.Rows.Told : state.Published,
        });
        _runner.Journal.Retire(segment + 1);
        core.Disk.SyncFolder(Layout.Journal);
        LeaveSpare();
    }

    // The next opening's first commit finds its segment made: it need not wait for one, and an abort or a
    // delete can be recorded though the disk is full by then.
    private void LeaveSpare()
    {
        try
        {
            _runner.Journal.MakeSpare(Journal.SegmentBytesMin);
        }
        catch (DiskException e)
        {
            LogRing.Add("info", $"No segment was made ahead: {e.Message}");
        }
    }

    // Waits for what another process lets go of; nothing tells when, so it is asked again and again.
    private static void Await(StoreCore core, Func<bool> attempt, string what)
    {
        if (!attempt() && !SpinWait.SpinUntil(attempt, TimeSpan.FromMilliseconds(core.BusyTimeoutMs)))
        {
            throw Errors.Busy(what);
        }
    }

    // Sessions without store.json: somebody removed it, and a new one would hide that. Unless it was made
    // since it was looked for, by a process that has gone on to make the rest.
    private static StoreFile? ReadBesideRemains(IDisk disk)
    {
        if (disk.Stat(Layout.Sessions) is null && disk.Stat(Layout.Journal) is null)
        {
            return null;
        }

        return StoreFile.Read(disk)
            ?? throw Errors.Corrupt("store.json is missing beside the sessions of a store.", Layout.StoreFile);
    }
}
