using System.Buffers;
using Sessions.Storage;

namespace Sessions.Events;

/// <summary>What part of a conversation a handle sees.</summary>
internal readonly record struct SeqRange(long First, long Last)
{
    public bool Contains(long seq) => seq >= First && seq <= Last;

    public long Count => Math.Max(0, Last - First + 1);
}

/// <summary>Writes pages of events as JSON. Lines that are whole go out as they are; a damaged one
/// keeps its place as an event of type "damaged"; every hole in the numbers is named.</summary>
internal static class EventPage
{
    /// <summary>Up to so many events (0: any number) after a number, at most a page of bytes.</summary>
    public static void WriteAfter(LogView log, SeqRange range, long lastSeq, long afterSeq, uint limit, Utf8Buffer output)
    {
        var page = new Page(range, lastSeq, afterSeq, output);
        var reader = new LineReader(log, afterSeq <= 0 ? 0 : LogSearch.After(log, afterSeq));
        while (!page.IsOver(limit) && reader.TryRead(out ReadOnlySpan<byte> line))
        {
            page.Add(line, reader.LineOffset, reader.IsTerminated);
        }

        page.Close();
    }

    /// <summary>The last events before a number, oldest first.</summary>
    public static void WriteLast(LogView log, SeqRange range, long lastSeq, long beforeSeq, uint limit, Utf8Buffer output)
    {
        long end = Math.Min(beforeSeq <= 0 ? long.MaxValue : beforeSeq, range.Last + 1);
        uint wanted = limit == 0 ? uint.MaxValue : limit;
        long stop = beforeSeq <= 0 && range.Last >= lastSeq ? log.Length : LogSearch.After(log, end - 1);
        stop = stop == log.Length ? stop : EndOf(log, stop, end - 1);

        // Going back line by line would read the log backwards; going back by more and more bytes until
        // there are enough lines reads each byte once or twice.
        long lines = Math.Min(wanted, 64);
        while (true)
        {
            long from = LogSearch.Back(log, stop, lines);
            int mark = output.Length;
            var page = new Page(range, lastSeq, Before(log, from), output) { Before = end };
            var reader = new LineReader(log, from);
            int dropped = 0;
            List<(int Start, int Length)> events = [];
            while (reader.Offset < stop && reader.TryRead(out ReadOnlySpan<byte> line))
            {
                int start = output.Length;
                page.Add(line, reader.LineOffset, reader.IsTerminated);
                if (output.Length > start)
                {
                    events.Add((start, output.Length - start));
                }
            }

            bool all = from == 0 || events.Count >= wanted || page.Bytes >= Limits.PageBytes;
            if (!all)
            {
                output.Truncate(mark);
                lines = Math.Min(long.MaxValue / 4, lines * 4);
                continue;
            }

            while (events.Count - dropped > wanted
                || (events.Count - dropped > 1 && output.Length - events[dropped].Start > Limits.PageBytes))
            {
                dropped++;
            }

            page.Drop(events, dropped);
            page.Close();
            return;
        }
    }

    // The end of the last line whose number is at most that.
    private static long EndOf(LogView log, long from, long seq)
    {
        var reader = new LineReader(log, from);
        long end = from;
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (EventLine.TrySeq(line, out long found) && found > seq)
            {
                break;
            }

            end = reader.Offset;
        }

