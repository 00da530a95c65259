using System.Buffers;
using Sessions.Coordination.Watching;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;

namespace Sessions;

/// <summary>
/// Hears of what any process changes in the store, from a position of its own, which is a number of the journal
/// (LSN): every change, in order, or an explicit gap where there are none left to tell. Who is slow costs nobody
/// anything. One thread at a time: a second one that comes meanwhile gets Misuse, except in
/// <see cref="Dispose"/>, which any thread may call at any time, the one inside <see cref="WatchOptions.Wake"/>
/// too.
/// </summary>
public sealed class SessionWatch : IWatcher, IDisposable
{
    private const int SliceMs = 100;
    private const int KeptBytesMax = 4 * 1024 * 1024;

    // How much of the journal the feed's thread reads for one watch before it turns to the next.
    private const long BriefBytes = 1 << 20;

    private readonly object _lock = new();
    private readonly object _wakeGate = new(); // a wake runs under it, and the thread that runs it may come again
    private readonly StoreEngine _engine;
    private readonly Action? _wake;
    private Utf8Buffer _page = new(4 * 1024);
    private SignalSocket? _socket;
    private bool _isReady; // told, and nobody has taken it all since
    private bool _isEnded;
    private volatile bool _isDisposed;
    private int _users;

    internal SessionWatch(StoreEngine engine, WatchOptions options)
    {
        Checks.Flags((uint)options.Flags, 1);
        Checks.Number(options.AfterLsn, "after_lsn");
        var filter = new WatchFilter(options.SessionId, options.Kinds);
        (_engine, _wake) = (engine, options.Wake);
        bool isCoalesced = options.Flags.HasFlag(WatchFlags.Coalesce);
        Source = _engine.Run(() => Feed.Open(filter, options.AfterLsn, isCoalesced));
        try
        {
            Feed.Add(this);
        }
        catch
        {
            Feed.Remove(this, Source);
            throw;
        }
    }

    internal ChangeSource Source { get; }

    ChangeSource IWatcher.Source => Source;

    /// <summary>True while a call of the host is under way.</summary>
    [ForTests]
    internal bool IsInUse => Volatile.Read(ref _users) != 0;

    private Feed Feed => _engine.Feed;

    /// <summary>
    /// Writes a page of changes and moves behind them: at most so many (0: as many as fit) and at most 1 MiB, but
    /// one at least. Where there is none it waits for one; false when the time is over, and then nothing is
    /// written. With a timeout of 0 it answers at once, if need be with an empty page;
    /// <see cref="uint.MaxValue"/> waits for ever. Ends with Closed or Cancelled when the store or this object
    /// goes first.
    /// </summary>
    public bool WriteNext(uint limit, uint timeoutMs, IBufferWriter<byte> output) => Use(() =>
    {
        TimeProvider time = _engine.Core.Environment.Time;
        long start = time.GetTimestamp();
        lock (_lock)
        {
            while (true)
            {
                ThrowIfEnded();
                _engine.Run(_engine.Core.Refresh);
                if (timeoutMs == 0 || Find())
                {
                    Write(limit);
                    break;
                }

                long left = timeoutMs == uint.MaxValue ? SliceMs
                    : timeoutMs - (long)time.GetElapsedTime(start).TotalMilliseconds;
                if (left <= 0)
                {
                    return false;
                }

                Monitor.Wait(_lock, (int)Math.Min(left, SliceMs));
            }
        }

        output.Write(_page.Written);
        _page = _page.Capacity > KeptBytesMax ? new Utf8Buffer(4 * 1024) : _page;
        return true;
    });

    /// <summary>
    /// A socket that can be read exactly while there is something to give, and from the store's closing on; it is
    /// not to be read from. It goes with this object, unless it is a <paramref name="duplicate"/>, which the
    /// caller closes.
    /// </summary>
    public nint GetSocket(bool duplicate) => Use(() =>
    {
        lock (_lock)
        {
            ThrowIfEnded();
            return _engine.Run(() =>
            {
                if (_socket is null)
                {
                    _socket = SignalSocket.Open();
                    Signal(Find());
                }

                return duplicate ? _socket.Duplicate() : _socket.Handle;
            });
        }
    });

    /// <summary>Lets go of it; a wait on it ends with Cancelled. Waits for a wake that runs, unless it is called
    /// from inside it; none runs after it.</summary>
    public void Dispose()
    {
        lock (_wakeGate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
        }

        lock (_lock)
        {
            Monitor.PulseAll(_lock);
            _socket?.Dispose();
            _socket = null;
        }

        Feed.Remove(this, Source);
    }

    bool IWatcher.Look() => Look();

    void IWatcher.End() => End();

    /// <summary>Tells whoever waits that there is something, or nothing any more. False where it could not
    /// look now.</summary>
    internal bool Look()
    {
        if (!Monitor.TryEnter(_lock))
        {
            return false; // somebody takes a page
        }

        bool isNew;
        bool isDone = true;
        try
        {
            if (_isDisposed || _isEnded)
            {
                return true;
            }

            bool isThere;
            try
            {
                isThere = Source.Look(BriefBytes);
                isDone = isThere || !Source.IsCut;
            }
            catch (Exception e) when (e is DiskException or SessionException)
            {
                isThere = true; // who comes for it is told what is wrong
                LogRing.Add("warning", $"A watch could not read on: {e.Message}");
            }

            isNew = isThere && !_isReady;
            _isReady = isThere;
            Signal(isThere);
            if (isThere)
            {
                Monitor.PulseAll(_lock);
            }
        }
        finally
        {
            Monitor.Exit(_lock);
        }

        if (isNew)
        {
            Wake();
        }

        return isDone;
    }

    /// <summary>The store is closed: whoever waits is told so.</summary>
    internal void End()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isEnded = true;
            _socket?.End();
            Monitor.PulseAll(_lock);
        }

        Wake();
    }

    private void Wake()
    {
        lock (_wakeGate)
        {
            if (_isDisposed || _wake is null)
            {
                return;
            }

            try
            {
                _wake();
            }
            catch (Exception e)
            {
                LogRing.Add("error", $"A wake threw {e.GetType().Name}: {e.Message}");
            }
        }
    }

    private bool Find() => _engine.Run(() => Source.Look());

    // Under the lock. What is left makes the socket readable again, also where the host has taken the byte.
    private void Write(uint limit)
    {
        _page.Clear();
        _engine.Run(() => Source.WritePage(_page, limit));
        bool isMore = Find();
        _isReady &= isMore; // the thread tells what has come meanwhile
        Signal(isMore);
    }

    private void Signal(bool isThere)
    {
        if (isThere)
        {
            _socket?.Set();
        }
        else
        {
            _socket?.Clear();
        }
    }

    private void ThrowIfEnded()
    {
        if (_isDisposed)
        {
            throw Errors.Cancelled();
        }

        if (_isEnded)
        {
            throw Errors.Closed();
        }

        _engine.ThrowIfClosed();
    }

    private T Use<T>(Func<T> action)
    {
        if (Interlocked.Exchange(ref _users, 1) != 0)
        {
            throw Errors.Misuse();
        }

        try
        {
            return action();
        }
        finally
        {
            Volatile.Write(ref _users, 0);
        }
    }
}
