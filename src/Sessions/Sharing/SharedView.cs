using Sessions.Events.Pages;
using Sessions.Images;
using Sessions.Storage.Log;

namespace Sessions.Sharing;

/// <summary>A session through a share. Everything it tells is of the events that a plain read of the range
/// shows: what the owner has hidden, and what happened beyond the range, leaves no trace in it.</summary>
internal static class SharedView
{
    private static readonly ReadOnlyMemory<byte> Null = "null"u8.ToArray();

    public static SeqRange Range(ShareRecord share, SessionInfo info)
        => new(share.FirstSeq, share.Live ? info.LastSeq : Math.Min(share.LastSeq, info.LastSeq));

    /// <summary>What a reader of the range may see. No flag shows what a rewind hides, and the context begins
    /// where the last compaction within the range says.</summary>
    public static Sight Sight(SeqRange range, LogState state, long lastSeq, ReadFlags flags)
        => new(range, OfRange(state, range), lastSeq, flags & ~ReadFlags.Hidden);

    public static SessionInfo Of(SessionInfo info, ShareRecord share,
        Func<SessionInfo, (LogView Log, LogState State)> openLog)
    {
        SeqRange range = Range(share, info);
        (long events, long messages, long last) = Count(range, info, openLog);

        // Named one by one, so that a member which is added to the info is not shown before somebody has said so.
        return new SessionInfo
        {
            Id = info.Id,
            Title = info.Title,
            TitleSource = info.TitleSource,
            CreatedAt = info.CreatedAt,
            UpdatedAt = last == 0 ? share.CreatedAt : last,
            LastEventAt = last,
            MessageCount = messages,
            EventCount = events,
            LastSeq = Math.Max(0, range.Last),
            Metadata = Null,
            Facts = Null,
        };
    }

    private static LogState OfRange(LogState state, SeqRange range)
        => state.Compactions is [.., { } last] && last.Seq > range.Last
            ? state with { Compactions = [.. state.Compactions.Where(c => c.Seq <= range.Last)] } : state;

    // Costs a read of the range; who shows a share reads its events anyway.
    private static (long Events, long Messages, long LastAt) Count(SeqRange range, SessionInfo info,
        Func<SessionInfo, (LogView Log, LogState State)> openLog)
    {
        (LogView log, LogState state) = openLog(info);
        using (log)
        {
            Sight sight = Sight(range, state, info.LastSeq, ReadFlags.None);
            long events = 0, messages = 0, lastAt = 0, first = sight.Floor;
            var walk = new LogWalk(log, first <= 1 ? 0 : LogSearch.After(log, first - 1), info.LastSeq);
            var scan = new EventScan(walk, sight, first, sight.End);
            while (scan.TryNext())
            {
                events++;
                messages += EventLine.IsMessage(scan.Head.Type) ? 1 : 0;
                lastAt = Math.Max(lastAt, scan.Head.Timestamp);
                scan.Take();
            }

            return (events, messages, lastAt);
        }
    }
}
