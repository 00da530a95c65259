using Sessions.Events;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>Bugs that were found by reading the commit, takeover and recovery code; each lost or hid
/// something that was acknowledged.</summary>
public sealed class FoundByReadingTests
{
    // A switch of segments by a batch without frames is not seen by the next writer.
    [Fact]
    public void A_switch_without_a_frame_loses_what_the_next_process_commits()
    {
        var disk = new FaultyDisk(seed: 3);
        SessionStore a = Stores.Open(disk, processId: 1);
        SessionStore b = Stores.Open(disk.OpenAs(), processId: 2);
        Session s = a.Create();
        s.Say("one");
        Session sb = b.OpenSession(s.Id);
        sb.Say("two");
        sb.UpdateTitle("before");
        // A holder died in the middle of its write: torn bytes, Holder set.
        s.GetStat();
        long offset;
        lock (a.Core.Rows.Gate)
        {
            a.Core.Refresh();
            a.Core.Replica.CatchUp();
            offset = a.Core.Replica.Offset;
        }

        using (IDiskFile f = disk.Open(Layout.Segment(a.Core.Replica.Segment), OpenMode.ReadWrite))
        {
            f.Write("torn bytes of a frame"u8, offset + 40);
            f.Sync();
        }

        a.Core.State.Holder = 99;
        a.Flush(); // takes over, switches, has nothing to commit
        Assert.NotEqual(a.Core.Replica.Segment, b.Core.Replica.Segment);
        sb.Say("three");
        Assert.Equal(3, sb.GetStat().EventCount);
        sb.UpdateTitle("acknowledged");
        using SessionStore cut = Stores.Open(disk.Copy().AfterPowerCut(seed: 4));
        Assert.False(cut.Info().GetProperty("corrupt").GetBoolean());
        Session after = cut.OpenSession(s.Id);
        Assert.Equal("acknowledged", after.Info().GetProperty("title").GetString());
        Assert.Equal(3, after.GetStat().EventCount);
    }

    // Between the last checkpoint of a close and its closing segment.
    [Fact]
    public void A_commit_while_the_store_closes_is_refused_or_kept()
    {
        var disk = new FaultyDisk(seed: 3);
        bool closes = false;
        bool? kept = null;
        Session? session = null;
        SessionStore store = Stores.Open(disk, atStep: step =>
        {
            if (closes && step == Step.CheckpointRetired)
            {
                var late = new Thread(() => kept = Record.Exception(() => Append(session!)) is null);
                late.Start();
                late.Join();
            }
        });
        session = store.Create();
        session.Say("one");
        closes = true;
        store.Close();
        Assert.NotNull(kept);
        using SessionStore again = Stores.Open(disk.Copy().AfterPowerCut(seed: 5));
        Session after = again.OpenSession(session.Id);
        Assert.Equal(kept.Value ? 2 : 1, after.GetStat().EventCount);
    }

