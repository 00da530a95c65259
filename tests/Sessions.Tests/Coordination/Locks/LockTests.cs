using System.Text.Json;
using Sessions.Coordination.Locks;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Locks;

/// <summary>One writer of a conversation at a time: between handles of one store, and between stores.</summary>
public sealed class LockTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ShiftedTime _time = new();

    [Theory]
    [InlineData(LockMode.Try, "idle", SessionStatus.Locked)]
    [InlineData(LockMode.Try, "processing", SessionStatus.Locked)]
    [InlineData(LockMode.Try, "waiting_for_permission", SessionStatus.Locked)]
    [InlineData(LockMode.Try, "stale", SessionStatus.Ok)]
    [InlineData(LockMode.Try, "dead", SessionStatus.Ok)]
    [InlineData(LockMode.Wait, "idle", SessionStatus.Timeout)]
    [InlineData(LockMode.Wait, "processing", SessionStatus.Timeout)]
    [InlineData(LockMode.Wait, "waiting_for_permission", SessionStatus.Timeout)]
    [InlineData(LockMode.Wait, "stale", SessionStatus.Ok)]
    [InlineData(LockMode.Wait, "dead", SessionStatus.Ok)]
    [InlineData(LockMode.Force, "idle", SessionStatus.Ok)]
    [InlineData(LockMode.Force, "processing", SessionStatus.Processing)]
    [InlineData(LockMode.Force, "waiting_for_permission", SessionStatus.WaitingPermission)]
    [InlineData(LockMode.Force, "stale", SessionStatus.Ok)]
    [InlineData(LockMode.Force, "dead", SessionStatus.Ok)]
    [InlineData(LockMode.Interrupt, "idle", SessionStatus.Ok)]
    [InlineData(LockMode.Interrupt, "processing", SessionStatus.Ok)]
    [InlineData(LockMode.Interrupt, "waiting_for_permission", SessionStatus.Ok)]
    [InlineData(LockMode.Interrupt, "stale", SessionStatus.Ok)]
    [InlineData(LockMode.Interrupt, "dead", SessionStatus.Ok)]
    public void Each_mode_meets_each_holder(LockMode mode, string holder, SessionStatus expected)
    {
        bool isElsewhere = holder == "stale", isGone = holder is "stale" or "dead";
        bool isSpoken = holder is "processing" or "waiting_for_permission";
        _disk.Capabilities = _disk.Capabilities with { IsLocal = !isElsewhere };
        MemoryDisk first = _disk.OpenAs();
        using SessionStore other = LockFixture.Open(_disk.OpenAs(), _time, processId: 2);
        SessionStore store = LockFixture.Open(first, _time, processId: 1, host: isElsewhere ? "elsewhere" : "here");
        Session session = store.Create();
        session.Lock(LockMode.Try);
        session.SetActivity(isSpoken ? holder : holder == "idle" ? "idle" : "processing");
        if (isGone)
        {
            first.Kill();
        }

        _time.Shift(isElsewhere ? 60_002 : 30_000);
        using Session taker = other.OpenSession(session.Id);
        JsonElement status = taker.Lock();
        Assert.Equal(!isGone, status.Flag("is_locked"));
        Assert.Equal(isGone, status.Flag("is_stale"));
        Assert.Equal(holder is not "processing" and not "waiting_for_permission", status.Flag("can_force"));
        Assert.True(status.Flag("can_interrupt"));
        Assert.Equal(!isGone, taker.GetStat().Flags.HasFlag(StatFlags.Locked));
        var options = new LockOptions { TimeoutMs = 60 };
        if (expected == SessionStatus.Ok)
        {
            taker.Lock(mode, options);
            Assert.True(taker.Lock().Flag("is_mine"));
            Assert.Equal(2, taker.HolderPid());
            taker.Say("mine");
        }
        else
        {
            SessionException e = Stores.Fails(expected, () => taker.Lock(mode, options));
            Assert.Equal(1, JsonDocument.Parse(e.Details).RootElement.GetProperty("holder").GetProperty("pid")
                .GetInt64());
            Assert.Equal(1, taker.HolderPid());
            Stores.Fails(SessionStatus.Locked, () => taker.Say("not mine"));
        }

        if (!isGone)
        {
            store.Close();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_the_lock_nothing_of_the_conversation_is_written_and_all_else_is(bool inOneStore)
    {
        using SessionStore store = LockFixture.Open(_disk.OpenAs(), _time, processId: 1);
        using SessionStore second = LockFixture.Open(_disk.OpenAs(), _time, processId: 2);
        SessionStore others = inOneStore ? store : second;
        using Session session = LockFixture.Make(store), other = others.OpenSession(session.Id);
        using SessionStream begun = other.BeginStream("agent_message");
        begun.Write("before"u8);
        session.Lock(LockMode.Try);
        string log = session.LogText();
        foreach ((string name, Action write) in LockFixture.Writes(other, begun))
        {
            SessionException e = Stores.Fails(SessionStatus.Locked, write);
            JsonElement holder = JsonDocument.Parse(e.Details).RootElement.GetProperty("holder");
            Assert.Equal("""{"pid":1,"client_type":"client1","status":"idle"}""", holder.GetRawText());
            Assert.True(session.LogText() == log, name);
        }

        foreach ((_, Action change) in LockFixture.Free(other))
        {
            change();
        }

        using SessionStream own = session.BeginStream("agent_message");
        foreach ((_, Action write) in LockFixture.Writes(session, own))
        {
            write();
        }

        session.Unlock();
        session.Unlock(); // as often as one likes
        begun.Write(" and after"u8);
        Assert.True(begun.End() > 0);
        other.Say("free");
        Assert.False(other.GetStat().Flags.HasFlag(StatFlags.Locked));
        other.Delete();
        store.AssertSound();
    }

    [Theory]
    [InlineData(LockMode.Interrupt, true)]
    [InlineData(LockMode.Interrupt, false)]
    [InlineData(LockMode.Force, true)]
    [InlineData(LockMode.Force, false)]
    public void Who_lost_the_lock_changes_nothing_however_late(LockMode mode, bool inOneStore)
    {
        using SessionStore store = LockFixture.Open(_disk.OpenAs(), _time, processId: 1);
        using SessionStore second = LockFixture.Open(_disk.OpenAs(), _time, processId: 2);
        SessionStore others = inOneStore ? store : second;
        using Session session = LockFixture.Make(store), other = others.OpenSession(session.Id);
        SessionStream before = session.BeginStream("agent_message");
        before.Write("one"u8);
        session.Lock(LockMode.Try);
        SessionStream within = session.BeginStream("agent_message");
        within.Write("two"u8);
        session.SetActivity("idle", "thinking");
        long epoch = session.Lock().GetProperty("epoch").GetInt64();

        other.Lock(mode);
        JsonElement taken = other.Lock();
        Assert.True(taken.GetProperty("epoch").GetInt64() > epoch);
        Assert.Empty(other.Streams());
        string log = other.LogText();
        Assert.Contains("""{"text":"one","interrupted":true}""", log, StringComparison.Ordinal);
        Assert.Contains("""{"text":"two","interrupted":true}""", log, StringComparison.Ordinal);

        foreach (SessionStream stream in new[] { before, within })
        {
            foreach ((string name, Action write) in LockFixture.Writes(session, stream))
            {
                SessionException e = Stores.Fails(SessionStatus.LockLost, write);
                Assert.True(other.LogText() == log, name);
                Assert.Equal($$"""{"session_id":"{{session.Id}}"}""", e.Details);
            }
        }

        Stores.Fails(SessionStatus.LockLost, () => session.SetActivity("processing"));
        Stores.Fails(SessionStatus.LockLost, () => session.AnswerLock("lr_1", accept: true));
        store.Engine.Locks.Sweep(store.Engine.Commit); // not due
        long lsn = store.Core.State.Published;
        store.Engine.Commit(new HeartbeatRequest(store.Engine.Locks) { Full = false });
        Assert.Equal(inOneStore ? lsn + 1 : lsn, store.Core.State.Published);
        Assert.False(session.Lock().Flag("is_mine"));
        Stores.Fails(SessionStatus.LockLost, session.Unlock);
        session.Unlock(); // forgotten
        Stores.Fails(SessionStatus.Locked, () => session.Say("x"));
        Stores.Fails(SessionStatus.Locked, () => session.Lock(LockMode.Try));
        before.Dispose();
        within.Dispose();
        store.Engine.Streams.Sweep(store.Engine.Commit);
        Assert.Equal(log, other.LogText());
        Assert.Equal(taken.GetProperty("epoch").GetInt64(), other.Lock().GetProperty("epoch").GetInt64());
        Assert.True(other.Lock().Flag("is_mine"));
        other.Say("still mine");

        other.Unlock();
        session.Lock(LockMode.Try);
        session.Say("mine again");
        store.AssertSound();
    }

    [Fact]
    public void A_lock_says_who_has_it()
    {
        MemoryDisk disk = _disk.OpenAs();
        using SessionStore store = LockFixture.Open(disk, _time, processId: 1);
        using Session session = store.Create();
        Assert.Equal("""{"is_locked":false,"is_mine":false,"is_stale":false,"can_force":true,"can_interrupt":true,"""
            + "\"epoch\":null,\"holder\":null,\"reserved_for\":null,\"requests\":[],"
            + "\"message\":\"Nobody is writing here.\"}", Stores.Text(session.WriteLockStatus));
        session.Lock(LockMode.Try);
        session.SetActivity("processing", "running tests");
        session.Lock(LockMode.Interrupt); // it has it
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        store.Flush();
        string path = Layout.LiveFolder(session.Id) + "/" + Layout.LockFile;
        JsonElement file = JsonDocument.Parse(_disk.Peek(path)!).RootElement;
        Assert.Equal(["session_id", "epoch", "pid", "process_started_at", "hostname", "boot_id", "pid_namespace",
            "instance_id", "client_type", "started_at", "heartbeat_at", "last_activity_at", "status", "status_message",
            "reserved_for", "requests", "crc"], file.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("0000000000000007", 70), (file.GetProperty("boot_id").GetString(),
            file.GetProperty("pid_namespace").GetInt64()));
        Assert.Equal((1, 1_000_001, "here", store.Core.InstanceId, "client1"),
            (file.GetProperty("pid").GetInt64(), file.GetProperty("process_started_at").GetInt64(),
            file.GetProperty("hostname").GetString(), file.GetProperty("instance_id").GetString(),
            file.GetProperty("client_type").GetString()));
        Assert.InRange(file.GetProperty("last_activity_at").GetInt64(), now - 30_000, now);
        Assert.Equal("running tests", file.GetProperty("status_message").GetString());

        _time.Shift(75_000);
        using SessionStore second = LockFixture.Open(_disk.OpenAs(), _time, processId: 2);
        using Session other = second.OpenSession(session.Id);
        Assert.Matches("^A client1 on here has been writing here for 7[5-9] s; it is processing\\.$", other.Message());
        Assert.Matches("^You have been writing here for 7[5-9] s\\.$", session.Message());
        Assert.Equal(1, store.ActiveLockCount);
        Assert.Equal(0, second.ActiveLockCount);
        Assert.Equal(1, store.Info().GetProperty("open_locks").GetInt64());
        session.Unlock();
        store.Flush();
        Assert.Null(_disk.Peek(path));
        Assert.Equal("Nobody is writing here.", other.Message());
        Assert.Equal(0, store.ActiveLockCount);
    }

    [Fact]
    public void What_is_no_holders_to_do_is_refused()
    {
        using SessionStore store = LockFixture.Open(_disk.OpenAs(), _time);
        using Session session = store.Create(), other = store.OpenSession(session.Id);
        Stores.Fails(SessionStatus.InvalidTransition, () => session.SetActivity("idle"));
        Stores.Fails(SessionStatus.InvalidTransition, () => session.AnswerLock("lr_1", true));
        Stores.Fails(SessionStatus.InvalidArgument, () => session.SetActivity("busy"));
        Stores.Fails(SessionStatus.InvalidArgument, () => session.Lock((LockMode)4));
        Stores.Fails(SessionStatus.InvalidArgument, () => session.Lock((LockMode)(-1)));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => session.Lock(LockMode.Try, new LockOptions { Flags = (LockFlags)2 }));
        string large = new('x', 4097);
        Stores.Fails(SessionStatus.Limit, () => session.Lock(LockMode.Try, new LockOptions { Message = large }));
        session.Lock(LockMode.Try);
        Stores.Fails(SessionStatus.Limit, () => session.SetActivity("idle", large));
        Stores.Fails(SessionStatus.Locked, () => other.SetActivity("idle"));
        Stores.Fails(SessionStatus.Locked, () => other.AnswerLock("lr_1", true));
        Stores.Fails(SessionStatus.NotFound, () => session.AnswerLock("lr_1", true));
        using SessionStore reader = Stores.Open(_disk.OpenAs(), _time,
            new SessionStoreOptions { Flags = StoreFlags.ReadOnly }, processId: 3);
        using Session read = reader.OpenSession(session.Id);
        Assert.True(read.Lock().Flag("is_locked"));
        Stores.Fails(SessionStatus.ReadOnly, () => read.Lock(LockMode.Try));
        reader.ReleaseAllLocks();
        Assert.Equal(0, reader.ActiveLockCount);
    }

    [Fact]
    public void A_handle_that_is_let_go_of_frees_its_lock_at_once_and_the_file_follows()
    {
        using SessionStore store = LockFixture.Open(_disk.OpenAs(), _time, processId: 1);
        using SessionStore second = LockFixture.Open(_disk.OpenAs(), _time, processId: 2);
        Session session = store.Create();
        using Session other = second.OpenSession(session.Id), third = store.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        session.SetActivity("processing");
        long lsn = store.Core.State.Published;
        session.Dispose();
        Assert.Equal(lsn, store.Core.State.Published); // nothing was written
        Assert.False(other.GetStat().Flags.HasFlag(StatFlags.Locked));
        Assert.False(third.Lock().Flag("is_locked"));
        Assert.Equal("A client1 on here was writing here and is gone; the session is free.", other.Message());
        other.Say("free");
        third.Say("free too");
        store.Engine.Locks.Sweep(store.Engine.Commit);
        Assert.Equal("Nobody is writing here.", other.Message());

        // The next one may be faster than the file, which then says nothing against it.
        Session again = store.OpenSession(session.Id);
        again.Lock(LockMode.Try);
        again.Dispose();
        other.Lock(LockMode.Try);
        store.Engine.Locks.Sweep(store.Engine.Commit);
        Assert.Equal(2, third.HolderPid());
        Stores.Fails(SessionStatus.Locked, () => third.Say("no"));
    }

    [Fact]
    public void A_store_lets_go_of_all_its_locks_and_of_nobody_elses()
    {
        using SessionStore store = LockFixture.Open(_disk.OpenAs(), _time, processId: 1);
        using SessionStore second = LockFixture.Open(_disk.OpenAs(), _time, processId: 2);
        List<Session> own = [.. Enumerable.Range(0, 5).Select(_ => store.Create())];
        own.ForEach(s => s.Lock(LockMode.Try));
        using Session lost = second.OpenSession(own[0].Id);
        lost.Lock(LockMode.Interrupt);
        own[1].Delete();
        Assert.Equal(3, store.ActiveLockCount);
        store.ReleaseAllLocks();
        store.ReleaseAllLocks();
        Assert.Equal(0, store.ActiveLockCount);
        Assert.Equal(1, second.ActiveLockCount);
        Assert.Equal(2, own[0].HolderPid());
        Stores.Fails(SessionStatus.Locked, () => own[0].Say("x"));
        own[2].Say("free");
        own[2].Unlock();
        own[3].Lock(LockMode.Try);
        store.Close(); // a close does the same
        using Session closed = second.OpenSession(own[3].Id);
        Assert.Null(closed.HolderPid());
    }

    [Fact]
    public void Heartbeats_tell_that_a_holder_lives_and_what_it_last_did()
    {
        using SessionStore store = LockFixture.Open(_disk.OpenAs(), _time, processId: 1);
        using Session session = store.Create(), quiet = store.Create();
        session.Lock(LockMode.Try);
        quiet.Lock(LockMode.Try);
        JsonElement first = session.Lock().GetProperty("holder");
        _time.Shift(10_000);
        session.Say("something");
        long wrote = _time.GetUtcNow().ToUnixTimeMilliseconds();
        _time.Shift(5_000);
        long lsn = store.Core.State.Published;
        store.Engine.Commit(new HeartbeatRequest(store.Engine.Locks) { Full = false });
        Assert.Equal(lsn + 1, store.Core.State.Published); // one frame for all
        JsonElement holder = session.Lock().GetProperty("holder");
        Assert.True(holder.GetProperty("heartbeat_at").GetInt64()
            >= first.GetProperty("heartbeat_at").GetInt64() + 15_000);
        Assert.InRange(holder.GetProperty("last_activity_at").GetInt64(), wrote - 5_000, wrote);
        Assert.Equal(first.GetProperty("started_at").GetInt64(), holder.GetProperty("started_at").GetInt64());
        Assert.True(quiet.Lock().GetProperty("holder").GetProperty("heartbeat_at").GetInt64() > wrote);
    }
}
