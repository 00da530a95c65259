using Sessions.Events.Pages;
using Sessions.Model;
using Sessions.Storage.Log;

namespace Sessions.Events.Cursors;

/// <summary>Finds an event by its time. Hosts set times and clocks are set back, so they do not rise
/// with the numbers, and nothing short of reading the log tells which event is the first.</summary>
internal static class TimeSearch
{
    /// <summary>The number to stand behind so that the first event at that time or later comes next, and
    /// the place of that event.</summary>
    public static (long Seq, CursorPlace? Place) Before(LogView log, Sight sight, long at, LineBuffer lines,
        JobContext? context = null)
    {
        long first = sight.Floor;
        var walk = new LogWalk(log, first <= 1 ? 0 : LogSearch.After(log, first - 1), sight.LastSeq, lines);
        var scan = new EventScan(walk, sight, first, sight.End);
        while (scan.TryNext())
        {
            context?.ThrowIfCancelled();
            context?.Report(walk.Offset, log.Length);
            if (walk.Damage is null && scan.Head.Timestamp >= at)
            {
                return (walk.Seq - 1, new CursorPlace(walk.Seq - 1, walk.Seq, walk.Offset));
            }

            scan.Take();
        }

        return (Math.Max(sight.End, 0), null);
    }
}
