using Sessions.Events;
using Sessions.Storage;

namespace Sessions.Sharing;

/// <summary>A session through a share: its counters speak of the range, and what is not part of the
/// conversation is null.</summary>
internal static class SharedView
{
    private static readonly ReadOnlyMemory<byte> Null = "null"u8.ToArray();

    public static SeqRange Range(ShareRecord share, SessionInfo info)
        => new(share.FirstSeq, share.Live ? info.LastSeq : Math.Min(share.LastSeq, info.LastSeq));

    public static SessionInfo Of(SessionInfo info, ShareRecord share, Func<SessionInfo, LogView> openLog)
    {
        SeqRange range = Range(share, info);
        (long messages, long last) = Count(range, () => openLog(info));
        return info with
        {
            ParentId = null,
            Metadata = Null,
            Facts = Null,
            Share = null,
            IdempotencyKey = null,
            Unknown = default,
            EventCount = range.Count,
            MessageCount = messages,
            LastSeq = Math.Max(0, range.Last),
            LastEventAt = last,
        };
    }

    // Costs a read of the range; who shows a share reads its events anyway.
    private static (long Messages, long LastAt) Count(SeqRange range, Func<LogView> openLog)
    {
        using (LogView log = openLog())
        {
            long messages = 0, lastAt = 0;
            var reader = new LineReader(log, LogSearch.After(log, range.First - 1));
            while (reader.TryRead(out ReadOnlySpan<byte> line))
            {
                if (!EventLine.TryRead(line, out long seq, out _) || seq < range.First)
                {
                    continue;
                }

                if (seq > range.Last)
                {
                    break;
                }

                EventHead head = EventLine.Head(line);
                messages += EventLine.IsMessage(head.Type) ? 1 : 0;
                lastAt = Math.Max(lastAt, head.Timestamp);
            }

            return (messages, lastAt);
        }
    }
}
