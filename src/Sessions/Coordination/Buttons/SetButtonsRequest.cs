using Sessions.Images;
using Sessions.Storage.Commit;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Buttons;

/// <summary>Sets a session's action buttons, unless the conversation went on meanwhile.</summary>
/// <param name="core">The store.</param>
/// <param name="row">The session.</param>
/// <param name="buttons">The new ones; none: the file goes.</param>
/// <param name="forSeq">The event that they follow; 0: the last one.</param>
/// <param name="seen">Up to here no later prompt is known to be.</param>
internal sealed class SetButtonsRequest(StoreCore core, Row row, IReadOnlyList<ActionButton> buttons, long forSeq,
    long seen) : CommitRequest
{
    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        if (forSeq != 0)
        {
            Require(transaction, info);
        }

        var set = new ActionButtons(forSeq == 0 ? info.LastSeq : forSeq, buttons);
        byte[] image = set.Write(row.Id);
        if (!image.AsSpan().SequenceEqual(transaction.Side(row, SmallFileKind.Buttons)))
        {
            transaction.PutSide(row, SmallFileKind.Buttons, image, buttons.Count == 0 ? "cleared" : "set",
                set.Detail());
        }
    }

    /// <summary>The first prompt behind an event that no rewind hides, up to a number; 0: none.</summary>
    public static long FindPrompt(LogView log, LogState state, long afterSeq, long lastSeq)
    {
        var walk = new LogWalk(log, afterSeq == 0 ? 0 : LogSearch.After(log, afterSeq), lastSeq);
        while (walk.TryNext() && walk.Seq <= lastSeq)
        {
            if (walk.Seq > afterSeq && walk.Damage is null && !state.IsHidden(walk.Seq)
                && EventLine.Head(walk.Unclosed.Span).Type == EventLine.Prompt)
            {
                return walk.Seq;
            }
        }

        return 0;
    }

    // Under the store lock only what came since the caller looked is read.
    private void Require(Transaction transaction, SessionInfo info)
    {
        if (forSeq > info.LastSeq)
        {
            throw Errors.Argument("for_seq", "for_seq must be the number of an event that is there already.");
        }

        LogState state = transaction.Log(row);
        long later = state.IsHidden(forSeq) ? info.LastSeq : row.Working?.PromptSeq ?? 0;
        if (later <= forSeq && info.LastSeq > seen)
        {
            using LogView log = RowLog.Open(core.Disk, row, state);
            later = FindPrompt(log, state, Math.Max(seen, forSeq), info.LastSeq);
        }

        if (later > forSeq)
        {
            throw ButtonErrors.Passed(forSeq, later);
        }
    }
}

/// <summary>What calls on action buttons answer when they do nothing.</summary>
internal static class ButtonErrors
{
    public static SessionException Passed(long forSeq, long laterSeq) => new(SessionStatus.Conflict,
        "The conversation went on behind the event that the buttons are for.",
        Errors.Details(b => b.Member("expected", forSeq).Member("actual", laterSeq)));
}
