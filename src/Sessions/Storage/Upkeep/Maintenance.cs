using System.Diagnostics;
using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Upkeep;

/// <summary>
/// The one thread that a store has, started by its first commit: brings relaxed commits to the disk
/// within a second, makes the next segment ahead of its need, and checkpoints when a segment is full
/// or nothing has happened for a second.
/// </summary>
internal sealed class Maintenance(StoreCore core, Checkpointer checkpointer, BatchRunner runner)
{
    private static readonly TimeSpan RelaxedMax = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);
    private const int TickMs = 250;
    private const int RetryMs = 1000;
    private const int WarmMs = 30_000;

    private readonly object _gate = new();
    private Thread? _thread;
    private bool _stops;
    private bool _isAsleep;
    private bool _sleepsOn; // until it is woken
    private volatile bool _isDirty;
    private long _lastCommit;
    private long _firstRelaxed;
    private long _checkpointedSegment;
    private long _triedAt;
    private bool _isTicking; // on a caller's thread

    /// <summary>True while streams are to be looked after.</summary>
    public Func<bool> IsWatching { get; init; } = () => false;

    /// <summary>Ends the streams that nobody will end.</summary>
    public Action SweepStreams { get; init; } = () => { };

    /// <summary>Heartbeats of session locks, and the release of those that were let go of.</summary>
    public Action SweepLocks { get; init; } = () => { };

    /// <summary>Has the secrets of shares go that have ended.</summary>
    public Action SweepShares { get; init; } = () => { };

    /// <summary>Writes down that holders and claimers are gone.</summary>
    public Action SweepDeaths { get; init; } = () => { };

    /// <summary>How long a store without anything else to do may sleep.</summary>
    public Func<int> SleepMs { get; init; } = () => Timeout.Infinite;

    /// <summary>Called after each commit; cheap.</summary>
    public void OnCommitted()
    {
        Volatile.Write(ref _lastCommit, Stopwatch.GetTimestamp());
        if (_isDirty)
        {
            return;
        }

        lock (_gate)
        {
            _isDirty = true;
            Wake(_isAsleep);
        }
    }

    /// <summary>Has the thread look after streams, and after nothing else: a store that only looks on
    /// leaves checkpoints to those who write.</summary>
    public void Watch()
    {
        lock (_gate)
        {
            Wake(_sleepsOn); // else it looks by itself, four times a second
        }
    }

    private void Wake(bool isAsleep)
    {
        if (_stops || !core.Environment.RunsInBackground)
        {
            return;
        }

        if (_thread is null)
        {
            TryStart();
        }
        else if (isAsleep)
        {
            Monitor.Pulse(_gate);
        }
    }

    // Where no thread is to be had the store goes on without: commits are synced at once, and callers do the rest.
    private void TryStart()
    {
        if (core.HasNoThread && Stopwatch.GetElapsedTime(_triedAt).TotalMilliseconds < RetryMs)
        {
            return;
        }

        _checkpointedSegment = core.HasNoThread ? _checkpointedSegment : core.Replica.Segment;
        core.Warm.Filled = OnFilled;
        var thread = new Thread(Loop, 512 * 1024) { IsBackground = true, Name = "sessions" };
        try
        {
            core.Environment.StartThread(thread);
            _thread = thread;
            core.HasNoThread = false;
        }
        catch (OutOfMemoryException e)
        {
            _triedAt = Stopwatch.GetTimestamp();
            core.HasNoThread = true;
            LogRing.Add("warning", $"No thread is to be had; callers do its work: {e.Message}");
        }
    }

    /// <summary>Does a part of the thread's work on the caller's, where there is no thread. Call it after a commit,
    /// with no lock held.</summary>
    public void AfterCommit()
    {
        if (!core.HasNoThread)
        {
            return;
        }

        lock (_gate)
        {
            TryStart();
            if (_thread is not null || _stops || _isTicking)
            {
                return;
            }

            _isTicking = true;
        }

        core.Warm.DropIdle();
        TickSafely();
        lock (_gate)
        {
            _isTicking = false;
            Monitor.PulseAll(_gate);
        }
    }

    // There is something that has to go when its time is over.
    private void OnFilled()
    {
        lock (_gate)
        {
            if (_isAsleep)
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <summary>Ends the thread; what it is at is finished first.</summary>
    public void Stop()
    {
        Thread? thread;
        lock (_gate)
        {
            _stops = true;
            Monitor.PulseAll(_gate);
            thread = _thread;
            while (_isTicking)
            {
                Monitor.Wait(_gate);
            }
        }

        thread?.Join();
    }

    private void Loop()
    {
        while (true)
        {
            lock (_gate)
            {
                _isAsleep = true;
                _sleepsOn = !_isDirty && !IsWatching();
                if (!_stops)
                {
                    Monitor.Wait(_gate, !_sleepsOn ? TickMs : Sleep());
                }

                _isAsleep = false;
                _sleepsOn = false;
                if (_stops)
                {
                    return;
                }
            }

            bool wasAtWork = core.Warm.DropIdle() | _isDirty;
            TickSafely();
            if (wasAtWork && !_isDirty)
            {
                IdleHeap.Release();
            }
        }
    }

    private void TickSafely()
    {
        bool wasDirty = _isDirty;
        try
        {
            Tick();
        }
        catch (Exception e)
        {
            // Nobody waits for this; the journal has it all, and the next tick tries again. Not even a
            // bug may leave the thread, since that would end the host.
            LogRing.Add(e is SessionException or DiskException ? "warning" : "error",
                $"In the background: {e.GetType().Name}: {e.Message}");
            _isDirty |= wasDirty;
            if (core.State.Health != StoreHealth.Sound)
            {
                lock (_gate)
                {
                    _isDirty = false; // nothing can be done before a recovery
                }
            }
        }
    }

    private int Sleep()
    {
        int sleepMs = SleepMs();
        return core.Warm.Count == 0 ? sleepMs : sleepMs == Timeout.Infinite ? WarmMs : Math.Min(sleepMs, WarmMs);
    }

    private void Tick()
    {
        core.CheckedState(); // all that follows reads the page
        SweepLocks();
        SweepDeaths();
        SweepStreams();
        SweepShares();
        if (!_isDirty)
        {
            return;
        }

        SyncRelaxed();
        core.RequireSound();
        core.Followers.ForgetDead();
        runner.MakeSpareAhead();
        bool idle = Stopwatch.GetElapsedTime(Volatile.Read(ref _lastCommit)) >= Idle;
        if (!idle && core.Replica.Segment == _checkpointedSegment)
        {
            return;
        }

        if (idle)
        {
            lock (_gate)
            {
                _isDirty = false;
            }
        }

        SharedState state = core.State;
        if (state.Published == state.Indexed && !state.OwesErasure)
        {
            return;
        }

        long segment = core.Replica.Segment;
        if (checkpointer.TryRun())
        {
            _checkpointedSegment = segment;
            if (idle && state.Published == state.Indexed)
            {
                lock (_gate)
                {
                    _isDirty = false; // the checkpoint's own commits need no other
                }
            }
        }
        else
        {
            _isDirty = true;
        }
    }

    // No relaxed commit is in doubt for longer.
    private void SyncRelaxed()
    {
        if (core.State.Published <= core.State.Synced)
        {
            _firstRelaxed = 0;
            return;
        }

        _firstRelaxed = _firstRelaxed == 0 ? Stopwatch.GetTimestamp() : _firstRelaxed;
        if (core.HasNoThread || Stopwatch.GetElapsedTime(_firstRelaxed) >= RelaxedMax)
        {
            checkpointer.Sync();
            _firstRelaxed = 0;
        }
    }
}
