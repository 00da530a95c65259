using System.Text.Json;
using Sessions.Coordination.Locks;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Locks;

/// <summary>Locks through the life of a session and of those who hold them: deletes, branches, prunes, crashes, other
/// machines, damage; and what the first holder finds to settle.</summary>
public sealed class LockLifeTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ShiftedTime _time = new();

    [Fact]
    public void A_dead_holder_is_known_at_once_and_leaves_nothing_open()
    {
        MemoryDisk disk = _disk.OpenAs();
        SessionStore store = Open(1, disk: disk);
        Session session = store.Create();
        session.Lock(LockMode.Try);
        session.SetActivity("processing");
        session.Append("turn_start", "{}"u8, new AppendOptions { TurnId = "t" });
        session.Append("tool_call", """{"tool_call_id":"c","name":"n","arguments":{}}"""u8,
            new AppendOptions { TurnId = "t" });
        SessionStream stream = session.BeginStream("agent_message", new AppendOptions { TurnId = "t" });
        stream.Write("so far"u8);
        using SessionStore second = Open(2);
        using Session next = second.OpenSession(session.Id);
        disk.Kill();
        next.Lock(LockMode.Try); // the very next call, with no clock moved
        string[] types = [.. next.Events().GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("type").GetString()!)];
        Assert.Equal(["turn_start", "tool_call", "agent_message", "tool_call_update"], types);
        Assert.Empty(next.Streams());
        long last = next.GetStat().LastSeq;

        // Let go of in order, there is nothing to settle for the next one of this store.
        next.Append("turn_start", "{}"u8, new AppendOptions { TurnId = "u" });
        next.Append("tool_call", """{"tool_call_id":"d","name":"n","arguments":{}}"""u8,
            new AppendOptions { TurnId = "u" });
        next.Unlock();
        using Session again = second.OpenSession(session.Id);
        again.Lock(LockMode.Try);
        Assert.Equal(last + 2, again.GetStat().LastSeq);
        again.Unlock();

        // Another store has not seen it settled, once nobody is at work there any more.
        _time.Shift(61_000);
        using SessionStore third = Open(3);
        using Session first = third.OpenSession(session.Id);
        first.Lock(LockMode.Try);
        Assert.Equal(["tool_call_update"], first.Events(last + 2).GetProperty("events")
            .EnumerateArray().Select(e => e.GetProperty("type").GetString()!));
        third.AssertSound();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_crash_of_all_leaves_the_lock_of_a_dead_holder_in_the_file_and_no_lock(bool isPowerCut)
    {
        var disk = new FaultyDisk(seed: 5);
        SessionStore store = LockFixture.Open(disk.OpenAs(), _time, processId: 1);
        Session session = store.Create();
        session.Say("before");
        session.Lock(LockMode.Try);
        session.SetActivity("processing");
        store.Flush();
        FaultyDisk left = isPowerCut ? disk.AfterPowerCut(3) : disk.AfterKill();
        SessionStore again = LockFixture.Open(left.OpenAs(), _time, processId: 1); // even with the same pid
        using Session found = again.OpenSession(session.Id);
        Assert.Contains("\"processing\"", Text(left, session.Id), StringComparison.Ordinal);
        JsonElement status = found.Lock();
        Assert.False(status.Flag("is_locked"));
        Assert.True(status.Flag("is_stale"));
        Assert.False(found.GetStat().Flags.HasFlag(StatFlags.Locked));
        found.Say("free");
        found.Lock(LockMode.Try);
        found.Unlock();
        again.AssertSound();
        again.Close();
        Assert.Null(left.Peek(FileOf(session.Id)));
    }

    [Fact]
    public void A_lock_goes_with_its_session_to_the_trash_and_back()
    {
        using SessionStore store = Open(1), second = Open(2);
        using Session session = store.Create(), other = second.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        store.Flush();
        other.Delete();
        Stores.Fails(SessionStatus.Deleted, () => session.Say("x"));
        Stores.Fails(SessionStatus.Deleted, () => session.SetActivity("idle"));
        Stores.Fails(SessionStatus.Deleted, () => session.Lock(LockMode.Try));
        store.Engine.Commit(new HeartbeatRequest(store.Engine.Locks) { Full = false });
        Assert.Null(_disk.Peek(FileOf(session.Id)));
        second.Restore(session.Id);
        Assert.NotNull(_disk.Peek(FileOf(session.Id)));
        Assert.True(session.GetStat().Flags.HasFlag(StatFlags.Locked));
        session.Say("still mine");
        Stores.Fails(SessionStatus.Locked, () => other.Say("not mine"));

        // Let go of in the trash, it is free when it comes back.
        other.Delete();
        session.Unlock();
        store.Engine.Locks.Sweep(store.Engine.Commit);
        second.Restore(session.Id);
        other.Say("free");
        other.Lock(LockMode.Try);
        other.Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        Stores.Fails(SessionStatus.Deleted, () => other.Say("x"));
        other.Unlock();
        Assert.Equal(0, second.ActiveLockCount);
        store.AssertSound();
    }

    [Fact]
    public void A_branch_of_a_locked_session_is_free_and_a_prune_is_the_holders()
    {
        using SessionStore store = Open(1), second = Open(2);
        using Session session = LockFixture.Make(store), other = second.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        using Session branch = other.Fork();
        branch.Say("free");
        Assert.False(branch.Lock().Flag("is_locked"));
        branch.Lock(LockMode.Try);
        Assert.Equal(2, branch.HolderPid());
        Stores.Json(b => session.Prune("""{"max_events":6}"""u8, b));
        Assert.True(session.Lock().Flag("is_mine"));
        session.Say("after the prune");
        Stores.Fails(SessionStatus.Locked, () => other.Say("x"));
        Assert.True(Stores.Json(b => other.Prune("""{"max_events":1,"dry_run":true}"""u8, b)).Flag("dry_run"));
        store.AssertSound();
    }

    [Theory]
    [InlineData("""{"session_id":"other"}""")]
    [InlineData("not JSON at all")]
    [InlineData("")]
    [InlineData("\0\0\0\0")]
    [InlineData("""{"session_id":"%","epoch":1,"pid":"one","reserved_for":null,"requests":[]}""")]
    [InlineData("""{"session_id":"%","epoch":1,"reserved_for":null,"requests":7}""")]
    public void A_damaged_file_keeps_nobody_out(string content)
    {
        SessionStore store = Open(1);
        Session session = store.Create();
        session.Lock(LockMode.Try);
        store.Flush();
        MemoryDisk left = _disk.Copy(); // as after a crash
        LockFixture.Open(left.OpenAs(), _time, processId: 2).Close();
        byte[] bytes = Stores.Utf8(content.Replace("%", session.Id, StringComparison.Ordinal));
        using (IDiskFile file = left.Open(FileOf(session.Id), OpenMode.ReadWrite))
        {
            file.Write(bytes, 0);
            file.SetLength(bytes.Length);
            file.Sync();
        }

        using SessionStore again = LockFixture.Open(left.OpenAs(), _time, processId: 1);
        using Session found = again.OpenSession(session.Id);
        bool isKept = !content.Contains('%', StringComparison.Ordinal);
        found.Say("free");
        Assert.False(found.Lock().Flag("is_locked"));
        found.Lock(LockMode.Try);
        found.Say("mine");
        JsonElement kept = again.Info().GetProperty("quarantined");
        Assert.Equal(isKept ? 1 : 0, kept.GetArrayLength());
        if (isKept)
        {
            Assert.Equal(bytes, left.Peek(kept[0].GetProperty("file").GetString()!));
        }

        found.Unlock();
        again.Flush();
        Assert.Null(left.Peek(FileOf(session.Id)));
        store.Close();
    }

    [Fact]
    public void Where_writing_needs_the_lock_nobody_writes_without_it()
    {
        using SessionStore store = Open(1), second = Open(2);
        using Session plain = store.Create();
        using Session strict = store.Create(null,
            new SessionCreateOptions { Facts = Stores.Utf8("""{"workspace_id":"w"}""") });
        using Session loose = store.Create(null,
            new SessionCreateOptions { Facts = Stores.Utf8("""{"workspace_id":"v"}""") });
        plain.Say("no rule yet");
        second.Configure("w", """{"strict_lock":true}"""u8);
        SessionException e = Stores.Fails(SessionStatus.Locked, () => strict.Say("x"));
        Assert.Equal("""{"holder":null,"rule":"strict_lock"}""", e.Details);
        Stores.Fails(SessionStatus.Locked, () => strict.BeginStream("agent_message"));
        plain.Say("free");
        loose.Say("free");
        strict.Lock(LockMode.Try);
        strict.Say("mine");
        strict.Unlock();
        second.Configure(null, """{"strict_lock":true}"""u8);
        second.Configure("v", """{"strict_lock":false}"""u8);
        Stores.Fails(SessionStatus.Locked, () => plain.Say("x"));
        loose.Say("free");
        second.Configure("w", """{"strict_lock":null}"""u8); // back to the store's
        Stores.Fails(SessionStatus.Locked, () => strict.Say("x"));
        second.Configure(null, """{"strict_lock":null}"""u8);
        strict.Say("free");
        plain.Say("free");
        loose.Update("""{"facts":{"workspace_id":7}}"""u8); // no workspace at all
        second.Configure(null, """{"strict_lock":true}"""u8);
        Stores.Fails(SessionStatus.Locked, () => loose.Say("x"));
        foreach ((_, Action change) in LockFixture.Free(plain))
        {
            change(); // what is not the conversation
        }
    }

    [Fact]
    public void Retention_spares_what_somebody_holds()
    {
        using SessionStore store = Open(1), second = Open(2);
        using Session held = second.Create(), free = second.Create(), let = second.Create();
        held.Lock(LockMode.Try);
        let.Lock(LockMode.Try);
        let.Unlock();
        _time.Shift(7_200_000);
        Stores.Json(b => store.Retain("""{"max_age_ms":1000}"""u8, b));
        Assert.True(held.Lock().Flag("is_mine"));
        Stores.Fails(SessionStatus.Deleted, () => free.GetStat());
        Stores.Fails(SessionStatus.Deleted, () => let.GetStat());
    }

    [Fact]
    public void Rules_that_cannot_be_read_ask_for_no_lock()
    {
        SessionStore store = Open(1);
        string id = store.Create().Id;
        store.Configure(null, """{"strict_lock":true}"""u8);
        store.Close();
        using (IDiskFile file = _disk.Open(Layout.ConfigFile, OpenMode.ReadWrite))
        {
            file.Write("??"u8, 0);
            file.SetLength(2);
        }

        using SessionStore again = Open(1);
        using Session session = again.OpenSession(id);
        session.Say("free");
        session.Lock(LockMode.Try);
        session.Say("mine");
    }

    [Fact]
    public void The_stores_thread_releases_and_beats_by_itself()
    {
        using SessionStore store = LockFixture.Open(_disk.OpenAs(), _time, processId: 1, background: true);
        using SessionStore second = Open(2);
        Session gone = store.Create();
        using Session session = store.Create();
        gone.Lock(LockMode.Try);
        using Session other = second.OpenSession(gone.Id);
        gone.Dispose();
        Assert.True(SpinWait.SpinUntil(() => other.Message() == "Nobody is writing here.", LockFixture.Guard));
        session.Lock(LockMode.Try);
        using Session seen = second.OpenSession(session.Id);
        long beat = Beat(seen);
        Assert.True(SpinWait.SpinUntil(() => Beat(seen) > beat, LockFixture.Guard));
        Assert.True(Beat(seen) >= beat + 9_000);

        static long Beat(Session s) => s.Lock().GetProperty("holder").GetProperty("heartbeat_at").GetInt64();
    }

    private SessionStore Open(int processId, string host = "here", MemoryDisk? disk = null)
        => LockFixture.Open(disk ?? _disk.OpenAs(), _time, processId, host);

    private static string FileOf(string id) => Layout.LiveFolder(id) + "/" + Layout.LockFile;

    private static string Text(ModelDisk disk, string id)
        => System.Text.Encoding.UTF8.GetString(disk.Peek(FileOf(id))!);
}
