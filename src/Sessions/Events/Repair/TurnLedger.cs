using System.Text;
using Sessions.Json;
using Sessions.Storage.Log;

namespace Sessions.Events.Repair;

/// <summary>A tool call and whether it still waits for its result.</summary>
internal sealed class ToolCall(string id, long seq) : KnownCall(seq)
{
    public string Id { get; } = id;
}

/// <summary>A turn as far as its events tell.</summary>
/// <param name="id">Null for the events that bear no turn id.</param>
/// <param name="place">Its place among the turns, in the order of their first events.</param>
internal sealed class Turn(string? id, int place)
{
    public int Place { get; } = place;

    /// <summary>Null for the events that bear no turn id.</summary>
    public string? Id { get; } = id;

    public List<ToolCall> Calls { get; } = [];

    /// <summary>Its last event; 0 where it has none that a turn is made of.</summary>
    public long LastSeq { get; set; }

    public string LastType { get; set; } = "";

    /// <summary>The number of its end; 0 where it has none.</summary>
    public long EndSeq { get; set; }

    /// <summary>Why it ended; null where it has not, or where a rewind hides the end.</summary>
    public string? StopReason { get; set; }

    /// <summary>True where it was stopped for a reason after which tool calls may well stay open.</summary>
    public bool NeedsForce => StopReason is not (null or "end_turn" or "interrupted" or "error");

    /// <summary>
    /// True where it began and never ended. Hosts that give their events no turn ids often write no
    /// ends either: there a message of the agent, an error or the end of the session is one.
    /// </summary>
    public bool IsOpen => LastSeq != 0 && EndSeq == 0
        && (Id is not null || LastType is not ("agent_message" or "error" or "session_end"));
}

/// <summary>Keeps account of turns and tool calls, event by event.</summary>
internal sealed class TurnLedger
{
    private readonly List<Turn> _turns = [];
    private readonly Dictionary<string, Turn> _byId = new(StringComparer.Ordinal);
    private readonly CallBook _calls = new();
    private readonly HashSet<Turn> _perhapsOpen = []; // those that events came to since it was last asked
    private Turn? _unnamed;

    /// <summary>In the order of their first events. Of those without id only the last one can be open.</summary>
    public IEnumerable<Turn> Turns => _turns;

    /// <summary>True for the one turn without id that may still go on.</summary>
    public bool IsCurrent(Turn turn) => turn.Id is not null || ReferenceEquals(turn, _unnamed);

    /// <summary>Those in which a tool call is open, in the same order. Takes no longer for a long log than for a
    /// short one, but the first time.</summary>
    public List<Turn> FindWithOpenCalls()
    {
        _perhapsOpen.RemoveWhere(t => !t.Calls.Exists(c => c.IsOpen));
        List<Turn> open = [.. _perhapsOpen];
        open.Sort((a, b) => a.Place.CompareTo(b.Place));
        return open;
    }

    /// <summary>True where a result that names the call by its turn and its id is that of this open call; else it
    /// has to give the call's number, too.</summary>
    public bool IsFoundById(Turn turn, ToolCall call)
        => _calls.IsFound(call, Encoding.UTF8.GetBytes(turn.Id ?? ""), Encoding.UTF8.GetBytes(call.Id));

