using Sessions.Platform;

namespace Sessions.Tests.Processes;

/// <summary>A process dies or stops inside a commit while another one works on the same store.</summary>
public sealed class NeighbourTests
{
    [Theory]
    [InlineData(nameof(Step.CommitLocked), 9)]
    [InlineData(nameof(Step.CommitCaughtUp), 13)]
    [InlineData(nameof(Step.CommitWritten), 5)]
    [InlineData(nameof(Step.CommitWritten), 21)]
    [InlineData(nameof(Step.CommitSynced), 2)]
    [InlineData(nameof(Step.CommitSynced), 17)]
    [InlineData(nameof(Step.CommitApplied), 11)]
    [InlineData(nameof(Step.CommitPublished), 19)]
    [InlineData(nameof(Step.CommitUnlocked), 23)]
    [InlineData(nameof(Step.SegmentMade), 1)]
    [InlineData(nameof(Step.SegmentSwitched), 1)]
    [InlineData(nameof(Step.CheckpointStarted), 2)]
    [InlineData(nameof(Step.CheckpointImages), 2)]
    [InlineData(nameof(Step.CheckpointSynced), 2)]
    [InlineData(nameof(Step.CheckpointIndexed), 2)]
    [InlineData(nameof(Step.CheckpointRetired), 2)]
    [InlineData(nameof(Step.PurgeMoved), 2)]
    [InlineData(nameof(Step.PurgeRemoved), 3)]
    public void A_neighbour_goes_on_when_a_process_is_killed_at(string step, int n)
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using HostProcess neighbour = HostProcess.Open(folder.Store);
        string shared = neighbour.Ask("create", "shared");
        ledger.Share(shared, "shared");
        neighbour.Work(seed: n, count: -1, "own", shared);
        using HostProcess host = HostProcess.Open(folder.Store);
        host.Arm("kill", Enum.Parse<Step>(step), n);
        host.Work(seed: 100 + n, count: -1, "shared", shared);
        host.AwaitKilled();

        neighbour.AwaitOutcomes(neighbour.Said.Count + 50);
        neighbour.Kill();
        ledger.Take(host, neighbour);
        ledger.Check(folder);
    }

    [Theory]
    [InlineData(nameof(Step.CommitLocked))]
    [InlineData(nameof(Step.CommitCaughtUp))]
    [InlineData(nameof(Step.CommitWritten))]
    [InlineData(nameof(Step.CommitSynced))]
    [InlineData(nameof(Step.CommitApplied))]
    [InlineData(nameof(Step.CommitPublished))]
    [InlineData(nameof(Step.SegmentMade))]
    [InlineData(nameof(Step.SegmentSwitched))]
    public void A_stopped_holder_makes_others_busy_and_goes_on_unharmed_from(string step)
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using HostProcess host = HostProcess.Open(folder.Store, quiet: true);
        using HostProcess other = HostProcess.Open(folder.Store, busyMs: 50, quiet: true);
        bool isFirst = step.StartsWith("Segment", StringComparison.Ordinal); // the first commit makes the first segment
        string shared = isFirst ? "" : other.Ask("create", "shared");
        host.Arm("stop", Enum.Parse<Step>(step));
        host.Tell(isFirst ? ["create", "held"] : ["append", shared, "held"]);
        host.AwaitStopped();

        other.Fails(SessionStatus.Busy, "create", "refused");
        if (!isFirst)
        {
            other.Fails(SessionStatus.Busy, "append", shared, "refused");
            other.Fails(SessionStatus.Busy, "title", shared, "refused");
            other.Fails(SessionStatus.Busy, "delete", shared);
            string info = other.Ask("info", shared); // reading needs no lock
            Assert.Contains("\"title\":\"shared\"", info, StringComparison.Ordinal);
        }

        host.Continue();
        Assert.NotNull(host.Outcome().Answer);
        string later = host.Ask("create", "later");
        other.Ask("append", later, "accepted");
        host.Ask("title", later, "seen");
        Assert.Contains("\"title\":\"seen\"", other.Ask("info", later), StringComparison.Ordinal);
        host.End();
        other.End();
        if (!isFirst)
        {
            ledger.Share(shared, "shared");
        }

        ledger.Take(host, other);
        ledger.Check(folder);
    }

    [Theory]
    [InlineData(nameof(Step.CheckpointSynced))]
    [InlineData(nameof(Step.CheckpointIndexed))]
    public void Others_work_on_while_a_process_is_stopped_in_a_checkpoint_at(string step)
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using HostProcess host = HostProcess.Open(folder.Store, quiet: true);
        host.Work(seed: 20, count: 40, "own");
        host.AwaitWork();
        host.Arm("stop", Enum.Parse<Step>(step));
        host.Tell("checkpoint");
        host.AwaitStopped();

        using HostProcess other = HostProcess.Open(folder.Store, quiet: true);
        Assert.Equal("not now", other.Ask("checkpoint"));
        other.Work(seed: 21, count: 120, "shared"); // with more than a segment of large events
        other.AwaitWork();
        host.Continue();
        Assert.NotNull(host.Outcome().Answer);
        Assert.Equal("done", other.Ask("checkpoint"));
        host.Kill();
        other.End();
        ledger.Take(host, other);
        ledger.Check(folder);
    }

    [Fact]
    public void A_process_stopped_in_a_recovery_makes_openers_busy_and_goes_on_unharmed()
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using HostProcess killed = HostProcess.Open(folder.Store, quiet: true);
        killed.Work(seed: 22, count: 40, "own");
        killed.AwaitWork();
        killed.Kill();
        ledger.Take(killed);

        using var host = new HostProcess(folder.Store);
        host.Arm("stop", Step.RecoveryApplied);
        host.Tell("open", "60000");
        host.AwaitStopped();
        using var other = new HostProcess(folder.Store);
        other.Fails(SessionStatus.Busy, "open", "50");
        host.Continue();
        Assert.NotNull(host.Outcome().Answer);
        other.Ask("open", "60000");
        other.Work(seed: 23, count: 20, "own");
        other.AwaitWork();
        other.End();
        host.End();
        ledger.Take(other);
        ledger.Check(folder);
    }
}
