using System.Buffers;
using System.Text.Json;
using Sessions.Events.Cursors;
using Sessions.Events.Pages;
using Sessions.Storage.Log;
using Sessions.Tests.Disks;
using Sessions.Tests.Storage.Log;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Cursors;

/// <summary>Pages of cursors on logs of every kind, against a reader too plain to be wrong.</summary>
public sealed class CursorPageTests
{
    [Fact]
    public void Forwards_every_event_comes_once_and_every_hole_is_named() => Sweep((log, random) =>
    {
        (Sight sight, EventCursorOptions options, var expected) = Draw(log, random);
        uint limit = (uint)random.Next(3) * 7;
        long bytes = random.Next(2) == 0 ? 5000 : Limits.PageBytes, scan = random.Next(2) == 0 ? 8000 : long.MaxValue;
        var stand = new CursorStand(0, null, 0, false, true);
        int shown = 0;
        for (int pages = 0; stand.HasMore; pages++)
        {
            Assert.True(pages <= log.Events.Count + 2, "it does not come to an end");
            CursorStand before = stand;
            JsonElement page = log.Page(sight, options, limit, bytes, scan,
                p => stand = p.WriteAfter(before.Position, before.Place, before.ShownAt));
            int count = AssertEvents(page, expected, shown, sight, limit, bytes, before.ShownAt);
            Assert.True(count > 0 || stand.Position > before.Position || !stand.HasMore, "it does not move");
            AssertHoles(log, page, sight, Math.Max(before.Position + 1, sight.From), stand.Position);
            Assert.Equal(stand.Position, Math.Max(page.GetProperty("next_after_seq").GetInt64(), before.Position));
            Assert.Equal(stand.HasMore, page.GetProperty("has_more").GetBoolean());
            shown += count;
        }

        Assert.Equal(expected.Count, shown);
        Assert.True(stand.Position >= sight.End);
    });

    [Fact]
    public void Backwards_every_event_comes_once_and_every_hole_is_named() => Sweep((log, random) =>
    {
        (Sight sight, EventCursorOptions options, var expected) = Draw(log, random);
        uint limit = (uint)random.Next(3) * 7;
        long bytes = random.Next(2) == 0 ? 5000 : Limits.PageBytes, scan = random.Next(2) == 0 ? 8000 : long.MaxValue;
        var stand = new CursorStand(random.Next(2) == 0 ? log.LastSeq : log.LastSeq + 100, null, 0, false, true);
        int left = expected.Count;
        for (int pages = 0; stand.HasMore; pages++)
        {
            Assert.True(pages <= log.Events.Count + 2, "it does not come to an end");
            CursorStand before = stand;
            JsonElement page = log.Page(sight, options, limit, bytes, scan,
                p => stand = p.WriteBefore(before.Position, before.Place));
            left -= page.GetProperty("events").GetArrayLength();
            AssertEvents(page, expected, left, sight, limit, bytes);
            Assert.True(stand.Position < before.Position || !stand.HasMore, "it does not move");
            long end = Math.Min(before.Position, sight.End);
            AssertHoles(log, page, sight, stand.HasMore ? stand.Position + 1 : sight.From,
                Math.Max(end, sight.Range.First - 1));
            Assert.Equal(stand.HasMore, page.GetProperty("has_more").GetBoolean());
        }

        Assert.Equal(0, left);
    });

    [Fact]
    public void From_any_place_next_and_previous_are_each_others_way_back() => Sweep((log, random) =>
    {
        (Sight sight, EventCursorOptions options, var expected) = Draw(log, random);
        var stand = new CursorStand(random.NextInt64(log.LastSeq + 2), null, 0, false, true);
        for (int i = 0; i < 12; i++)
        {
            uint limit = (uint)random.Next(1, 9);
            CursorStand before = stand;
            bool isForwards = random.Next(2) == 0;
            if (random.Next(5) == 0)
            {
                stand = before = new CursorStand(random.NextInt64(log.LastSeq + 2), null, 0, false, true);
            }

            JsonElement page = log.Page(sight, options, limit, Limits.PageBytes, long.MaxValue, p => stand = isForwards
                ? p.WriteAfter(before.Position, before.Place, 0) : p.WriteBefore(before.Position, before.Place));
            IEnumerable<long> wanted = expected.Select(e => e.Seq);
            wanted = isForwards ? wanted.Where(s => s > before.Position).Take((int)limit)
                : wanted.Where(s => s <= before.Position).TakeLast((int)limit);
            Assert.Equal((before.Position, isForwards, string.Join(' ', wanted)), (before.Position, isForwards,
                string.Join(' ', page.GetProperty("events").EnumerateArray()
                    .Select(e => e.GetProperty("seq").GetInt64()))));
        }
    });

