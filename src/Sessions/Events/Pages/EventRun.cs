using Sessions.Storage.Log;

namespace Sessions.Events.Pages;

/// <summary>Some events in a row, parsed; never more of the log than they take. What was pruned or is
/// hidden by a rewind is passed over.</summary>
internal static class EventRun
{
    /// <summary>At least one where there is one; at most so many bytes above that.</summary>
    private const int BytesMax = 256 * 1024;

    /// <summary>The first events after a number, at most so many.</summary>
    public static List<EventView> After(LogView log, LogState state, SeqRange range, long lastSeq, long afterSeq,
        int count)
    {
        var events = new List<EventView>();
        long end = Math.Min(lastSeq, range.Last), bytes = 0;
        long first = Math.Max(afterSeq + 1, Math.Max(range.First, state.FirstSeq));
        if (first > end)
        {
            return events;
        }

        var walk = new LogWalk(log, first <= 1 ? 0 : LogSearch.After(log, first - 1), lastSeq);
        while (events.Count < count && bytes < BytesMax && walk.TryNext() && walk.Seq <= end)
        {
            if (walk.Seq >= first && !state.IsHidden(walk.Seq))
            {
                events.Add(EventView.Of(walk));
                bytes += walk.Unclosed.Length;
            }
        }

        return events;
    }

    /// <summary>The last events before a number, at most so many, oldest first.</summary>
    public static List<EventView> Before(LogView log, LogState state, SeqRange range, long lastSeq, long beforeSeq,
        int count)
    {
        long end = Math.Min(Math.Min(lastSeq, range.Last), beforeSeq - 1), lines = count + 1;
        long lowest = Math.Max(range.First, state.FirstSeq);
        if (end < lowest)
        {
            return [];
        }

        long stop = end >= lastSeq ? log.Length : LogSearch.After(log, end);
        while (true)
        {
            var events = new Queue<EventView>();
            long from = LogSearch.Back(log, stop, lines), bytes = 0;
            var walk = new LogWalk(log, from, lastSeq);
            while (walk.TryNext() && walk.Seq <= end)
            {
                if (walk.Seq < lowest)
                {
                    from = 0; // so there is nothing more to be found further back
                    continue;
                }

                if (state.IsHidden(walk.Seq))
                {
                    continue;
                }

                EventView view = EventView.Of(walk);
                events.Enqueue(view);
                bytes += view.Data.Length;
                while (events.Count > count || (events.Count > 1 && bytes > BytesMax))
                {
                    bytes -= events.Dequeue().Data.Length;
                    from = 0;
                }
            }

            if (from == 0 || events.Count >= count)
            {
                return [.. events];
            }

            lines *= 4;
        }
    }
}
