using Sessions.Events;
using Sessions.Recording;

namespace Sessions;

/// <summary>What a <see cref="Recorder"/> is doing.</summary>
public enum RecorderState
{
#pragma warning disable CS1591
    Created,
    Recording,
    Suspended,
    Ended,
#pragma warning restore CS1591
}

/// <summary>
/// Records a conversation: a method for each type of event, with the session's start and end and the
/// turns kept for the host. Any thread may call anything at any time; numbers are dense and in the one
/// order in which the events were recorded. What is recorded counts as the store's durability says, or
/// the recorder's own. Calls fail as <see cref="Session.Append"/> does; one that does not fit the
/// recorder's state is <see cref="SessionStatus.InvalidTransition"/>, and nothing was recorded.
/// </summary>
public sealed partial class Recorder
{
    private readonly Session _session;
    private readonly AppendFlags _flags;
    private readonly object _gate = new();
    private int _inFlight;
    private bool _isChanging;
    private RecorderState _state;
    private string? _turnId;
    private long _endSeq;

    /// <summary>Makes a recorder; records nothing yet.</summary>
    /// <param name="session">Must outlive the recorder.</param>
    /// <param name="flags">None: as durable as the store; or Relaxed, or Durable.</param>
    public Recorder(Session session, AppendFlags flags = AppendFlags.None)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (flags is not (AppendFlags.None or AppendFlags.Relaxed or AppendFlags.Durable))
        {
            throw Errors.Argument("flags", "A recorder must be relaxed or durable, not both.");
        }

        (_session, _flags) = (session, flags | AppendFlags.Check);
    }

    /// <summary>What it is doing.</summary>
    public RecorderState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>The turn that is open; null where none is.</summary>
    public string? TurnId
    {
        get
        {
            lock (_gate)
            {
                return _turnId;
            }
        }
    }

    /// <summary>Begins a session that is new. Returns the number of its session_start.</summary>
    public long Start(string? reason = null) => Change("start", RecorderState.Created, () =>
        Move(RecorderState.Recording, Event("session_start", RecordWriter.Start(reason, resumed: false), null)));

    /// <summary>Lets the session rest: records a session_end that says whether a turn was open, and
    /// nothing more until <see cref="Resume"/>. The turn stays open. Returns the number.</summary>
    public long Suspend(string reason = "suspended") => Change("suspend", RecorderState.Recording, () =>
        Move(RecorderState.Suspended, Event("session_end", RecordWriter.End(reason, _turnId is not null), null)));

    /// <summary>
    /// Goes on: after <see cref="Suspend"/> with the same turn; with a new recorder, with a session that
    /// another one left. What a dead process left open in it is closed first, as
    /// <see cref="Session.Repair(RepairFlags, System.Buffers.IBufferWriter{byte})"/> does without flags; that
    /// reads the whole log, and only where the session did not end in order. Nobody else may be
    /// recording. Returns the number of the session_start.
    /// </summary>
    public long Resume(string reason = "resume") => Change("resume", null, () =>
    {
        if (_state is not (RecorderState.Created or RecorderState.Suspended))
        {
            throw Wrong("resume", "it is neither new nor suspended");
        }

        if (_state == RecorderState.Created && _session.WasLeftOpen())
        {
            _session.Repair(RepairFlags.None);
        }

        return Move(RecorderState.Recording,
            Event("session_start", RecordWriter.Start(reason, resumed: true), null));
    });

    /// <summary>Ends the session: closes the turn that is open with stop reason "interrupted" and records
    /// session_end, in one commit. Returns the number of the session_end; a second end records
    /// nothing and returns the same, and so does one before the start, which returns 0.</summary>
    public long End(string reason = "ended") => Change("end", null, () =>
    {
        if (_state is RecorderState.Ended or RecorderState.Created)
        {
            _state = RecorderState.Ended;
            return _endSeq;
        }

        NewEvent end = Event("session_end", RecordWriter.End(reason, _turnId is not null), null);
        _endSeq = _turnId is null ? Move(RecorderState.Ended, end)
            : Move(RecorderState.Ended, Event("turn_end", RecordWriter.TurnEnd(StopReason.Interrupted), _turnId), end);
        _turnId = null;
        return _endSeq;
    });

    /// <summary>Opens a turn; what is recorded from now on belongs to it. Records nothing by itself.</summary>
    /// <param name="turnId">1 to 128 bytes; null: a new random one.</param>
    /// <returns>The id of the turn.</returns>
    public string BeginTurn(string? turnId = null)
    {
        Checks.Name(turnId, "turn_id");
        return Change("begin_turn", RecorderState.Recording, () => _turnId is null
            ? _turnId = turnId ?? _session.NewTurnId() : throw Wrong("begin_turn", "a turn is open"));
    }

    /// <summary>Ends the turn that is open: its turn_end stands behind all that other threads recorded in
    /// it. Returns the number.</summary>
    public long EndTurn(StopReason reason = StopReason.EndTurn) => Change("end_turn", RecorderState.Recording, () =>
    {
        string turn = _turnId ?? throw Wrong("end_turn", "no turn is open");
        long seq = Move(_state, Event("turn_end", RecordWriter.TurnEnd(reason), turn));
        _turnId = null;
        return seq;
    });

    // Events go side by side, so that threads share commits.
    private long Record(string type, ReadOnlySpan<byte> data, string? turnId)
    {
        string? current;
        lock (_gate)
        {
            while (_isChanging)
            {
                Monitor.Wait(_gate);
            }

            if (_state != RecorderState.Recording)
            {
                throw Wrong("record", "it is not recording");
            }

            current = _turnId;
            _inFlight++;
        }

        try
        {
            return _session.Append(type, data, new AppendOptions { Flags = _flags, TurnId = turnId ?? current });
        }
        finally
        {
            lock (_gate)
            {
                _inFlight--;
                Monitor.PulseAll(_gate);
            }
        }
    }

    // Changes of state stand alone: all that was under way is in the log before, the rest comes after.
    private T Change<T>(string what, RecorderState? wanted, Func<T> change)
    {
        lock (_gate)
        {
            while (_isChanging)
            {
                Monitor.Wait(_gate);
            }

            _isChanging = true;
            while (_inFlight > 0)
            {
                Monitor.Wait(_gate);
            }
        }

        try
        {
            return wanted is { } state && state != _state ? throw Wrong(what, $"it is not {Word(state)}") : change();
        }
        finally
        {
            lock (_gate)
            {
                _isChanging = false;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private long Move(RecorderState to, params NewEvent[] events)
    {
        long seq = _session.AppendAll(events, _flags & ~AppendFlags.Check)[^1];
        _state = to;
        return seq;
    }

    private static NewEvent Event(string type, byte[] data, string? turnId) => new(type, data, 0, turnId, null);

    private static string Word(RecorderState state) => RecordWriter.Name(state);

    private SessionException Wrong(string what, string reason) => new(SessionStatus.InvalidTransition,
        $"The recorder cannot {what}: {reason}.", Errors.Details(b => b.Member("state", Word(_state))
            .Member("event", what).Member("reason", reason)));
}
