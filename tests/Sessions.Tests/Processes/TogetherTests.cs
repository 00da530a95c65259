using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Sessions.Storage.Files;

namespace Sessions.Tests.Processes;

/// <summary>Four writers at random work on sessions that they share and on their own, while one after another is
/// killed, or stopped and let go on: in the end the store is held against all that they were told.</summary>
public sealed class TogetherTests
{
    private const int Hosts = 4;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    public void Four_writers_that_are_killed_and_stopped_lose_nothing_they_were_told_is_done()
    {
        bool isSoak = int.TryParse(Environment.GetEnvironmentVariable("SESSIONS_SOAK_MINUTES"), out int minutes);
        int seed = isSoak ? Environment.TickCount & 0xFFFF : 1121;
        long end = Stopwatch.GetTimestamp() + (minutes * 60 * Stopwatch.Frequency);
        do
        {
            try
            {
                Work(new Random(seed));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }

            seed++;
        }
        while (Stopwatch.GetTimestamp() < end);
    }

    // As any other program reads them, at any moment: whole, and never older than before.
    private static void CheckFiles(StoreFolder folder, string[] shared, long[] revisions)
    {
        for (int i = 0; i < shared.Length; i++)
        {
            string text = File.ReadAllText(folder.At(Layout.LiveFolder(shared[i]) + "/" + Layout.SessionFile));
            long revision = JsonDocument.Parse(text).RootElement.GetProperty("revision").GetInt64();
            Assert.True(revision >= revisions[i], $"{shared[i]} went back from {revisions[i]} to {revision}.");
            revisions[i] = revision;
        }
    }

    private static void Work(Random random)
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        List<HostProcess> all = [];
        try
        {
            string[] shared = new string[3];
            long[] revisions = new long[shared.Length];
            HostProcess first = HostProcess.Open(folder.Store);
            all.Add(first);
            for (int i = 0; i < shared.Length; i++)
            {
                string title = $"shared {i}";
                ledger.Share(shared[i] = first.Ask("create", title), title);
            }

            first.End();
            int[] patience = new int[Hosts];
            HostProcess[] hosts = [.. Enumerable.Range(0, Hosts).Select(Start)];
            for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Long;)
            {
                CheckFiles(folder, shared, revisions);
                int one = random.Next(Hosts);
                hosts[one].AwaitOutcomes(1 + random.Next(40));
                switch (random.Next(5))
                {
                    case 0:
                        hosts[one].Kill();
                        hosts[one] = Start(one);
                        break;
                    case 1:
                        // The others go on, or wait for it, or, those with little patience, find it busy.
                        int other = Array.FindIndex(patience, p => p < 1000);
                        if (other >= 0 && other != one)
                        {
                            hosts[one].Stop();
                            hosts[other].AwaitOutcomes(1 + random.Next(20));
                            hosts[one].Continue();
                        }

                        break;
                    case 2 when random.Next(4) == 0:
                        File.Delete(folder.At("locks/shared"));
                        break;
                }
            }

            Array.ForEach(hosts, h => h.Kill());
            ledger.Take([.. all]);
            ledger.Check(folder);

            // Some have little patience, so that they meet neighbours that are stopped inside a commit.
            HostProcess Start(int i)
            {
                patience[i] = random.Next(2) == 0 ? 60_000 : 30;
                var host = new HostProcess(folder.Store);
                all.Add(host);
                Spoken opening;
                do
                {
                    host.Tell("open", patience[i].ToString(CultureInfo.InvariantCulture));
                    opening = host.Outcome();
                    Assert.True(opening.Failure is null or nameof(SessionStatus.Busy), opening.Message);
                }
                while (opening.Answer is null);

                host.Work(seed: random.Next(), count: -1, "together", shared);
                return host;
            }
        }
        finally
        {
            all.ForEach(h => h.Dispose());
        }
    }
}
