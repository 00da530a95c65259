using Sessions.Json;
using Sessions.Storage.Log;

namespace Sessions.Events.Pages;

/// <summary>What part of a conversation a handle sees.</summary>
internal readonly record struct SeqRange(long First, long Last)
{
    public long Count => Math.Max(0, Last - First + 1);
}

/// <summary>Writes pages of events as JSON. Lines that are whole go out as they are; a damaged one
/// keeps its place as an event of type "damaged"; every hole in the numbers is named.</summary>
internal static class EventPage
{
    private const long HiddenBytesWalked = 256 * 1024;

    /// <summary>Up to so many events (0: any number) after a number, at most a page of bytes.</summary>
    public static void WriteAfter(LogView log, LogState state, SeqRange range, long lastSeq, long afterSeq,
        uint limit, Utf8Buffer output)
    {
        long end = Math.Min(lastSeq, range.Last), first = Math.Max(afterSeq + 1, range.First);
        var page = new PageWriter(output, log, new Sight(range, state, lastSeq, ReadFlags.None), first);
        long start = Math.Max(first, state.FirstSeq);
        var room = new LineBuffer();
        var walk = new LogWalk(log, start <= 1 ? 0 : LogSearch.After(log, start - 1), lastSeq, room);
        bool isFull = first > end;
        long hiddenFrom = -1; // where what is hidden here begins in the log
        while (!isFull && walk.TryNext() && walk.Seq <= end)
        {
            if (walk.Seq < start)
            {
                continue;
            }

            if (state.HiddenUntil(walk.Seq) is var hidden && hidden > 0)
            {
                // A few bytes are passed sooner than found: many short rewinds would be a search each.
                hiddenFrom = hiddenFrom < 0 ? walk.Offset : hiddenFrom;
                if (walk.Offset - hiddenFrom >= HiddenBytesWalked)
                {
                    walk = new LogWalk(log, LogSearch.After(log, hidden), lastSeq, room);
                    (start, hiddenFrom) = (hidden + 1, -1);
                }

                continue;
            }

            hiddenFrom = -1;
            isFull = !page.TryAdd(walk, limit);
        }

        if (!isFull)
        {
            page.Skip(end); // the log is over before its numbers are
        }

        page.Close(Math.Min(afterSeq + 1, range.First), end, page.Next <= end && first <= end);
    }

    /// <summary>The last events before a number (0: the end), oldest first.</summary>
    public static void WriteLast(LogView log, LogState state, SeqRange range, long lastSeq, long beforeSeq,
        uint limit, Utf8Buffer output)
    {
        long last = Math.Min(lastSeq, range.Last), end = beforeSeq <= 0 ? last : Math.Min(beforeSeq - 1, last);
        long lowest = Math.Max(range.First, state.FirstSeq);
        long stop = end >= lastSeq ? log.Length : LogSearch.After(log, end);

        // Going back line by line would read the log backwards; going back by more and more lines until
        // there are enough reads each byte once or twice.
        long wanted = limit == 0 ? long.MaxValue : limit, lines = Math.Min(wanted, 64) + 1;
        long from, first;
        bool isStart;
        do
        {
            from = end < lowest ? 0 : LogSearch.Back(log, stop, lines);
            var look = new LogWalk(log, from, lastSeq);
            first = Choose(look, state, from == 0, lowest, end, wanted, out isStart);
            lines *= 4;
        }
        while (first == 0);

        first = isStart ? range.First : first;
        var page = new PageWriter(output, log, new Sight(range, state, lastSeq, ReadFlags.None), first);
        var walk = new LogWalk(log, from, lastSeq);
        while (first <= end && walk.TryNext() && walk.Seq <= end)
        {
            if (walk.Seq >= Math.Max(first, lowest) && !state.IsHidden(walk.Seq))
            {
                page.Add(walk);
            }
        }

        page.Skip(end);
        page.Close(isStart ? 1 : range.First, last, hasMore: !isStart);
    }

    // The number that the page begins with; 0 where the walk must begin further back to tell.
    private static long Choose(LogWalk walk, LogState state, bool fromStart, long lowest, long end, long wanted,
        out bool isStart)
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
            if (state.IsHidden(walk.Seq))
            {
                continue;
            }

            sizes.Enqueue((walk.Seq, EventText.SizeOf(walk)));
            bytes += EventText.SizeOf(walk);
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
}
