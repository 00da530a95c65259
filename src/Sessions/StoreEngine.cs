using Sessions.Coordination;
using Sessions.Coordination.Locks;
using Sessions.Coordination.Watching;
using Sessions.Events.Streams;
using Sessions.Jobs;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Sharing;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Recovery;
using Sessions.Storage.Rows;
using Sessions.Storage.Upkeep;

namespace Sessions;

/// <summary>An open store put together: opens it, closes it, and hands requests on.</summary>
internal sealed partial class StoreEngine
{
    // How long a close waits to learn whether it is the last one.
    private const int LeaveMs = 1000;

    private readonly StoreRecovery _recovery;
    private readonly BatchRunner _runner;
    private readonly Committer _committer;
    private readonly Maintenance _maintenance;
    private readonly Checkpointer _checkpointer;
    private int _isClosed;

    private StoreEngine(StoreCore core)
    {
        Core = core;
        _recovery = new StoreRecovery(core);
        _runner = new BatchRunner(core, new Takeover(core, _recovery));
        _committer = new Committer(core, _runner);
        _checkpointer = new Checkpointer(core, _committer.Commit, _runner);
        Streams = new StreamKeeper(core);
        Locks = new LockKeeper(core);
        Deaths = new Deaths(core, Locks);
        Locks.OnGone = Deaths.Note;
        Feed = new Feed(core, Deaths);
        Jobs = new JobBoard(core);
        core.OnJobDone = (id, kind, status) => Feed.Announce(WatchKinds.Job, null, JobBoard.Detail(id, kind, status));
        _maintenance = new Maintenance(core, _checkpointer, _runner)
        {
            IsWatching = () => Streams.IsWatching || Locks.IsWatching || Deaths.IsSeen,
            SweepLocks = () => Locks.Sweep(_committer.Commit),
            SweepDeaths = () => Deaths.Sweep(_committer.Commit),
            SleepMs = () => ShareEnds.SleepMs(core, Locks.SleepMs),
            SweepStreams = () => Streams.Sweep(_committer.Commit),
            SweepShares = () => ShareEnds.Sweep(core, _committer.Commit),
        };
        Streams.Wake = _maintenance.Watch;
        Locks.Wake = _maintenance.Watch;
        Deaths.Wake = _maintenance.Watch;
        _runner.OnCommitted = _maintenance.OnCommitted;
    }

    public StoreCore Core { get; }

    public Checkpointer Checkpointer => _checkpointer;

    /// <summary>Sees to streams that nobody will end.</summary>
    public StreamKeeper Streams { get; }

    /// <summary>The locks of sessions that handles of this store hold.</summary>
    public LockKeeper Locks { get; }

    /// <summary>Holders and claimers that are gone.</summary>
    public Deaths Deaths { get; }

    /// <summary>Tells watches what is published.</summary>
    public Feed Feed { get; }

    /// <summary>The long calls that are under way.</summary>
    public JobBoard Jobs { get; }

    /// <summary>What runs the batches; a test makes its own.</summary>
    [ForTests]
    public BatchRunner Runner => _runner;

    public bool IsClosed => Volatile.Read(ref _isClosed) != 0;

    public void Commit(CommitRequest request)
    {
        _committer.Commit(request);
        _maintenance.AfterCommit();
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
                        ShareEnds.Sweep(core, _committer.CommitAtClose);
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
            throw core.Failed(e);
        }
        finally
        {
            _committer.Close(); // locks are let go of below, and nobody may be writing then
            _runner.LetGo();
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
            Locks.ReleaseAll(_committer.CommitAtClose);
        }
        catch (SessionException e)
        {
            LogRing.Add("warning", $"Locks of sessions end with the store, but lock.json stays: {e.Message}");
        }
    }

    // The last one to leave takes the journal with it; others only see to what they wrote.
    private void Settle(ILockFile locks)
    {
        if (locks.TryLock(StoreLock.Opening, exclusive: true) && locks.TryLock(StoreLock.Alive, exclusive: true))
        {
            SettleLast();
            return;
        }

        locks.Unlock(StoreLock.Opening); // whoever opens need not wait for the flush
        StoreCore core = Core;
        var closer = new Checkpointer(core, _committer.CommitAtClose, _runner);
        if (core.State.Published > core.State.Synced || core.Rows.Lagging.Count > 0)
        {
            closer.Flush();
        }

        if (core.State.OwesErasure)
        {
            closer.TryRun(); // the processes that stay may have no checkpoint for a long time
        }

        Leave(locks);
    }

    // Of several that close at once, each of which found the others there, the one that comes to this last is the last.
    private void Leave(ILockFile locks)
    {
        if (!SpinWait.SpinUntil(() => locks.TryLock(StoreLock.Opening, exclusive: true), LeaveMs))
        {
            return; // somebody opens, and is there
        }

        if (locks.TryLock(StoreLock.Alive, exclusive: true))
        {
            SettleLast();
            return;
        }

        _runner.Applier.Close(); // the last thing that is done to files
        locks.Unlock(StoreLock.Alive);
        locks.Unlock(StoreLock.Opening);
    }

    private void SettleLast()
    {
        StoreCore core = Core;
        var closer = new Checkpointer(core, _committer.CommitAtClose, _runner) { ClosesJournal = true };
        EndStreamsLeft(_committer.CommitAtClose); // everybody else is gone, however
        SharedState state = core.State;
        if (state.Segment == 0 && state.Published == state.Indexed)
        {
            SweepScratch();
            return; // nothing was written since the journal was closed
        }

        closer.Sync(); // a page that was written over since the last commit is made anew
        state = core.State;
        lock (core.Rows.Gate)
        {
            core.Replica.KnowJournal(); // all of it is about to go
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
        state.Segment = 0; // the page says so, too
        SweepScratch();
        LeaveSpare();
    }

    // Of processes that were killed, too: nobody else is there.
    private void SweepScratch()
    {
        _runner.Applier.Close(); // its pool keeps what was none of a session's files
        _recovery.SweepScratch();
    }

    // The next opening's first commit finds its segment made: it need not wait for one, and an abort or a
    // delete can be recorded though the disk is full by then.
    private void LeaveSpare()
    {
        try
        {
            _runner.Journal.MakeSpare(JournalFiles.SegmentBytesMin);
        }
        catch (DiskException e)
        {
            LogRing.Add("info", $"No segment was made ahead: {e.Message}");
        }
    }

    // What processes that are gone were writing becomes events. It can wait: until then it is shown as
    // open, and the store's thread, and the next opening, try again.
    private void EndStreamsLeft(Action<CommitRequest> commit)
    {
        try
        {
            Streams.Sweep(commit);
            Deaths.WriteDown(commit);
        }
        catch (Exception e) when (e is SessionException or DiskException)
        {
            LogRing.Add("warning", $"What a process that is gone left open stays so for now: {e.Message}");
        }
    }
}
