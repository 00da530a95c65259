using System.Buffers;
using Sessions.Coordination.Locks;
using Sessions.Events.Streams;
using Sessions.Images;
using Sessions.Json;
using Sessions.Storage.Commit;

namespace Sessions;

/// <content>The lock of the conversation, and who has it.</content>
public sealed partial class Session
{
    // Nothing tells of the death of a holder but the question, so who waits asks this often.
    private const int DeathLookMs = 20;

    /// <summary>
    /// Takes the lock of the session for this handle: while it is held, no other handle writes the conversation. It
    /// ends with <see cref="Unlock"/>, with this handle, with its process, or when somebody takes it over: then
    /// each write through this handle is LockLost. A handle that has it keeps it. The first lock of a session, and
    /// one taken over, gives an interrupted result to each open tool call of the log (docs/EVENTS.md), and leaves turns
    /// open. In mode Wait, and with a request, Timeout when the time is over; Locked where a request was refused.
    /// </summary>
    public void Lock(LockMode mode, LockOptions? options = null)
    {
        options ??= new LockOptions();
        if (mode is < LockMode.Try or > LockMode.Interrupt)
        {
            throw Errors.Argument("mode", "mode must be SESSION_LOCK_TRY, _WAIT, _FORCE or _INTERRUPT.");
        }

        Checks.Flags((uint)options.Flags, 1);
        CheckMessage(options.Message, "message");
        RequireHoldable();
        bool asks = options.Flags.HasFlag(LockFlags.Ask);
        AcquireRequest first = Take(asks ? LockMode.Try : mode, null, withdraws: false);
        if (first.Verdict == LockVerdict.Free)
        {
            return;
        }

        uint waitMs = options.TimeoutMs == 0 ? (uint)Core.BusyTimeoutMs : options.TimeoutMs;
        if (asks)
        {
            AskAndWait(mode, options.Message, waitMs);
        }
        else if (mode != LockMode.Wait)
        {
            throw LockErrors.Of(first.Verdict, first.Found);
        }
        else if (!WaitFor(waitMs, () => CanTake(null) && Take(LockMode.Try, null, false).Verdict == LockVerdict.Free,
            DeathLookMs))
        {
            throw LockErrors.TimeIsOver(LookAtLock());
        }
    }

    /// <summary>Answers a request for the lock, which this handle must hold. Agreed to, the lock is gone from here and
    /// kept for who asked.</summary>
    public void AnswerLock(string requestId, bool accept)
    {
        ArgumentNullException.ThrowIfNull(requestId);
        Checks.Name(requestId, "request_id");
        RequireHoldable();
        var request = new AnswerRequest(_store.Engine.Locks, _row, _right, requestId, accept) { Full = false };
        CommitLock(request);
        if (request.Released != 0)
        {
            _store.Engine.Locks.LetGo(request.Released);
        }
    }

    /// <summary>Writes who has the lock and who asks for it, as JSON, with a sentence for people.</summary>
    public void WriteLockStatus(IBufferWriter<byte> output)
    {
        if (_shareId is not null)
        {
            Current();
            Share();
            throw Errors.Denied("share.read_only");
        }

        var b = new Utf8Buffer(512);
        _store.Run(() =>
        {
            (LockState state, HolderLife life) = LookAtHolder();
            LockStatus.Write(_store.Engine.Locks.Tidy(state), life, _right.Epoch, Core.Now, b);
        });
        output.Write(b.Written);
    }

    /// <summary>Says what the holder does: "idle", "processing" or "waiting_for_permission". Only a holder that is idle
    /// is taken over by <see cref="LockMode.Force"/>. The message, at most 4 KiB, is for people.</summary>
    public void SetActivity(string status, string? message = null)
    {
        ArgumentNullException.ThrowIfNull(status);
        if (!LockHolder.IsStatus(status))
        {
            throw Errors.Word("status", status, "idle", "processing", "waiting_for_permission");
        }

        CheckMessage(message, "message");
        RequireHoldable();
        CommitLock(new ActivityRequest(_store.Engine.Locks, _row, _right, status, message) { Full = false });
    }

    /// <summary>Lets go of the lock; fine where this handle has none. Where somebody took it over, LockLost, but only
    /// once.</summary>
    public void Unlock()
    {
        if (_right.Epoch == 0)
        {
            RequireHandle();
            if (_shareId is not null)
            {
                RequireWritable(); // which no share is
            }

            return;
        }

        var request = new UnlockRequest(_store.Engine.Locks, _row, _right) { Full = false };
        try
        {
            CommitLock(request);
        }
        catch (SessionException e) when (e.Status == SessionStatus.Deleted)
        {
            _right.Drop(); // nothing is written in the trash; taken back from there, the session is free
            return;
        }

        if (request.Epoch != 0)
        {
            _store.Engine.Locks.LetGo(request.Epoch);
        }

        if (request.WasLost)
        {
            throw LockErrors.Lost(Id);
        }
    }

    // The flag of the stat, which must cost nothing where there never was a lock.
    private bool IsLocked() => _row.Sides?[SmallFileKind.Lock.Index] is not { Length: 0 }
        && _store.Run(() => LookAtHolder().Life == HolderLife.Alive);

