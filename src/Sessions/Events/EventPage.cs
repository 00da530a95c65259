using Sessions.Storage;

namespace Sessions.Events;

/// <summary>What part of a conversation a handle sees.</summary>
internal readonly record struct SeqRange(long First, long Last)
{
    public long Count => Math.Max(0, Last - First + 1);
}

/// <summary>Writes pages of events as JSON. Lines that are whole go out as they are; a damaged one
/// keeps its place as an event of type "damaged"; every hole in the numbers is named.</summary>
internal static class EventPage
{
    /// <summary>Up to so many events (0: any number) after a number, at most a page of bytes.</summary>
    public static void WriteAfter(LogView log, SeqRange range, long lastSeq, long afterSeq, uint limit,
        Utf8Buffer output)
    {
        long end = Math.Min(lastSeq, range.Last), first = Math.Max(afterSeq + 1, range.First);
        var page = new Page(output, first);
        var walk = new LogWalk(log, first <= 1 ? 0 : LogSearch.After(log, first - 1), lastSeq);
        bool isFull = first > end;
        while (!isFull && walk.TryNext() && walk.Seq <= end)
        {
            isFull = walk.Seq >= first && !page.TryAdd(walk, limit);
        }

        if (!isFull)
        {
            page.Skip(end); // the log is over before its numbers are
        }

        page.Close(Math.Min(afterSeq + 1, range.First), range.First, end, page.Next <= end && first <= end);
    }

    /// <summary>The last events before a number (0: the end), oldest first.</summary>
    public static void WriteLast(LogView log, SeqRange range, long lastSeq, long beforeSeq, uint limit,
        Utf8Buffer output)
    {
        long last = Math.Min(lastSeq, range.Last), end = beforeSeq <= 0 ? last : Math.Min(beforeSeq - 1, last);
        long stop = end >= lastSeq ? log.Length : LogSearch.After(log, end);

        // Going back line by line would read the log backwards; going back by more and more lines until
        // there are enough reads each byte once or twice.
        long wanted = limit == 0 ? long.MaxValue : limit, lines = Math.Min(wanted, 64) + 1;
        long from, first;
        bool isStart;
        do
        {
            from = end < range.First ? 0 : LogSearch.Back(log, stop, lines);
            first = Choose(new LogWalk(log, from, lastSeq), from == 0, range.First, end, wanted, out isStart);
            lines *= 4;
        }
        while (first == 0);

        var page = new Page(output, first);
        var walk = new LogWalk(log, from, lastSeq);
        while (first <= end && walk.TryNext() && walk.Seq <= end)
        {
            if (walk.Seq >= first)
            {
                page.Add(walk);
            }
        }

        page.Skip(end);
        page.Close(isStart ? 1 : range.First, range.First, last, hasMore: !isStart);
    }

    // The number that the page begins with; 0 where the walk must begin further back to tell.
    private static long Choose(LogWalk walk, bool fromStart, long lowest, long end, long wanted, out bool isStart)
    {
        var sizes = new Queue<(long Seq, long Size)>();
        long bytes = 0;
        bool dropped = false;
        isStart = fromStart;
        while (walk.TryNext() && walk.Seq <= end)
        {
            if (walk.Seq < lowest)
            {
                isStart = true;
                continue;
            }

            isStart |= walk.Seq == lowest && sizes.Count == 0;
            sizes.Enqueue((walk.Seq, Page.SizeOf(walk)));
            bytes += Page.SizeOf(walk);
            while (sizes.Count > wanted || (sizes.Count > 1 && bytes > Limits.PageBytes))
            {
                bytes -= sizes.Dequeue().Size;
                dropped = true;
            }
        }

        if (!isStart && !dropped && sizes.Count < wanted)
        {
            return 0;
        }

        isStart &= !dropped;
        return isStart ? lowest : sizes.Peek().Seq;
    }

    private sealed class Page
    {
        private const int DamagedBytes = 160;

        private readonly Utf8Buffer _output;
        private readonly long _first;
        private readonly List<(long First, long Last)> _holes = [];
        private long _shownFirst;
        private long _bytes;
        private uint _count;

        public Page(Utf8Buffer output, long first)
        {
            (_output, _first, Next) = (output, first, first);
            output.Raw("{\"events\":["u8);
        }

        /// <summary>The number after the last one that was shown or named as a hole.</summary>
        public long Next { get; private set; }

        public static long SizeOf(LogWalk walk) => walk.Damage is null ? walk.Unclosed.Length + 2 : DamagedBytes;

        /// <summary>False where the page is full without it.</summary>
        public bool TryAdd(LogWalk walk, uint limit)
        {
            if ((limit > 0 && _count >= limit)
                || (_count > 0 && _bytes + SizeOf(walk) > Limits.PageBytes))
            {
                return false;
            }

            Add(walk);
            return true;
        }

        public void Add(LogWalk walk)
        {
            Skip(walk.Seq - 1);
            if (_count++ > 0)
            {
                _output.Byte(',');
            }

            if (walk.Damage is { } damage)
            {
                _output.Byte('{').Member("seq", walk.Seq).Member("type", "damaged").Name("timestamp").Raw("null"u8)
                    .Name("data").Byte('{').Member("file", Layout.EventsFile).Member("offset", damage.Offset)
                    .Member("length", damage.Length).Member("reason", damage.Reason).Byte('}').Byte('}');
            }
            else
            {
                _output.Raw(walk.Unclosed.Span).Byte('}');
            }

            _shownFirst = _shownFirst == 0 ? walk.Seq : _shownFirst;
            _bytes += SizeOf(walk);
            Next = walk.Seq + 1;
        }

        /// <summary>Names what is missing up to and with a number.</summary>
        public void Skip(long last)
        {
            if (Next <= last)
            {
                _holes.Add((Next, last));
                Next = last + 1;
            }
        }

        /// <summary>Closes a page; what lies from <paramref name="from"/> on before the range is outside it.</summary>
        public void Close(long from, long rangeFirst, long lastSeq, bool hasMore)
        {
            _output.Raw("],\"skipped\":["u8);
            bool first = true;
            if (from < rangeFirst)
            {
                Hole(Math.Max(from, 1), rangeFirst - 1, "outside_share", ref first);
            }

            foreach ((long begin, long end) in _holes)
            {
                Hole(begin, end, "missing", ref first);
            }

            _output.Raw("],\"next_after_seq\":"u8).Number(Next - 1).Raw(",\"previous_before_seq\":"u8)
                .Number(_shownFirst == 0 ? _first : _shownFirst).Raw(",\"last_seq\":"u8).Number(Math.Max(lastSeq, 0))
                .Raw(",\"has_more\":"u8).Bool(hasMore).Byte('}');
        }

        private void Hole(long from, long to, string reason, ref bool first)
        {
            _output.Raw(first ? "{"u8 : ",{"u8).Member("first_seq", from).Member("last_seq", to)
                .Member("reason", reason).Byte('}');
            first = false;
        }
    }
}
