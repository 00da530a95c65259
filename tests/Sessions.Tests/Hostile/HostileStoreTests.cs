using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Sessions.Tests.Coordination.Queueing;

namespace Sessions.Tests.Hostile;

/// <summary>
/// A store from a stranger harms nobody: hostile things in place of names, hostile values in place of those in
/// files, in frames, in headers and in the page. Some of all cases in each run, drawn by the seed; all that the time
/// allows in a soak. SESSIONS_HOSTILE_CASE runs those whose name has that text in it, SESSIONS_HOSTILE_SEED draws
/// others.
/// </summary>
public sealed class HostileStoreTests(HostileFolder folder) : IClassFixture<HostileFolder>
{
    private static readonly string? s_wanted = Environment.GetEnvironmentVariable("SESSIONS_HOSTILE_CASE");
    private static readonly double s_minutes = Number("SESSIONS_SOAK_MINUTES", 0);
    private static readonly int s_seed = (int)Number("SESSIONS_HOSTILE_SEED",
        s_minutes > 0 ? Environment.TickCount & 0xFFFF : 1130);

    [Fact]
    public void A_store_as_it_was_made_can_be_used_in_every_way()
    {
        foreach (HostileSeed seed in folder.Seeds)
        {
            Assert.Empty(new CaseRunner(folder).Run(new HostileCase(seed, "nothing", "as it is",
                new HashSet<string>(), _ => { })));
        }
    }

    [Fact]
    public void A_hostile_thing_in_place_of_a_name_harms_nobody()
        => Draw(28, folder.Seeds.SelectMany(PlaceCases.Of));

    [Fact]
    public void A_hostile_value_in_a_file_harms_nobody()
        => Draw(16, folder.Seeds.SelectMany(ValueCases.Of));

    [Fact]
    public void A_hostile_value_in_a_frame_harms_nobody()
        => Draw(16, folder.Seeds.SelectMany(JournalCases.OfFrames));

    [Fact]
    public void A_hostile_number_in_a_header_or_in_the_page_harms_nobody()
        => Draw(10, folder.Seeds.SelectMany(JournalCases.OfNumbers));

    private static double Number(string variable, double otherwise)
        => double.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture,
            out double number) ? number : otherwise;

    private void Draw(int count, IEnumerable<HostileCase> cases)
    {
        var random = new Random(s_seed);
        List<HostileCase> all =
            [.. cases.Where(c => s_wanted is null || c.Name.Contains(s_wanted, StringComparison.Ordinal))];
        HostileCase[] drawn = [.. all];
        random.Shuffle(drawn);
        if (s_wanted is null)
        {
            drawn = [.. drawn.Where(KnownCases.Has), .. EachOnce(drawn.Where(c => !KnownCases.Has(c)))];
            count += all.Count(KnownCases.Has);
        }

        long end = Stopwatch.GetTimestamp() + (long)(s_minutes * 60 * Stopwatch.Frequency / 4); // of the four kinds
        var runner = new CaseRunner(folder);
        var failures = new ConcurrentBag<string>();
        Parallel.ForEach(drawn.Select((c, i) => (Case: c, Number: i)).TakeWhile(d => s_wanted is not null
                || d.Number < count || Stopwatch.GetTimestamp() < end),
            new ParallelOptions { MaxDegreeOfParallelism = 2 }, draw =>
        {
            List<string> wrong = runner.Run(draw.Case);
            if (wrong.Count != 0)
            {
                failures.Add($"{draw.Case.Name}\n    {string.Join("\n    ", wrong.Take(s_wanted is null ? 8 : 99))}");
            }
        });
        Assert.True(failures.IsEmpty, $"Seed {s_seed}: {failures.Count} of {drawn.Length} cases failed:\n"
            + string.Join('\n', failures.Order(StringComparer.Ordinal)));
    }

    // First those that bring a thing or a place which has not been yet.
    private static IEnumerable<HostileCase> EachOnce(IEnumerable<HostileCase> cases)
    {
        HashSet<string> seen = [];
        List<HostileCase> later = [];
        foreach (HostileCase one in cases)
        {
            if (seen.Add($"thing {one.Thing}") | seen.Add($"place {one.Seed.Name} {one.Place}"))
            {
                yield return one;
            }
            else
            {
                later.Add(one);
            }
        }

        foreach (HostileCase one in later)
        {
            yield return one;
        }
    }
}
