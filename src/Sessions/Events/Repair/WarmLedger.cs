using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Events.Repair;

/// <summary>
/// The account of a session's turns as it was when somebody last asked, which the next one goes on from:
/// who aborts wants it at the store lock without reading the log there. It is used by one at a time.
/// </summary>
internal sealed class WarmLedger(bool isTaken = false) : IWarm
{
    // What an event of a turn costs here, loosely: most belong to a turn that is there.
    private const int BytesEach = 96;

    private TurnLedger _ledger = new();
    private LogState? _state;
    private int _rewrites;
    private long _lastSeq;
    private long _lastWhole; // where the end is damaged, what comes behind says what that was
    private long _end; // where the line of that one ends
    private long _events;
    private int _isTaken = isTaken ? 1 : 0;

    public long Bytes => 1024 + (Volatile.Read(ref _events) * BytesEach);

    /// <summary>How many bytes of the log were read for it.</summary>
    public long BytesRead { get; private set; }

    /// <summary>True where it is the caller's now, until he lets go of it.</summary>
    public bool TryTake() => Interlocked.Exchange(ref _isTaken, 1) == 0;

    public void LetGo() => Volatile.Write(ref _isTaken, 0);

    /// <summary>True where it knows the log up to and with an event.</summary>
    public bool IsAt(LogState state, int rewrites, long lastSeq) => IsOf(state, rewrites) && _lastSeq == lastSeq;

    /// <summary>Takes in what came since, up to and with an event. False where that is more than so many bytes:
    /// it knows the less then, and can go on another time.</summary>
    public bool TryBring(LogView log, LogState state, int rewrites, long lastSeq, long bytesMax)
    {
        if (!IsOf(state, rewrites) || _lastSeq != _lastWhole)
        {
            (_ledger, _lastSeq, _lastWhole, _end, _events) = (new TurnLedger(), 0, 0, 0, 0);
        }

        _state = null; // should reading fail half-way, the next one begins again
        bool isWhole = true;
        var walk = new LogWalk(log, _end, lastSeq);
        while (isWhole && walk.TryNext())
        {
            if (walk.Damage is null && walk.Seq > _lastSeq && walk.Seq >= state.FirstSeq)
            {
                EventView e = EventView.Of(walk);
                if (e.Type.Length > 0)
                {
                    _ledger.Add(e, state.IsHidden(e.Seq));
                    Volatile.Write(ref _events, _events + 1);
                }

                (_lastSeq, _lastWhole, _end) = (walk.Seq, walk.Seq, walk.End);
            }

            isWhole = walk.Scanned <= bytesMax || walk.Seq == lastSeq;
        }

        BytesRead += walk.Scanned;
        _lastSeq = isWhole ? lastSeq : _lastSeq;
        (_state, _rewrites) = (state, rewrites);
        return isWhole;
    }

    /// <summary>What an abort appends: a result for each open tool call. The turn is left to its agent, who ends
    /// it in words of its own once it hears of the abort.</summary>
    public List<NewEvent> Settlement()
    {
        var events = new List<NewEvent>();
        foreach (Turn turn in _ledger.FindWithOpenCalls())
        {
            foreach (RepairAction action in RepairEvents.Results(_ledger, turn, force: false, RepairEvents.Aborted))
            {
                events.AddRange(action.Events);
            }
        }

        return events;
    }

    // Appending keeps what was seen; a rewind, its undoing and a prune do not.
    private bool IsOf(LogState state, int rewrites) => _state is { } known && _rewrites == rewrites
        && known.HasPartsOf(state) && known.Rewinds.SequenceEqual(state.Rewinds);
}
