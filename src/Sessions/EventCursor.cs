using System.Buffers;
using Sessions.Events.Cursors;
using Sessions.Events.Pages;
using Sessions.Storage.Log;

namespace Sessions;

/// <summary>
/// Reads a session's events page by page, forwards and backwards, without ever holding the log. It
/// stands between two numbers, so nothing that happens to the log invalidates it: events that come are
/// behind it, events that go are passed over. It has a view of the session of its own, which the one
/// that opened it may be disposed of before. One thread at a time: a second one that comes meanwhile
/// gets Misuse, except in <see cref="Dispose"/>, which any thread may call at any time.
/// </summary>
public sealed class EventCursor : IDisposable
{
    private readonly Session _session;
    private readonly EventFilter _filter;
    private readonly ReadFlags _flags;
    private readonly long _pageBytes;
    private readonly CursorRoom _room = new();
    private CursorPlace? _place;
    private long _position;
    private long _shownAt;
    private int _users;

    internal EventCursor(Session session, EventCursorOptions options)
    {
        Checks.Flags((uint)options.Flags, 7);
        Checks.Number(options.AfterSeq, "after_seq");
        Checks.AtMost(options.PageBytes, Limits.CursorPageBytesMax, "page_bytes_max");
        (_session, _flags, _filter, _position) = (session, options.Flags, new EventFilter(options), options.AfterSeq);
        _pageBytes = options.PageBytes == 0 ? Limits.PageBytes : options.PageBytes;
    }

    /// <summary>It stands behind this number and before the next.</summary>
    public long Position => Volatile.Read(ref _position);

    /// <summary>
    /// Writes a page of the events behind it and moves behind those: at most so many (0: as many as fit),
    /// at most a page of bytes, but one at least. Where there is none it waits for one, by any process;
    /// false when the time is over, and then nothing is written. With a timeout of 0 it answers at once,
    /// if need be with an empty page; <see cref="uint.MaxValue"/> waits for ever. A page is empty, too,
    /// where the filter found nothing in 32 MiB of the log: "has_more" is then true. Ends with Deleted,
    /// Closed or Cancelled when the session, the store or this object goes first.
    /// </summary>
    public bool WriteNext(uint limit, uint timeoutMs, IBufferWriter<byte> output) => Use(() =>
    {
        bool isThere = false;
        bool isInTime = _session.WaitFor(timeoutMs, () => isThere = TryNext(limit, timeoutMs == 0));
        if (isThere)
        {
            Hand(output);
        }

        return isInTime;
    });

    /// <summary>Writes a page of the events before it, oldest first, and moves before those.</summary>
    public void WritePrevious(uint limit, IBufferWriter<byte> output) => Use(() =>
    {
        CursorStand stand = _session.ReadLog(_flags,
            (log, sight) => Page(log, sight, limit).WriteBefore(_position, _place));
        Stand(stand);
        Hand(output);
        return true;
    });

    /// <summary>Moves behind a number, whether or not there is such an event; 0: before the first.</summary>
    public void Seek(long afterSeq)
    {
        Checks.Number(afterSeq, "after_seq");
        Use(() =>
        {
            _session.Look(_flags); // closed, deleted, revoked: answered as every other call does
            Stand(new CursorStand(afterSeq, null, 0, false, false));
            return true;
        });
    }

    /// <summary>Moves before the first event, in the order of numbers, that happened at that time (unix
    /// ms) or later; behind the last where there is none. Times may go backwards, so this reads the log
    /// from its start. The filter does not count.</summary>
    public void SeekTime(long at)
    {
        Checks.Number(at, "at");
        Use(() =>
        {
            (long seq, CursorPlace? place) = _session.ReadLog(_flags,
                (log, sight) => TimeSearch.Before(log, sight, at, _room.Lines));
            Stand(new CursorStand(seq, place, 0, false, false));
            return true;
        });
    }

    /// <summary>Lets go of it; a wait on it ends with Cancelled. Never blocks.</summary>
    public void Dispose() => _session.Dispose();

    private bool TryNext(uint limit, bool takesNothing)
    {
        if (!takesNothing && _position >= _session.Look(_flags).End)
        {
            return false; // as at most wakes: something happened, and not here
        }

        CursorStand stand = _session.ReadLog(_flags,
            (log, sight) => Page(log, sight, limit).WriteAfter(_position, _place, _shownAt));
        Stand(stand);
        return takesNothing || !stand.IsEmpty || stand.HasMore;
    }

    private CursorPage Page(LogView log, Sight sight, uint limit)
        => new(log, sight, _filter, _room, limit, _pageBytes);

    private void Stand(in CursorStand stand)
    {
        Volatile.Write(ref _position, stand.Position);
        (_place, _shownAt) = (stand.Place, stand.ShownAt);
    }

    private void Hand(IBufferWriter<byte> output)
    {
        ReadOnlySpan<byte> page = _room.Output.Written;
        page.CopyTo(output.GetSpan(page.Length));
        output.Advance(page.Length);
    }

    private bool Use(Func<bool> action)
    {
        if (Interlocked.Exchange(ref _users, 1) != 0)
        {
            throw Errors.Misuse();
        }

        try
        {
            return action();
        }
        finally
        {
            _room.Shrink();
            Volatile.Write(ref _users, 0);
        }
    }
}
