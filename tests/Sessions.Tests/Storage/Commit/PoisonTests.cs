using Sessions.Platform;
using Sessions.Storage.Page;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Commit;

/// <summary>A journal that could not be synced stops all writers until a recovery; what was published
/// before that is not lost with it.</summary>
public sealed class PoisonTests
{
    [Fact]
    public void A_poisoned_store_is_read_by_all_and_written_by_nobody_until_the_next_open()
    {
        var disk = new FaultyDisk(seed: 11);
        using SessionStore store = Stores.Open(disk);
        using SessionStore other = Stores.Open(disk.OpenAs(), processId: 4343);
        (Session session, string[] said) = Poison(store, disk);
        Session same = other.OpenSession(session.Id);
        foreach (SessionStore each in (SessionStore[])[store, other])
        {
            Stores.Fails(SessionStatus.Poisoned, () => each.OpenSession(session.Id).Say("refused"));
            Stores.Fails(SessionStatus.Poisoned, () => each.Create());
            Assert.True(each.Info().GetProperty("poisoned").GetBoolean());
            Assert.Equal(said, Texts(each.OpenSession(session.Id)));
        }

        using SessionStore third = Stores.Open(disk.OpenAs(), processId: 4444);
        Assert.False(third.Info().GetProperty("poisoned").GetBoolean());
        foreach ((SessionStore each, Session seen) in
            ((SessionStore, Session)[])[(store, session), (other, same), (third, third.OpenSession(session.Id))])
        {
            Assert.Equal(said, Texts(seen));
            seen.Say("after " + said.Length);
            said = [.. said, "after " + said.Length];
            Assert.Equal(said, Texts(seen));
            each.AssertSound();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whichever_call_of_the_recovery_fails_what_was_published_stays(bool isBesideOthers)
    {
        int failed = 0;
        for (long at = 1; ; at++)
        {
            var disk = new FaultyDisk(seed: (int)at);
            SessionStore store = Stores.Open(disk);
            (Session session, string[] said) = Poison(store, disk);
            if (!isBesideOthers)
            {
                Stores.Fails(SessionStatus.Poisoned, store.Close);
            }

            FaultyDisk opener = disk.OpenAs();
            opener.FailAt = at;
            bool wasFailed = false;
            try
            {
                Stores.Open(opener, processId: 4343).Dispose();
            }
            catch (SessionException)
            {
                wasFailed = true;
            }

            using (SessionStore next = Stores.Open(disk.OpenAs(), processId: 4444))
            {
                Assert.Equal(said, Texts(next.OpenSession(session.Id)));
                Assert.Equal(said.Length + 1, next.OpenSession(session.Id).Say("after"));
                next.AssertSound();
            }

            store.Dispose();
            if (opener.Failures == 0)
            {
                break;
            }

            failed += wasFailed ? 1 : 0;
        }

        Assert.True(failed > 10, $"{failed} calls failed the open");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_kill_anywhere_in_the_recovery_loses_nothing_that_was_published(bool isBesideOthers)
    {
        bool wasKilled = true;
        for (long at = 1; wasKilled; at++)
        {
            var disk = new FaultyDisk(seed: (int)at);
            SessionStore store = Stores.Open(disk);
            (Session session, string[] said) = Poison(store, disk);
            if (!isBesideOthers)
            {
                Stores.Fails(SessionStatus.Poisoned, store.Close);
            }

            FaultyDisk opener = disk.OpenAs();
            opener.KillAt = at;
            wasKilled = false;
            try
            {
                Stores.Open(opener, processId: 4343).Dispose();
            }
            catch (Exception e) when (e is PowerCutException || e.InnerException is PowerCutException)
            {
                wasKilled = true;
                disk.RestorePages();
            }

            using (SessionStore next = Stores.Open(disk.OpenAs(), processId: 4444))
            {
                Assert.Equal(said, Texts(next.OpenSession(session.Id)));
                next.OpenSession(session.Id).Say("after");
                next.AssertSound();
            }

            store.Dispose();
        }
    }

    [Fact]
    public void A_poison_from_before_a_restart_of_the_machine_is_over()
    {
        var disk = new FaultyDisk(seed: 12);
        (Session session, string[] said) = Poison(Stores.Open(disk), disk);
        StoreEnvironment restarted = new() { Disk = disk.AfterKill(), BootId = 8, RunsInBackground = false };
        using SessionStore store = SessionStore.Open(restarted);
        Assert.Equal(said, Texts(store.OpenSession(session.Id)).Take(3));
        store.OpenSession(session.Id).Say("after");
        store.AssertSound();
    }

    // Some events are durable, some were published relaxed, and the sync that was to make them durable
    // failed together with the commit that asked for it.
    private static (Session Session, string[] Said) Poison(SessionStore store, FaultyDisk disk)
    {
        Session session = store.Create();
        session.Say("durable");
        session.Say("relaxed one", AppendFlags.Relaxed);
        session.Say("relaxed two", AppendFlags.Relaxed);
        disk.FailIf = o => o.Name == "fdatasync" && o.Path.StartsWith("journal/", StringComparison.Ordinal);
        Stores.Fails(SessionStatus.Io, () => session.Say("failed"));
        disk.FailIf = null;
        Assert.Equal(StoreHealth.Poisoned, store.Core.State.Health);
        return (session, ["durable", "relaxed one", "relaxed two"]);
    }

    private static string[] Texts(Session session)
        => [.. session.Events().GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("data").GetProperty("text").GetString()!)];
}
