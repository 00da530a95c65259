using System.Diagnostics;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Watching;

/// <summary>
/// Waits for news of any process and has them looked at, at most every <see cref="RestMs"/>: in between it is no
/// follower, so that a store under full load pays for a wake now and then, not for one a commit.
/// </summary>
internal sealed unsafe class FeedThread(StoreCore core, Func<bool> look)
{
    /// <summary>How long it lets things gather.</summary>
    public const int RestMs = 5;

    // The page may be replaced under the wait, and a byte may be taken out of a socket; where the page can only be
    // read, nobody knows that there is somebody to wake.
    private const int SliceMs = 100;
    private const int ReadOnlySliceMs = 20;

    private readonly object _gate = new();
    private Thread? _thread;
    private bool _stops;

    /// <summary>True until it has ended.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_gate)
            {
                return _thread is not null;
            }
        }
    }

    /// <summary>Begins, unless it is at it.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _stops = false;
            if (_thread is null)
            {
                var thread = new Thread(Loop, 512 * 1024) { IsBackground = true, Name = "sessions-watch" };
                _thread = thread; // its own end looks here
                try
                {
                    core.Environment.StartThread(thread);
                }
                catch (OutOfMemoryException e)
                {
                    _thread = null;
                    throw Errors.NoMemory(e);
                }
            }
        }

        Wake();
    }

    /// <summary>Has it look as soon as it may.</summary>
    public void Wake() => core.State.Announce();

    /// <summary>Ends it.</summary>
    /// <param name="waits">It is over on return, unless it is itself that asks.</param>
    public void Stop(bool waits)
    {
        Thread? thread;
        lock (_gate)
        {
            _stops = true;
            thread = _thread;
            Monitor.Pulse(_gate);
        }

        if (thread is not null)
        {
            Wake();
            if (waits && thread != Thread.CurrentThread)
            {
                thread.Join();
            }
        }
    }

    private void Loop()
    {
        do
        {
            SharedState state = core.State;
            long start = Stopwatch.GetTimestamp();
            try
            {
                state = core.CheckedState();
                int news = Volatile.Read(ref *state.News);
                bool isAgain = look();
                if (!Rest(RestMs - (int)Stopwatch.GetElapsedTime(start).TotalMilliseconds))
                {
                    return;
                }

                if (!isAgain)
                {
                    Await(state, news);
                }
            }
            catch (Exception e)
            {
                // Not even a bug may leave the thread, since that would end the host; whoever calls looks for itself.
                LogRing.Add("error", $"While watching: {e.GetType().Name}: {e.Message}");
                Rest(SliceMs);
            }
        }
        while (Rest(0));
    }

    private bool Rest(int ms)
    {
        lock (_gate)
        {
            if (!_stops && ms > 0)
            {
                Monitor.Wait(_gate, ms);
            }

            _thread = _stops ? null : _thread;
            return !_stops;
        }
    }

    private void Await(SharedState state, int news)
    {
        core.Followers.Add(state);
        try
        {
            if (!Volatile.Read(ref _stops))
            {
                state.Page.Wait(state.News, news, core.IsReadOnly ? ReadOnlySliceMs : SliceMs);
            }
        }
        finally
        {
            core.Followers.Remove(state);
        }
    }
}
