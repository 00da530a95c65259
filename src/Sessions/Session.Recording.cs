using Sessions.Events;
using Sessions.Events.Pages;
using Sessions.Sharing;
using Sessions.Storage.Log;

namespace Sessions;

/// <content>What recorders and players need of a session.</content>
public sealed partial class Session
{
    // How far back Resume looks for the end of the session before it looks at the whole log.
    private const int EndLookBack = 64;

    /// <summary>Appends events that the library made, in one commit; returns their numbers.</summary>
    internal long[] AppendAll(IReadOnlyList<NewEvent> events, AppendFlags flags)
    {
        RequireWritable();
        var request = new AppendRequest(Core, _row, events) { Full = IsFull(flags), Right = _right };
        Commit(request);
        return request.Seqs;
    }

    /// <summary>A turn id that nobody has used.</summary>
    internal string NewTurnId()
    {
        Span<byte> random = stackalloc byte[8];
        Core.Environment.FillRandom(random);
        return "t-" + Convert.ToHexStringLower(random);
    }

    /// <summary>False where the last that was recorded is an end in which no turn was open, or nothing is.</summary>
    internal bool WasLeftOpen()
    {
        List<EventView> last = ReadBefore(long.MaxValue, EndLookBack);
        EventView? mark = last.FindLast(e => e.Type is "session_start" or "session_end");
        return mark is null ? last.Count > 0 : mark.Type == "session_start"
            || mark.Data.Span.IndexOf("\"was_prompting\":true"u8) >= 0;
    }

    /// <summary>Some events after a number.</summary>
    internal List<EventView> ReadAfter(long afterSeq, int count)
        => Read((log, state, range, last) => EventRun.After(log, state, range, last, afterSeq, count));

    /// <summary>Some events before a number, oldest first.</summary>
    internal List<EventView> ReadBefore(long beforeSeq, int count)
        => Read((log, state, range, last) => EventRun.Before(log, state, range, last, beforeSeq, count));

    /// <summary>The first and the last number that this handle sees.</summary>
    internal SeqRange Seen() => _store.Run(() => Seen(Current()));

    private SeqRange Seen(SessionInfo info)
        => _shareId is null ? new SeqRange(1, info.LastSeq) : SharedView.Range(Share(), info);

    private List<EventView> Read(Func<LogView, LogState, SeqRange, long, List<EventView>> read)
        => _store.Run(() =>
    {
        SessionInfo info = Current();
        SeqRange range = Seen(info);
        (LogView log, LogState state) = OpenLog(info);
        using (log)
        {
            return read(log, state, range, info.LastSeq);
        }
    });
}