    /// <summary>Takes in an event. False for a tool call without a result that has no id to find one by.</summary>
    public bool Add(EventView e, bool isHidden)
    {
        Turn turn = Find(string.IsNullOrEmpty(e.TurnId) ? null : Clean(e.TurnId), e.Type);
        _perhapsOpen.Add(turn);
        if (isHidden)
        {
            // What a rewind hides is not mended; but a turn that had ended had ended.
            turn.EndSeq = e.Type == "turn_end" ? e.Seq : turn.EndSeq;
            return true;
        }

        if (e.Type is "user_prompt" or "turn_end")
        {
            _calls.EndUnnamed();
        }

        switch (e.Type)
        {
            case "turn_end":
                (turn.EndSeq, turn.StopReason) = (e.Seq, StopReason(e));
                return true;
            case "user_prompt" or "agent_thought" or "plan" or "permission" or "file_read" or "file_write" or "error":
                (turn.LastSeq, turn.LastType) = (e.Seq, e.Type);
                return true;
            case "agent_message":
                (turn.LastSeq, turn.LastType) = (e.Seq, IsInterrupted(e) ? "" : e.Type);
                return true;
            case "session_end" when turn.Id is null && turn.LastSeq != 0:
                turn.LastType = e.Type;
                return true;
            case "tool_call":
                (turn.LastSeq, turn.LastType) = (e.Seq, e.Type);
                return AddCall(e, turn, out _);
            case "tool_call_update":
                // An update says nothing of whether the agent had more to say. One without a turn id that speaks
                // of a call further up begins no turn.
                bool begins = turn.Id is not null || turn.LastSeq != 0;
                bool isNamed = AddCall(e, turn, out bool isAnswer);
                turn.LastSeq = begins || !isAnswer ? e.Seq : 0;
                return isNamed;
            default:
                return true; // notes, titles, usage and what the host made up are said about turns, not in them
        }
    }

    private Turn Find(string? id, string type)
    {
        Turn? turn = id is null ? _unnamed : _byId.GetValueOrDefault(id);
        if (turn is null || (id is null && (turn.EndSeq != 0 || type == "user_prompt")))
        {
            if (turn is not null && type is not ("user_prompt" or "agent_message" or "agent_thought" or "tool_call"))
            {
                return turn; // comes late, after the end
            }

            turn = new Turn(id, _turns.Count);
            _turns.Add(turn);
            if (id is null)
            {
                _unnamed = turn;
            }
            else
            {
                _byId.Add(id, turn);
            }
        }

        return turn;
    }

    private bool AddCall(EventView e, Turn turn, out bool isAnswer)
    {
        isAnswer = false;
        (string? id, long seq, bool hasResult) = ReadCall(e);
        if (id is null)
        {
            return hasResult || e.Type == "tool_call_update";
        }

        byte[] turnKey = Encoding.UTF8.GetBytes(turn.Id ?? ""), key = Encoding.UTF8.GetBytes(id);
        var call = (ToolCall?)_calls.Find(turnKey, key, seq, begins: e.Type == "tool_call");
        isAnswer = call is not null;
        if (call is null)
        {
            call = new ToolCall(id, e.Seq);
            _calls.Add(call, turnKey, key);
            if (!hasResult)
            {
                turn.Calls.Add(call);
            }
        }

        call.IsOpen &= !hasResult;
        return true;
    }

    // A final status is a result, and so is output where nothing says that more is to come.
    private static (string? Id, long Seq, bool HasResult) ReadCall(EventView e)
    {
        string? id = null, status = null;
        long seq = 0;
        bool hasOutput = false;
        if (e.Data.Span is not [(byte)'{', ..])
        {
            return (null, 0, false);
        }

        foreach (JsonMember m in JsonMembers.Of(e.Data))
        {
            bool isText = m.Value.Span[0] == '"';
            switch (m.Name)
            {
                case "tool_call_id": id = isText ? Clean(m.Text) : null; break;
                case "call_seq": seq = CallSeq.Read(m.Value.Span); break;
                case "status" when isText: status = m.Text; break;
                case "raw_output": hasOutput = !m.IsNull; break;
                default: break;
            }
        }

        return (string.IsNullOrEmpty(id) ? null : id, seq, status is null ? hasOutput
            : status is "completed" or "failed" or "cancelled" or "interrupted");
    }

    private static string StopReason(EventView e)
        => e.Data.Span is [(byte)'{', ..] && JsonMembers.Of(e.Data).FindLast(m => m.Name == "stop_reason") is
            { Name: not null } found && found.Value.Span[0] == '"' ? found.Text : "";

    private static bool IsInterrupted(EventView e)
        => e.Data.Span is [(byte)'{', ..]
            && JsonMembers.Of(e.Data).Exists(m => m.Name == "interrupted" && m.Value.Span.SequenceEqual("true"u8));

    // Half a surrogate pair cannot be written again; so it counts as what would be written for it.
    private static string Clean(string id) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(id));
}
