using System.Buffers;
using Sessions.Events.Cursors;
using Sessions.Events.Pages;
using Sessions.Model;
using Sessions.Sharing;
using Sessions.Storage.Log;
using Sessions.Storage.Page;

namespace Sessions;

/// <content>Reading by turns and through cursors.</content>
public sealed partial class Session
{
    /// <summary>Opens a cursor. It goes on when this object is disposed of; what a share shows stays the
    /// limit of one that was opened through it, and AccessDenied is the answer where that is asked to show what
    /// rewinds hide. The context of a share begins where the last compaction in its range says.</summary>
    public EventCursor OpenCursor(EventCursorOptions? options = null)
    {
        options ??= new EventCursorOptions();
        Look(ReadFlags.None);
        if (_shareId is not null && options.Flags.HasFlag(ReadFlags.Hidden))
        {
            throw Errors.Denied("share.hidden");
        }

        return new EventCursor(new Session(_store, _row, _shareId), options);
    }

    /// <summary>Writes a page of the events after a number, grouped by turn in the order in which the turns
    /// first appear: at most so many turns (0: as many as fit) and at most 1 MiB, but one at least. A turn
    /// that is too large for a page comes in parts.</summary>
    public void WriteTurns(long afterSeq, uint limit, IBufferWriter<byte> output)
    {
        Checks.Number(afterSeq, "after_seq");
        output.Write(ReadLog(ReadFlags.None, (log, sight) => new TurnPage(log, sight).Write(afterSeq, limit)).Written);
    }

    /// <summary>The number to stand behind so that the first event at that time (unix ms) or later comes next.
    /// Reads the log up to there.</summary>
    internal long FindTime(long at, JobContext context)
        => ReadLog(ReadFlags.None, (log, sight) => TimeSearch.Before(log, sight, at, new LineBuffer(), context)).Seq;

    /// <summary>What this handle may see now.</summary>
    internal Sight Look(ReadFlags flags)
    {
        SessionInfo info = Current();
        LogState state = _store.Look(isSettled =>
        {
            lock (Core.Rows.Gate)
            {
                return Core.Rows.ReadLog(_row, isSettled);
            }
        });
        return SightOf(Seen(info), state, info.LastSeq, flags);
    }

    /// <summary>Reads the log as this handle may see it.</summary>
    internal T ReadLog<T>(ReadFlags flags, Func<LogView, Sight, T> read) => _store.Run(() =>
    {
        SessionInfo info = Current();
        SeqRange range = Seen(info);
        (LogView log, LogState state) = OpenLog(info);
        using (log)
        {
            return read(log, SightOf(range, state, info.LastSeq, flags));
        }
    });

    private Sight SightOf(SeqRange range, LogState state, long lastSeq, ReadFlags flags) => _shareId is null
        ? new Sight(range, state, lastSeq, flags) : SharedView.Sight(range, state, lastSeq, flags);

    /// <summary>Asks again with each change that any process publishes, until it is so: then true. False
    /// when the time is over; it is asked once at least.</summary>
    internal unsafe bool WaitFor(uint timeoutMs, Func<bool> isSo, int sliceMs = 100)
    {
        long start = Core.Environment.Time.GetTimestamp();
        if (isSo())
        {
            return true;
        }

        SharedState state = Core.State;
        Core.Followers.Add(state);
        try
        {
            while (true)
            {
                if (Core.CheckedState() is var safe && safe != state)
                {
                    Core.Followers.Add(safe);
                    (state, SharedState lost) = (safe, state);
                    Core.Followers.Remove(lost);
                }

                int news = Volatile.Read(ref *state.News);
                if (isSo())
                {
                    return true;
                }

                long left = timeoutMs == uint.MaxValue ? int.MaxValue
                    : timeoutMs - (long)Core.Environment.Time.GetElapsedTime(start).TotalMilliseconds;
                if (left <= 0)
                {
                    return false;
                }

                // In slices, since the page may be replaced under the wait when somebody removes it.
                state.Page.Wait(state.News, news, (int)Math.Min(left, Math.Min(sliceMs, state.SliceMs)));
            }
        }
        finally
        {
            Core.Followers.Remove(state);
        }
    }
}
