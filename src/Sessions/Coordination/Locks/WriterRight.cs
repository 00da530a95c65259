using Sessions.Images;
using Sessions.Storage.Commit;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Locks;

/// <summary>
/// The right of one handle to write the conversation of its session. It bears the epoch under which the handle
/// got the lock, 0 while it has none, and each conversation write is held against the lock as it then is: a
/// handle that had the lock and lost it changes nothing, however late its write comes. An epoch never comes
/// back, so one that was lost stays so until the handle forgets it.
/// </summary>
internal sealed class WriterRight(LockKeeper keeper, Row row) : IWriteGuard
{
    private long _epoch;
    private long _lastActivityAt;
    private volatile bool _isOver;

    public Row Row => row;

    /// <summary>Changed under the store lock, but for a handle that is let go of.</summary>
    public long Epoch => Volatile.Read(ref _epoch);

    /// <summary>True once its handle was let go of.</summary>
    public bool IsOver => _isOver;

    /// <summary>When the holder last wrote here; the next heartbeat tells it.</summary>
    public long LastActivityAt => Volatile.Read(ref _lastActivityAt);

    /// <summary>Throws where this handle may not write now. The one place where writes are fenced: whoever leads
    /// asks it before each request that bears a right, under the store lock and the rows' gate. A write that meets
    /// the lock of one that is gone lets go of that.</summary>
    public void Check(Transaction transaction)
    {
        long epoch = Epoch;
        byte[] config = transaction.Rules();
        byte[]? image = row.Working?.Sides?[SmallFileKind.Lock.Index] ?? row.Sides?[SmallFileKind.Lock.Index];
        if (epoch == 0 && image is { Length: 0 } && config.Length == 0)
        {
            return; // the plain path below comes to the same; this is each write of a store without locks
        }

        SessionInfo info = transaction.Live(row);
        LockState state = keeper.StateOf(transaction.Side(row, SmallFileKind.Lock), row);
        Check(epoch, state, config, info);
        if (epoch != 0)
        {
            Volatile.Write(ref _lastActivityAt, transaction.Now);
        }
        else if (state.Holder is not null)
        {
            keeper.ReleaseGone(transaction, row, state);
        }
    }

    /// <summary>The same for what was published; for calls that do much before they commit.</summary>
    public void Check(SessionInfo info, bool isSettled)
        => Check(Epoch, keeper.Read(row, isSettled), keeper.Rules(), info);

    /// <summary>Throws where this handle had the lock and somebody else has taken it.</summary>
    public void RequireNotLost(bool isSettled)
    {
        if (Epoch is not 0 and var epoch && !keeper.Read(row, isSettled).IsHeldUnder(epoch))
        {
            throw LockErrors.Lost(row.Id);
        }
    }

    /// <summary>Puts an epoch in the place of the one before, which is returned.</summary>
    public long Exchange(long epoch) => Interlocked.Exchange(ref _epoch, epoch);

    /// <summary>Its handle is let go of, and the lock with it.</summary>
    public void End()
    {
        _isOver = true;
        Drop();
    }

    /// <summary>Lets go of the lock where this handle has it. Does no I/O and waits for none: the byte tells all
    /// others at once, and the store's thread brings lock.json up to it.</summary>
    public void Drop()
    {
        if (Exchange(0) is not 0 and var epoch)
        {
            keeper.Drop(row, epoch);
        }
    }

    private void Check(long epoch, LockState state, byte[] config, SessionInfo info)
    {
        if (epoch != 0)
        {
            if (!state.IsHeldUnder(epoch))
            {
                throw LockErrors.Lost(row.Id);
            }

            return;
        }

        state = keeper.Tidy(state);
        if (state.Holder is not null ? keeper.LifeOf(state) == HolderLife.Alive : state.ReservedFor is not null)
        {
            throw LockErrors.Locked(state);
        }

        if (keeper.Strict.Applies(config, info))
        {
            throw LockErrors.Needed();
        }
    }
}
