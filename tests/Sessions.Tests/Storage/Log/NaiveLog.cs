using System.Text;
using System.Text.Json;
using Sessions.Storage.Log;

namespace Sessions.Tests.Storage.Log;

/// <summary>Reads a log as plainly as can be: all lines into memory, then numbers, then pages.</summary>
internal sealed class NaiveLog
{
    private readonly List<(long Seq, string Text)> _events = [];

    public NaiveLog(byte[] log, long lastSeq)
    {
        List<Line> lines = Split(log);
        var run = new List<Line>();
        long last = 0;
        for (int i = 0; i < lines.Count; i++)
        {
            Line line = lines[i];
            bool fits = Fits(line, last, lastSeq);
            if (!fits && line.Seq > lastSeq && !lines.Skip(i).Any(l => Fits(l, last, lastSeq)))
            {
                break; // not published yet
            }

            if (fits && line.Seq > last + 1 + run.Count)
            {
                List<long> ahead = [.. lines.Skip(i).Where(l => Fits(l, last, lastSeq)).Take(32).Select(l => l.Seq)];
                int longest = Enumerable.Range(0, ahead.Count).Max(at => Rising(ahead, at));
                fits = ahead.Where((_, at) => Rising(ahead, at) == longest).Min() == line.Seq
                    && Rising(ahead, 0) == longest;
            }

            if (fits)
            {
                Place(run, last, line.Seq);
                _events.Add((last = line.Seq, line.Text + "}"));
                run.Clear();
            }
            else
            {
                run.Add(line);
            }
        }

        Place(run, last, lastSeq + 1);
        LastSeq = lastSeq;
    }

    private sealed record Line(long Offset, long Length, string Reason, long Seq, string Text);

    public long LastSeq { get; }

    public IEnumerable<(long Seq, string Text)> Events => _events;

    public void AssertAfter(JsonElement page, long first, long last, long after, uint limit)
    {
        long begin = Math.Max(after + 1, first), end = Math.Min(last, LastSeq);
        var fits = _events.Where(e => e.Seq >= begin && e.Seq <= end).ToList();
        int taken = limit == 0 ? fits.Count : (int)Math.Min(limit, (uint)fits.Count);
        int bytes = 0, count = 0;
        while (count < taken && (count == 0 || bytes + Size(fits[count]) <= Limits.PageBytes))
        {
            bytes += Size(fits[count++]);
        }

        bool more = count < fits.Count;
        long next = more ? fits[count - 1].Seq : Math.Max(begin - 1, end);
        AssertPage(page, fits[..count], begin, next);
        Assert.Equal(more, page.GetProperty("has_more").GetBoolean());
        Assert.Equal(next, page.GetProperty("next_after_seq").GetInt64());
    }

    public void AssertLast(JsonElement page, long first, long last, long before, uint limit)
    {
        long end = Math.Min(Math.Min(last, LastSeq), before == 0 ? long.MaxValue : before - 1);
        var fits = _events.Where(e => e.Seq >= first && e.Seq <= end).ToList();
        int taken = limit == 0 ? fits.Count : (int)Math.Min(limit, (uint)fits.Count);
        int bytes = 0, count = 0;
        while (count < taken && (count == 0 || bytes + Size(fits[^(count + 1)]) <= Limits.PageBytes))
        {
            bytes += Size(fits[^++count]);
        }

        bool more = count < fits.Count;
        AssertPage(page, fits[^count..], more ? fits[^count].Seq : first, Math.Max(first - 1, end));
        Assert.Equal(more, page.GetProperty("has_more").GetBoolean());
        if (count > 0)
        {
            Assert.Equal(fits[^count].Seq, page.GetProperty("previous_before_seq").GetInt64());
        }
    }

    private static void AssertPage(JsonElement page, List<(long Seq, string Text)> events, long from, long to)
    {
        Assert.Equal(events.Select(e => e.Text), page.GetProperty("events").EnumerateArray()
            .Select(e => e.GetRawText()));
        var named = new HashSet<long>(events.Select(e => e.Seq));
        foreach (JsonElement hole in page.GetProperty("skipped").EnumerateArray())
        {
            if (hole.GetProperty("reason").GetString() == "outside_share")
            {
                Assert.True(hole.GetProperty("last_seq").GetInt64() < from);
                continue;
            }

            long last = hole.GetProperty("last_seq").GetInt64();
            for (long seq = hole.GetProperty("first_seq").GetInt64(); seq <= last; seq++)
            {
                Assert.True(named.Add(seq), $"{seq} is there and missing");
            }
        }

        for (long seq = from; seq <= to; seq++)
        {
            Assert.True(named.Remove(seq), $"{seq} is not accounted for");
        }

        Assert.Empty(named);
    }

    // What the library reckons with: a damaged line counts as 160 bytes.
    private static int Size((long Seq, string Text) e)
        => e.Text.StartsWith($"{{\"seq\":{e.Seq},\"type\":\"damaged\"", StringComparison.Ordinal)
            ? 160 : Encoding.UTF8.GetByteCount(e.Text) + 1;

    private static bool Fits(Line line, long last, long lastSeq) => line.Seq > last && line.Seq <= lastSeq;

    // How many numbers rise at most, one after the other but for others between them, from one on.
    private static int Rising(List<long> numbers, int at)
    {
        int[] runs = new int[numbers.Count];
        for (int i = numbers.Count - 1; i >= at; i--)
        {
            runs[i] = 1 + Enumerable.Range(i + 1, numbers.Count - i - 1).Where(j => numbers[j] > numbers[i])
                .Select(j => runs[j]).DefaultIfEmpty(0).Max();
        }

        return runs[at];
    }

    private static List<Line> Split(byte[] log)
    {
        var lines = new List<Line>();
        for (int at = 0; at < log.Length;)
        {
            int newline = Array.IndexOf(log, (byte)'\n', at), end = newline < 0 ? log.Length : newline;
            ReadOnlySpan<byte> text = log.AsSpan(at, end - at);
            text = text.EndsWith("\r"u8) ? text[..^1] : text;
            text = text.StartsWith("\uFEFF"u8) ? text[3..] : text;
            if (text.Length > 0)
            {
                bool whole = EventLine.TryRead(text, out long seq, out ReadOnlySpan<byte> unclosed);
                if (!whole && EventLine.TryReadGlued(text, out int glued, out seq, out unclosed))
                {
                    whole = true;
                    lines.Add(new Line(at, glued, "glued", 0, ""));
                    at += glued;
                }

                lines.Add(new Line(at, end - at, whole ? "sequence" : newline < 0 ? "torn" : "invalid_json",
                    whole ? seq : 0, whole ? Encoding.UTF8.GetString(unclosed) : ""));
            }

            at = end + 1;
        }

        return lines;
    }

    private void Place(List<Line> run, long last, long next)
    {
        for (int i = 0; i < Math.Min(run.Count, next - last - 1); i++)
        {
            long length = i == next - last - 2 ? run[^1].Offset + run[^1].Length - run[i].Offset : run[i].Length;
            string data =
                $$"""{"file":"events.jsonl","offset":{{run[i].Offset}},"length":{{length}}"""
                + $$""","reason":"{{run[i].Reason}}"}""";
            _events.Add((last + 1 + i,
                $"{{\"seq\":{last + 1 + i},\"type\":\"damaged\",\"timestamp\":null,\"data\":{data}}}"));
        }
    }
}
