using Sessions.Events.Pages;
using Sessions.Recording;
using Sessions.Storage.Log;

namespace Sessions;

/// <summary>An event as a <see cref="Player"/> hands it out.</summary>
/// <param name="Seq">Its number.</param>
/// <param name="Type">Its type; "damaged" where the line cannot be read.</param>
/// <param name="Data">Its data, compact JSON in UTF-8, token for token; empty where it is damaged.</param>
public sealed record PlayedEvent(long Seq, string Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>Unix milliseconds; 0 where there is none.</summary>
    public long Timestamp { get; init; }

    /// <summary>Its turn; null: none.</summary>
    public string? TurnId { get; init; }

    /// <summary>The id that its host gave it; null: none.</summary>
    public string? Id { get; init; }

    /// <summary>What is wrong with a damaged one, such as "invalid_json"; else null.</summary>
    public string? Damage { get; init; }

    /// <summary>Milliseconds between this event and the one that was played before it; 0 for the first
    /// one after a seek or a step back, and where the clock went back.</summary>
    public long PauseMs { get; init; }
}

/// <summary>
/// Plays a recorded session: forwards, backwards, from any number or time, some types or one turn
/// only, with the pauses that were recorded. It stands between two events, reads a few ahead, never the
/// whole log, and sees what is appended while it stands at the end. It never sleeps:
/// <see cref="DelayBeforeNext"/> says how long a host should. For one thread at a time. Calls fail as reads do.
/// </summary>
public sealed class Player
{
    private const int WindowEvents = 128;

    private readonly Session _session;
    private readonly TypeFilter _types;
    private readonly string? _turnId;
    private List<EventView> _window = [];
    private long _windowAfter; // the window has all events from this number, exclusive,
    private long _windowLast; // up to this one
    private long _emptyUpTo; // behind the position nothing that is wanted comes up to here
    private long _clock; // of the event that was played last

    /// <summary>Stands before the first event.</summary>
    /// <param name="session">Must outlive the player; may be one from a share.</param>
    /// <param name="types">Null: all; "tool_call,custom:*".</param>
    /// <param name="turnId">Null: all turns.</param>
    public Player(Session session, string? types = null, string? turnId = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        Checks.Name(turnId, "turn_id");
        (_session, _types, _turnId) = (session, new TypeFilter(types), turnId);
    }

    /// <summary>The number that it stands behind; 0: before the first event.</summary>
    public long Position { get; private set; }

    /// <summary>Moves behind the next event and returns it; null at the end, where later calls go on once
    /// something was appended.</summary>
    public PlayedEvent? Next()
    {
        if (FindNext() is not { } found)
        {
            return null;
        }

        PlayedEvent played = Played(found, EventPause.Between(_clock, found.Timestamp));
        Position = _emptyUpTo = found.Seq;
        _clock = Math.Max(_clock, found.Timestamp);
        return played;
    }

    /// <summary>The next event, without moving; null at the end.</summary>
    public PlayedEvent? Peek()
        => FindNext() is { } found ? Played(found, EventPause.Between(_clock, found.Timestamp)) : null;

    /// <summary>Moves before the event behind which it stands and returns it; null at the beginning.</summary>
    public PlayedEvent? Previous()
    {
        long before = Position + 1;
        while (true)
        {
            if (before <= _windowAfter + 1 || before > _windowLast + 1)
            {
                if (!Load(_session.ReadBefore(before, WindowEvents), null))
                {
                    return null;
                }
            }

            EventView? found = _window.FindLast(e => e.Seq < before && Takes(e));
            if (found is not null)
            {
                Move(found.Seq - 1);
                return Played(found, 0);
            }

            before = _windowAfter + 1;
        }
    }

    /// <summary>Moves behind a number, which need not be there: the next event has a higher one. 0: before
    /// the first; <see cref="long.MaxValue"/>: to the end.</summary>
    public void Seek(long afterSeq)
    {
        if (afterSeq != long.MaxValue)
        {
            Checks.Number(afterSeq, "after_seq");
        }

        Move(afterSeq == long.MaxValue ? _session.Seen().Last : afterSeq);
    }

    /// <summary>Moves to a time (unix ms): the next event is the first of that time or later. Where the
    /// clock went back while they were recorded, it is one from which on that holds. Costs a few reads.</summary>
    public void SeekTime(long at)
    {
        Checks.Number(at, "at");
        SeqRange seen = _session.Seen();
        long low = seen.First, high = Math.Max(low, seen.Last + 1);
        while (low < high)
        {
            long middle = low + ((high - low) / 2);
            EventView? timed = FirstTimed(middle - 1, high);
            if (timed is null || timed.Timestamp >= at)
            {
                high = middle;
            }
            else
            {
                low = timed.Seq + 1;
            }
        }

        Move(low - 1);
    }

    /// <summary>How long to wait before the next event to play as it was recorded.</summary>
    /// <param name="speed">1: as it was; 2: twice as fast; above 0. Infinity: no pauses.</param>
    /// <param name="longestMs">No single pause is longer, after the speed; 0: any.</param>
    /// <returns>Zero at the end.</returns>
    public TimeSpan DelayBeforeNext(double speed = 1, long longestMs = 0)
    {
        Checks.Number(longestMs, "longest_ms");
        if (double.IsNaN(speed) || speed <= 0)
        {
            throw Errors.Argument("speed", "speed must be above 0.");
        }

        double ms = (Peek()?.PauseMs ?? 0) / speed;
        ms = longestMs == 0 ? ms : Math.Min(ms, longestMs);
        return TimeSpan.FromMilliseconds(Math.Min(ms, TimeSpan.MaxValue.TotalMilliseconds / 2));
    }

    private EventView? FindNext()
    {
        while (true)
        {
            long after = Math.Max(Position, _emptyUpTo);
            if (after < _windowAfter || after >= _windowLast)
            {
                if (!Load(_session.ReadAfter(after, WindowEvents), after))
                {
                    return null;
                }
            }

            EventView? found = _window.Find(e => e.Seq > after && Takes(e));
            if (found is not null)
            {
                return found;
            }

            _emptyUpTo = _windowLast;
        }
    }

    // False where there is nothing; the window stays then, since it may serve again.
    private bool Load(List<EventView> events, long? after)
    {
        if (events.Count == 0)
        {
            return false;
        }

        _window = events;
        _windowAfter = after ?? events[0].Seq - 1;
        _windowLast = events[^1].Seq;
        return true;
    }

    private void Move(long position)
    {
        Position = _emptyUpTo = position;
        _clock = 0;
    }

    private bool Takes(EventView e) => _types.Takes(e.Type) && (_turnId is null || e.TurnId == _turnId);

    private EventView? FirstTimed(long after, long before)
    {
        while (true)
        {
            List<EventView> events = _session.ReadAfter(after, 1);
            if (events.Count == 0 || events[0].Seq >= before || events[0].Timestamp > 0)
            {
                return events.Count == 0 || events[0].Seq >= before ? null : events[0];
            }

            after = events[0].Seq;
        }
    }

    private static PlayedEvent Played(EventView e, long pauseMs) => new(e.Seq, e.Type, e.Data)
    {
        Timestamp = e.Timestamp,
        TurnId = e.TurnId,
        Id = e.Id,
        Damage = e.Damage?.Reason,
        PauseMs = pauseMs,
    };
}
