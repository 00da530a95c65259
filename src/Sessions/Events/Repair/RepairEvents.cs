using Sessions.Json;

namespace Sessions.Events.Repair;

/// <summary>What repairs and aborts append. Each event says of itself whose it is.</summary>
internal static class RepairEvents
{
    /// <summary>The member that a repair's events have.</summary>
    public const string Repaired = "repaired";

    /// <summary>The member that an abort's events have.</summary>
    public const string Aborted = "aborted";

    /// <summary>Results of the open tool calls of a turn, unless it was stopped for a reason that leaves them
    /// open.</summary>
    public static List<RepairAction> Results(TurnLedger ledger, Turn turn, bool force, string mark)
        => turn.NeedsForce && !force ? []
            : turn.Calls.FindAll(c => c.IsOpen).ConvertAll(c => Result(ledger, turn, c, mark));

    private static RepairAction Result(TurnLedger ledger, Turn turn, ToolCall call, string mark)
    {
        var data = new Utf8Buffer(128);
        data.Byte('{').Member("tool_call_id", call.Id).Member("status", "interrupted").Member(mark, true);
        if (!ledger.IsFoundById(turn, call))
        {
            data.Member(CallSeq.Member, call.Seq);
        }

        data.Byte('}');
        return new RepairAction("append_interrupted_tool_result", "the tool call has no result",
            [Event("tool_call_update", data, turn)])
        {
            TurnId = turn.Id,
            Seq = call.Seq,
            ToolCallId = call.Id,
        };
    }

    /// <summary>The end of a turn, and an error before it where there is none yet.</summary>
    public static RepairAction End(Turn turn, string mark)
    {
        bool hasError = turn.LastType == "error";
        var events = new List<NewEvent>();
        if (!hasError)
        {
            var error = new Utf8Buffer(128);
            error.Byte('{').Member("message", "The turn was interrupted before it ended.")
                .Member("code", "interrupted").Member(mark, true).Byte('}');
            events.Add(Event("error", error, turn));
        }

        var end = new Utf8Buffer(64);
        end.Byte('{').Member("stop_reason", hasError ? "error" : "interrupted").Member(mark, true).Byte('}');
        events.Add(Event("turn_end", end, turn));
        return new RepairAction("append_terminal_error", "the turn never ended", events)
        {
            TurnId = turn.Id,
            Seq = turn.LastSeq,
        };
    }

    private static NewEvent Event(string type, Utf8Buffer data, Turn turn)
        => new(type, data.ToArray(), 0, turn.Id, null);
}
