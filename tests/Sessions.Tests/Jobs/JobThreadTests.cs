using Sessions.Jobs;
using Sessions.Tests.Disks;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Jobs;

/// <summary>Where jobs run, in which order, and how long their threads stay.</summary>
public sealed class JobThreadTests : IDisposable
{
    private readonly SessionStore _store = Open(new MemoryDisk());

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Two_run_at_once_and_many_wait_for_their_turn()
    {
        int running = 0, most = 0, done = 0;
        using var both = new CountdownEvent(2);
        SessionJob[] jobs = [.. Enumerable.Range(0, 300).Select(i => _store.Start(_ =>
        {
            int now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            if (i < 2)
            {
                both.Signal();
                both.Pass(); // neither ends before the other has begun
            }

            Interlocked.Decrement(ref running);
            Interlocked.Increment(ref done);
        }))];
        Array.ForEach(jobs, job => job.Ended().Dispose());
        Assert.Equal((2, 300), (most, done));
    }

    [Fact]
    public void They_come_to_it_in_the_order_in_which_they_were_started()
    {
        var order = new List<int>();
        SessionJob[] jobs =
            [.. Enumerable.Range(0, 300).Select(i => _store.Start(_ => order.Add(i), kind: "flush"))]; // one thread
        Array.ForEach(jobs, job => job.Ended().Dispose());
        Assert.Equal(Enumerable.Range(0, 300), order);
    }

    [Fact]
    public void A_flush_waits_for_no_other_job()
    {
        using var goesOn = new ManualResetEventSlim();
        SessionJob[] others =
            [.. Enumerable.Range(0, 5).Select(_ => _store.Start(_ => goesOn.Pass()))];
        for (int i = 0; i < 20; i++)
        {
            using SessionJob flush = _store.Start("flush").Ended();
            Assert.Equal(_store.Core.State.Synced, flush.Result().GetProperty("lsn").GetInt64());
        }

        Assert.All(others, job => Assert.False(job.Wait(0)));
        goesOn.Set();
        Array.ForEach(others, job => job.Ended().Dispose());
    }

    [Fact]
    public void Jobs_of_no_store_wait_for_none_of_a_store_and_can_all_be_stopped()
    {
        using var goesOn = new ManualResetEventSlim();
        SessionJob[] others =
            [.. Enumerable.Range(0, 2).Select(_ => _store.Start(_ => goesOn.Pass()))];
        using SessionJob own = JobFixture.Start(null, context =>
        {
            JobFixture.Await(() => context.IsStopped);
            context.ThrowIfCancelled();
        });
        using SessionJob second = JobFixture.Start(null, _ => { });
        second.Ended();
        Assert.True(Job.HasStoreless);
        Job.StopStoreless();
        own.Ended().Failed(SessionStatus.Cancelled);
        Assert.False(Job.HasStoreless);
        using SessionJob again = JobFixture.Start(null, _ => { });
        again.Ended();
        goesOn.Set();
        Array.ForEach(others, job => job.Ended().Dispose());
    }

    [Fact]
    public void Threads_end_when_there_is_nothing_to_do_and_come_back()
    {
        for (int round = 0; round < 2; round++)
        {
            using SessionJob job = _store.Start("flush").Ended();
            JobFixture.Await(() => !_store.Engine.Jobs.LaneOf("flush").IsInUse);
        }
    }

    [Fact]
    public void Only_so_many_may_wait()
    {
        using var goesOn = new ManualResetEventSlim();
        var jobs = new List<SessionJob>();
        SessionException e = Fails(SessionStatus.Limit, () =>
        {
            while (jobs.Count < Limits.JobsWaitingMax + 10)
            {
                jobs.Add(_store.Start(_ => goesOn.Pass()));
            }
        });
        Assert.Contains("\"limit\":\"jobs_waiting_max\"", e.Details, StringComparison.Ordinal);
        jobs.ForEach(job => job.Dispose());
        goesOn.Set();
        using SessionJob next = _store.Start("verify").Ended();
        Assert.True(next.Result().GetProperty("ok").GetBoolean());
    }

    private static void InterlockedMax(ref int place, int value)
    {
        for (int known; (known = Volatile.Read(ref place)) < value;)
        {
            Interlocked.CompareExchange(ref place, value, known);
        }
    }
}
