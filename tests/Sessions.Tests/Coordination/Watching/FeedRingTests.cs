using Sessions.Coordination.Watching;
using Sessions.Storage.Journal;
using Sessions.Tests.Coordination.Queueing;

namespace Sessions.Tests.Coordination.Watching;

/// <summary>The frames that are kept in memory, against a plain list of them.</summary>
public sealed class FeedRingTests
{
    [Fact]
    public void It_has_all_frames_behind_its_base_and_no_more_than_it_may()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            int countMax = random.Next(1, 100), bytesMax = random.Next(100, 2000);
            var ring = new FeedRing(countMax, bytesMax);
            List<long> all = [];
            long lsn = random.Next(5), dropped = lsn;
            ring.Reset(lsn);
            for (int i = 0; i < 500; i++)
            {
                switch (random.Next(12))
                {
                    case 0:
                        long to = all.Count == 0 ? lsn : all[random.Next(all.Count)];
                        ring.DropTo(to);
                        Assert.True(ring.Base >= to || ring.Count == 0);
                        break;
                    case 1 when i % 100 == 7:
                        ring.Reset(lsn);
                        Assert.Equal((0, 0L, lsn), (ring.Count, ring.Bytes, ring.Base));
                        all.Clear();
                        break;
                    default:
                        lsn += random.Next(10) == 0 ? 1 << 20 : 1; // LSNs jump
                        all.Add(lsn);
                        ring.Add(new Frame { Lsn = lsn, At = 0, Changes = [] }, random.Next(1, 60));
                        break;
                }

                Assert.True(ring.Count <= countMax && (ring.Bytes <= bytesMax || ring.Count == 1));
                Assert.True(ring.Base >= dropped);
                dropped = ring.Base;
                long after = random.Next(3) == 0 ? ring.Base : ring.Base + random.Next(10);
                long last = random.Next(2) == 0 ? long.MaxValue : lsn - random.Next(5);
                int count = random.Next(1, 30);
                var found = new Queue<Frame>();
                ring.CopyTo(found, after, last, count, long.MaxValue);
                Assert.Equal(all.Where(l => l > after && l <= last).Take(count), found.Select(f => f.Lsn));
            }
        }
    }

    [Fact]
    public void The_newest_frame_is_kept_however_large_and_handed_out()
    {
        var ring = new FeedRing(10, 100);
        ring.Reset(0);
        ring.Add(new Frame { Lsn = 1, At = 0, Changes = [] }, 50);
        ring.Add(new Frame { Lsn = 2, At = 0, Changes = [] }, 1000);
        var found = new Queue<Frame>();
        ring.CopyTo(found, ring.Base, long.MaxValue, 5, 1);
        Assert.Equal([2L], found.Select(f => f.Lsn));
        ring.Add(new Frame { Lsn = 3, At = 0, Changes = [] }, 50);
        Assert.Equal((2, 1), (ring.Base, ring.Count));
    }
}