    private static void CheckMessage(string? message, string argument)
    {
        if (message is not null)
        {
            Checks.AtMost(Checks.Bytes(message, argument), Limits.ReasonBytesMax, "reason_bytes_max");
        }
    }

    private void RequireHoldable()
    {
        RequireWritable();
        if (Core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }
    }

    private void RequireHandle()
    {
        if (_isDisposed)
        {
            throw Errors.Cancelled();
        }

        _store.ThrowIfClosed();
    }

    // Refuses early what the commit would refuse in the end.
    private void RequireRight()
    {
        SessionInfo info = Current();
        _store.Look(isSettled =>
        {
            lock (Core.Rows.Gate)
            {
                _right.Check(info, isSettled);
                return true;
            }
        });
    }

    private LockState LookAtLock()
    {
        Current();
        return _store.Look(isSettled =>
        {
            lock (Core.Rows.Gate)
            {
                return _store.Engine.Locks.Read(_row, isSettled);
            }
        });
    }

    // A holder whose byte is free may have let go or handed over since its state was read: that was published before
    // the byte was given up, so the state that is there now tells the two apart.
    private (LockState State, HolderLife Life) LookAtHolder()
    {
        LockState state = LookAtLock();
        while (state.Holder is not null)
        {
            HolderLife life = _store.Engine.Locks.LifeOf(state);
            LockState now = life == HolderLife.Dead ? LookAtLock() : state;
            if (now.IsHeldUnder(state.Epoch))
            {
                return (now, life);
            }

            state = now;
        }

        return (state, HolderLife.Dead);
    }

    private bool CanTake(string? requestId) => _store.Run(() =>
        _store.Engine.Locks.Judge(_store.Engine.Locks.Tidy(LookAtLock()), LockMode.Try, requestId) == LockVerdict.Free);

    // A handle that is let go of during the commit must not keep what the commit got for it.
    private void CommitLock(CommitRequest request)
    {
        try
        {
            Commit(request);
        }
        finally
        {
            if (_isDisposed)
            {
                _right.Drop();
            }
        }
    }

    private AcquireRequest Take(LockMode mode, string? requestId, bool withdraws)
    {
        var request = new AcquireRequest(_store.Engine.Locks, _row, _right, mode, requestId)
        {
            Full = false,
            Withdraws = withdraws,
        };
        CommitLock(request);
        if (_isDisposed)
        {
            throw Errors.Cancelled();
        }

        if (request.Verdict == LockVerdict.Free && !request.WasMine)
        {
            request.LetGoOfLost();
            SettleLog(request.Found);
        }

        return request;
    }

    private void AskAndWait(LockMode mode, string? message, uint waitMs)
    {
        Core.Own(); // so that all see it when this store is gone, and forget what it asked
        var filed = new AskRequest(Core, _store.Engine.Locks, _row, message, waitMs) { Full = false };
        Commit(filed);
        string id = filed.Filed.RequestId;
        bool isRefused = false;
        try
        {
            if (WaitFor(waitMs, () => HasAnswer(filed.Filed, out isRefused), DeathLookMs))
            {
                if (isRefused)
                {
                    throw LockErrors.Refused(LookAtLock());
                }

                return;
            }
        }
        catch (SessionException)
        {
            Withdraw(id);
            throw;
        }

        bool goesOn = mode is LockMode.Force or LockMode.Interrupt;
        AcquireRequest last = Take(goesOn ? mode : LockMode.Try, id, withdraws: true);
        if (last.Verdict != LockVerdict.Free)
        {
            throw goesOn ? LockErrors.Of(last.Verdict, last.Found) : LockErrors.TimeIsOver(last.Found);
        }
    }

    // True where there is nothing to wait for any more: the lock is had, or refused.
    private bool HasAnswer(LockAsk asked, out bool isRefused)
    {
        LockState state = LookAtLock();
        isRefused = state.Find(asked.RequestId) is null && !asked.IsOver(Core.Now);
        return isRefused
            || (CanTake(asked.RequestId) && Take(LockMode.Try, asked.RequestId, false).Verdict == LockVerdict.Free);
    }

    private void Withdraw(string requestId)
    {
        try
        {
            Commit(new WithdrawRequest(_store.Engine.Locks, _row, requestId) { Full = false });
        }
        catch (SessionException e)
        {
            LogRing.Add("info", $"A request for {Id} ends by its deadline: {e.Message}");
        }
    }

    // What a dead writer left open is closed by the first who may. The lock stands whatever becomes of that.
    private void SettleLog(LockState before)
    {
        if (before.Holder is null && _row.IsLogSettled)
        {
            return;
        }

        try
        {
            if (before.Holder is { } former)
            {
                Commit(new EndStreamsRequest(Core, _row, former.InstanceId, before.Epoch)
                {
                    Full = false,
                    Right = _right,
                });
            }

            _row.IsLogSettled = Current().LastSeq == 0 || !SettleCalls(before.Holder?.InstanceId).LeavesRunning;
        }
        catch (SessionException e)
        {
            LogRing.Add("warning", $"The log of {Id} was locked and not settled: {e.Message}");
        }
    }
}