        return end;
    }

    // The number before the first line from an offset on, so that a damaged line there has its place.
    private static long Before(LogView log, long from)
    {
        var reader = new LineReader(log, from, 4096);
        for (int i = 1; reader.TryRead(out ReadOnlySpan<byte> line); i++)
        {
            if (EventLine.TrySeq(line, out long seq))
            {
                return Math.Max(0, seq - i);
            }
        }

        return 0;
    }

    private sealed class Page
    {
        private readonly SeqRange _range;
        private readonly long _lastSeq;
        private readonly long _after;
        private readonly Utf8Buffer _output;
        private readonly int _start;
        private readonly List<long> _seqs = [];
        private readonly List<(long First, long Last)> _holes = [];
        private long _previous;
        private bool _isOverEnd;

        public Page(SeqRange range, long lastSeq, long after, Utf8Buffer output)
        {
            (_range, _lastSeq, _after, _previous, _output) = (range, lastSeq, after, after, output);
            output.Raw("{\"events\":["u8);
            _start = output.Length;
        }

        public long Before { get; init; } = long.MaxValue;

        public int Bytes => _output.Length - _start;

        public bool IsOver(uint limit) => _isOverEnd || (limit > 0 && _seqs.Count >= limit) || Bytes >= Limits.PageBytes;

        public void Add(ReadOnlySpan<byte> line, long offset, bool isTerminated)
        {
            if (line.IsEmpty || line is [(byte)'\r'])
            {
                return; // closes a line that was torn
            }

            bool whole = EventLine.TryRead(line, out long seq, out ReadOnlySpan<byte> unclosed) && isTerminated;
            bool inOrder = whole && seq > _previous;
            seq = inOrder ? seq : whole && seq <= _after ? seq : _previous + 1;
            if (seq <= _after || seq < _range.First)
            {
                _previous = Math.Max(_previous, seq);
                return;
            }

            if (seq > Math.Min(_lastSeq, _range.Last) || seq >= Before)
            {
                _isOverEnd = true;
                return;
            }

            if (_seqs.Count > 0 && seq > _previous + 1)
            {
                _holes.Add((_previous + 1, seq - 1));
            }

            if (_seqs.Count > 0)
            {
                _output.Byte(',');
            }

            if (inOrder)
            {
                _output.Raw(unclosed).Byte('}');
            }
            else
            {
                _output.Byte('{').Member("seq", seq).Member("type", "damaged").Name("timestamp").Raw("null"u8)
                    .Name("data").Byte('{').Member("file", Layout.EventsFile).Member("offset", offset)
                    .Member("length", line.Length)
                    .Member("reason", whole ? "sequence" : isTerminated ? "invalid_json" : "torn").Byte('}').Byte('}');
            }

            _seqs.Add(seq);
            _previous = seq;
        }

        /// <summary>Takes the first events away again.</summary>
        public void Drop(List<(int Start, int Length)> events, int count)
        {
            if (count == 0)
            {
                return;
            }

            int from = count < events.Count ? events[count].Start : _output.Length;
            from += count < events.Count && _output.Written[from] == ',' ? 1 : 0;
            byte[] kept = _output.Written[from..].ToArray();
            _output.Truncate(_start);
            _output.Raw(kept);
            _holes.RemoveAll(h => h.Last < _seqs[count]);
            _seqs.RemoveRange(0, count);
        }

        public void Close()
        {
            _output.Raw("],\"skipped\":["u8);
            bool first = true;
            long begin = _seqs.Count > 0 ? _seqs[0] : Math.Max(_after, 0) + 1;
            if (_range.First > 1 && _after < _range.First - 1 && begin >= _range.First - 1)
            {
                Hole(Math.Max(_after + 1, 1), _range.First - 1, "outside_share", ref first);
            }

            foreach ((long from, long to) in _holes)
            {
                Hole(from, to, "missing", ref first);
            }

            long end = Math.Min(_lastSeq, _range.Last);
            long next = _seqs.Count > 0 ? _seqs[^1] : Math.Max(_after, 0);
            bool more = Before == long.MaxValue ? next < end && _seqs.Count > 0 : _seqs.Count > 0 && _seqs[0] > _range.First;
            _output.Raw("],\"next_after_seq\":"u8).Number(next).Raw(",\"previous_before_seq\":"u8)
                .Number(_seqs.Count > 0 ? _seqs[0] : Math.Max(_after, 0) + 1).Raw(",\"last_seq\":"u8).Number(end)
                .Raw(",\"has_more\":"u8).Bool(more).Byte('}');
        }

        private void Hole(long from, long to, string reason, ref bool first)
        {
            _output.Raw(first ? "{"u8 : ",{"u8).Member("first_seq", from).Member("last_seq", to).Member("reason", reason).Byte('}');
            first = false;
        }
    }
}
