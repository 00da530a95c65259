namespace Sessions.Images;

/// <summary>What calls on a queue answer when they do nothing.</summary>
internal static class QueueErrors
{
    public static SessionException Full(long max, long actual) => new(SessionStatus.QueueFull,
        $"The queue holds {actual} entries; at most {max} are allowed.",
        Errors.Details(b => b.Member("limit", "queue.max_size").Member("max", max).Member("actual", actual)));

    public static SessionException NotFound(string entryId) => new(SessionStatus.NotFound,
        "There is no such entry in the queue.", Errors.Details(b => b.Member("entry_id", entryId)));

    public static SessionException NothingDue(long nextDueAt) => new(SessionStatus.NotFound,
        "Nothing in the queue is due.", Errors.Details(b => b.TimeMember("next_due_at", nextDueAt)));

    public static SessionException Disabled() => new(SessionStatus.AccessDenied, "The queue is switched off.",
        Errors.Details(b => b.Member("rule", "queue.enabled")));

    public static SessionException Claimed(QueueEntry entry) => new(SessionStatus.Conflict,
        "Another open store delivers this entry.",
        Errors.Details(b => b.Member("entry_id", entry.Id).Member("claimed_by", entry.ClaimedBy)));

    public static SessionException Wrong(QueueEntry entry, string what)
    {
        string state = QueueEntry.Word(entry.State);
        return new SessionException(SessionStatus.InvalidTransition, $"The entry is {state}; {what} is not for that.",
            Errors.Details(b => b.Member("state", state).Member("event", what)
                .Member("reason", "the entry is " + state)));
    }
}
