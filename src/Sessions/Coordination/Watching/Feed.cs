using Sessions.Model;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Watching;

/// <summary>
/// What one open store tells its watches. While there are any it keeps the frames that the rows take in for a
/// while, once for all of them, and has a thread that looks what each of them has to tell.
/// </summary>
internal sealed class Feed : IFrameSink
{
    private readonly StoreCore _core;
    private readonly Deaths _deaths;
    private readonly FeedThread _thread;
    private readonly List<CoalescedChanges> _coalesced = []; // this and what follows: under the rows' gate
    private IWatcher[] _watches = [];
    private int _users;
    private bool _isClosed;

    public Feed(StoreCore core, Deaths deaths)
    {
        (_core, _deaths) = (core, deaths);
        _thread = new FeedThread(core, LookAround);
    }

    /// <summary>The last frames; under the rows' gate.</summary>
    public FeedRing Ring { get; } = new();

    /// <summary>How often the rows have started over; under the rows' gate.</summary>
    public int Resets { get; private set; }

    /// <summary>True while its thread is there.</summary>
    public bool IsRunning => _thread.IsRunning;

    /// <summary>Makes what a watch reads from. From here on no change is missed.</summary>
    /// <param name="filter">What it wants.</param>
    /// <param name="after">Behind this LSN; 0: from now on.</param>
    /// <param name="isCoalesced">One change a session.</param>
    public ChangeSource Open(WatchFilter filter, long after, bool isCoalesced)
    {
        long now;
        lock (_core.Rows.Gate)
        {
            if (_isClosed)
            {
                throw Errors.Closed();
            }

            _core.Refresh();
            now = _core.Rows.Lsn;
            if (_users++ == 0)
            {
                Ring.Reset(now);
                _core.Replica.Sink = this;
            }
        }

        try
        {
            if (isCoalesced)
            {
                return OpenCoalesced(filter, after == 0 ? now : after);
            }

            var reader = new FeedReader(this, _core, filter, after == 0 ? now : Math.Min(after, now));
            if (after > now)
            {
                reader.LoseAll();
            }

            return reader;
        }
        catch
        {
            Leave();
            throw;
        }
    }

    /// <summary>Begins to tell a watch that it has something.</summary>
    public void Add(IWatcher watch)
    {
        lock (_core.Rows.Gate)
        {
            if (_isClosed)
            {
                throw Errors.Closed();
            }

            Volatile.Write(ref _watches, [.. _watches, watch]);
        }

        _thread.Start();
    }

    /// <summary>A watch is over, whether or not it was ever told of anything.</summary>
    public void Remove(IWatcher? watch, ChangeSource source)
    {
        bool isLast;
        lock (_core.Rows.Gate)
        {
            Volatile.Write(ref _watches, Array.FindAll(_watches, w => w != watch));
            if (source is CoalescedChanges coalesced)
            {
                _coalesced.Remove(coalesced);
            }

            isLast = _watches.Length == 0;
        }

        source.Dispose();
        Leave();
        if (isLast)
        {
            _thread.Stop(waits: false);
        }
    }

    /// <summary>Tells this store's own watches of something that is in no frame.</summary>
    public void Announce(WatchKinds kind, string? sessionId, ReadOnlyMemory<byte> detail)
    {
        lock (_core.Rows.Gate)
        {
            var change = new LocalChange(_core.Rows.Lsn, _core.Now, kind, sessionId ?? "", detail);
            foreach (IWatcher watch in _watches)
            {
                watch.Source.Add(change);
            }
        }

        _thread.Wake();
    }

    /// <summary>Ends all watches; the thread is gone on return, unless it is the caller.</summary>
    public void Close()
    {
        lock (_core.Rows.Gate)
        {
            _isClosed = true;
        }

        _thread.Stop(waits: true);
        Array.ForEach(Volatile.Read(ref _watches), w => w.End());
    }

    void IFrameSink.Take(Frame frame, long bytes)
    {
        Ring.Add(frame, bytes);
        foreach (CoalescedChanges changes in _coalesced)
        {
            changes.Take(frame);
        }
    }

    void IFrameSink.Reset(long lsn)
    {
        Resets++;
        Ring.Reset(lsn);
        _coalesced.ForEach(c => c.MarkAll());
    }

    // From the journal first, and what it still lacks then from the ring, in one step with joining it.
    private CoalescedChanges OpenCoalesced(WatchFilter filter, long position)
    {
        var changes = new CoalescedChanges(_core, filter);
        var frames = new Queue<Frame>();
        JournalTail? tail = null;
        try
        {
            while (true)
            {
                long target;
                lock (_core.Rows.Gate)
                {
                    target = Ring.Base;
                    if (position >= target)
                    {
                        Ring.CopyTo(frames, position, long.MaxValue, int.MaxValue, long.MaxValue);
                        Take(changes, frames);
                        if (position > _core.Rows.Lsn)
                        {
                            changes.MarkAll(); // no LSN that this store has given out
                        }

                        _coalesced.Add(changes);
                        return changes;
                    }
                }

                tail ??= JournalTail.TryOpen(_core, position);
                if (tail is null || !tail.TryRead(frames, position, target, FeedRing.BytesMax, out _, out bool isThere))
                {
                    changes.MarkAll();
                    position = target;
                    continue;
                }

                position = isThere ? target : frames.Count > 0 ? Last(frames) : position;
                Take(changes, frames);
            }
        }
        finally
        {
            tail?.Dispose();
        }
    }

    private static void Take(CoalescedChanges changes, Queue<Frame> frames)
    {
        while (frames.TryDequeue(out Frame? frame))
        {
            changes.Take(frame);
        }
    }

    private static long Last(Queue<Frame> frames)
    {
        long last = 0;
        foreach (Frame frame in frames)
        {
            last = frame.Lsn;
        }

        return last;
    }

    private void Leave()
    {
        lock (_core.Rows.Gate)
        {
            if (--_users == 0)
            {
                _core.Replica.Sink = null;
                Ring.Reset(0);
            }
        }
    }

    // What the thread does each time; true where it is to come again soon.
    private bool LookAround()
    {
        bool isAgain = false;
        try
        {
            _core.Refresh();
            _deaths.Look();
        }
        catch (SessionException e)
        {
            LogRing.Add("warning", $"A watch cannot follow the store: {e.Message}");
        }

        IWatcher[] watches = Volatile.Read(ref _watches);
        long all = long.MaxValue;
        foreach (IWatcher watch in watches)
        {
            isAgain |= !watch.Look();
            all = Math.Min(all, watch.Source.Position);
        }

        lock (_core.Rows.Gate)
        {
            if (watches == _watches)
            {
                Ring.DropTo(all);
            }
        }

        return isAgain;
    }
}
