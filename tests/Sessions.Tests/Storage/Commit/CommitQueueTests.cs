using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Page;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Commit;

/// <summary>Who waits, who leads, and who may still go: a call that ends in Busy never happens.</summary>
public sealed class CommitQueueTests : IDisposable
{
    private const int BusyMs = 20;
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();
    private readonly SessionStore _store;
    private int _batches;

    public CommitQueueTests()
    {
        _store = Stores.Open(_disk, _time, new SessionStoreOptions { BusyTimeoutMs = BusyMs },
            step => _batches += step == Step.CommitLocked ? 1 : 0);
        _store.Create().Say("one");
        _batches = 0;
    }

    public void Dispose()
    {
        _store.AssertSound();
        _store.Dispose();
    }

    [Fact]
    public void A_call_that_waited_too_long_behind_another_never_happens()
    {
        using var first = new Probe { Blocks = true };
        Task one = Start(first);
        Await(first.Runs);
        Probe[] others = [new Probe(), new Probe()];
        Task[] late = [.. others.Select(Start)];
        foreach (Task task in late)
        {
            Assert.True(SpinWait.SpinUntil(() => PassTime(task), Guard));
            Assert.Equal(SessionStatus.Busy, Failure(task));
        }

        using var again = new Probe(); // joins what the others left
        Task last = Start(again);
        Await(again.Joined);
        first.Release();
        Await(one, last);
        Assert.Equal((1, 1), (first.Count, again.Count));
        Assert.All(others, o => Assert.Equal(0, o.Count));
        Assert.Equal(2, _batches);
    }

    [Fact]
    public void A_batch_that_all_callers_left_is_dropped()
    {
        using var first = new Probe { Blocks = true };
        using var late = new Probe();
        Task one = Start(first);
        Await(first.Runs);
        Task two = Start(late);
        Assert.True(SpinWait.SpinUntil(() => PassTime(two), Guard));
        Assert.Equal(SessionStatus.Busy, Failure(two));
        first.Release();
        Await(one);
        using var after = new Probe();
        _store.Engine.Commit(after);
        Assert.Equal((0, 1), (late.Count, after.Count));
    }

    [Fact]
    public void A_call_whose_batch_was_taken_has_its_outcome_however_long_that_takes()
    {
        using var first = new Probe { Blocks = true };
        using Probe second = new() { Blocks = true }, third = new() { Blocks = true };
        Task one = Start(first);
        Await(first.Runs);
        Task[] both = [Start(second), Start(third)];
        Await(second.Joined);
        Await(third.Joined);
        first.Release();
        Assert.True(SpinWait.SpinUntil(() => second.Runs.IsSet || third.Runs.IsSet, Guard));

        // Either may lead, and which of the two runs first says nothing of that; neither may be busy.
        Assert.False(SpinWait.SpinUntil(() => PassTime(both[0]) || both[1].IsCompleted, 5 * BusyMs));
        second.Release();
        third.Release();
        Await([one, .. both]);
        Assert.Equal((1, 1, 2), (second.Count, third.Count, _batches));
    }

