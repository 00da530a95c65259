using System.Globalization;
using Sessions.Platform;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>Several processes work on one store at once, and die as it happens.</summary>
public sealed class SharedWorkTests
{
    private const int Hosts = 4;

    [Fact]
    public void Four_processes_that_append_to_one_session_get_dense_numbers()
    {
        const int each = 100;
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        HostProcess[] hosts = Open(folder);
        try
        {
            string shared = hosts[0].Ask("create", "shared");
            ledger.Share(shared, "shared");
            for (int i = 0; i < each; i++)
            {
                for (int host = 0; host < Hosts; host++)
                {
                    hosts[host].Tell("append", shared, string.Create(CultureInfo.InvariantCulture, $"{host}-{i}"));
                }
            }

            foreach (HostProcess host in hosts)
            {
                host.AwaitOutcomes(each);
                host.End();
            }

            ledger.Take(hosts);
            using SessionStore store = folder.Open();
            Assert.Equal(Hosts * each, store.OpenSession(shared).GetStat().LastSeq);
        }
        finally
        {
            Array.ForEach(hosts, h => h.Dispose());
        }

        ledger.Check(folder);
    }

    [Fact]
    public void Processes_killed_at_random_lose_nothing_they_were_told_is_saved()
    {
        bool isSoak = int.TryParse(Environment.GetEnvironmentVariable("SESSIONS_SOAK_MINUTES"), out int minutes);
        DateTime end = DateTime.UtcNow.AddMinutes(minutes);
        int seed = isSoak ? Environment.TickCount & 0xFFFF : 4711;
        for (int round = 0; isSoak ? DateTime.UtcNow < end : round < 4; round++)
        {
            KillAtRandom(seed + round);
        }
    }

    [Theory]
    [InlineData(true)]  // somebody opens while the others have it open
    [InlineData(false)] // everybody goes first
    public void A_sync_that_fails_in_one_of_four_stops_all_until_a_recovery(bool isBesideOthers)
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        HostProcess[] hosts = Open(folder);
        try
        {
            string shared = hosts[0].Ask("create", "shared");
            ledger.Share(shared, "shared");
            for (int i = 0; i < Hosts; i++)
            {
                hosts[i].Work(seed: 50 + i, count: 30, "own", shared);
            }

            Array.ForEach(hosts, h => h.AwaitWork());
            hosts[3].Ask("relaxed", shared, "not on the disk");
            hosts[2].Ask("fail-sync");

            // Poisoned where the thread that makes relaxed commits durable came first.
            hosts[2].Fails([SessionStatus.Io, SessionStatus.Poisoned], "append", shared, "neither written nor told");
            foreach (HostProcess host in hosts)
            {
                host.Fails(SessionStatus.Poisoned, "title", shared, "refused");
                Assert.Contains("not on the disk", host.Ask("last", shared), StringComparison.Ordinal);
            }

            if (isBesideOthers)
            {
                using HostProcess fifth = HostProcess.Open(folder.Store);
                for (int i = 0; i < Hosts; i++)
                {
                    hosts[i].Ask("append", shared, string.Create(CultureInfo.InvariantCulture, $"after {i}"));
                    hosts[i].Work(seed: 60 + i, count: 30, "own", shared);
                }

                Array.ForEach(hosts, h => h.AwaitWork());
                fifth.End();
            }

            Array.ForEach(hosts, h => h.End());
            ledger.Take(hosts);
        }
        finally
        {
            Array.ForEach(hosts, h => h.Dispose());
        }

        ledger.Check(folder);
    }

    // Where a process is killed follows from how many outcomes it is let say, which is drawn.
    private static void KillAtRandom(int seed)
    {
        var random = new Random(seed);
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        string shared;
        using (HostProcess first = HostProcess.Open(folder.Store))
        {
            shared = first.Ask("create", "shared");
            ledger.Share(shared, "shared");
            first.End();
        }

        for (int turn = 0; turn < 2; turn++)
        {
            HostProcess[] hosts = Open(folder);
            try
            {
                for (int i = 0; i < Hosts; i++)
                {
                    hosts[i].Work(seed: (seed * 100) + (turn * 10) + i, count: -1, "shared", shared);
                }

                foreach (HostProcess host in hosts)
                {
                    host.AwaitOutcomes(1 + random.Next(60));
                    if (random.Next(4) == 0)
                    {
                        File.Delete(folder.At("locks/shared"));
                    }

                    host.Kill();
                }

                ledger.Take(hosts);
                KillAtOpen(folder, random);
                using SessionStore store = folder.Open();
                ledger.Check(store);
                store.AssertSound();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}, turn {turn}: {e.Message}", e);
            }
            finally
            {
                Array.ForEach(hosts, h => h.Dispose());
            }
        }

        ledger.Check(folder);
    }

    // Twice in a row; an open may have nothing left to recover and so not come by.
    private static void KillAtOpen(StoreFolder folder, Random random)
    {
        for (int i = 0; i < 2; i++)
        {
            using var host = new HostProcess(folder.Store);
            host.Arm("kill", Step.RecoveryStarted + random.Next(Step.RecoverySealed - Step.RecoveryStarted + 1));
            host.Tell("open", "60000");
            host.AwaitOutcomeOrEnd();
        }
    }

    private static HostProcess[] Open(StoreFolder folder)
    {
        HostProcess[] hosts = [.. Enumerable.Range(0, Hosts).Select(_ => new HostProcess(folder.Store))];
        Array.ForEach(hosts, h => h.Tell("open", "60000")); // all at once
        Array.ForEach(hosts, h => Assert.NotNull(h.Outcome().Answer));
        return hosts;
    }
}
