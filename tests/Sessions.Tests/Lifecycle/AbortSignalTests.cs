using Sessions.Platform;
using Sessions.Storage.Page;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Lifecycle;

/// <summary>The signal in the shared page: what others hear of an abort before, and without, its record.</summary>
public sealed class AbortSignalTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly SessionStore _aborter;
    private readonly SessionStore _other;

    public AbortSignalTests()
    {
        _aborter = Stores.Open(_disk.OpenAs(), options: new SessionStoreOptions { BusyTimeoutMs = 50 });
        _other = Stores.Open(_disk.OpenAs(), processId: 7);
    }

    public void Dispose()
    {
        _aborter.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task Others_hear_of_an_abort_that_cannot_be_recorded()
    {
        using SessionStore reader =
            Stores.Open(_disk.OpenAs(), options: new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        Session session = _aborter.Create(), same = _other.OpenSession(session.Id),
            seen = reader.OpenSession(session.Id);
        SessionStream stream = same.BeginStream("agent_message");
        stream.Write("so far"u8);
        Task<bool>[] waits = [Waiting(same), Waiting(seen)];
        using (Locked())
        {
            Stores.Fails(SessionStatus.Busy, () => session.Abort("now"));
            bool[] woken = await Task.WhenAll(waits);
            Assert.Equal([true, true], woken);
            Assert.Equal([true, true, true], ((Session[])[session, same, seen]).Select(s => s.IsAborted));
            Assert.Equal(StatFlags.Aborted, same.GetStat().Flags);
            Stores.Fails(SessionStatus.Cancelled, () => stream.Write("more"u8));
            Assert.True(_other.OpenSession(session.Id).IsAborted); // also who comes later
        }

        Assert.Equal(6, stream.End() + 5); // the text is kept
        same.UpdateTitle("other");
        Assert.Equal([true, true, true], ((Session[])[session, same, seen]).Select(s => s.IsAborted));
        Assert.False(same.Info().GetProperty("is_aborted").GetBoolean()); // which is the record's
        same.ClearAbort();
        Assert.Equal([false, false, false], ((Session[])[session, same, seen]).Select(s => s.IsAborted));
        Assert.Equal(1, session.GetStat().AbortCount); // counted when it was cleared
        long lsn = _other.Core.State.Published;
        session.ClearAbort();
        Assert.Equal(lsn, _other.Core.State.Published); // there is nothing left to clear
    }

    [Fact]
    public void A_whole_tree_hears_of_it()
    {
        Session root = _aborter.Create(), child = _aborter.Create(root.Id), apart = _aborter.Create();
        Session[] theirs = [.. ((Session[])[root, child, apart]).Select(s => _other.OpenSession(s.Id))];
        Assert.All(theirs, s => Assert.False(s.IsAborted));
        using (Locked())
        {
            Stores.Fails(SessionStatus.Busy, () => root.Abort("now", AbortFlags.Tree));
            Assert.Equal([true, true, false], theirs.Select(s => s.IsAborted));
        }
    }

    [Fact]
    public void Who_lags_behind_an_abort_and_its_clear_does_not_bring_it_back()
    {
        Session session = _aborter.Create(), same = _other.OpenSession(session.Id);
        Assert.False(same.IsAborted);
        session.Abort();
        session.ClearAbort();
        Assert.False(same.IsAborted); // hears the signal and reads both records at once
        session.Abort();
        session.ClearAbort();
        Assert.True(_aborter.Engine.Checkpointer.TryRun());
        Assert.False(same.IsAborted); // the frames are gone, and the signal is still there
        Assert.False(_other.OpenSession(session.Id).IsAborted);
        Assert.Equal(2, same.GetStat().AbortCount);
    }

    [Fact]
    public void A_pending_signal_outlasts_a_checkpoint_and_a_clear_ends_it_behind_one()
    {
        Session session = _aborter.Create(), same = _other.OpenSession(session.Id);
        Assert.False(same.IsAborted);
        using (Locked())
        {
            Stores.Fails(SessionStatus.Busy, () => session.Abort());
        }

        Assert.True(same.IsAborted);
        session.UpdateTitle("other");
        Assert.True(_aborter.Engine.Checkpointer.TryRun());
        Assert.True(same.IsAborted);
        session.ClearAbort();
        Assert.True(_aborter.Engine.Checkpointer.TryRun());
        Assert.False(same.IsAborted);
    }

    [Fact]
    public void Who_was_told_of_none_for_too_long_has_the_record()
    {
        Session session = _aborter.Create(), same = _other.OpenSession(session.Id), many = _aborter.Create();
        Assert.False(same.IsAborted);
        session.Abort();
        for (int i = 0; i < SharedState.AbortsKept + 10; i++)
        {
            many.Abort(null, AbortFlags.Relaxed);
            many.ClearAbort();
        }

        Assert.True(same.IsAborted);
        session.ClearAbort();
        Assert.False(same.IsAborted);
        Assert.False(_other.OpenSession(many.Id).IsAborted);
    }

    [Fact]
    public void Who_may_not_write_signals_nothing()
    {
        using SessionStore reader =
            Stores.Open(_disk.OpenAs(), options: new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        Session session = _aborter.Create();
        Stores.Fails(SessionStatus.ReadOnly, () => reader.OpenSession(session.Id).Abort());
        Assert.False(session.IsAborted);
        Assert.Equal(0, reader.Core.State.AbortSignals);
    }

    [Fact]
    public void Signals_of_many_threads_are_all_there_and_whole()
    {
        var state = new SharedState(new PrivatePage()) { Published = 77 };
        int threads = Math.Max(4, Environment.ProcessorCount), each = SharedState.AbortsKept / threads;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, t =>
        {
            for (int i = 0; i < each; i++)
            {
                Assert.Equal(77, state.SignalAbort((t * 1000) + i + 1));
            }
        });
        Assert.Equal(threads * each, state.AbortSignals);
        List<long> found = [];
        for (long n = 0; n < state.AbortSignals; n++)
        {
            Assert.True(state.TryReadAbort(n, out long digest, out long lsn));
            Assert.Equal(77, lsn);
            found.Add(digest);
        }

        IEnumerable<long> given = Enumerable.Range(0, threads)
            .SelectMany(t => Enumerable.Range(1, each).Select(i => (t * 1000L) + i));
        Assert.Equal(given, found.Order());
        Assert.False(state.TryReadAbort(state.AbortSignals, out _, out _));
    }

    [Fact]
    public void A_ring_that_goes_round_tells_old_from_new()
    {
        var state = new SharedState(new PrivatePage());
        for (int i = 1; i <= 1000; i++)
        {
            state.Published = i;
            state.SignalAbort(i);
        }

        for (long n = 0; n < 1000; n++)
        {
            bool isThere = state.TryReadAbort(n, out long digest, out long lsn);
            Assert.Equal(n >= 1000 - SharedState.AbortsKept, isThere);
            Assert.True(!isThere || (digest == n + 1 && lsn == n + 1));
        }
    }

    // The writer's own words, as another process would leave them that is killed between two of its stores.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public unsafe void What_a_killed_process_began_the_next_one_finishes(bool hasSecondWord)
    {
        using var page = new PrivatePage();
        var state = new SharedState(page) { Published = 5 };
        state.SignalAbort(1);
        long lap = 1L << SharedState.DigestBits;
        long* place = (long*)(page.Address + 1024) + 2;
        place[0] = lap | 2;
        place[1] = hasSecondWord ? lap | 4 : 0;
        Assert.Equal(1, state.AbortSignals); // not given yet
        state.SignalAbort(3);
        Assert.Equal(3, state.AbortSignals);
        Assert.True(state.TryReadAbort(1, out long digest, out long lsn));
        Assert.Equal((2, hasSecondWord ? 4 : 5), (digest, lsn));
        Assert.True(state.TryReadAbort(2, out digest, out _));
        Assert.Equal(3, digest);
    }

    // The store lock held by somebody who never lets go of it.
    private Releasing Locked()
    {
        SessionStore holder = Stores.Open(_disk.OpenAs(), processId: 9);
        Assert.True(holder.Engine.Runner.TryEnter());
        return new Releasing(holder);
    }

    private static Task<bool> Waiting(Session session) => Task.Factory.StartNew(
        () => session.WaitAbort(uint.MaxValue), TestContext.Current.CancellationToken,
        TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private sealed class Releasing(SessionStore holder) : IDisposable
    {
        public void Dispose()
        {
            holder.Engine.Runner.Exit();
            holder.Dispose();
        }
    }
}
