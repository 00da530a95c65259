using System.Globalization;
using Sessions.Events.Schema;
using Sessions.Model;
using Sessions.Storage.Log;

namespace Sessions.Events.Repair;

/// <summary>Reads a log from its first line to its last and says what is wrong with it, and which
/// events would mend what can be mended. Changes nothing.</summary>
internal sealed class RepairScan
{
    private static readonly string[] Running = ["spawning", "active", "idle", "stopping", "cleaning"];

    private readonly RepairReport _report;
    private readonly LogState _state;
    private readonly long _lastSeq;
    private readonly TurnLedger _ledger = new();
    private readonly List<(long First, long Last)> _gaps = [];
    private long _next;

    private RepairScan(RepairReport report, LogState state, long lastSeq)
        => (_report, _state, _lastSeq, _next) = (report, state, lastSeq, state.FirstSeq);

    public static RepairReport Run(LogView log, LogState state, SessionInfo info, RepairFlags flags,
        JobContext? context = null, RepairScope? scope = null)
    {
        bool force = flags.HasFlag(RepairFlags.Force);
        var report = new RepairReport { IsDryRun = flags.HasFlag(RepairFlags.DryRun) };
        var scan = new RepairScan(report, state, info.LastSeq);
        bool isRunning = Running.Contains(info.State);
        if (isRunning)
        {
            report.Add(new RepairIssue("session_not_stopped", force ? "warning" : "error",
                $"the session is {info.State}; without force nothing is appended"));
        }

        scan.Read(log, context ?? new JobContext());
        scan.Plan(isRunning && !force, force, scope ?? new RepairScope(null));
        return report;
    }

    private void Read(LogView log, JobContext context)
    {
        var walk = new LogWalk(log, 0, _lastSeq) { OnOdd = AddOdd };
        bool endsWhole = false;
        while (walk.TryNext())
        {
            context.ThrowIfCancelled();
            context.Report(walk.Offset, log.Length);
            endsWhole = walk.Damage is null;
            if (walk.Seq < _state.FirstSeq)
            {
                continue; // pruned, though a branch may still have the line
            }

            if (walk.Seq > _next)
            {
                AddGap(walk.Seq - 1);
            }

            _next = Math.Max(_next, walk.Seq + 1);
            if (walk.Damage is null)
            {
                AddEvent(EventView.Of(walk));
            }
        }

        AddGap(_lastSeq);
        if (walk.EndsTorn && endsWhole && !_report.Issues.Any(i => i.Code == "torn_tail"))
        {
            _report.Add(new RepairIssue("torn_tail", "info",
                "the last line has no newline; the next append puts one before its own"));
        }
    }

    private void AddEvent(EventView e)
    {
        if (e.Type.Length == 0)
        {
            _report.Add(new RepairIssue("event_type_mismatch", "warning", "the line has no type") { Seq = e.Seq });
            return;
        }

        bool isHidden = _state.IsHidden(e.Seq);
        if (!isHidden && SchemaCheck.Find(e.Type, e.Data.Span) is { } misfit)
        {
            // Allowed, since only an append with the check looks; but readers may trip over it.
            _report.Add(new RepairIssue("event_type_mismatch", "info", $"{e.Type}: {misfit.Message}")
            {
                TurnId = e.TurnId,
                Seq = e.Seq,
            });
        }

        if (!_ledger.Add(e, isHidden))
        {
            _report.Add(new RepairIssue("dangling_tool_call_missing_id", "warning",
                "the tool call has no result and no id that one could name")
            {
                TurnId = e.TurnId,
                Seq = e.Seq,
            });
        }
    }

    private void AddOdd(Piece piece)
    {
        (string code, string severity, string message) = piece.Reason switch
        {
            "torn" => ("torn_tail", "warning", "the log ends in a piece of a line; nothing is ever glued onto it"),
            not "sequence" => ("invalid_event_json", "error", "the line is no event: " + piece.Reason),
            _ when piece.Seq >= _next => ("event_sequence_gap", "warning", "the number is too high for its place"),
            _ when IsInGap(piece.Seq)
                => ("event_sequence_regression", "warning", "the number is lower than the one before"),
            _ => ("event_sequence_duplicate", "warning", "the number was there before"),
        };
        _report.Add(new RepairIssue(code, severity, message)
        {
            Seq = piece.Seq == 0 ? null : piece.Seq,
            Offset = piece.Offset,
            Length = piece.Length,
        });
    }

    // They were found in their order.
    private bool IsInGap(long seq)
    {
        int low = 0, high = _gaps.Count;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            (low, high) = _gaps[middle].Last < seq ? (middle + 1, high) : (low, middle);
        }

        return low < _gaps.Count && seq >= _gaps[low].First;
    }

    private void AddGap(long last)
    {
        if (_next > last)
        {
            return;
        }

        _gaps.Add((_next, last));
        _report.Add(new RepairIssue("event_sequence_gap", "error", string.Create(CultureInfo.InvariantCulture,
            $"the numbers {_next} to {last} are missing")) { Seq = _next });
        _next = last + 1;
    }

    private void Plan(bool isBarred, bool force, RepairScope scope)
    {
        bool hasTurn = false;
        foreach (Turn turn in _ledger.Turns)
        {
            hasTurn |= turn.LastSeq != 0;
            List<ToolCall> open = turn.Calls.FindAll(c => c.IsOpen);
            bool endsHere = turn.IsOpen && _ledger.IsCurrent(turn);
            if (open.Count > 0 && turn.NeedsForce)
            {
                _report.Add(new RepairIssue("stop_reason_requires_force", "warning",
                    $"the turn was stopped ({turn.StopReason}) with tool calls open; they are closed with force only")
                {
                    TurnId = turn.Id,
                    Seq = turn.EndSeq,
                });
            }

            bool hasTerminal = turn.EndSeq != 0 ? open.Count > 0 : endsHere && turn.LastType == "error";
            if (hasTerminal)
            {
                _report.Add(new RepairIssue("terminal_event_already_exists", "info", turn.EndSeq != 0
                    ? "the turn has ended; only results are missing"
                    : "the turn has its error; only its end is missing")
                {
                    TurnId = turn.Id,
                    Seq = turn.EndSeq != 0 ? turn.EndSeq : turn.LastSeq,
                });
            }

            bool isAtWork = (endsHere || open.Count > 0) && scope.Running?.Contains(turn) == true;
            if (isAtWork)
            {
                _report.LeavesRunning |= !force;
                _report.Add(new RepairIssue("turn_not_stopped", force ? "warning" : "error",
                    "somebody is at work in the turn; without force nothing is appended to it")
                {
                    TurnId = turn.Id,
                    Seq = turn.LastSeq == 0 ? null : turn.LastSeq,
                });
            }

            if (!isBarred && (force || !isAtWork))
            {
                _report.Actions.AddRange(RepairEvents.Results(_ledger, turn, force,
                    RepairEvents.Repaired));
                if (endsHere && !scope.OnlyCalls)
                {
                    _report.Actions.Add(RepairEvents.End(turn, RepairEvents.Repaired));
                }
            }
        }

        if (!hasTurn)
        {
            _report.Add(new RepairIssue("no_repairable_turn", "info", "the log has no turn"));
        }
    }
}
