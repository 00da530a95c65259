using System.Diagnostics;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Commit;

/// <summary>
/// The queue of this process's commits. Callers put their requests into a batch; one of them leads:
/// it takes the store lock, runs the whole batch, and wakes the others with their outcomes.
/// </summary>
internal sealed class Committer(StoreCore core, BatchRunner runner)
{
    private static readonly TimeSpan GatherTime = TimeSpan.FromMicroseconds(50);

    private readonly Lock _gate = new();
    private readonly Queue<Batch> _queue = new();
    private Batch? _open;
    private bool _isLed;
    private bool _isClosed;
    private int _lastSize = 1;

    /// <summary>Commits a request. On return it is done, as durable as it asked for; where it
    /// throws, nothing happened.</summary>
    public void Commit(CommitRequest request) => Commit(request, isAtClose: false);

    /// <summary>The same for what a close itself has to commit, after all others are refused.</summary>
    public void CommitAtClose(CommitRequest request) => Commit(request, isAtClose: true);

    private void Commit(CommitRequest request, bool isAtClose)
    {
        if (core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }

        Batch batch;
        bool leads;
        lock (_gate)
        {
            if (_isClosed && !isAtClose)
            {
                throw Errors.Closed();
            }

            batch = Join(request);
            leads = !_isLed;
            _isLed = true;
        }

        try
        {
            bool? outcome = leads ? true : batch.Wait(core.BusyTimeoutMs, core.Environment.Time);
            if (outcome is null)
            {
                outcome = Withdraw(batch, request)
                    ? throw Errors.Busy("The store lock") : batch.Wait(long.MaxValue, core.Environment.Time);
            }

            if (outcome == true)
            {
                Lead(batch, request);
            }
        }
        finally
        {
            batch.Leave();
        }

        if (request.Failure is { } failure)
        {
            throw failure is SessionException known ? known.Again()
                : new SessionException(SessionStatus.Internal, failure.Message, inner: failure);
        }
    }

    /// <summary>Refuses new requests, and returns when those under way have finished.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
        }

        SpinWait.SpinUntil(() => !IsBusy);
    }

    /// <summary>True while somebody's commit is under way.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_gate)
            {
                return _isLed;
            }
        }
    }

    private Batch Join(CommitRequest request)
    {
        if (_open is null || !_open.HasRoom(request))
        {
            _open = new Batch();
            _queue.Enqueue(_open);
        }

        _open.Requests.Add(request);
        _open.Bytes += request.SizeHint;
        Volatile.Write(ref _open.Count, _open.Requests.Count);
        _open.Enter();
        return _open;
    }

    /// <summary>False where the batch was taken first: the outcome then comes.</summary>
    private bool Withdraw(Batch batch, CommitRequest request)
    {
        lock (_gate)
        {
            if (batch.Taken)
            {
                return false;
            }

            batch.Requests.Remove(request);
            if (batch.TryTakeLead())
            {
                HandOver(batch); // the lead was offered to this caller, who goes
            }

            return true;
        }
    }

    private void Lead(Batch batch, CommitRequest own)
    {
        Gather(batch);
        bool isEntered = false;
        try
        {
            isEntered = runner.TryEnter();
        }
        finally
        {
            if (!isEntered) // no time left, or a lock that failed
            {
                lock (_gate)
                {
                    batch.Requests.Remove(own);
                    HandOver(batch);
                }
            }
        }

        if (!isEntered)
        {
            throw Errors.Busy("The store lock");
        }

        try
        {
            lock (_gate)
            {
                Assert(_queue.Peek() == batch);
                _queue.Dequeue();
                batch.Taken = true;
                _open = _open == batch ? null : _open;
                _lastSize = batch.Requests.Count;
            }

            runner.Run(batch.Requests);
        }
        finally
        {
            runner.Exit();
            lock (_gate)
            {
                OfferNext(); // before the callers wake, so that the next batch is on its way while they return
            }

            batch.Complete();
            batch.Leave(); // the queue's own reference
        }
    }

    /// <summary>Gives a batch that was not taken to another of its callers, or drops it when it has
    /// none left.</summary>
    private void HandOver(Batch batch)
    {
        if (batch.Requests.Count == 0)
        {
            _queue.Dequeue();
            _open = _open == batch ? null : _open;
            batch.Leave();
            OfferNext();
        }
        else
        {
            batch.Offer();
        }
    }

    private void OfferNext()
    {
        // A batch whose callers have all gone has nobody to lead it.
        while (_queue.TryPeek(out Batch? next))
        {
            if (next.Requests.Count > 0)
            {
                next.Offer();
                return;
            }

            _queue.Dequeue();
            _open = _open == next ? null : _open;
            next.Leave();
        }

        _isLed = false;
    }

    // Callers that were just woken come back within microseconds; a sync shared by all of them is
    // worth more than the wait. Alone, there is nobody to wait for.
    private void Gather(Batch batch)
    {
        if (_lastSize <= 1)
        {
            return;
        }

        long start = Stopwatch.GetTimestamp(); // a cost, not a time that anyone was promised
        int target = Math.Min(_lastSize, Batch.RequestsMax);
        while (Volatile.Read(ref batch.Count) < target && Stopwatch.GetElapsedTime(start) < GatherTime)
        {
            Thread.Yield();
        }
    }

    private static void Assert(bool invariant)
    {
        if (!invariant)
        {
            throw new InvalidOperationException("An invariant of the commit queue does not hold.");
        }
    }
}
