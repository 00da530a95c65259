using Sessions.Platform;
using Sessions.Storage.Page;

namespace Sessions.Storage.Rows;

/// <summary>
/// The threads of an open store that wait for news. The page counts those of all processes, so that a publish wakes
/// nobody where nobody waits; a byte that the store holds meanwhile dies with its process, and tells counts of killed
/// ones. Any thread.
/// </summary>
internal sealed class Followers(StoreCore core)
{
    private readonly Lock _gate = new();
    private int _count;

    /// <summary>Counts a thread in. Ends with <see cref="Remove"/> of the same page.</summary>
    public void Add(SharedState state)
    {
        lock (_gate)
        {
            if (_count++ == 0)
            {
                Hold(isHeld: true);
            }

            state.CountFollower(1);
        }
    }

    /// <summary>Counts it out again. The page of one that waited may have been cut under it.</summary>
    public void Remove(SharedState state)
    {
        lock (_gate)
        {
            if (state.Page.IsWhole)
            {
                state.CountFollower(-1);
            }

            if (--_count == 0)
            {
                Hold(isHeld: false);
            }
        }
    }

    /// <summary>Takes back the counts of killed followers, which every publish would wake. A store takes the byte
    /// before it counts a thread, so a free byte proves that no follower lives. A thread that is counted meanwhile
    /// changes the count, and then this changes nothing.</summary>
    public unsafe void ForgetDead()
    {
        lock (_gate)
        {
            SharedState state = core.State;
            if (_count == 0 && Volatile.Read(ref *state.Followers) is not 0 and var counted
                && !core.Lock!.Locks.IsHeldByOther(StoreLock.Following))
            {
                Interlocked.CompareExchange(ref *state.Followers, 0, counted);
            }
        }
    }

    // A wait may come after the end of the store's locks. Without the byte it may be forgotten, and then it looks by
    // itself at the end of each slice.
    private void Hold(bool isHeld)
    {
        if (core.IsReadOnly)
        {
            return; // it is counted nowhere
        }

        try
        {
            if (isHeld)
            {
                core.Lock!.Locks.TryLock(StoreLock.Following, exclusive: false);
            }
            else
            {
                core.Lock!.Locks.Unlock(StoreLock.Following);
            }
        }
        catch (DiskException e)
        {
            LogRing.Add("debug", $"A follower has no lock: {e.Message}");
        }
    }
}
