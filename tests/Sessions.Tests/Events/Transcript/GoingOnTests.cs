using Sessions.Events.Pages;
using Sessions.Events.Transcript;
using Sessions.Json;
using Sessions.Storage.Log;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Transcript;

/// <summary>A transcript that goes on from the last one is the one that is made at once.</summary>
public sealed class GoingOnTests
{
    private static readonly TranscriptFormat[] Formats = Enum.GetValues<TranscriptFormat>();

    [Fact]
    public void Going_on_at_any_point_gives_what_one_go_gives()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            RandomTalk log = RandomTalk.Make(random);
            try
            {
                GoOn(log, random);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}", e);
            }
        }
    }

    [Fact]
    public void One_more_event_of_a_hundred_thousand_is_one_event_of_work()
    {
        var output = new Utf8Buffer();
        for (int i = 1; i <= 100_001; i++)
        {
            EventLine.Write(output, i, i % 50 == 1 ? "user_prompt" : "agent_message", i, $"t{i / 50}", null,
                "{\"text\":\"x\"}"u8);
        }

        var disk = new MemoryDisk();
        disk.Poke("log", output.ToArray());
        using LogView log = LogView.OpenFile(disk, "log");
        var warm = new WarmTranscript();
        TranscriptBuilder first = warm.Bring(log, Source(100_000), 100_000);
        Assert.Equal((100_000, 100_000), (first.Events, first.LastSeq));
        TranscriptBuilder second = warm.Bring(log, Source(100_001), 100_001);
        Assert.Same(first, second);
        Assert.Equal((100_001, 100_001), (second.Events, second.LastSeq));
        warm.Bring(log, Source(100_001), 100_001);
        Assert.Equal(100_001, second.Events);
    }

    [Fact]
    public void Whatever_changes_what_was_seen_makes_it_begin_anew()
    {
        RandomTalk made = RandomTalk.Make(new Random(5), count: 40, isWhole: true);
        using LogView log = made.Open();
        LogState rewound = LogState.Plain with { Rewinds = [new Rewind(39, 20, 38)] };
        LogState pruned = LogState.Plain with { FirstSeq = 7 };
        LogState forked = LogState.Plain with { History = [new HistoryPart("session_1", 1, 3, 100)] };
        TranscriptSource plain = Source(40);
        foreach (TranscriptSource other in new[]
        {
            plain with { State = rewound }, plain with { State = pruned }, plain with { State = forked },
            plain with { ShowsHidden = true }, plain with { Range = new SeqRange(2, 40) },
            plain with { Range = new SeqRange(1, 39) },
        })
        {
            var warm = new WarmTranscript();
            TranscriptBuilder before = warm.Bring(log, plain, 40), after = warm.Bring(log, other, 40);
            Assert.NotSame(before, after);
            Assert.Equal(Text(new WarmTranscript().Bring(log, other, 40)), Text(after));
        }

        // The same things said anew, and compactions, which hide nothing, do not.
        var kept = new WarmTranscript();
        TranscriptBuilder one = kept.Bring(log, plain with { State = rewound }, 40);
        LogState same = LogState.Plain with
        {
            Rewinds = [new Rewind(39, 20, 38)],
            Compactions = [new Compaction(40, 3)],
        };
        Assert.Same(one, kept.Bring(log, plain with { State = same }, 40));
    }

    [Fact]
    public void Hidden_events_are_left_out_unless_they_are_asked_for()
    {
        var output = new Utf8Buffer();
        for (int i = 1; i <= 9; i++)
        {
            EventLine.Write(output, i, "user_prompt", i, null, null, Stores.Utf8($"{{\"text\":\"{i}\"}}"));
        }

        var disk = new MemoryDisk();
        disk.Poke("log", output.ToArray());
        using LogView log = LogView.OpenFile(disk, "log");
        LogState state = LogState.Plain with { FirstSeq = 2, Rewinds = [new Rewind(8, 4, 6)] };
        TranscriptSource source = Source(9) with { State = state };
        Assert.Equal([2L, 3, 7, 8, 9], new WarmTranscript().Bring(log, source, 9).Messages.Select(m => m.Seq));
        Assert.Equal([2L, 3, 4, 5, 6, 7, 8, 9], new WarmTranscript()
            .Bring(log, source with { ShowsHidden = true }, 9).Messages.Select(m => m.Seq));
    }

    [Fact]
    public void A_read_that_fails_half_way_leaves_nothing_half_done()
    {
        RandomTalk made = RandomTalk.Make(new Random(3), count: 30, isWhole: true);
        using LogView log = made.Open();
        var warm = new WarmTranscript();
        warm.Bring(log, Source(10), 10);
        LogView closed = made.Open();
        closed.Dispose();
        Assert.ThrowsAny<Exception>(() => warm.Bring(closed, Source(30), 30));
        Assert.Equal(Text(new WarmTranscript().Bring(log, Source(30), 30)), Text(warm.Bring(log, Source(30), 30)));
    }

    [Fact]
    public void Ids_are_unique_and_the_same_in_every_run()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            RandomTalk made = RandomTalk.Make(new Random(seed));
            using LogView log = made.Open();
            TranscriptBuilder builder = new WarmTranscript().Bring(log, Source(made.LastSeq), made.LastSeq);
            long[] ids = [.. builder.Messages.Select(m => m.Seq)];
            Assert.Equal(ids.Length, ids.Distinct().Count());
            long until = made.LastSeq / 2;
            Assert.Equal(ids.Where(id => id <= until),
                new WarmTranscript().Bring(log, Source(until), made.LastSeq).Messages.Select(m => m.Seq));
        }
    }

    private static void GoOn(RandomTalk made, Random random)
    {
        var warm = new WarmTranscript();
        for (long last = 1; last <= made.LastSeq; last += random.Next(1, 20))
        {
            using LogView log = made.Open(last);
            TranscriptBuilder onwards = warm.Bring(log, Source(last), last);
            TranscriptBuilder once = new WarmTranscript().Bring(log, Source(last), last);
            foreach (TranscriptFormat format in Formats)
            {
                long after = random.Next(2) == 0 ? 0 : random.NextInt64(last + 1);
                Assert.Equal(Text(once, format, after), Text(onwards, format, after));
            }
        }
    }

    private static TranscriptSource Source(long last) => new(LogState.Plain, new SeqRange(1, last), false);

    private static string Text(TranscriptBuilder builder, TranscriptFormat format = TranscriptFormat.Messages,
        long after = 0) => Stores.Text(b => TranscriptText.Write(builder, format, "A title", after, b));
}
