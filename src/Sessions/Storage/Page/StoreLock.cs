using System.Globalization;
using Sessions.Platform;

namespace Sessions.Storage.Page;

/// <summary>
/// The one lock under which frames are written. It is an operating system's lock on a byte of
/// store.json (a file whose loss is the loss of the store, so nobody can clear it away as they can a
/// folder of locks) and is never broken: it ends with its holder.
/// </summary>
internal sealed unsafe class StoreLock(ILockFile locks, TimeProvider time)
{
    // Beyond any content, so that no system's mandatory locks meet a reader of the file.
    private const long Base = 1L << 40;
    public const long Writer = Base;
    public const long Alive = Base + 1;
    public const long Opening = Base + 2;
    public const long Checkpoint = Base + 3;

    /// <summary>Held shared by who waits for the store lock, and so is counted in the page.</summary>
    public const long Waiting = Base + 4;

    /// <summary>Held shared by an open store while any of its threads waits for news, and so is counted
    /// there.</summary>
    public const long Following = Base + 5;

    // One byte for each open store that has streams, by its id: 48 bits.
    private const long Owners = 1L << 41;

    // One byte for each session lock, by the epoch of its holder, which is an LSN. Above all owners.
    private const long Holders = 1L << 49;

    private const int SliceMs = 2;
    private const int PatienceMax = 1023;
    private const int AloneMs = 500;
    private int _turnAtRelease;
    private bool _othersWaited;
    private bool _waited;
    private int _patience; // how many releases go by before this process is polite again; 0: it was answered
    private int _skips;

    public ILockFile Locks => locks;

    /// <summary>The byte that an open store holds while it may have open streams; false where the
    /// text is no open store's id.</summary>
    public static bool TryOwnerByte(string instanceId, out long offset)
    {
        bool isId = instanceId.Length == 14 && instanceId.StartsWith("i-", StringComparison.Ordinal);
        offset = 0;
        isId = isId && long.TryParse(instanceId.AsSpan(2), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out offset);
        offset += Owners;
        return isId;
    }

    /// <summary>The byte that the holder of a session's lock holds: who finds it free knows that there is no such
    /// holder any more.</summary>
    public static long HolderByte(long epoch) => Holders + epoch;

    /// <summary>Takes the whole store for this process; false where it is open elsewhere. It waits half a second for
    /// each of the two bytes: somebody may be opening or closing, or a process just forked may have the descriptor
    /// still. The bytes go with <paramref name="locks"/>, also where this fails.</summary>
    public static bool TryTakeStore(ILockFile locks)
        => SpinWait.SpinUntil(() => locks.TryLock(Opening, exclusive: true), AloneMs)
            && SpinWait.SpinUntil(() => locks.TryLock(Alive, exclusive: true), AloneMs);

    /// <summary>Takes the lock, waiting up to so long; false when it was not to be had. What can be
    /// done while others have it is done by <paramref name="whileWaiting"/>, again and again.</summary>
    public bool TryTake(SharedState state, long timeoutMs, Action? whileWaiting = null)
    {
        if (_othersWaited)
        {
            // Fairness: who saw waiters lets one of them in first, for one slice at most.
            _othersWaited = false;
            state.Page.Wait(state.Turn, _turnAtRelease, SliceMs);

            // The one that was seen may have been killed meanwhile: who waited for nobody is less polite next time.
            bool isAnswered = Volatile.Read(ref *state.Turn) != _turnAtRelease;
            _patience = isAnswered ? 0 : Math.Min((_patience * 2) + 1, PatienceMax);
            _skips = _patience;
        }

        if (locks.TryLock(Writer, exclusive: true))
        {
            return true; // who has it looks first whether the page may be touched
        }

        int turn = Volatile.Read(ref *state.Turn);
        return locks.TryLock(Writer, exclusive: true)
            || (timeoutMs > 0 && TryWait(state, turn, timeoutMs, whileWaiting));
    }

    // The byte is had before this one is counted, and let go of when it is not any more: where nobody has it, whoever
    // is counted all the same was killed. Who gets the lock keeps the byte for as long: others wait for that time.
    private bool TryWait(SharedState state, int turn, long timeoutMs, Action? whileWaiting)
    {
        long start = time.GetTimestamp();
        locks.TryLock(Waiting, exclusive: false);
        try
        {
            _waited = TryTakeAgain(state, start, turn, timeoutMs, whileWaiting);
            return _waited;
        }
        finally
        {
            if (!_waited)
            {
                locks.Unlock(Waiting);
            }
        }
    }

    // The turn was read before the lock was found taken. Its holder counts the turn up once others can have the lock,
    // and looks for waiters after that. So one who was not seen finds another turn, and does not fall asleep: there is
    // no need to try once more in between.
    private bool TryTakeAgain(SharedState state, long start, int turn, long timeoutMs, Action? whileWaiting)
    {
        do
        {
            if (time.GetElapsedTime(start).TotalMilliseconds >= timeoutMs)
            {
                return false;
            }

            whileWaiting?.Invoke();
            Interlocked.Increment(ref *state.LockWaiters);
            try
            {
                state.Page.Wait(state.Turn, turn, SliceMs);
            }
            finally
            {
                Interlocked.Decrement(ref *state.LockWaiters);
            }

            turn = Volatile.Read(ref *state.Turn);
        }
        while (!locks.TryLock(Writer, exclusive: true));
        return true;
    }

    /// <summary>Lets go and, where others wait, wakes one.</summary>
    public void Release(SharedState state)
    {
        // One more than this at the next try: nobody came in between. Where the holder before counts late, it looks as
        // if somebody had come, and this process once waits for nobody.
        _turnAtRelease = Volatile.Read(ref *state.Turn) + 1;
        locks.Unlock(Writer);
        Interlocked.Increment(ref *state.Turn);
        if (_waited)
        {
            _waited = false;
            locks.Unlock(Waiting);
        }

        if (Volatile.Read(ref *state.LockWaiters) is not 0 and var waiters)
        {
            // The system is asked only where one that was to go first did not come: that costs as much as the lock.
            if (_patience == 0 || locks.IsHeldByOther(Waiting))
            {
                state.Page.Wake(state.Turn, 1);
                _othersWaited = --_skips < 0;
            }
            else
            {
                // Killed ones. Who begins to wait just now is counted behind this look, and then this changes nothing.
                Interlocked.CompareExchange(ref *state.LockWaiters, 0, waiters);
            }
        }
    }

    /// <summary>Tells who let this process in first that its turn has come.</summary>
    public static void Entered(SharedState state)
    {
        Interlocked.Increment(ref *state.Turn);
        if (Volatile.Read(ref *state.LockWaiters) > 0)
        {
            state.Page.Wake(state.Turn, int.MaxValue);
        }
    }
}