    [Fact]
    public unsafe void A_leader_whose_time_is_over_hands_the_lead_to_one_who_has_some_left()
    {
        using ILockFile holder = Hold();
        using Probe first = new(), second = new();
        Task one = Start(first);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref *_store.Core.State.LockWaiters) > 0, Guard));
        _time.Advance(BusyMs - 5);
        Task two = Start(second);
        Await(second.Joined);
        _time.Advance(5);
        Assert.True(SpinWait.SpinUntil(() => one.IsCompleted, Guard));
        Assert.Equal(SessionStatus.Busy, Failure(one));
        holder.Unlock(StoreLock.Writer);
        Await(two);
        Assert.Equal((0, 1), (first.Count, second.Count));
    }

    [Fact]
    public void While_another_holds_the_store_every_call_is_busy_and_absent()
    {
        using ILockFile holder = Hold();
        Probe[] probes = [.. Enumerable.Range(0, 6).Select(_ => new Probe())];
        Task[] tasks = [.. probes.Select(Start)];
        Assert.True(SpinWait.SpinUntil(() => PassTime(Task.WhenAll(tasks)), Guard));
        Assert.All(tasks, t => Assert.Equal(SessionStatus.Busy, Failure(t)));
        Assert.All(probes, p => Assert.Equal(0, p.Count));
        Assert.Equal(0, _batches);
        holder.Unlock(StoreLock.Writer);
        _store.Create();
    }

    [Theory]
    [InlineData(Batch.RequestsMax + 6, 1, 2)]
    [InlineData(4, 300_000, 2)]
    [InlineData(3, 5_000_000, 3)]
    public void A_batch_takes_so_many_requests_or_bytes(int requests, int size, int batches)
    {
        using var first = new Probe { Blocks = true };
        Task one = Start(first);
        Await(first.Runs);
        Probe[] probes = [.. Enumerable.Range(0, requests).Select(_ => new Probe { Bytes = size })];
        Task[] tasks = [.. probes.Select(Start)];
        foreach (Probe probe in probes)
        {
            Await(probe.Joined);
        }

        first.Release();
        Await([one, .. tasks]);
        Assert.Equal(1 + batches, _batches);
        Assert.All(probes, p => Assert.Equal(1, p.Count));
    }

    [Fact]
    public void Appends_of_many_threads_are_all_there_under_dense_numbers()
    {
        Session[] sessions = [_store.Create(), _store.Create(), _store.Create()];
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
        {
            for (int i = 0; i < 60; i++)
            {
                sessions[i % 3].Say($"{thread}-{i}", i % 4 == 0 ? AppendFlags.Relaxed : AppendFlags.Durable);
            }
        });
        foreach (Session session in sessions)
        {
            var events = session.Events().GetProperty("events").EnumerateArray().ToList();
            Assert.Equal(Enumerable.Range(1, 160), events.Select(e => e.GetProperty("seq").GetInt32()));
            Assert.Equal(160, events.Select(e => e.GetProperty("data").GetRawText()).Distinct().Count());
        }
    }

    [Fact]
    public void A_lock_that_failed_once_stops_one_call_and_not_all_after_it()
    {
        StoreLock whole = _store.Core.Lock!;
        _store.Core.Lock = new StoreLock(new FailingLocks(whole.Locks), _time);
        Assert.Equal(SessionStatus.Io, Stores.Fails(SessionStatus.Io, () => _store.Create()).Status);
        _store.Create();
        _store.Core.Lock = whole;
        _store.Create();
    }

    [Fact]
    public void A_closed_queue_takes_nothing_and_finishes_what_it_has()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs(), processId: 4343);
        using Probe under = new() { Blocks = true }, late = new();
        Task one = Task.Factory.StartNew(() => store.Engine.Commit(under), TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Await(under.Runs);
        Task closing = Task.Factory.StartNew(store.Close, TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.True(SpinWait.SpinUntil(() => store.Engine.IsClosed, Guard));
        Assert.False(closing.IsCompleted);
        under.Release();
        Await(one, closing);
        Stores.Fails(SessionStatus.Closed, () => store.Engine.Commit(late));
        Assert.Equal((1, 0), (under.Count, late.Count));
    }

    [Fact]
    public void A_bug_in_one_request_is_internal_and_the_next_one_goes_on()
    {
        using var bug = new Probe { Throws = new InvalidOperationException("a bug") };
        SessionException e = Stores.Fails(SessionStatus.Internal, () => _store.Engine.Commit(bug));
        Assert.IsType<InvalidOperationException>(e.InnerException);
        _store.Create();
    }

    private Task Start(Probe probe) => Task.Factory.StartNew(() => _store.Engine.Commit(probe),
        TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void Await(ManualResetEventSlim sign)
        => Assert.True(sign.Wait(Guard, TestContext.Current.CancellationToken));

    private static void Await(params Task[] tasks)
    {
        Assert.True(SpinWait.SpinUntil(() => Array.TrueForAll(tasks, t => t.IsCompleted), Guard));
        Assert.All(tasks, t => Assert.Null(t.Exception));
    }

    private ILockFile Hold()
    {
        ILockFile holder = _disk.OpenAs().OpenLocks(Layout.StoreFile, readOnly: false);
        Assert.True(holder.TryLock(StoreLock.Writer, exclusive: true));
        return holder;
    }

    private bool PassTime(Task task)
    {
        _time.Advance(BusyMs);
        return task.IsCompleted;
    }

    private static SessionStatus Failure(Task task)
        => Assert.IsType<SessionException>(task.Exception!.InnerException).Status;

    /// <summary>Says when it has joined a batch and when it runs; changes nothing.</summary>
    private sealed class Probe : CommitRequest, IDisposable
    {
        private readonly ManualResetEventSlim _goes = new();

        public ManualResetEventSlim Joined { get; } = new();

        public ManualResetEventSlim Runs { get; } = new();

        public bool Blocks { get; init; }

        public int Bytes { get; init; } = 100;

        public Exception? Throws { get; init; }

        public int Count { get; private set; }

        public override int SizeHint
        {
            get
            {
                Joined.Set(); // under the queue's own lock, which it has joined when that is free again
                return Bytes;
            }
        }

        public override void Run(Transaction transaction)
        {
            Count++;
            Runs.Set();
            if (Throws is not null)
            {
                throw Throws;
            }

            if (Blocks)
            {
                _goes.Wait();
            }
        }

        public void Release() => _goes.Set();

        public void Dispose() => _goes.Dispose();
    }

    private sealed class FailingLocks(ILockFile locks) : ILockFile
    {
        private bool _hasFailed;

        public bool IsLinked => locks.IsLinked;

        public bool TryLock(long offset, bool exclusive)
        {
            if (!_hasFailed)
            {
                _hasFailed = true;
                throw new DiskException(DiskError.Io, "fcntl(F_OFD_SETLK)", Layout.StoreFile, 5);
            }

            return locks.TryLock(offset, exclusive);
        }

        public void Unlock(long offset) => locks.Unlock(offset);

        public bool IsHeldByOther(long offset) => locks.IsHeldByOther(offset);

        public void Dispose()
        {
        }
    }
}
