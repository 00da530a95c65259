using Sessions.Storage.Log;

namespace Sessions.Events.Pruning;

/// <summary>A place where a log can be cut without parting a turn, and what stands before it.</summary>
internal sealed record Boundary(long Seq, long Offset, long Events, long Messages, long NewestBefore, int Damaged);

/// <summary>
/// Finds the places between turns, in one pass. A turn is all events with one turn_id, which may
/// stand among those of other turns; of events without one, a run that begins with a user_prompt.
/// </summary>
internal sealed class TurnBoundaries
{
    private readonly List<Boundary> _starts = [];
    private readonly Dictionary<string, (long First, long Last)> _turns = [];
    private string? _previous = "";
    private long _messages;
    private long _newest;

    /// <summary>How many events there are.</summary>
    public long Events { get; private set; }

    /// <summary>What is no event, in order.</summary>
    public List<Piece> Damage { get; } = [];

    public void Add(LogWalk walk)
    {
        EventHead head = walk.Damage is null ? EventLine.Head(walk.Unclosed.Span) : new EventHead(0, "", 0, null);

        // What cannot be read belongs to what stands before it.
        string? turn = walk.Damage is null ? head.TurnId : _previous;
        bool isNew = turn is null || !_turns.ContainsKey(turn);
        bool begins = turn is null ? head.Type == "user_prompt" || _previous is not null : isNew;
        if (Events == 0 || (begins && walk.Damage is null))
        {
            _starts.Add(new Boundary(walk.Seq, walk.Offset, Events, _messages, _newest, Damage.Count));
        }

        if (turn is not null)
        {
            _turns[turn] = (isNew ? walk.Seq : _turns[turn].First, walk.Seq);
        }

        _previous = turn;
        _newest = Math.Max(_newest, head.Timestamp);
        _messages += EventLine.IsMessage(head.Type) ? 1 : 0;
        Events++;
        if (walk.Damage is { } piece)
        {
            Damage.Add(piece);
        }
    }

    /// <summary>The places in order, the first at the first event.</summary>
    public IEnumerable<Boundary> Find()
    {
        using IEnumerator<(long First, long Last)> turns = _turns.Values.OrderBy(t => t.First).GetEnumerator();
        bool hasTurn = turns.MoveNext();
        long openUntil = 0;
        foreach (Boundary start in _starts)
        {
            for (; hasTurn && turns.Current.First < start.Seq; hasTurn = turns.MoveNext())
            {
                openUntil = Math.Max(openUntil, turns.Current.Last);
            }

            if (openUntil < start.Seq)
            {
                yield return start;
            }
        }
    }
}
