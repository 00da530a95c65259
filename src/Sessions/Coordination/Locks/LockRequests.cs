using Sessions.Images;
using Sessions.Storage.Commit;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Locks;

/// <summary>Takes the lock for a handle, where it may be had. The LSN of its frame becomes the epoch.</summary>
internal sealed class AcquireRequest(LockKeeper keeper, Row row, WriterRight right, LockMode mode, string? requestId)
    : CommitRequest
{
    private long _taken;
    private long _before;

    /// <summary>True where the request that was filed before goes in any case: its time is over.</summary>
    public bool Withdraws { get; init; }

    public LockVerdict Verdict { get; private set; }

    /// <summary>The lock as it was found.</summary>
    public LockState Found { get; private set; } = LockState.Free;

    /// <summary>True where this very handle had it already.</summary>
    public bool WasMine { get; private set; }

    public override void Run(Transaction transaction)
    {
        transaction.Live(row);
        Found = keeper.Tidy(keeper.StateOf(transaction.Side(row, SmallFileKind.Lock), row));
        WasMine = right.Epoch != 0 && Found.IsHeldUnder(right.Epoch);
        Verdict = WasMine ? LockVerdict.Free : keeper.Judge(Found, mode, requestId);
        if (WasMine || Verdict != LockVerdict.Free)
        {
            if (Withdraws && requestId is not null && Found.Find(requestId) is not null)
            {
                LockState left = Found.Withdraw(requestId);
                transaction.PutSide(row, SmallFileKind.Lock, LockCodec.Write(left, row.Id), LockNews.Answered,
                    LockNews.OfAnswer(requestId, "withdrawn", left));
            }

            return;
        }

        if (!keeper.TryHold(right, transaction.Lsn))
        {
            throw Errors.Busy("The byte of the lock");
        }

        _taken = transaction.Lsn;
        _before = right.Exchange(_taken);
        LockState mine = Found.Acquire(keeper.Holder(transaction.Now), transaction.Lsn, requestId);
        transaction.PutSide(row, SmallFileKind.Lock, LockCodec.Write(mine, row.Id), LockNews.Acquired,
            LockNews.OfTaking(Found, mine));
    }

    public override void TakeBack()
    {
        if (_taken != 0)
        {
            right.Exchange(_before); // none, or one that was lost
            keeper.LetGo(_taken);
            _taken = 0;
        }
    }

    /// <summary>Lets go of the byte of a lock that this handle had lost before it took this one.</summary>
    public void LetGoOfLost()
    {
        if (_before != 0)
        {
            keeper.LetGo(_before);
        }
    }
}

/// <summary>Lets go of the lock that a handle has.</summary>
internal sealed class UnlockRequest(LockKeeper keeper, Row row, WriterRight right) : CommitRequest
{
    private long _released;

    public override bool MayUseReserve => true;

    /// <summary>True where somebody had taken it.</summary>
    public bool WasLost { get; private set; }

    /// <summary>The epoch that it had; 0: it had none.</summary>
    public long Epoch => _released;

    public override void Run(Transaction transaction)
    {
        transaction.Live(row);
        LockState state = keeper.StateOf(transaction.Side(row, SmallFileKind.Lock), row);
        _released = right.Exchange(0);
        WasLost = _released != 0 && !state.IsHeldUnder(_released);
        if (_released != 0 && !WasLost)
        {
            LockState free = keeper.Tidy(state).Release();
            transaction.PutSide(row, SmallFileKind.Lock, LockCodec.Write(free, row.Id), LockNews.Released,
                LockNews.Of(LockNews.Released, free));
        }
    }

    public override void TakeBack()
    {
        if (_released != 0)
        {
            right.Exchange(_released);
            _released = 0;
        }
    }
}

/// <summary>Brings lock.json up to locks that were let go of, each unless somebody has it by now.</summary>
internal sealed class ReleaseRequest(LockKeeper keeper, IReadOnlyList<(Row Row, long Epoch)> locks) : CommitRequest
{
    public override bool MayUseReserve => true;

    public override int SizeHint => locks.Count * 512;

    public override void Run(Transaction transaction)
    {
        foreach ((Row row, LockState state) in Held.Of(keeper, transaction, locks))
        {
            LockState free = keeper.Tidy(state).Release();
            transaction.PutSide(row, SmallFileKind.Lock, LockCodec.Write(free, row.Id), LockNews.Released,
                LockNews.Of(LockNews.Released, free));
        }
    }
}

/// <summary>Lets go of locks whose holders are gone, each unless somebody has it by now.</summary>
internal sealed class ReleaseGoneRequest(LockKeeper keeper, IReadOnlyList<(Row Row, long Epoch)> locks) : CommitRequest
{
    public override bool MayUseReserve => true;

    public override int SizeHint => locks.Count * 512;

    public override void Run(Transaction transaction)
    {
        foreach ((Row row, LockState state) in Held.Of(keeper, transaction, locks))
        {
            if (keeper.AskLifeOf(state) != HolderLife.Alive)
            {
                keeper.ReleaseGone(transaction, row, state);
            }
        }
    }
}

/// <summary>Says that the holders of this store live. Who has lost its lock says nothing.</summary>
internal sealed class HeartbeatRequest(LockKeeper keeper) : CommitRequest
{
    public override void Run(Transaction transaction)
    {
        foreach (WriterRight right in keeper.Rights())
        {
            foreach ((Row row, LockState state) in Held.Of(keeper, transaction, [(right.Row, right.Epoch)]))
            {
                LockState beaten = state.Beat(transaction.Now, right.LastActivityAt);
                transaction.PutSide(row, SmallFileKind.Lock, LockCodec.Write(beaten, row.Id), "");
            }
        }
    }
}

