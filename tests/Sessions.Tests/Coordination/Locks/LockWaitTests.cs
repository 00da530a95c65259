using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Locks;

/// <summary>Waiting for a lock, and racing for one.</summary>
public sealed class LockWaitTests
{
    private readonly MemoryDisk _disk = new();

    [Theory]
    [InlineData("unlock")]
    [InlineData("dispose")]
    [InlineData("release all")]
    [InlineData("close")]
    [InlineData("kill")]
    public void A_wait_ends_when_the_holder_lets_go_however(string how)
    {
        MemoryDisk disk = _disk.OpenAs();
        SessionStore store = LockFixture.Open(disk, processId: 1);
        using SessionStore second = LockFixture.Open(_disk.OpenAs(), processId: 2);
        Session session = store.Create();
        using Session waiter = second.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        session.SetActivity("processing");
        Task waiting = Wait(waiter);
        Assert.False(SpinWait.SpinUntil(() => waiting.IsCompleted, 50));
        switch (how)
        {
            case "unlock":
                session.Unlock();
                break;
            case "dispose":
                session.Dispose();
                break;
            case "release all":
                store.ReleaseAllLocks();
                break;
            case "close":
                store.Close();
                break;
            default:
                disk.Kill();
                break;
        }

        Finish(waiting);
        Assert.True(waiter.Lock().Flag("is_mine"));
        waiter.Say("mine");
    }

    [Theory]
    [InlineData("dispose", SessionStatus.Cancelled)]
    [InlineData("delete", SessionStatus.Deleted)]
    [InlineData("close", SessionStatus.Closed)]
    public void A_wait_ends_with_what_it_waits_through(string how, SessionStatus expected)
    {
        using SessionStore store = LockFixture.Open(_disk.OpenAs(), processId: 1);
        SessionStore second = LockFixture.Open(_disk.OpenAs(), processId: 2);
        using Session session = store.Create();
        Session waiter = second.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        Task waiting = Wait(waiter);
        Assert.False(SpinWait.SpinUntil(() => waiting.IsCompleted, 50));
        switch (how)
        {
            case "dispose":
                waiter.Dispose();
                break;
            case "delete":
                session.Delete();
                break;
            default:
                second.Close();
                break;
        }

        Assert.Equal(expected, Assert.Throws<SessionException>(() => Finish(waiting)).Status);
        second.Close();
        Assert.Equal(1, store.ActiveLockCount + (how == "delete" ? 1 : 0));
    }

    [Fact]
    public void Of_eight_racers_one_wins_each_round()
    {
        const int rounds = 200, racers = 8;
        using SessionStore one = LockFixture.Open(_disk.OpenAs(), processId: 1, busyMs: 30_000);
        using SessionStore two = LockFixture.Open(_disk.OpenAs(), processId: 2, busyMs: 30_000);
        string id = one.Create().Id;
        Session[] handles = [.. Enumerable.Range(0, racers).Select(i => (i % 2 == 0 ? one : two).OpenSession(id))];
        using var start = new Barrier(racers);
        int[] wins = new int[rounds];
        var winner = new Session?[rounds];
        long epoch = 0;
        Thread[] threads = [.. handles.Select(handle => new Thread(() =>
        {
            for (int round = 0; round < rounds; round++)
            {
                start.SignalAndWait();
                try
                {
                    handle.Lock(LockMode.Try);
                    Interlocked.Increment(ref wins[round]);
                    winner[round] = handle;
                }
                catch (SessionException e) when (e.Status == SessionStatus.Locked)
                {
                    // that is what the others are told
                }

                start.SignalAndWait();
                if (winner[round] == handle)
                {
                    handle.Append("note", Stores.Utf8($"{round}"), new AppendOptions { Flags = AppendFlags.Relaxed });
                    long now = handle.Lock().GetProperty("epoch").GetInt64();
                    Assert.True(now > epoch);
                    epoch = now;
                    if (round % 3 == 0)
                    {
                        handle.SetActivity("processing");
                    }

                    handle.Unlock();
                }
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => Assert.True(t.Join(TimeSpan.FromSeconds(120))));
        Assert.All(wins, w => Assert.Equal(1, w));
        Assert.Equal(rounds, one.OpenSession(id).GetStat().LastSeq);
        Assert.Equal(0, one.ActiveLockCount + two.ActiveLockCount);
        one.AssertSound();
    }

    [Fact]
    public void All_who_wait_get_their_turn_and_none_two_at_once()
    {
        const int each = 20;
        using SessionStore one = LockFixture.Open(_disk.OpenAs(), processId: 1, busyMs: 30_000);
        using SessionStore two = LockFixture.Open(_disk.OpenAs(), processId: 2, busyMs: 30_000);
        string id = one.Create().Id;
        int inside = 0, worst = 0;
        Thread[] threads = [.. Enumerable.Range(0, 6).Select(i => new Thread(() =>
        {
            using Session handle = (i % 2 == 0 ? one : two).OpenSession(id);
            for (int turn = 0; turn < each; turn++)
            {
                handle.Lock(LockMode.Wait, new LockOptions { TimeoutMs = uint.MaxValue });
                int now = Interlocked.Increment(ref inside);
                worst = Math.Max(worst, now);
                handle.Append("note", "1"u8, new AppendOptions { Flags = AppendFlags.Relaxed });
                Interlocked.Decrement(ref inside);
                handle.Unlock();
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => Assert.True(t.Join(TimeSpan.FromSeconds(120))));
        Assert.Equal((1, 6 * each), (worst, (int)one.OpenSession(id).GetStat().LastSeq));
    }

    [Fact]
    public void A_handle_destroyed_while_it_gets_its_lock_keeps_none()
    {
        using SessionStore store = LockFixture.Open(_disk.OpenAs(), processId: 1, busyMs: 30_000);
        string id = store.Create().Id;
        using Session probe = store.OpenSession(id);
        for (int i = 0; i < 300; i++)
        {
            Session session = store.OpenSession(id);
            SessionStatus met = SessionStatus.Ok;
            var locking = new Thread(() =>
            {
                try
                {
                    session.Lock(LockMode.Wait);
                }
                catch (SessionException e)
                {
                    met = e.Status;
                }
            });
            locking.Start();
            Thread.SpinWait(i * 50);
            session.Dispose();
            Assert.True(locking.Join(LockFixture.Guard));
            Assert.Contains(met, (SessionStatus[])[SessionStatus.Ok, SessionStatus.Cancelled]);
            Assert.False(probe.Lock().Flag("is_locked"));
        }
    }

    private static Task Wait(Session session) => Task.Factory.StartNew(
        () => session.Lock(LockMode.Wait, new LockOptions { TimeoutMs = 30_000 }), TaskCreationOptions.LongRunning);

    private static void Finish(Task task) => task.WaitAsync(LockFixture.Guard).GetAwaiter().GetResult();
}
