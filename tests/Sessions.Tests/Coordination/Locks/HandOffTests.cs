using System.Text.Json;
using Sessions.Coordination.Locks;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Locks;

/// <summary>Asking for a lock: the holder agrees, refuses, says nothing, or goes; and so may who asks.</summary>
public sealed class HandOffTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ShiftedTime _time = new();

    [Theory]
    [InlineData(LockMode.Try, true)]
    [InlineData(LockMode.Wait, false)]
    [InlineData(LockMode.Force, true)]
    [InlineData(LockMode.Interrupt, false)]
    public void A_holder_that_agrees_hands_over_to_who_asked_and_to_nobody_else(LockMode mode, bool inOneStore)
    {
        using SessionStore store = Open(1), second = Open(2), third = Open(3);
        using Session session = store.Create(), bystander = third.OpenSession(session.Id);
        using Session asker = (inOneStore ? store : second).OpenSession(session.Id);
        session.Lock(LockMode.Try);
        session.SetActivity("processing");
        Task asking = Ask(asker, mode);
        JsonElement request = Request(session);
        Assert.Equal((inOneStore ? 1 : 2, "May I?"),
            (request.GetProperty("pid").GetInt32(), request.GetProperty("message").GetString()));
        Assert.True(request.GetProperty("deadline").GetInt64() > _time.GetUtcNow().ToUnixTimeMilliseconds());
        session.AnswerLock(session.AwaitRequest(), accept: true);
        Finish(asking);
        Assert.True(asker.Lock().Flag("is_mine"));
        Assert.Equal(0, asker.Lock().GetProperty("requests").GetArrayLength());
        asker.Say("mine");
        session.Unlock(); // it gave it away: there is nothing that it lost
        Stores.Fails(SessionStatus.Locked, () => session.Say("x"));
        Stores.Fails(SessionStatus.Locked, () => bystander.Lock(LockMode.Try));
    }

    [Fact]
    public void A_lock_that_is_kept_for_somebody_is_nobody_elses_until_he_is_gone_or_too_late()
    {
        MemoryDisk askers = _disk.OpenAs();
        using SessionStore store = Open(1), third = Open(3);
        SessionStore second = LockFixture.Open(askers, _time, processId: 2);
        using Session session = store.Create(), bystander = third.OpenSession(session.Id);
        Session asker = second.OpenSession(session.Id);
        foreach (bool isGone in new[] { false, true })
        {
            session.Lock(LockMode.Try);
            second.Core.Own();
            Row row = second.Core.Rows.Find(session.Id)!;
            var asked = new AskRequest(second.Core, second.Engine.Locks, row, null, 60_000) { Full = false };
            second.Engine.Commit(asked); // who asks is slow to take what it gets
            session.AnswerLock(asked.Filed.RequestId, accept: true);
            foreach (LockMode mode in new[] { LockMode.Try, LockMode.Force, LockMode.Interrupt })
            {
                SessionException e = Stores.Fails(SessionStatus.Locked, () => bystander.Lock(mode));
                Assert.Equal("""{"holder":null}""", e.Details);
            }

            Stores.Fails(SessionStatus.Locked, () => session.Say("x"));
            Assert.Equal("The lock is kept for a client2 that asked for it.", bystander.Message());
            Assert.True(bystander.Lock().Flag("is_locked"));
            if (isGone)
            {
                askers.Kill();
            }
            else
            {
                _time.Shift(60_001);
            }

            session.Say("nobody has it");
            bystander.Lock(LockMode.Try);
            bystander.Unlock();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_holder_that_lets_go_during_a_look_at_it_is_not_said_to_be_gone(bool handsOver)
    {
        using SessionStore store = Open(1), second = Open(2);
        var disk = new CountingDisk(_disk.OpenAs());
        using SessionStore third = LockFixture.Open(disk, _time, processId: 3);
        using Session session = store.Create(), asker = second.OpenSession(session.Id),
            bystander = third.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        second.Core.Own();
        Row row = second.Core.Rows.Find(session.Id)!;
        var asked = new AskRequest(second.Core, second.Engine.Locks, row, null, 60_000)
        {
            Full = false,
        };
        second.Engine.Commit(asked);
        long holder = StoreLock.HolderByte(session.Lock().GetProperty("epoch").GetInt64());
        disk.OnLookAtByte = offset =>
        {
            if (offset != holder)
            {
                return;
            }

            disk.OnLookAtByte = null; // the holder was read, and whether it lives is asked next
            if (handsOver)
            {
                session.AnswerLock(asked.Filed.RequestId, accept: true);
            }
            else
            {
                session.Unlock();
                asker.Lock(LockMode.Try);
            }
        };
        JsonElement seen = bystander.Lock();
        Assert.True(seen.Flag("is_locked"));
        Assert.False(seen.Flag("is_stale"));
        string? message = seen.GetProperty("message").GetString();
        Assert.StartsWith(handsOver ? "The lock is kept for a client2 that asked for it."
            : "A client2 on here has been writing here for ", message, StringComparison.Ordinal);
        Assert.Equal(!handsOver, bystander.GetStat().Flags.HasFlag(StatFlags.Locked));
    }

    [Theory]
    [InlineData(LockMode.Try)]
    [InlineData(LockMode.Interrupt)]
    public void A_holder_that_refuses_keeps_the_lock(LockMode mode)
    {
        using SessionStore store = Open(1), second = Open(2);
        using Session session = store.Create(), asker = second.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        Task asking = Ask(asker, mode);
        session.AnswerLock(session.AwaitRequest(), accept: false);
        SessionException e = Assert.Throws<SessionException>(() => Finish(asking));
        Assert.Equal(SessionStatus.Locked, e.Status);
        JsonElement details = JsonDocument.Parse(e.Details).RootElement;
        Assert.True(details.Flag("refused"));
        Assert.Equal(1, details.GetProperty("holder").GetProperty("pid").GetInt64());
        session.Say("still mine");
        Stores.Fails(SessionStatus.NotFound, () => session.AnswerLock("lr_000000000000", true));
    }

    [Theory]
    [InlineData(LockMode.Try, SessionStatus.Timeout)]
    [InlineData(LockMode.Wait, SessionStatus.Timeout)]
    [InlineData(LockMode.Force, SessionStatus.Processing)]
    [InlineData(LockMode.Interrupt, SessionStatus.Ok)]
    public void Where_nobody_answers_the_request_goes_and_the_mode_decides(LockMode mode, SessionStatus expected)
    {
        using SessionStore store = Open(1), second = Open(2);
        using Session session = store.Create(), asker = second.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        session.SetActivity("processing");
        var options = new LockOptions { Flags = LockFlags.Ask, TimeoutMs = 80 };
        if (expected == SessionStatus.Ok)
        {
            asker.Lock(mode, options);
            Stores.Fails(SessionStatus.LockLost, () => session.AnswerLock("lr_000000000000", true));
        }
        else
        {
            Stores.Fails(expected, () => asker.Lock(mode, options));
            session.Say("mine");
        }

        Assert.Equal(0, asker.Lock().GetProperty("requests").GetArrayLength());
    }

    [Fact]
    public void A_free_lock_is_had_without_asking()
    {
        using SessionStore store = Open(1);
        using Session session = store.Create();
        session.Lock(LockMode.Try, new LockOptions { Flags = LockFlags.Ask, TimeoutMs = uint.MaxValue });
        Assert.True(session.Lock().Flag("is_mine"));
    }

    [Theory]
    [InlineData("unlock")]
    [InlineData("dispose")]
    [InlineData("close")]
    [InlineData("kill")]
    public void A_holder_that_goes_leaves_the_lock_to_who_asked(string how)
    {
        MemoryDisk disk = _disk.OpenAs();
        SessionStore store = LockFixture.Open(disk, _time, processId: 1);
        using SessionStore second = Open(2);
        Session session = store.Create();
        using Session asker = second.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        Task asking = Ask(asker, LockMode.Try);
        session.AwaitRequest();
        Go(how, disk, store, session);
        Finish(asking);
        Assert.Equal(2, asker.HolderPid());
        Assert.Equal(0, asker.Lock().GetProperty("requests").GetArrayLength());
    }

    [Theory]
    [InlineData("dispose", SessionStatus.Cancelled)]
    [InlineData("close", SessionStatus.Closed)]
    [InlineData("delete", SessionStatus.Deleted)]
    public void Who_asks_and_goes_takes_the_request_along(string how, SessionStatus expected)
    {
        using SessionStore store = Open(1);
        MemoryDisk disk = _disk.OpenAs();
        SessionStore second = LockFixture.Open(disk, _time, processId: 2);
        using Session session = store.Create();
        Session asker = second.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        Task asking = Ask(asker, LockMode.Wait);
        session.AwaitRequest();
        if (how == "delete")
        {
            session.Delete();
        }
        else
        {
            Go(how, disk, second, asker);
        }

        Assert.Equal(expected, Assert.Throws<SessionException>(() => Finish(asking)).Status);
        if (how != "delete")
        {
            Assert.Equal(0, session.Lock().GetProperty("requests").GetArrayLength());
        }
        else
        {
            store.Restore(session.Id); // it is still the holder's
            session.Say("mine");
            Assert.True(session.Lock().Flag("is_mine"));
            second.Close();
        }
    }

    [Fact]
    public void Several_ask_and_the_holder_chooses()
    {
        using SessionStore store = Open(1), second = Open(2), third = Open(3);
        using Session session = store.Create();
        using Session one = second.OpenSession(session.Id), two = third.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        Task first = Ask(one, LockMode.Try), other = Ask(two, LockMode.Try);
        JsonElement requests = default;
        Assert.True(SpinWait.SpinUntil(() =>
            (requests = session.Lock().GetProperty("requests")).GetArrayLength() == 2, LockFixture.Guard));
        string chosen = requests.EnumerateArray().Single(r => r.GetProperty("pid").GetInt32() == 3)
            .GetProperty("request_id").GetString()!;
        session.AnswerLock(chosen, accept: true);
        Finish(other);
        Assert.False(first.IsCompleted); // it goes on asking the new holder
        two.AnswerLock(two.AwaitRequest(), accept: true);
        Finish(first);
        Assert.Equal(2, session.HolderPid());
    }

    private static void Go(string how, MemoryDisk disk, SessionStore store, Session session)
    {
        switch (how)
        {
            case "unlock":
                session.Unlock();
                break;
            case "dispose":
                session.Dispose();
                break;
            case "close":
                store.Close();
                break;
            default:
                disk.Kill();
                break;
        }
    }

    private SessionStore Open(int processId) => LockFixture.Open(_disk.OpenAs(), _time, processId);

    private static JsonElement Request(Session session)
    {
        session.AwaitRequest();
        return session.Lock().GetProperty("requests")[0];
    }

    private static Task Ask(Session session, LockMode mode) => Task.Factory.StartNew(() => session.Lock(mode,
        new LockOptions { Flags = LockFlags.Ask, TimeoutMs = 30_000, Message = "May I?" }),
        TaskCreationOptions.LongRunning);

    private static void Finish(Task task) => task.WaitAsync(LockFixture.Guard).GetAwaiter().GetResult();
}
