using System.Text.Json;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Lifecycle;

/// <summary>Abort: signalled first, recorded then, and nobody who waits misses it.</summary>
public sealed class AbortTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private SessionStore _store;

    public AbortTests() => _store = Stores.Open(_disk.OpenAs());

    public void Dispose() => _store.Dispose();

    [Fact]
    public void An_abort_is_recorded_with_its_reason_until_it_is_cleared()
    {
        Session session = _store.Create();
        Assert.False(session.IsAborted);
        Assert.False(session.WaitAbort(0));
        Assert.Equal(1, session.Abort("enough, \"thanks\""));
        Assert.True(session.WaitAbort(0));
        Assert.Equal(1, session.Abort());
        Assert.Equal(1, session.Abort("third"));
        Reopen();
        session = _store.OpenSession(session.Id);
        Assert.True(session.IsAborted);
        Assert.True(session.WaitAbort(uint.MaxValue));
        JsonElement info = session.Info();
        Assert.Equal(("third", 3),
            (info.GetProperty("abort_reason").GetString(), info.GetProperty("abort_count").GetInt32()));
        Assert.Equal(StatFlags.Aborted, session.GetStat().Flags);
        session.ClearAbort();
        session.ClearAbort();
        Assert.False(session.IsAborted);
        info = session.Info();
        Assert.Equal((JsonValueKind.Null, 3, false), (info.GetProperty("abort_reason").ValueKind,
            info.GetProperty("abort_count").GetInt32(), info.GetProperty("is_aborted").GetBoolean()));
        Reopen();
        Assert.False(_store.OpenSession(session.Id).IsAborted);
        Stores.Fails(SessionStatus.Limit, () => session.Abort(new string('r', 4097)));
        Stores.Fails(SessionStatus.InvalidUtf8, () => session.Abort("\ud800"));
        Stores.Fails(SessionStatus.InvalidArgument, () => session.Abort(null, (AbortFlags)4));
    }

    [Fact]
    public void A_tree_is_every_descendant_and_no_one_else()
    {
        Session root = _store.Create(), child = _store.Create(root.Id), grandchild = _store.Create(child.Id),
            other = _store.Create();
        Session deleted = _store.Create(child.Id);
        deleted.Delete();
        Assert.Equal(2, child.Abort("stop", AbortFlags.Tree));
        Assert.Equal([false, true, true, false], ((Session[])[root, child, grandchild, other])
            .Select(s => s.IsAborted));
        Assert.Equal(3, root.Abort(null, AbortFlags.Tree | AbortFlags.Relaxed));
        Assert.Equal(2, grandchild.GetStat().AbortCount);
    }

    [Fact]
    public async Task A_waiter_sees_an_abort_that_is_cleared_at_once()
    {
        Session session = _store.Create();
        for (int i = 0; i < 50; i++)
        {
            Task<bool> wait = Waiting(_store, session);
            session.Abort();
            session.ClearAbort();
            Assert.True(await wait);
        }
    }

    [Fact]
    public async Task A_waiter_in_another_process_sees_an_abort_that_is_cleared_at_once()
    {
        using SessionStore others = Stores.Open(_disk.OpenAs(), processId: 7);
        Session session = _store.Create();
        Session same = others.OpenSession(session.Id);
        for (int i = 0; i < 50; i++)
        {
            Task<bool> wait = Waiting(others, same);
            session.Abort();
            session.ClearAbort();
            _store.Engine.Checkpointer.TryRun();
            Assert.True(await wait);
            Assert.False(same.IsAborted);
        }
    }

    [Fact]
    public async Task A_wait_ends_with_what_ended_it()
    {
        Session deleted = _store.Create(), purged = _store.Create(), disposed = _store.Create(),
            closed = _store.Create();
        Task<bool>[] waits =
            [Waiting(_store, deleted), Waiting(_store, purged), Waiting(_store, disposed), Waiting(_store, closed)];
        _store.OpenSession(deleted.Id).Delete();
        _store.OpenSession(purged.Id).Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        disposed.Dispose();
        await AssertEnds(SessionStatus.Deleted, waits[0]);
        await AssertEnds(SessionStatus.Deleted, waits[1]);
        await AssertEnds(SessionStatus.Cancelled, waits[2]);
        Assert.False(waits[3].IsCompleted);
        _store.Close();
        await AssertEnds(SessionStatus.Closed, waits[3]);
        Stores.Fails(SessionStatus.Closed, () => closed.WaitAbort(0));
        Stores.Fails(SessionStatus.Cancelled, () => disposed.WaitAbort(0));
    }

    [Fact]
    public void A_wait_without_an_abort_ends_in_its_time()
        => Assert.False(_store.Create().WaitAbort(20));

    [Fact]
    public void An_abort_is_signalled_even_where_it_cannot_be_recorded()
    {
        var disk = new FaultyDisk(3);
        using SessionStore store = Stores.Open(disk);
        Session session = store.Create();
        disk.FailIf = o => o.Name is "pwrite" or "fdatasync";
        Stores.Fails(SessionStatus.Io, () => session.Abort("now"));
        Assert.True(session.IsAborted);
        Assert.True(session.WaitAbort(0));
    }

    private static async Task AssertEnds(SessionStatus status, Task<bool> wait)
        => Assert.Equal(status, (await Assert.ThrowsAsync<SessionException>(() => wait)).Status);

    // A wait that has begun: the shared page counts it.
    private static unsafe Task<bool> Waiting(SessionStore store, Session session)
    {
        int Followers() => Volatile.Read(ref *store.Core.State.Followers);
        int before = Followers();
        Task<bool> wait = Task.Factory.StartNew(() => session.WaitAbort(uint.MaxValue),
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        SpinWait.SpinUntil(() => Followers() > before || wait.IsCompleted);
        return wait;
    }

    private void Reopen()
    {
        _store.Close();
        _store = Stores.Open(_disk.OpenAs());
    }
}
