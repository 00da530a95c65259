using Sessions.Platform;

namespace Sessions.Tests.Processes;

/// <summary>A process that has the store alone is killed at each numbered step: whoever opens next
/// finds all that was acknowledged, nothing torn, and goes on.</summary>
public sealed class KillTests
{
    [Theory]
    [InlineData(nameof(Step.CommitLocked), 9)]
    [InlineData(nameof(Step.CommitCaughtUp), 13)]
    [InlineData(nameof(Step.CommitWritten), 1)]
    [InlineData(nameof(Step.CommitWritten), 21)]
    [InlineData(nameof(Step.CommitSynced), 2)]
    [InlineData(nameof(Step.CommitSynced), 17)]
    [InlineData(nameof(Step.CommitApplied), 11)]
    [InlineData(nameof(Step.CommitPublished), 19)]
    [InlineData(nameof(Step.CommitUnlocked), 23)]
    [InlineData(nameof(Step.SegmentMade), 1)]
    [InlineData(nameof(Step.SegmentMade), 2)]
    [InlineData(nameof(Step.SegmentSwitched), 2)]
    [InlineData(nameof(Step.CheckpointStarted), 2)]
    [InlineData(nameof(Step.CheckpointImages), 2)]
    [InlineData(nameof(Step.CheckpointSynced), 2)]
    [InlineData(nameof(Step.CheckpointIndexed), 2)]
    [InlineData(nameof(Step.CheckpointRetired), 2)]
    [InlineData(nameof(Step.PurgeMoved), 2)]
    [InlineData(nameof(Step.PurgeRemoved), 3)]
    public void What_was_acknowledged_survives_a_kill_at(string step, int n) => KillAt(Enum.Parse<Step>(step), n);

    [Theory]
    [InlineData(nameof(Step.RecoveryStarted), 2)]
    [InlineData(nameof(Step.RecoveryFolded), 2)]
    [InlineData(nameof(Step.RecoveryApplied), 2)]
    [InlineData(nameof(Step.RecoverySynced), 2)]
    [InlineData(nameof(Step.RecoveryIndexed), 2)]
    [InlineData(nameof(Step.RecoverySealed), 1)] // after it the journal is closed, and there is nothing to recover
    public void Recoveries_killed_in_a_row_lose_nothing(string step, int times)
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using (HostProcess host = HostProcess.Open(folder.Store, quiet: true))
        {
            host.Arm("kill", Step.CommitWritten, 40);
            host.Work(seed: step.Length, count: -1, "all");
            host.AwaitKilled();
            ledger.Take(host);
        }

        for (int i = 0; i < times; i++)
        {
            using var host = new HostProcess(folder.Store);
            host.Arm("kill", Enum.Parse<Step>(step));
            host.Tell("open", "60000");
            host.AwaitKilled();
        }

        ledger.Check(folder);
    }

    private static void KillAt(Step step, int n)
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using (HostProcess host = HostProcess.Open(folder.Store, quiet: true))
        {
            host.Arm("kill", step, n);
            host.Work(seed: (100 * (int)step) + n, count: -1, "all");
            host.AwaitKilled();
            ledger.Take(host);
        }

        ledger.Check(folder);
    }
}
