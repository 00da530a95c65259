using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Recovery;
using Sessions.Storage.Rows;

namespace Sessions;

/// <content>Opening: to write, alone or beside others, or to read.</content>
internal sealed partial class StoreEngine
{
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
            throw DiskErrors.From(e, environment.Disk);
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
        StoreFile? file = null;
        if (disk.Stat("") is { } root)
        {
            if (!root.IsFolder)
            {
                throw new DiskException(DiskError.NotFolder, "open", "", 20);
            }

            Premises.Check(disk, root, readOnly);
            file = StoreFile.Read(disk);
        }

        if (file is null && (readOnly || options.Flags.HasFlag(StoreFlags.MustExist)))
        {
            throw Errors.NoStore(disk.Root);
        }

        if (file is null)
        {
            file = ReadBesideRemains(disk);
            disk.CreateFolder("");
            Premises.Check(disk, disk.Stat(""), readOnly);
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

        SharedState state = engine.Recover(alone);
        Await(core, () => locks.TryLock(StoreLock.Alive, exclusive: false), "The store");
        locks.Unlock(StoreLock.Opening);
        try
        {
            engine.Begin(isClosed: alone && state.Segment == 0);
        }
        catch (SessionException e) when (!alone && e.Status == SessionStatus.Corrupt)
        {
            LogRing.Add("warning", $"The page of the store is not followed: {e.Message}");
            engine.RecoverBesideOthers(() => true); // somebody put an older one back
            engine.Begin();
        }

        engine.CountWhereJournalIsGone();
        engine.EndStreamsLeft(engine._committer.Commit);
        core.OnForeignStreams = engine._maintenance.Watch;
        if (core.Rows.Streams.HasForeign)
        {
            engine._maintenance.Watch();
        }

        return engine;
    }

    // The page, once all that the journal has is in it: under the lock for opening.
    private SharedState Recover(bool alone)
    {
        StoreCore core = Core;
        foreach (string folder in (string[])[Layout.Locks, Layout.Temporary])
        {
            if (core.Disk.Stat(folder) is null)
            {
                core.Disk.CreateFolder(folder);
            }
        }

        var state = new SharedState(OpenPage(core, alone));
        core.Replica.State = state;
        if (alone)
        {
            _recovery.RunAlone(state);
            Locks.NoteAlone(state.Published);
        }
        else if (!core.CanFollow(state) || state.Health == StoreHealth.Poisoned)
        {
            // Those who have it open lost the page, poisoned the store, or only read it, so that the page
            // may be older than the machine's last start: recover it under their eyes.
            RecoverBesideOthers(() => !core.CanFollow(state) || state.Health == StoreHealth.Poisoned);
        }

        return state;
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
        if (others && FindPage(environment.Disk) is { } page)
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
        if (!others)
        {
            engine.Locks.NoteAlone(core.State.Published);
        }

        return engine;
    }

    // The page holds only hints: what stands in its place and is none makes way, while nobody has a page.
    private static ISharedPage OpenPage(StoreCore core, bool alone)
    {
        try
        {
            return core.Disk.OpenSharedPage(Layout.SharedPage, readOnly: false)!;
        }
        catch (DiskException e) when (alone && Obstacle.HidesContent(e)
            && core.Disk.Stat(Layout.SharedPage) is not null)
        {
            core.Quarantine.Vacate(Layout.SharedPage);
            return core.Disk.OpenSharedPage(Layout.SharedPage, readOnly: false)!;
        }
    }

    private static ISharedPage? FindPage(IDisk disk)
    {
        try
        {
            return disk.OpenSharedPage(Layout.SharedPage, readOnly: true);
        }
        catch (DiskException e) when (Obstacle.IsOne(e))
        {
            return null; // no page to follow
        }
    }

    private void RecoverBesideOthers(Func<bool> isNeeded)
    {
        StoreLock storeLock = Core.Lock!;
        Await(Core, () => storeLock.TryTake(Core.State, 0), "The store lock");
        try
        {
            if (isNeeded())
            {
                _recovery.RunBesideOthers(_runner.Applier, known: 0);
            }
        }
        finally
        {
            storeLock.Release(Core.State);
        }
    }

    // Lines that are in the files are counted by nobody then; the next append to a session writes that down.
    private void CountWhereJournalIsGone()
    {
        if (!Core.Recovered.IsJournalGone)
        {
            return;
        }

        lock (Core.Rows.Gate)
        {
            Core.Rows.Complete();
            Core.Rows.CountByLogs();
        }
    }

    /// <param name="isClosed">True where the journal was just looked at, and has no frames.</param>
    private void Begin(bool isClosed = false)
    {
        lock (Core.Rows.Gate)
        {
            if (Core.State.Health == StoreHealth.Corrupt)
            {
                Overlay();
                return;
            }

            if (isClosed)
            {
                Core.Replica.Reset();
            }
            else
            {
                Core.Replica.ResetToOldest();
            }

            Core.Replica.CatchUp();
        }
    }

    // A journal that may not be written to, or is damaged: all its whole frames count, in memory.
    private void Overlay()
    {
        JournalScan scan = JournalScan.Read(Core.Disk, new JournalFiles(Core.Disk, Core.Seed, Core.InstanceId));
        Core.Corruption ??= scan.Corruption ?? LogPlaces.Find(Core.Disk, Fold.Of(scan.Frames), scan.Bytes);
        bool isCorrupt = Core.Corruption is not null;
        List<Frame> frames = isCorrupt ? WholeFrames.Of(Core.Disk, scan, Core.Rows.Doubt, isKnownDamaged: true)
            : scan.Frames;
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
            if (isCorrupt)
            {
                Core.Rows.CountByLogs();
            }

            Core.Replica.LetRead();
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
        if (!Premises.HasRemains(disk))
        {
            return Premises.FindForeign(disk) is not { } foreign ? null : StoreFile.Read(disk)
                ?? throw Errors.Taken(disk.Root, foreign);
        }

        return StoreFile.Read(disk) ?? throw Errors.Corrupt("store.json is missing beside the sessions of a store. Put "
            + "it back, or let session_store_salvage() make it anew.", Layout.StoreFile);
    }
}
