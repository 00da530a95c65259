using Sessions.Coordination.Locks;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Page;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Locks;

/// <summary>
/// A disk that fails, fills up, or loses its power while locks are taken and let go of. Whoever was told that it
/// has the lock has it, whoever was refused has not, and nothing is ever held by nobody.
/// </summary>
public sealed class LockSweepTests
{
    [Theory]
    [InlineData(DiskError.Io, false)]
    [InlineData(DiskError.Io, true)]
    [InlineData(DiskError.NoSpace, false)]
    [InlineData(DiskError.NoSpace, true)]
    public void No_failing_call_leaves_a_lock_that_nobody_has(object error, bool forGood)
    {
        for (long n = 1; ; n++)
        {
            try
            {
                if (!FailOnce(n, (DiskError)error, forGood))
                {
                    Assert.True(n > 20);
                    return;
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new InvalidOperationException($"call {n}: {e.Message}", e);
            }
        }
    }

    private static bool FailOnce(long n, DiskError error, bool forGood)
    {
        var disk = new FaultyDisk((int)n);
        SessionStore keeper = LockFixture.Open(disk.OpenAs(), processId: 1);
        string id = keeper.Create().Id;
        FaultyDisk failing = disk.OpenAs();
        SessionStore store = LockFixture.Open(failing, processId: 2);
        using Session other = keeper.OpenSession(id), session = store.OpenSession(id);
        (failing.FailAt, failing.FailsForGood, failing.FailWith) = (failing.Operations + n, forGood, error);
        bool isMine = false, isInDoubt = false;
        for (int i = 0; i < 3; i++)
        {
            isMine |= Try(() => session.Lock(LockMode.Try), ref isInDoubt);
            Try(() => session.SetActivity("processing", "x"), ref isInDoubt);
            Try(() => session.Say("x", AppendFlags.Relaxed), ref isInDoubt);
            Try(() => store.Engine.Commit(new HeartbeatRequest(store.Engine.Locks)
            {
                Full = false,
            }), ref isInDoubt);
            if (i < 2)
            {
                isMine &= !Try(session.Unlock, ref isInDoubt);
                Try(store.Flush, ref isInDoubt);
            }
        }

        long failures = failing.Failures;
        failing.FailAt = 0;
        if (keeper.Core.State.Health == StoreHealth.Sound)
        {
            Assert.False(isInDoubt);
            Assert.Equal(isMine, other.Lock().Flag("is_locked"));
            Assert.Equal(isMine, session.Lock().Flag("is_mine"));
            Stores.Fails(isMine ? SessionStatus.Locked : SessionStatus.Ok, isMine ? () => other.Say("no")
                : () => throw new SessionException(SessionStatus.Ok, ""));
        }

        session.Dispose(); // it lets go whatever else can be done
        Assert.False(other.Lock().Flag("is_locked"));
        try
        {
            store.Close();
        }
        catch (SessionException)
        {
            // poisoned
        }

        try
        {
            keeper.Close();
        }
        catch (SessionException)
        {
            // poisoned
        }

        Assert.Null(disk.Violation);
        SessionStore again = LockFixture.Open(disk.OpenAs(), processId: 3);
        using Session found = again.OpenSession(id);
        Assert.False(found.Lock().Flag("is_locked"));
        found.Lock(LockMode.Try);
        found.Say("mine");
        found.Unlock();
        again.AssertSound();
        again.Close();
        Assert.Null(disk.Violation);
        return failures > 0;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_power_cut_leaves_a_lock_behind(bool isKill)
    {
        var whole = new FaultyDisk(seed: 3);
        Play(whole, []);
        long changes = whole.Changes;
        Assert.True(changes > 20);
        for (long cut = 1; cut <= changes; cut++)
        {
            try
            {
                CutOnce(cut, isKill);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new InvalidOperationException($"cut {cut} of {changes}: {e.Message}", e);
            }
        }
    }

    private static void CutOnce(long cut, bool isKill)
    {
        var disk = new FaultyDisk(seed: 3) { CutAt = cut };
        List<string> ids = [];
        Exception? end = Record(() => Play(disk, ids));
        Assert.NotNull(end);
        Assert.Null(disk.Violation);
        FaultyDisk left = isKill ? disk.AfterKill() : disk.AfterPowerCut((int)cut);
        SessionStore store = SessionStore.Open(new StoreEnvironment
        {
            Disk = left.OpenAs(),
            RunsInBackground = false,
            BootId = isKill ? 7ul : 8,
            Hostname = "here",
        });
        store.AssertSound();
        foreach (string id in ids)
        {
            if (Find(store, id) is not { } session)
            {
                continue; // made by a commit that was cut
            }

            Assert.False(session.Lock().Flag("is_locked"));
            session.Say("free", AppendFlags.Relaxed);
            session.Lock(LockMode.Try);
            session.Unlock();
            session.Dispose();
        }

        store.Close();
        Assert.Null(left.Violation);
        foreach (string id in ids)
        {
            Assert.Null(left.Peek($"{Layout.LiveFolder(id)}/{Layout.LockFile}"));
        }
    }

    // Two stores, of which one takes the lock over from the other, with syncs and checkpoints in between.
    private static void Play(FaultyDisk disk, List<string> ids)
    {
        var time = new ManualTime(); // so that each run makes the same calls
        SessionStore one = LockFixture.Open(disk.OpenAs(), time, processId: 1);
        SessionStore two = LockFixture.Open(disk.OpenAs(), time, processId: 2);
        for (int i = 0; i < 2; i++)
        {
            Session session = one.Create();
            ids.Add(session.Id);
            Session other = two.OpenSession(session.Id);
            session.Lock(LockMode.Try);
            session.Say("durable");
            session.SetActivity("processing", "x");
            SessionStream stream = session.BeginStream("agent_message");
            stream.Write("so far"u8);
            other.Lock(LockMode.Interrupt);
            other.Say("durable too");
            one.Engine.Commit(new HeartbeatRequest(one.Engine.Locks) { Full = false });
            Stores.Fails(SessionStatus.LockLost, session.Unlock);
            two.Engine.Checkpointer.TryRun();
            if (i == 0)
            {
                other.Unlock();
            }
            else
            {
                other.Dispose();
            }
        }

        one.Close();
        two.Close();
    }

    private static Session? Find(SessionStore store, string id)
    {
        try
        {
            return store.OpenSession(id);
        }
        catch (SessionException e) when (e.Status == SessionStatus.NotFound)
        {
            return null;
        }
    }

    [Fact]
    public void On_a_full_disk_a_lock_can_be_let_go_of()
    {
        var disk = new FaultyDisk(seed: 6);
        FaultyDisk own = disk.OpenAs();
        using SessionStore store = LockFixture.Open(own, processId: 1);
        using SessionStore second = LockFixture.Open(disk.OpenAs(), processId: 2);
        using Session session = store.Create(), fill = store.Create(), dropped = store.Create();
        using Session other = second.OpenSession(session.Id), next = second.OpenSession(dropped.Id);
        session.Lock(LockMode.Try);
        dropped.Lock(LockMode.Try);
        disk.SpaceBytes = disk.UsedBytes + 65_536;
        SessionException? full = null;
        while (full is null)
        {
            full = Record(() => fill.Say(new string('x', 60_000))) as SessionException;
        }

        Assert.Equal(SessionStatus.NoSpace, full.Status);
        Stores.Fails(SessionStatus.NoSpace, () => fill.Lock(LockMode.Try));
        Assert.False(fill.Lock().Flag("is_locked")); // refused, and so not held
        Assert.Equal(2, store.ActiveLockCount);
        session.Unlock();
        Assert.False(other.Lock().Flag("is_locked"));
        dropped.Dispose();
        Assert.False(next.Lock().Flag("is_locked"));
        disk.SpaceBytes = null;
        other.Lock(LockMode.Try);
        next.Lock(LockMode.Try);
        fill.Lock(LockMode.Try);
        store.Flush();
        store.AssertSound();
    }

    private static bool Try(Action action, ref bool isInDoubt)
    {
        try
        {
            action();
            return true;
        }
        catch (SessionException e)
        {
            Assert.True(e.Status is SessionStatus.Io or SessionStatus.NoSpace or SessionStatus.Poisoned
                or SessionStatus.InvalidTransition or SessionStatus.LockLost, $"{e.Status}: {e}");
            isInDoubt |= e.Status == SessionStatus.LockLost;
            return false;
        }
    }

    private static Exception? Record(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return e;
        }
    }
}