    [Fact]
    public void A_time_leads_before_the_first_event_of_that_time_in_the_order_of_numbers() => Sweep((log, random) =>
    {
        (Sight sight, _, _) = Draw(log, random);
        var seen = log.Visible(sight, new EventCursorOptions());
        using LogView view = log.Open();
        for (int i = 0; i < 5; i++)
        {
            long at = random.Next(500, 9000);
            (long found, CursorPlace? place) = TimeSearch.Before(view, sight, at, new LineBuffer());
            var first = seen.Find(e => JsonDocument.Parse(e.Text).RootElement.GetProperty("timestamp") is
                { ValueKind: JsonValueKind.Number } time && time.GetInt64() >= at);
            Assert.Equal(first.Text is null ? Math.Max(sight.End, 0) : first.Seq - 1, found);
            Assert.True(place is null || place.Holds(view, found));
        }
    });

    [Fact]
    public void Turns_hold_every_event_once_grouped_as_they_first_appear() => Sweep((log, random) =>
    {
        Sight sight = log.See(random) with { Flags = ReadFlags.None };
        List<long> expected = [.. log.Visible(sight, new EventCursorOptions()).Select(e => e.Seq)];
        var shown = new List<long>();
        uint limit = (uint)random.Next(4);
        using LogView view = log.Open();
        long after = 0;
        bool hasMore = true;
        for (int pages = 0; hasMore; pages++)
        {
            Assert.True(pages <= expected.Count + 1, "it does not come to an end");
            JsonElement page = Stores.Json(b => b.Write(new TurnPage(view, sight).Write(after, limit).Written));
            List<long> inPage = AssertTurns(page, limit);
            Assert.Equal(inPage.Order(), expected.Where(s => s > after).Take(inPage.Count));
            long next = page.GetProperty("next_after_seq").GetInt64();
            hasMore = page.GetProperty("has_more").GetBoolean();
            AssertHoles(log, page, sight, after + 1, Math.Max(next, sight.Range.First - 1));
            Assert.True(inPage.Count > 0 || !hasMore);
            shown.AddRange(inPage.Order());
            after = next;
        }

        Assert.Equal(expected, shown);
    });

    [Fact]
    public void A_place_that_the_log_has_outgrown_is_not_used()
    {
        var random = new Random(5);
        var log = new RandomLog(random);
        using LogView view = log.Open();
        CursorStand stand = default;
        var sight = new Sight(new SeqRange(1, log.LastSeq), LogState.Plain, log.LastSeq, ReadFlags.None);
        log.Page(sight, new EventCursorOptions(), 5, 1 << 20, long.MaxValue, p => stand = p.WriteAfter(0, null, 0));
        Assert.True(stand.Place!.Holds(view, stand.Position));
        Assert.False(stand.Place.Holds(view, stand.Position + 1));
        var disk = new MemoryDisk();
        disk.Poke("events.jsonl", log.Bytes[7..]);
        using LogView moved = LogView.OpenFile(disk, "events.jsonl");
        Assert.False(stand.Place.Holds(moved, stand.Position));
    }

    private static (Sight Sight, EventCursorOptions Options, List<(long Seq, string Text)> Expected) Draw(RandomLog log,
        Random random)
    {
        Sight sight = log.See(random);
        EventCursorOptions options = RandomLog.Ask(random);
        return (sight, options, log.Visible(sight, options));
    }