/// <summary>Which of some locks are held under their epochs, in sessions that are live and can be read.</summary>
internal static class Held
{
    public static List<(Row Row, LockState State)> Of(LockKeeper keeper, Transaction transaction,
        IReadOnlyList<(Row Row, long Epoch)> locks)
    {
        List<(Row, LockState)> held = [];
        foreach ((Row row, long epoch) in locks)
        {
            try
            {
                if (epoch == 0 || !Transaction.IsLive(row))
                {
                    continue; // in the trash nothing is written; the byte tells what there is to tell
                }

                transaction.Live(row);
                LockState state = keeper.StateOf(transaction.Side(row, SmallFileKind.Lock), row);
                if (state.IsHeldUnder(epoch))
                {
                    held.Add((row, state));
                }
            }
            catch (SessionException e)
            {
                LogRing.Add("warning", $"The lock of {row.Id} is not written: {e.Message}");
            }
        }

        return held;
    }
}

/// <summary>The holder says what it does.</summary>
internal sealed class ActivityRequest(LockKeeper keeper, Row row, WriterRight right, string status, string? message)
    : CommitRequest
{
    public override void Run(Transaction transaction)
    {
        LockState state = HolderOnly.StateOf(keeper, transaction, row, right, "set_activity");
        LockState after = state.SetActivity(status, message, transaction.Now);
        bool isNews = state.Holder!.Status != status || state.Holder.StatusMessage != message;
        transaction.PutSide(row, SmallFileKind.Lock, LockCodec.Write(after, row.Id), isNews ? LockNews.Activity : "",
            isNews ? LockNews.Of(LockNews.Activity, after) : default);
    }
}

/// <summary>The holder answers a request: hands the lock over, which is then kept for who asked, or refuses.</summary>
internal sealed class AnswerRequest(LockKeeper keeper, Row row, WriterRight right, string requestId, bool accept)
    : CommitRequest
{
    private long _released;

    /// <summary>The epoch that was given up; 0: none.</summary>
    public long Released => _released;

    public override void Run(Transaction transaction)
    {
        LockState state = HolderOnly.StateOf(keeper, transaction, row, right, "lock_answer");
        state = keeper.Tidy(state);
        if (state.Find(requestId) is null)
        {
            throw Errors.NotFound("request", row.Id);
        }

        _released = accept ? right.Exchange(0) : 0;
        LockState after = accept ? state.Accept(requestId) : state.Withdraw(requestId);
        transaction.PutSide(row, SmallFileKind.Lock, LockCodec.Write(after, row.Id), LockNews.Answered,
            LockNews.OfAnswer(requestId, accept ? "accepted" : "refused", after));
    }

    public override void TakeBack()
    {
        if (_released != 0)
        {
            right.Exchange(_released);
            _released = 0;
        }
    }
}

/// <summary>Asks the holder to hand over.</summary>
internal sealed class AskRequest(StoreCore core, LockKeeper keeper, Row row, string? message, long waitMs)
    : CommitRequest
{
    private const int AsksMax = 64;

    public LockAsk Filed { get; private set; } = null!;

    public override void Run(Transaction transaction)
    {
        transaction.Live(row);
        LockState state = keeper.Tidy(keeper.StateOf(transaction.Side(row, SmallFileKind.Lock), row));
        Checks.AtMost(state.Asks.Count + 1, AsksMax, "lock_requests_max");
        Span<byte> random = stackalloc byte[6];
        transaction.FillRandom(random);
        Filed = new LockAsk
        {
            RequestId = "lr_" + Convert.ToHexStringLower(random),
            Pid = core.Environment.ProcessId,
            ClientType = core.ClientType,
            InstanceId = core.InstanceId,
            Message = message,
            At = transaction.Now,
            Deadline = waitMs == uint.MaxValue ? 0 : transaction.Now + waitMs,
        };
        LockState asked = state.Ask(Filed);
        transaction.PutSide(row, SmallFileKind.Lock, LockCodec.Write(asked, row.Id), LockNews.Requested,
            LockNews.OfAsk(Filed, asked));
    }
}

/// <summary>Takes a request back.</summary>
internal sealed class WithdrawRequest(LockKeeper keeper, Row row, string requestId) : CommitRequest
{
    public override bool MayUseReserve => true;

    public override void Run(Transaction transaction)
    {
        transaction.Live(row);
        LockState state = keeper.StateOf(transaction.Side(row, SmallFileKind.Lock), row);
        if (state.Find(requestId) is not null)
        {
            LockState left = keeper.Tidy(state).Withdraw(requestId);
            transaction.PutSide(row, SmallFileKind.Lock, LockCodec.Write(left, row.Id), LockNews.Answered,
                LockNews.OfAnswer(requestId, "withdrawn", left));
        }
    }
}

/// <summary>What only the holder may do.</summary>
internal static class HolderOnly
{
    /// <summary>The lock, where the handle holds it; else LockLost where it did, Locked where another does.</summary>
    public static LockState StateOf(LockKeeper keeper, Transaction transaction, Row row, WriterRight right, string what)
    {
        transaction.Live(row);
        LockState state = keeper.StateOf(transaction.Side(row, SmallFileKind.Lock), row);
        if (right.Epoch == 0)
        {
            throw state.Holder is not null && keeper.LifeOf(state) == HolderLife.Alive
                ? LockErrors.Locked(state) : LockErrors.NotHeld(what);
        }

        return state.IsHeldUnder(right.Epoch) ? state : throw LockErrors.Lost(row.Id);
    }
}