    // As a thread does that had looked whether the store is open before it was closed.
    private static void Append(Session session)
    {
        SessionStore store = (SessionStore)typeof(Session).GetField("_store",
            System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(session)!;
        Row row = (Row)typeof(Session).GetField("_row",
            System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(session)!;
        store.Engine.Commit(new AppendRequest(store.Core, row,
            [new("user_prompt", "{}"u8.ToArray(), 0, null, null)]));
    }

    // It answered that all was well.
    [Fact]
    public void Closing_a_poisoned_store_says_that_relaxed_commits_are_in_doubt()
    {
        var disk = new FaultyDisk(seed: 3);
        SessionStore store = Stores.Open(disk);
        Session session = store.Create();
        session.Say("relaxed", AppendFlags.Relaxed);
        disk.FailIf = o => o.Name == "fdatasync" && o.Path.StartsWith("journal/", StringComparison.Ordinal);
        Fails(SessionStatus.Io, () => session.Say("full"));
        disk.FailIf = null;
        Fails(SessionStatus.Poisoned, store.Close);
        Fails(SessionStatus.Closed, () => store.Create());
    }

    // Salvage brings deleted sessions back.
    [Fact]
    public void A_salvage_leaves_deleted_sessions_deleted()
    {
        var disk = new FaultyDisk(seed: 3);
        SessionStore store = Stores.Open(disk);
        Session s = store.Create();
        s.Say("one");
        s.UpdateTitle("t");
        s.Delete();
        FaultyDisk left = disk.AfterKill();
        SessionStore.Salvage(Stores.Environment(left), new System.Buffers.ArrayBufferWriter<byte>());
        Assert.Null(left.Stat(Layout.LiveFolder(s.Id)));
        using SessionStore again = Stores.Open(left);
        Fails(SessionStatus.Deleted, () => again.OpenSession(s.Id));
    }

    private static void Fails(SessionStatus status, Action action) => Stores.Fails(status, action);

    // A page of before the restart, and a reader that holds "alive".
    [Fact]
    public void A_page_from_before_the_machine_restarted_is_not_believed_because_a_reader_is_there()
    {
        var disk = new FaultyDisk(seed: 3);
        SessionStore store = Stores.Open(disk);
        Session s = store.Create();
        byte[] page = PageOf(store);
        s.UpdateTitle("acknowledged");
        Session t = store.Create();
        FaultyDisk left = disk.AfterPowerCut(seed: 9);
        StoreEnvironment readerEnv = Stores.Environment(left.OpenAs());
        using SessionStore reader = SessionStore.Open(readerEnv,
            new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        WritePage(left, page);
        StoreEnvironment env = new() { Disk = left, RunsInBackground = false, ProcessId = 5, BootId = 8 };
        using SessionStore writer = SessionStore.Open(env, new SessionStoreOptions { BusyTimeoutMs = 500 });
        Session u = writer.Create();
        Assert.NotEqual(0, u.GetStat().Revision);
        Assert.Equal("acknowledged", writer.OpenSession(s.Id).Info().GetProperty("title").GetString());
        Assert.Equal(3, writer.List().GetArrayLength());
        Assert.True(u.GetStat().Revision > 3, "an LSN was used twice: " + u.GetStat().Revision);
        GC.KeepAlive(t);
    }

    private static unsafe byte[] PageOf(SessionStore store)
        => new ReadOnlySpan<byte>(store.Core.State.Page.Address, SharedPage.Bytes).ToArray();

    private static unsafe void WritePage(IDisk disk, byte[] bytes)
    {
        disk.CreateFolder(Layout.Locks);
        ISharedPage page = disk.OpenSharedPage(Layout.SharedPage, readOnly: false)!;
        bytes.CopyTo(new Span<byte>(page.Address, SharedPage.Bytes));
    }

    // Poisoned recovery killed between making the sealed segment and filling it.
    [Fact]
    public void A_recovery_of_a_poisoned_store_that_is_killed_keeps_relaxed_commits()
    {
        for (long cut = 1; cut < 60; cut++)
        {
            var disk = new FaultyDisk(seed: 3);
            SessionStore store = Stores.Open(disk);
            Session s = store.Create();
            s.Say("relaxed", AppendFlags.Relaxed);
            disk.FailIf = o => o.Name == "fdatasync" && o.Path.StartsWith("journal/", StringComparison.Ordinal);
            Assert.Throws<SessionException>(() => s.Say("two"));
            disk.FailIf = null;
            FaultyDisk left = disk.AfterKill();
            left.CutAt = left.Changes + cut;
            try
            {
                Stores.Open(left).Dispose();
                return;
            }
            catch (Exception e) when (e is PowerCutException || e.InnerException is PowerCutException)
            {
                Assert.Null(left.Violation);
            }

            using SessionStore again = Stores.Open(left.AfterKill());
            Assert.True(again.OpenSession(s.Id).GetStat().EventCount >= 1, $"cut {cut}: the relaxed commit is lost");
        }
    }

    // One damaged shares.json.
    [Fact]
    public void One_damaged_shares_file_does_not_blind_the_shares_of_others()
    {
        var disk = new FaultyDisk(seed: 3);
        string secret;
        string damaged;
        using (SessionStore store = Stores.Open(disk))
        {
            Session s = store.Create();
            Session t = store.Create();
            secret = Stores.Json(b => s.WriteShare(null, b)).GetProperty("secret").GetString()!;
            Stores.Json(b => t.WriteShare(null, b));
            damaged = Layout.LiveFolder(t.Id) + "/shares.json";
        }

        disk.Poke(damaged, "{\"shares\": nothing"u8);
        using SessionStore again = Stores.Open(disk);
        again.ResolveShare(secret).Dispose();
    }

    // Truncation of the newest segment at a frame's end.
    [Fact]
    public void A_truncated_newest_segment_is_told()
    {
        var disk = new FaultyDisk(seed: 3);
        SessionStore store = Stores.Open(disk);
        Session s = store.Create();
        s.Say("one");
        long end = store.Core.Replica.Offset;
        s.Say("two");
        FaultyDisk left = disk.AfterKill();
        using (IDiskFile f = left.Open(Layout.Segment(1), OpenMode.ReadWrite))
        {
            f.SetLength(end);
        }

        StoreEnvironment env = new() { Disk = left, RunsInBackground = false, ProcessId = 5, BootId = 8 };
        using SessionStore again = SessionStore.Open(env, new SessionStoreOptions { BusyTimeoutMs = 500 });
        Assert.True(again.Info().GetProperty("corrupt").GetBoolean()
            || again.OpenSession(s.Id).GetStat().EventCount == 2,
            "an acknowledged event is gone and nothing says so");
    }

    [Fact]
    public unsafe void A_waiter_that_was_killed_does_not_slow_all_others()
    {
        var disk = new MemoryDisk();
        Stores.Open(disk).Close();
        using ILockFile locks = disk.OpenLocks(Layout.StoreFile, readOnly: false);
        var page = new CountingPage();
        var state = new SharedState(page);
        var storeLock = new StoreLock(locks, TimeProvider.System);
        using ILockFile others = disk.OpenLocks(Layout.StoreFile, readOnly: false);
        Assert.True(others.TryLock(StoreLock.Waiting, exclusive: false));
        *state.LockWaiters = 1; // it lives and does not come
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(storeLock.TryTake(state, 0));
            storeLock.Release(state);
        }

        Assert.InRange(page.Waits, 1, 20);
        others.Dispose(); // and is killed: who lets go of the lock next takes its count back
        Assert.True(storeLock.TryTake(state, 0));
        storeLock.Release(state);
        Assert.Equal(0, *state.LockWaiters);
        int waits = page.Waits;
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(storeLock.TryTake(state, 0));
            storeLock.Release(state);
        }

        Assert.InRange(page.Waits, waits, waits + 1); // for the one that it saw before
    }

    [Fact]
    public unsafe void Killed_waiters_and_followers_are_counted_no_longer_and_living_ones_are()
    {
        var disk = new MemoryDisk();
        MemoryDisk killed = disk.OpenAs();
        using SessionStore store = Stores.Open(disk.OpenAs());
        SessionStore dying = Stores.Open(killed, processId: 7);
        Session session = store.Create(), theirs = dying.OpenSession(session.Id);
        SharedState page = store.Core.State;
        Thread mine = Following(session), wait = Following(theirs);
        Assert.True(store.Core.Lock!.TryTake(page, 0));
        var blocked = new Thread(() => theirs.UpdateTitle("late"));
        blocked.Start();
        SpinWait.SpinUntil(() => Volatile.Read(ref *page.LockWaiters) == 1);
        Interlocked.Increment(ref *page.LockWaiters); // one that was killed before
        store.Core.Lock!.Release(page);
        blocked.Join();
        for (int i = 0; i < 3; i++)
        {
            session.UpdateTitle("on"); // lets it go first, once, and then asks whether it lives
        }

        Assert.Equal(0, *page.LockWaiters);

        SpinWait.SpinUntil(() => Volatile.Read(ref *page.Followers) == 2);
        store.Core.Followers.ForgetDead();
        Assert.Equal(2, *page.Followers);
        killed.Kill();
        session.Abort();
        mine.Join();
        wait.Join(); // by the signal, or by its disk
        *page.Followers = 1; // the other one was killed, and never counted itself out
        store.Core.Followers.ForgetDead();
        Assert.Equal(0, *page.Followers);

        Thread Following(Session of)
        {
            var thread = new Thread(() => Record.Exception(() => of.WaitAbort(30_000)));
            thread.Start();
            return thread;
        }
    }

    // Tmp/ removed under a running store.
    [Fact]
    public void A_store_goes_on_when_tmp_is_removed()
    {
        var disk = new MemoryDisk();
        using SessionStore a = Stores.Open(disk);
        Session s = a.Create();
        foreach (DiskName name in disk.List("tmp"))
        {
            disk.Unlink("tmp/" + name.Name);
        }

        disk.RemoveFolder("tmp");
        s.UpdateTitle("one");
        s.UpdateTitle("two");
        s.UpdateTitle("three");
    }

    // Poisoned by a neighbour's checkpoint between sync and publish, killed in the middle of a cascade.
    [Fact]
    public void A_synced_frame_that_was_half_applied_is_whole_or_absent_after_a_poison()
    {
        for (int cut = 1; cut < 12; cut++)
        {
            var disk = new FaultyDisk(seed: 3);
            bool armed = false;
            SessionStore? store = null;
            int change = cut;
            store = Stores.Open(disk, atStep: step =>
            {
                if (armed && step == Step.CommitSynced)
                {
                    store!.Core.State.Health = StoreHealth.Poisoned;
                    disk.CutAt = disk.Changes + change;
                }
            });
            Session p = store.Create();
            Session c1 = store.Create(p.Id);
            Session c2 = store.Create(p.Id);
            armed = true;
            Assert.NotNull(Record.Exception(() => p.Delete()));

            using SessionStore again = Stores.Open(disk.AfterKill());
            int live = 0;
            FaultyDisk left = (FaultyDisk)again.Core.Disk;
            foreach (string id in new[] { p.Id, c1.Id, c2.Id })
            {
                live += left.Stat(Layout.LiveFolder(id)) is null ? 0 : 1;
            }

            Assert.True(live is 0 or 3, $"cut {cut}: {live} of 3 are live");
            again.AssertSound();
        }
    }
}

/// <summary>A page of its own that counts how often somebody waits.</summary>
internal sealed unsafe class CountingPage : ISharedPage
{
        public bool IsWhole => true;

    private readonly PrivatePage _page = new();

    public int Waits { get; private set; }

    public byte* Address => _page.Address;

    public bool IsLinked => true;

    public void Wait(int* word, int expected, int timeoutMs) => Waits++;

    public void Wake(int* word, int count) => _page.Wake(word, count);

    public void Dispose() => _page.Dispose();
}
