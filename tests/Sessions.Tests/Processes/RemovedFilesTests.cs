namespace Sessions.Tests.Processes;

/// <summary>Somebody clears away what the store can do without, while it is open or after it was closed.</summary>
public sealed class RemovedFilesTests
{
    [Fact]
    public void Removed_locks_lose_nothing_and_part_nobody()
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using HostProcess first = HostProcess.Open(folder.Store);
        string shared = first.Ask("create", "shared");
        ledger.Share(shared, "shared");
        first.Ask("append", shared, "before");

        Directory.Delete(folder.At("locks"), recursive: true);
        using HostProcess second = HostProcess.Open(folder.Store);
        Assert.Contains("before", second.Ask("last", shared), StringComparison.Ordinal);
        first.Ask("append", shared, "by the first");
        Assert.Contains("by the first", second.Ask("last", shared), StringComparison.Ordinal);
        second.Ask("append", shared, "by the second");
        Assert.Contains("by the second", first.Ask("last", shared), StringComparison.Ordinal);

        Directory.Delete(folder.At("locks"), recursive: true); // now under both
        second.Ask("append", shared, "by the second again");
        Assert.Contains("by the second again", first.Ask("last", shared), StringComparison.Ordinal);
        string own = first.Ask("create", "own");
        first.Ask("title", own, "mine");
        Assert.Contains("mine", second.Ask("info", own), StringComparison.Ordinal);
        second.Kill();
        first.Ask("append", shared, "after the kill");
        first.End();
        ledger.Take(first, second);
        ledger.Check(folder);
    }

    [Fact]
    public void A_process_that_only_reads_sees_what_is_written_after_the_locks_are_removed()
    {
        using var folder = new StoreFolder();
        using HostProcess reader = HostProcess.Open(folder.Store);
        string id = reader.Ask("create", "before");
        Directory.Delete(folder.At("locks"), recursive: true);
        using HostProcess writer = HostProcess.Open(folder.Store);
        writer.Ask("title", id, "after");

        // Looked for now and then only, so that reading stays two loads.
        Assert.True(SpinWait.SpinUntil(
            () => reader.Ask("info", id).Contains("\"after\"", StringComparison.Ordinal), HostProcess.Guard));
        writer.Ask("abort", id, "enough");
        Assert.Equal("aborted", reader.Ask("wait", id, "100000"));
    }

    [Fact]
    public void Processes_at_work_survive_the_removal_of_the_locks()
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using HostProcess first = HostProcess.Open(folder.Store);
        string shared = first.Ask("create", "shared");
        ledger.Share(shared, "shared");
        using HostProcess second = HostProcess.Open(folder.Store);
        first.Work(seed: 1, count: -1, "shared", shared);
        second.Work(seed: 2, count: -1, "shared", shared);
        for (int i = 0; i < 5; i++)
        {
            first.AwaitOutcomes(20);
            Remove(folder.At("locks"));
            second.AwaitOutcomes(20);
        }

        using HostProcess third = HostProcess.Open(folder.Store);
        third.Work(seed: 3, count: 50, "shared", shared);
        third.AwaitWork();
        third.End();
        first.Kill();
        second.Kill();
        ledger.Take(first, second, third);
        ledger.Check(folder);
    }

    [Theory]
    [InlineData("journal", false)]
    [InlineData("index.jsonl", false)]
    [InlineData("index.jsonl", true)]
    [InlineData("locks", false)]
    [InlineData("tmp", false)]
    public void After_a_close_nothing_is_lost_with(string path, bool killed)
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using HostProcess host = HostProcess.Open(folder.Store);
        host.Work(seed: 5, count: 120, "all");
        host.AwaitWork();
        if (killed)
        {
            host.Kill();
        }
        else
        {
            host.End();
        }

        Remove(folder.At(path));
        ledger.Take(host);
        ledger.Check(folder);
    }

    [Theory]
    [InlineData("index.jsonl")]
    [InlineData("tmp")]
    public void Nothing_is_lost_when_a_running_store_loses(string path)
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using HostProcess host = HostProcess.Open(folder.Store);
        host.Work(seed: 6, count: 60, "all");
        host.AwaitWork();
        host.Ask("checkpoint");
        Remove(folder.At(path));
        host.Work(seed: 7, count: 60, "own");
        host.AwaitWork();
        host.Ask("list");
        using HostProcess other = HostProcess.Open(folder.Store); // has to do without it
        Assert.Contains("\"ok\":true", other.Ask("verify"), StringComparison.Ordinal);
        other.End();
        host.End();
        ledger.Take(host);
        ledger.Check(folder);
    }

    private static void Remove(string path)
    {
        if (Directory.Exists(path))
        {
            // In one step: whoever is at work makes new files in a folder while it is being emptied.
            string gone = $"{path}-{Guid.NewGuid():N}";
            Directory.Move(path, gone);
            Directory.Delete(gone, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }
}
