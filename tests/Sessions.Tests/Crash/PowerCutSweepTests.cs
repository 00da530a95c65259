using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Crash;

/// <summary>
/// The power goes at every change of a run, and again in the recovery. What then opens is the store
/// as it was after some call, none before the last full commit that was acknowledged: one order, and
/// nothing acknowledged is lost. The disk itself fails the test when the one rule is broken.
/// </summary>
public sealed class PowerCutSweepTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    [InlineData(5, false)]
    public void No_cut_loses_what_was_acknowledged(int seed, bool metadataOrdered)
        => Sweep(seed, calls: 40, new PowerCutOptions { MetadataOrdered = metadataOrdered }, killed: false);

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void No_kill_loses_anything(int seed) => Sweep(seed, calls: 40, new PowerCutOptions(), killed: true);

    [Fact]
    public void Soak()
    {
        double minutes = double.TryParse(Environment.GetEnvironmentVariable("SESSIONS_SOAK_MINUTES"),
            System.Globalization.CultureInfo.InvariantCulture, out double m) ? m : 0;
        Assert.SkipUnless(minutes > 0, "Only with SESSIONS_SOAK_MINUTES.");
        var time = System.Diagnostics.Stopwatch.StartNew();
        for (int seed = 1000; time.Elapsed.TotalMinutes < minutes; seed++)
        {
            Sweep(seed, calls: 60, new PowerCutOptions { MetadataOrdered = seed % 2 == 0 }, killed: seed % 3 == 0);
        }
    }

    private static void Sweep(int seed, int calls, PowerCutOptions options, bool killed)
    {
        var clean = new Workload(seed, calls);
        var whole = new FaultyDisk(seed);
        clean.Play(whole.OpenAs, writesStates: true);
        long changes = whole.Changes;
        Assert.True(changes > calls);
        for (long cut = 1; cut <= changes; cut++)
        {
            string place = $"seed {seed}, cut {cut} of {changes}";
            try
            {
                CutOnce(clean, seed, calls, cut, options, killed);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new InvalidOperationException($"{place}: {e.Message}", e);
            }
        }
    }

    private static void CutOnce(Workload clean, int seed, int calls, long cut, PowerCutOptions options, bool killed)
    {
        var disk = new FaultyDisk(seed) { CutAt = cut };
        var run = new Workload(seed, calls);
        AssertCut(() => run.Play(disk.OpenAs, writesStates: false));
        Assert.Null(disk.Violation);

        int done = run.IsFull.Count; // this call was under way
        int last = killed ? done - 1 : run.IsFull.LastIndexOf(true);
        FaultyDisk left = killed ? disk.AfterKill() : disk.AfterPowerCut((int)cut, options);

        clean.BootId = killed ? 7ul : 8;

        // The recovery is cut too, twice, somewhere.
        var chance = new Random((int)cut);
        for (int i = 0; i < 2; i++)
        {
            left.CutAt = chance.Next(1, 40);
            FaultyDisk recovering = left;
            AssertCut(() => clean.Open(recovering.OpenAs()), orNot: true);
            Assert.Null(left.Violation);

            left = killed ? left.AfterKill() : left.AfterPowerCut(chance.Next(), options);
        }

        SessionStore store = clean.Open(left.OpenAs());
        string state = Workload.WithoutTimes(Workload.Write(store));
        int first = Math.Max(last, 0);
        int found = clean.Reopened.FindIndex(first, Math.Min(done, clean.Reopened.Count - 1) - first + 1,
            s => Workload.WithoutTimes(s) == state);
        Assert.True(found >= 0 || (last < 0 && state.Length < 300), $"not a state from call {last} to {done}: "
            + Difference(Workload.WithoutTimes(clean.Reopened[Math.Min(done, clean.Reopened.Count - 1)]), state));
        store.AssertSound();
        Assert.Null(left.Peek("tmp/store-migrated"));

        // Writing goes on, and no id comes twice.
        using (Session session = store.Create())
        {
            Assert.DoesNotContain(session.Id, run.Ids);
            session.Say("after");
        }

        string after = Workload.Write(store);
        store.Close();
        Assert.Null(left.Violation);
        SessionStore again = clean.Open(left.OpenAs());
        Assert.Equal(after, Workload.Write(again));
        again.AssertSound();
        again.Close();
    }

    // The first line that differs from the state that was to come.
    private static string Difference(string expected, string actual)
    {
        string[] left = expected.Split('\n'), right = actual.Split('\n');
        int line = left.Zip(right).TakeWhile(p => p.First == p.Second).Count();
        return $"line {line}: {left.ElementAtOrDefault(line)?[..Math.Min(600, left[line].Length)]}\ninstead of\n"
            + $"{right.ElementAtOrDefault(line)?[..Math.Min(600, right[line].Length)]}";
    }

    private static void AssertCut(Action action, bool orNot = false)
    {
        try
        {
            action();
            Assert.True(orNot, "The power did not go.");
        }
        catch (Exception e) when (e is not Xunit.Sdk.TrueException)
        {
            for (Exception? cause = e; cause is not PowerCutException; cause = cause.InnerException)
            {
                Assert.True(cause is not null, e.ToString());
            }
        }
    }
}
