using System.Text.Json;
using Sessions.Platform;
using Sessions.Tests.Coordination.Locks;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>Session locks between real processes, which are stopped and killed as they hold them.</summary>
public sealed class LockProcessTests
{
    private static readonly string[] Writes =
    [
        "append", "relaxed", "batch", "begin", "write", "end", "rewind", "undo", "prune", "repair", "activity",
        "answer",
    ];

    [Fact]
    public void A_stopped_process_that_lost_its_lock_goes_on_and_changes_nothing()
    {
        using var folder = new StoreFolder();
        using HostProcess holder = HostProcess.Open(folder.Store, quiet: true); // never stopped inside a commit
        using HostProcess other = HostProcess.Open(folder.Store);
        string session = holder.Ask("create", "shared");
        holder.Ask("kept", session, "append");
        holder.Ask("lock", session, "Try");
        holder.Ask("kept", session, "append");
        holder.Ask("kept", session, "begin");
        holder.Ask("kept", session, "write");
        holder.Ask("kept", session, "activity");
        other.Fails(SessionStatus.Locked, "kept", session, "append");
        other.Fails(SessionStatus.Processing, "lock", session, "Force");
        holder.Stop();
        other.Fails(SessionStatus.Processing, "lock", session, "Force"); // a process that is stopped lives
        other.Ask("lock", session, "Interrupt");
        other.Ask("kept", session, "append");
        string log = other.Ask("last", session), status = other.Ask("lock-status", session);
        holder.Continue();
        foreach (string write in Writes)
        {
            holder.Fails(SessionStatus.LockLost, "kept", session, write);
        }

        holder.Ask("beat");
        holder.Fails(SessionStatus.LockLost, "unlock", session);
        holder.Ask("unlock", session);
        holder.Fails(SessionStatus.Locked, "kept", session, "append");
        holder.Fails(SessionStatus.Locked, "lock", session, "Try");
        Assert.Equal(log, other.Ask("last", session));
        JsonElement before = JsonDocument.Parse(status).RootElement, after = Status(other, session);
        Assert.Equal(before.GetProperty("epoch").GetInt64(), after.GetProperty("epoch").GetInt64());
        Assert.True(after.Flag("is_mine"));
        other.Ask("kept", session, "append");
        holder.End();
        other.End();
        AssertSound(folder);
    }

    [Fact]
    public void A_killed_holder_frees_its_lock_at_once()
    {
        using var folder = new StoreFolder();
        using HostProcess holder = HostProcess.Open(folder.Store), other = HostProcess.Open(folder.Store),
            waiter = HostProcess.Open(folder.Store);
        string session = holder.Ask("create", "shared");
        holder.Ask("lock", session, "Try");
        holder.Ask("kept", session, "activity");
        waiter.Tell("lock", session, "Wait", "120000");
        other.Fails(SessionStatus.Locked, "lock", session, "Try");
        holder.Kill();
        Assert.Equal("had", waiter.Outcome().Answer); // it waited through the death
        waiter.Ask("kept", session, "append");
        waiter.Kill();
        JsonElement status = Status(other, session);
        Assert.False(status.Flag("is_locked"));
        other.Ask("append", session, "free"); // without a lock, and at once
        other.Ask("lock", session, "Try");
        other.End();
        AssertSound(folder);
    }

    [Theory]
    [InlineData(nameof(Step.CommitCaughtUp))]
    [InlineData(nameof(Step.CommitWritten))]
    [InlineData(nameof(Step.CommitPublished))]
    [InlineData(nameof(Step.CommitUnlocked))]
    public void A_process_killed_while_it_takes_a_lock_holds_none(string step)
    {
        using var folder = new StoreFolder();
        using HostProcess holder = HostProcess.Open(folder.Store, quiet: true), other = HostProcess.Open(folder.Store);
        string session = holder.Ask("create", "shared");
        holder.Arm("kill", Enum.Parse<Step>(step));
        holder.Tell("lock", session, "Try");
        holder.AwaitKilled();
        Assert.False(Status(other, session).Flag("is_locked"));
        other.Ask("lock", session, "Try");
        other.Ask("kept", session, "append");
        other.End();
        AssertSound(folder);
    }

    [Fact]
    public void A_lock_is_handed_from_process_to_process()
    {
        using var folder = new StoreFolder();
        using HostProcess holder = HostProcess.Open(folder.Store), other = HostProcess.Open(folder.Store);
        string session = holder.Ask("create", "shared");
        holder.Ask("lock", session, "Try");
        foreach (string answer in new[] { "no", "yes" })
        {
            other.Tell("lock", session, "Wait", "120000", "ask");
            string? request = null;
            Assert.True(SpinWait.SpinUntil(() =>
            {
                JsonElement requests = Status(holder, session).GetProperty("requests");
                request = requests.GetArrayLength() == 0 ? null : requests[0].GetProperty("request_id").GetString();
                return request is not null;
            }, HostProcess.Guard));
            holder.Ask("answer", session, request!, answer);
            Spoken outcome = other.Outcome();
            Assert.Equal(answer == "yes" ? "had" : nameof(SessionStatus.Locked), outcome.Answer ?? outcome.Failure);
        }

        other.Ask("kept", session, "append");
        holder.Fails(SessionStatus.Locked, "kept", session, "append");
        holder.End();
        other.End();
    }

    [Fact]
    public void Of_eight_processes_that_race_one_wins_each_of_200_rounds()
    {
        using var folder = new StoreFolder();
        HostProcess[] hosts = [.. Enumerable.Range(0, 8).Select(_ => HostProcess.Open(folder.Store))];
        try
        {
            string session = hosts[0].Ask("create", "shared");
            long epoch = 0;
            for (int round = 0; round < 200; round++)
            {
                foreach (HostProcess host in hosts)
                {
                    host.Tell("lock", session, "Try");
                }

                Spoken[] outcomes = [.. hosts.Select(h => h.Outcome())];
                int winner = Array.FindIndex(outcomes, o => o.Answer == "had");
                Assert.Equal(1, outcomes.Count(o => o.Answer == "had"));
                Assert.Equal(7, outcomes.Count(o => o.Failure == nameof(SessionStatus.Locked)));
                JsonElement status = Status(hosts[(winner + 1) % 8], session);
                Assert.True(status.GetProperty("epoch").GetInt64() > epoch);
                epoch = status.GetProperty("epoch").GetInt64();
                hosts[winner].Ask("kept", session, "relaxed");
                hosts[winner].Ask(round % 2 == 0 ? "unlock" : "let-go", session);
            }

            Assert.Equal(200, JsonDocument.Parse(hosts[3].Ask("info", session)).RootElement.GetProperty("last_seq")
                .GetInt64());
            Array.ForEach(hosts, h => h.End());
        }
        finally
        {
            Array.ForEach(hosts, h => h.Dispose());
        }

        AssertSound(folder);
    }

    private static JsonElement Status(HostProcess host, string session)
        => JsonDocument.Parse(host.Ask("lock-status", session)).RootElement;

    private static void AssertSound(StoreFolder folder)
    {
        using SessionStore store = folder.Open();
        Assert.True(JsonDocument.Parse(Stores.Text(b => store.WriteVerifyReport(deep: true, b))).RootElement
            .GetProperty("ok").GetBoolean());
    }
}
