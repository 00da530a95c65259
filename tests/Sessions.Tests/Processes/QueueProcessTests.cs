using System.Text.Json;
using Sessions.Platform;
using Sessions.Tests.Coordination.Locks;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>A queue between real processes: adds that race, a claimer that is killed or stopped, and those who go
/// on.</summary>
public sealed class QueueProcessTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    public void Of_a_hundred_adds_at_once_by_processes_as_many_succeed_as_there_is_room_for(int max)
    {
        using var folder = new StoreFolder();
        string id;
        using (SessionStore store = folder.Open())
        {
            store.Configure(null, Stores.Utf8($$$"""{"queue":{"max_size":{{{max}}}}}"""));
            id = store.Create().Id;
        }

        HostProcess[] hosts = [.. Enumerable.Range(0, 4).Select(_ => HostProcess.Open(folder.Store))];
        for (int i = 0; i < hosts.Length; i++)
        {
            hosts[i].Tell("adds", id, "25", $"p{i}");
        }

        int added = 0, refused = 0;
        foreach (HostProcess host in hosts)
        {
            string[] counts = host.Outcome().Answer!.Split(' ');
            added += int.Parse(counts[0], System.Globalization.CultureInfo.InvariantCulture);
            refused += int.Parse(counts[1], System.Globalization.CultureInfo.InvariantCulture);
            host.End();
            host.Dispose();
        }

        Assert.Equal((max, 100 - max), (added, refused));
        AssertQueue(folder, id, max);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    public void Of_a_hundred_adds_at_once_by_handles_too(int max)
    {
        using var folder = new StoreFolder();
        string id;
        SessionStore[] stores = [folder.Open(), folder.Open()];
        stores[0].Configure(null, Stores.Utf8($$$"""{"queue":{"max_size":{{{max}}}}}"""));
        id = stores[0].Create().Id;
        int added = 0;
        var refused = new List<SessionStatus>();
        using var start = new Barrier(100);
        Thread[] threads = [.. Enumerable.Range(0, 100).Select(i => new Thread(() =>
        {
            using Session session = stores[i % 2].OpenSession(id);
            start.SignalAndWait();
            try
            {
                session.Add($$"""{"message":"{{i}}"}""");
                Interlocked.Increment(ref added);
            }
            catch (SessionException e)
            {
                lock (refused)
                {
                    refused.Add(e.Status);
                }
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Assert.Equal((max, 100 - max), (added, refused.Count(s => s == SessionStatus.QueueFull)));
        Assert.Equal(100 - max, refused.Count);
        Array.ForEach(stores, s => s.Close());
        AssertQueue(folder, id, max);
    }

    [Fact]
    public void Each_entry_goes_to_one_of_those_who_claim_at_once()
    {
        using var folder = new StoreFolder();
        string id;
        const int Count = 40;
        using (SessionStore store = folder.Open())
        {
            store.Configure(null, """{"queue":{"max_size":100}}"""u8);
            using Session session = store.Create();
            id = session.Id;
            for (int i = 0; i < Count; i++)
            {
                session.Add($$"""{"message":"{{i}}"}""");
            }
        }

        HostProcess[] hosts = [.. Enumerable.Range(0, 3).Select(_ => HostProcess.Open(folder.Store))];
        foreach (HostProcess host in hosts)
        {
            for (int i = 0; i < Count / hosts.Length; i++)
            {
                host.Tell("claim", id);
            }
        }

        var claimed = new List<(HostProcess Host, string Entry)>();
        foreach (HostProcess host in hosts)
        {
            for (int i = 0; i < Count / hosts.Length; i++)
            {
                claimed.Add((host, host.Outcome().Answer!));
            }
        }

        Assert.Equal(claimed.Count, claimed.Select(c => c.Entry).Distinct().Count());
        var numbers = new HashSet<string>();
        foreach ((HostProcess host, string entry) in claimed)
        {
            HostProcess other = hosts.First(h => h != host);
            other.Fails(SessionStatus.Conflict, "settle", id, entry, "Sent");
            Assert.True(numbers.Add(host.Ask("settle", id, entry, "Sent")));
        }

        foreach (HostProcess host in hosts)
        {
            host.End();
            host.Dispose();
        }

        using SessionStore again = folder.Open();
        Assert.Equal(claimed.Count, again.OpenSession(id).GetStat().LastSeq);
        again.AssertSound();
    }

    [Fact]
    public void A_killed_claimers_entry_is_interrupted_at_once_and_a_stopped_ones_is_not()
    {
        using var folder = new StoreFolder();
        using HostProcess claimer = HostProcess.Open(folder.Store), other = HostProcess.Open(folder.Store);
        string id = claimer.Ask("create", "shared"), entry = claimer.Ask("queue", id, "one");
        Assert.Equal(entry, claimer.Ask("claim", id));
        claimer.Stop();
        Assert.Equal(["claimed"], States(other, id));
        other.Fails(SessionStatus.Conflict, "settle", id, entry, "Sent");
        other.Fails(SessionStatus.NotFound, "claim", id);
        claimer.Continue();
        claimer.Kill();
        Assert.Equal(["interrupted"], States(other, id));
        other.Fails(SessionStatus.NotFound, "claim", id); // for the host to decide
        Assert.Equal("0", other.Ask("settle", id, entry, "Release"));
        Assert.Equal(entry, other.Ask("claim", id));
        Assert.Equal("1", other.Ask("settle", id, entry, "Sent"));
        Assert.Equal("1", other.Ask("settle", id, entry, "Sent"));
        Assert.Equal(["sent"], States(other, id));
        other.End();
    }

    [Theory]
    [InlineData(nameof(Step.CommitLocked))]
    [InlineData(nameof(Step.CommitCaughtUp))]
    [InlineData(nameof(Step.CommitWritten))]
    [InlineData(nameof(Step.CommitSynced))]
    [InlineData(nameof(Step.CommitApplied))]
    [InlineData(nameof(Step.CommitPublished))]
    [InlineData(nameof(Step.CommitUnlocked))]
    public void A_settle_that_is_killed_at_any_step_is_whole_or_absent_and_sends_once(string step)
    {
        foreach (bool isAlone in (bool[])[true, false])
        {
            using var folder = new StoreFolder();
            string id, entry;
            HostProcess? neighbour = null;
            using (HostProcess host = HostProcess.Open(folder.Store, quiet: true))
            {
                id = host.Ask("create", "own");
                entry = host.Ask("queue", id, "one");
                host.Ask("suggest", id, """[{"label":"a"}]""");
                host.Ask("claim", id);
                neighbour = isAlone ? null : HostProcess.Open(folder.Store);
                host.Arm("kill", Enum.Parse<Step>(step));
                host.Tell("settle", id, entry, "Sent");
                host.AwaitKilled();
            }

            using HostProcess next = neighbour ?? HostProcess.Open(folder.Store);
            next.Ask("append", id, "first"); // takes over what the dead one left
            string state = Assert.Single(States(next, id));
            Assert.Contains(state, (string[])["interrupted", "sent"]);
            string seq = next.Ask("settle", id, entry, "Sent");
            Assert.Equal(state == "sent" ? "1" : "2", seq);
            Assert.Equal(seq, next.Ask("settle", id, entry, "Sent"));
            Assert.Equal("""{"for_seq":null,"buttons":[]}""", next.Ask("buttons", id));
            next.End();
            using SessionStore store = folder.Open();
            using Session session = store.OpenSession(id);
            Assert.Single(session.Events().GetProperty("events").EnumerateArray(),
                e => e.TryGetProperty("id", out JsonElement of) && of.GetString() == entry);
            Assert.Equal(2, session.GetStat().LastSeq);
            store.AssertSound();
        }
    }

    [Theory]
    [InlineData(nameof(Step.CommitWritten))]
    [InlineData(nameof(Step.CommitApplied))]
    [InlineData(nameof(Step.CommitUnlocked))]
    public void A_claim_that_is_killed_at_any_step_leaves_the_entry_to_others(string step)
    {
        using var folder = new StoreFolder();
        string id, entry;
        using (HostProcess host = HostProcess.Open(folder.Store, quiet: true))
        {
            id = host.Ask("create", "own");
            entry = host.Ask("queue", id, "one");
            host.Arm("kill", Enum.Parse<Step>(step));
            host.Tell("claim", id);
            host.AwaitKilled();
        }

        using HostProcess next = HostProcess.Open(folder.Store);
        Assert.Contains(Assert.Single(States(next, id)), (string[])["interrupted", "queued"]);
        next.Ask("settle", id, entry, "Release");
        Assert.Equal(entry, next.Ask("claim", id));
        Assert.Equal("1", next.Ask("settle", id, entry, "Sent"));
        next.End();
    }

    private static void AssertQueue(StoreFolder folder, string id, int count)
    {
        using SessionStore store = folder.Open();
        using Session session = store.OpenSession(id);
        List<JsonElement> entries = [.. session.Queue().GetProperty("entries").EnumerateArray()];
        Assert.Equal(count, entries.Select(e => e.Id()).Distinct().Count());
        Assert.Equal(count, entries.Select(e => e.Message()).Distinct().Count());
        Assert.Equal(Enumerable.Range(0, count), entries.Select(e => e.GetProperty("position").GetInt32()));
        store.AssertSound();
    }

    private static List<string> States(HostProcess host, string id)
        => [.. JsonDocument.Parse(host.Ask("queued", id)).RootElement.GetProperty("entries").EnumerateArray()
            .Select(e => e.State())];
}
