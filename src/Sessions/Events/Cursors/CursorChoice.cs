using Sessions.Events.Pages;
using Sessions.Storage.Log;

namespace Sessions.Events.Cursors;

/// <summary>
/// Finds where the page before a position begins. A log can only be walked forwards, so it is walked
/// in windows, each before the last one and up to twice as long, until there are enough events, or all
/// has been seen, or as many bytes as one call may look at.
/// </summary>
internal sealed class CursorChoice(LogView log, Sight sight, EventFilter filter, LineBuffer lines,
    long scanBytes)
{
    private const long FirstWindow = 64 * 1024;
    private const long WindowMax = 4 * 1024 * 1024;

    private long _bytes;
    private long _count;

    /// <summary>The number that the page begins with.</summary>
    public long First { get; private set; }

    /// <summary>An offset that a walk may begin at to meet it.</summary>
    public long From { get; private set; }

    /// <summary>False where there is nothing more before the page.</summary>
    public bool HasMore { get; private set; }

    /// <param name="end">The last number that may be in the page.</param>
    /// <param name="stop">The offset of a line not far from it; -1: not known.</param>
    /// <param name="isFull">Whether there is no room for an event of that size in a page that has so many
    /// events and bytes.</param>
    public void Run(long end, long stop, Func<long, long, long, bool> isFull)
    {
        stop = stop >= 0 ? stop : end >= sight.LastSeq ? log.Length : LogSearch.After(log, end);
        long window = FirstWindow, scanned = 0;
        First = end + 1;
        HasMore = First > sight.Floor;
        while (HasMore && (scanned <= scanBytes || First > end)) // one line at least, however long
        {
            long from = Math.Max(0, stop - window);
            scanned += stop - from;
            if (!TryWindow(from, isFull, out long begins, out bool isEnough) && from > 0)
            {
                window *= 2; // no line begins in there
                continue;
            }

            if (isEnough)
            {
                return;
            }

            HasMore = from > 0 && First > sight.Floor;
            (stop, window) = (begins, Math.Min(window * 2, WindowMax));
        }

        First = HasMore ? First : Math.Min(end + 1, sight.Floor);
    }

    // From a place in the middle of a line on, the first line that counts is the next whole one.
    private bool TryWindow(long from, Func<long, long, long, bool> isFull, out long begins, out bool isEnough)
    {
        var found = new List<(long Seq, long Size)>();
        var walk = new LogWalk(log, from, sight.LastSeq, lines);
        long lowest = 0;
        (begins, isEnough) = (0, false);
        while (walk.TryNext() && walk.Seq < First)
        {
            (lowest, begins) = lowest == 0 ? (walk.Seq, walk.Offset) : (lowest, begins);
            if (walk.Seq >= sight.Floor && sight.Shows(walk.Seq) && Matches(walk))
            {
                found.Add((walk.Seq, EventText.SizeOf(walk)));
            }
        }

        if (lowest == 0)
        {
            return false;
        }

        long start = from == 0 ? 0 : begins;
        for (int i = found.Count - 1; i >= 0; i--)
        {
            if (isFull(found[i].Size, _count, _bytes))
            {
                isEnough = true;
                return true;
            }

            (_count, _bytes) = (_count + 1, _bytes + found[i].Size);
            (First, From) = (found[i].Seq, start);
        }

        (First, From) = (lowest, start);
        return true;
    }

    private bool Matches(LogWalk walk) => filter.Matches(walk.Damage is null ? EventLine.Head(walk.Unclosed.Span)
        : default, walk.Damage is not null);
}