    private static void Sweep(Action<RandomLog, Random> check)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            try
            {
                check(new RandomLog(random), random);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    private static int AssertEvents(JsonElement page, List<(long Seq, string Text)> expected, int from, Sight sight,
        uint limit, long bytesMax, long shownAt = 0)
    {
        int count = 0;
        long bytes = 0;
        foreach (JsonElement e in page.GetProperty("events").EnumerateArray())
        {
            (long seq, string text) = expected[from + count++];
            Assert.Equal(seq, e.GetProperty("seq").GetInt64());
            bool isText = sight.Flags.HasFlag(ReadFlags.DataAsText);
            string data = isText ? e.GetProperty("data").GetString()! : e.GetProperty("data").GetRawText();
            Assert.EndsWith($",\"data\":{data}}}", text, StringComparison.Ordinal);
            Assert.Equal(sight.State.IsHidden(seq), e.TryGetProperty("hidden", out JsonElement hidden)
                && hidden.GetBoolean());
            long at = e.GetProperty("timestamp") is { ValueKind: JsonValueKind.Number } time ? time.GetInt64() : 0;
            long pause = shownAt > 0 && at > shownAt ? at - shownAt : 0;
            Assert.Equal(pause, e.TryGetProperty("pause_ms", out JsonElement ms) ? ms.GetInt64() : 0);
            shownAt = at > 0 ? at : shownAt;
            bytes += data.Length;
        }

        Assert.True(limit == 0 || count <= limit);
        Assert.True(count <= 1 || bytes <= bytesMax);
        return count;
    }

    private static List<long> AssertTurns(JsonElement page, uint limit)
    {
        var all = new List<long>();
        var ids = new HashSet<string>();
        long previous = 0;
        Assert.True(limit == 0 || page.GetProperty("turns").GetArrayLength() <= limit);
        foreach (JsonElement turn in page.GetProperty("turns").EnumerateArray())
        {
            string? id = turn.GetProperty("turn_id").GetString();
            List<JsonElement> events = [.. turn.GetProperty("events").EnumerateArray()];
            List<long> seqs = [.. events.Select(e => e.GetProperty("seq").GetInt64())];
            Assert.NotEmpty(seqs);
            Assert.Equal(seqs.Order(), seqs);
            Assert.Equal((seqs[0], seqs[^1], seqs.Count), (turn.GetProperty("first_seq").GetInt64(),
                turn.GetProperty("last_seq").GetInt64(), turn.GetProperty("event_count").GetInt32()));
            Assert.True(seqs[0] > previous, "the turns are not in the order in which they first appear");
            Assert.True(id is null || ids.Add(id), "a turn is there twice");
            Assert.All(events, e => Assert.Equal(id, e.TryGetProperty("turn_id", out JsonElement own)
                ? own.GetString() : null));
            List<long> times = [.. events.Where(e => e.GetProperty("timestamp").ValueKind == JsonValueKind.Number)
                .Select(e => e.GetProperty("timestamp").GetInt64())];
            Assert.Equal(times.Count == 0 ? "null" : $"{times[0]}", turn.GetProperty("started_at").GetRawText());
            Assert.Equal(times.Count == 0 ? "null" : $"{times[^1]}", turn.GetProperty("ended_at").GetRawText());
            previous = seqs[0];
            all.AddRange(seqs);
        }

        return all;
    }

    private static void AssertHoles(RandomLog log, JsonElement page, Sight sight, long from, long to)
    {
        var expected = new List<(long, string)>();
        for (long seq = Math.Max(from, 1); seq <= to; seq++)
        {
            if (log.Hole(sight, seq) is { } reason)
            {
                expected.Add((seq, reason));
            }
        }

        var named = new List<(long, string)>();
        (long Last, string? Reason) before = (0, null);
        foreach (JsonElement hole in page.GetProperty("skipped").EnumerateArray())
        {
            long first = hole.GetProperty("first_seq").GetInt64(), last = hole.GetProperty("last_seq").GetInt64();
            string reason = hole.GetProperty("reason").GetString()!;
            Assert.True(first != before.Last + 1 || reason != before.Reason, "one hole is named as two");
            before = (last, reason);
            for (long seq = first; seq <= last; seq++)
            {
                named.Add((seq, reason));
            }
        }

        Assert.Equal(expected, named);
    }
}

/// <summary>A log as a file, and its pages.</summary>
internal static class RandomLogReading
{
    public static LogView Open(this RandomLog log)
    {
        var disk = new MemoryDisk();
        disk.Poke("events.jsonl", log.Bytes);
        return LogView.OpenFile(disk, "events.jsonl");
    }

    public static JsonElement Page(this RandomLog log, Sight sight, EventCursorOptions options, uint limit, long bytes,
        long scan, Action<CursorPage> write)
    {
        using LogView view = log.Open();
        var room = new CursorRoom();
        write(new CursorPage(view, sight, new EventFilter(options), room, limit, bytes) { ScanBytes = scan });
        return Stores.Json(b => b.Write(room.Output.Written));
    }
}
