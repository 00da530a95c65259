using Sessions.Json;
using Sessions.Storage.Journal;

namespace Sessions.Events.Repair;

/// <summary>Something that is not as it should be.</summary>
internal sealed record RepairIssue(string Code, string Severity, string Message)
{
    public string? TurnId { get; init; }

    /// <summary>The event concerned, or the first number that is; null where there is none.</summary>
    public long? Seq { get; init; }

    /// <summary>Where in the log, for what can be no event.</summary>
    public long? Offset { get; init; }

    public long? Length { get; init; }
}

/// <summary>Something that a repair appends.</summary>
internal sealed record RepairAction(string Code, string Message, IReadOnlyList<NewEvent> Events)
{
    public string? TurnId { get; init; }

    /// <summary>The event that it answers to.</summary>
    public long Seq { get; init; }

    public string? ToolCallId { get; init; }
}

/// <summary>On whose behalf a log is settled, and what of it.</summary>
/// <param name="Mine">The right of the handle that asks; null: of no handle, so all that this store wrote is
/// its.</param>
/// <param name="Former">The open store of a holder that has lost the lock; null: none.</param>
/// <param name="OnlyCalls">Tool calls alone; turns stay open.</param>
internal sealed record RepairScope(IWriter? Mine, string? Former = null, bool OnlyCalls = false)
{
    /// <summary>The turns in which somebody is at work; null: nobody is.</summary>
    public RunningTurns? Running { get; init; }
}

/// <summary>What a repair found and did, as session_repair hands it out.</summary>
internal sealed class RepairReport
{
    private const int IssuesMax = 1000;

    private readonly List<RepairIssue> _issues = [];

    /// <summary>The first thousand; of a log that is damaged all over nobody reads more.</summary>
    public IReadOnlyList<RepairIssue> Issues => _issues;

    public long IssuesLeftOff { get; private set; }

    public List<RepairAction> Actions { get; } = [];

    public bool IsDryRun { get; init; }

    /// <summary>True where a turn was left alone, since somebody is at work in it.</summary>
    public bool LeavesRunning { get; set; }

    /// <summary>The numbers of what was appended, in order; empty where nothing was.</summary>
    public long[] Appended { get; set; } = [];

    public void Add(RepairIssue issue)
    {
        if (_issues.Count < IssuesMax)
        {
            _issues.Add(issue);
        }
        else
        {
            IssuesLeftOff++;
        }
    }

    public void Write(Utf8Buffer output)
    {
        output.Byte('{').Member("dry_run", IsDryRun).Member("applied", Appended.Length > 0).Raw(",\"issues\":["u8);
        for (int i = 0; i < _issues.Count; i++)
        {
            RepairIssue issue = _issues[i];
            output.Raw(i == 0 ? "{"u8 : ",{"u8).Member("code", issue.Code).Member("severity", issue.Severity)
                .Member("turn_id", issue.TurnId).Member("seq", issue.Seq).Member("offset", issue.Offset)
                .Member("length", issue.Length).Member("message", issue.Message).Byte('}');
        }

        output.Raw("],\"actions\":["u8);
        int used = 0;
        for (int i = 0; i < Actions.Count; i++)
        {
            RepairAction action = Actions[i];
            output.Raw(i == 0 ? "{"u8 : ",{"u8).Member("code", action.Code).Member("severity", "info")
                .Member("turn_id", action.TurnId).Member("seq", action.Seq)
                .Member("tool_call_id", action.ToolCallId).Name("appended_seqs").Byte('[');
            for (int e = 0; e < action.Events.Count && Appended.Length > 0; e++, used++)
            {
                output.Raw(e == 0 ? ""u8 : ","u8).Number(Appended[used]);
            }

            output.Byte(']').Member("message", action.Message).Byte('}');
        }

        output.Byte(']').Member("issues_left_off", IssuesLeftOff).Byte('}');
    }
}
