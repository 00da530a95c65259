using Sessions.Events.Pages;
using Sessions.Storage.Log;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Log;

/// <summary>Rewinds in any order, overlapping or not, hide what a walk over all of them says.</summary>
public sealed class HiddenRangesTests
{
    [Fact]
    public void They_say_what_a_walk_over_all_rewinds_says()
    {
        for (int seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            List<Rewind> rewinds = [.. Enumerable.Range(0, random.Next(12)).Select(i =>
            {
                int first = random.Next(1, 60);
                return new Rewind(100 + i, first, first + random.Next(-2, 15));
            })];
            var state = new LogState { Rewinds = rewinds };
            for (int seq = 1; seq < 90; seq++)
            {
                bool isHidden = rewinds.Exists(r => seq >= r.FirstSeq && seq <= r.LastSeq);
                Assert.True(isHidden == state.IsHidden(seq), $"seed {seed}, {seq}");
                Assert.Equal(Until(rewinds, seq), state.HiddenUntil(seq));
                if (!isHidden)
                {
                    Assert.Equal(rewinds.Where(r => r.FirstSeq > seq && r.FirstSeq <= r.LastSeq)
                        .Select(r => r.FirstSeq - 1).DefaultIfEmpty(long.MaxValue).Min(), state.Hidden.LastShown(seq));
                }
            }
        }
    }

    [Fact]
    public void A_state_that_gets_other_rewinds_hides_what_these_hide()
    {
        var state = new LogState { Rewinds = [new Rewind(9, 3, 8)] };
        Assert.True(state.IsHidden(5));
        LogState undone = state with { Rewinds = [] };
        Assert.False(undone.IsHidden(5));
        Assert.True((undone with { Rewinds = [new Rewind(20, 4, 6)] }).IsHidden(5));
        Assert.True((state with { FirstSeq = 2 }).IsHidden(5));
    }

    [Fact]
    public void The_ends_of_the_numbers_overflow_nowhere()
    {
        var state = new LogState
        {
            Rewinds = [new Rewind(1, long.MinValue, -5), new Rewind(2, 7, long.MaxValue), new Rewind(3, 5, 6)],
        };
        Assert.True(state.IsHidden(long.MaxValue));
        Assert.Equal(long.MaxValue, state.HiddenUntil(5));
        Assert.False(state.IsHidden(4));
    }

    // 20,000 rewinds were asked one by one for each event: nine seconds a page.
    [Fact]
    public void Twenty_thousand_rewinds_cost_an_event_no_walk_over_them()
    {
        const int count = 20_000;
        var state = new LogState
        {
            Rewinds = [.. Enumerable.Range(0, count).Select(i => new Rewind((i * 3) + 3, (i * 3) + 2, (i * 3) + 2))],
        };
        int hidden = 0;
        var holes = new List<Hole>();
        var sight = new Sight(new SeqRange(1, count * 3), state, count * 3, ReadFlags.None);
        for (int seq = 1; seq <= count * 3; seq++)
        {
            hidden += state.IsHidden(seq) ? 1 : 0;
            if (!sight.Shows(seq))
            {
                sight.AddHoles(seq, seq, holes);
            }
        }

        Assert.Equal(count, hidden);
        Assert.Equal(count, holes.Count);
        Assert.All(holes, h => Assert.Equal("rewound", h.Reason));
        Assert.Equal(0, Allocations.LeastOf(() =>
        {
            for (int seq = 1; seq <= count * 3; seq++)
            {
                state.IsHidden(seq);
            }
        }));
    }

    private static long Until(List<Rewind> rewinds, long seq)
    {
        long until = 0;
        for (bool grows = true; grows;)
        {
            grows = false;
            foreach (Rewind rewind in rewinds)
            {
                long at = Math.Max(until + 1, seq);
                if (at >= rewind.FirstSeq && at <= rewind.LastSeq)
                {
                    (until, grows) = (rewind.LastSeq, true);
                }
            }
        }

        return until;
    }
}
