using System.Text.Json;
using Sessions.Platform;

namespace Sessions.Tests.Processes;

/// <summary>An abort between real processes, some of them stopped or killed in the middle.</summary>
public sealed class AbortProcessTests
{
    [Fact]
    public void A_third_process_hears_of_an_abort_while_a_stopped_one_holds_the_store()
    {
        using var folder = new StoreFolder();
        using HostProcess aborter = HostProcess.Open(folder.Store, busyMs: 200),
            waiter = HostProcess.Open(folder.Store), stopped = HostProcess.Open(folder.Store, quiet: true);
        string session = aborter.Ask("create", "shared");
        Assert.Equal("no", waiter.Ask("is-aborted", session));
        waiter.Tell("wait", session, "60000");
        stopped.Arm("stop", Step.CommitLocked);
        stopped.Tell("append", session, "never mind");
        stopped.AwaitStopped();
        aborter.Fails(SessionStatus.Busy, "abort", session, "now");
        Assert.Equal("aborted", waiter.Outcome().Answer);
        Assert.Equal(("yes", "yes"), (waiter.Ask("is-aborted", session), aborter.Ask("is-aborted", session)));
        stopped.Continue();
        Assert.Equal("1", stopped.Outcome().Answer);
        Assert.Equal("yes", stopped.Ask("is-aborted", session));
        stopped.Ask("clear", session);
        Assert.Equal(("no", "no"), (waiter.Ask("is-aborted", session), aborter.Ask("is-aborted", session)));
        aborter.Ask("abort", session, "again");
        Assert.Equal("yes", waiter.Ask("is-aborted", session));
        aborter.End();
        waiter.End();
        stopped.End();
        using SessionStore store = folder.Open();
        Assert.True(store.OpenSession(session).IsAborted);
        Assert.Equal(2, store.OpenSession(session).GetStat().AbortCount);
    }

    [Theory]
    [InlineData(nameof(Step.CommitLocked), false)]
    [InlineData(nameof(Step.CommitCaughtUp), false)]
    [InlineData(nameof(Step.CommitWritten), true)]
    [InlineData(nameof(Step.CommitSynced), true)]
    [InlineData(nameof(Step.CommitApplied), true)]
    [InlineData(nameof(Step.CommitPublished), true)]
    public void An_abort_that_is_killed_is_there_with_its_results_or_not_at_all(string step, bool isThere)
    {
        using var folder = new StoreFolder();
        string root, child;
        using (HostProcess host = HostProcess.Open(folder.Store, quiet: true))
        {
            root = host.Ask("create", "root");
            child = host.Ask("create", "child", root);
            host.Ask("call", root, "t", "a");
            host.Ask("call", child, "t", "b");
            host.Arm("kill", Enum.Parse<Step>(step));
            host.Tell("abort", root, "now", "Tree");
            host.AwaitKilled();
        }

        using SessionStore store = folder.Open();
        foreach (string id in (string[])[root, child])
        {
            using Session session = store.OpenSession(id);
            Assert.Equal((isThere, isThere ? 2 : 1), (session.IsAborted, session.GetStat().LastSeq));
            session.Abort();
            Assert.Equal(2, session.GetStat().LastSeq);
        }
    }

    [Fact]
    public void A_relaxed_abort_outlasts_the_process_and_stays_until_it_is_cleared()
    {
        using var folder = new StoreFolder();
        string session;
        using (HostProcess host = HostProcess.Open(folder.Store, quiet: true))
        {
            session = host.Ask("create", "own");
            host.Ask("call", session, "t", "a");
            host.Ask("abort", session, "now", "Relaxed");
            host.Kill();
        }

        for (int i = 0; i < 2; i++)
        {
            using HostProcess host = HostProcess.Open(folder.Store);
            Assert.Equal("yes", host.Ask("is-aborted", session));
            JsonElement info = JsonDocument.Parse(host.Ask("info", session)).RootElement;
            Assert.Equal(("now", 2), (info.GetProperty("abort_reason").GetString(),
                info.GetProperty("last_seq").GetInt32()));
            host.End();
        }

        using (HostProcess host = HostProcess.Open(folder.Store))
        {
            host.Ask("clear", session);
            host.End();
        }

        using HostProcess last = HostProcess.Open(folder.Store);
        Assert.Equal("no", last.Ask("is-aborted", session));
        last.End();
    }
}
