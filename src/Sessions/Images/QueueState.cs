using Sessions.Rules;

namespace Sessions.Images;

/// <summary>
/// A session's queue: entries in the order of delivery, and records of the last that were settled. Immutable; each
/// operation is a function to the state after it, or throws what the call answers and nothing has happened.
/// </summary>
internal sealed record QueueState
{
    /// <summary>So many records of settled entries are kept.</summary>
    public const int RecordsMax = 50;

    public static readonly QueueState Empty = new();

    /// <summary>How often the queue was cleared.</summary>
    public long Generation { get; init; }

    /// <summary>Queued, claimed and interrupted entries in the order of their positions.</summary>
    public IReadOnlyList<QueueEntry> Entries { get; init; } = [];

    /// <summary>Sent, failed and cancelled ones, in the order in which they were settled.</summary>
    public IReadOnlyList<QueueEntry> Settled { get; init; } = [];

    /// <summary>When the last entry was settled as sent; 0: never.</summary>
    public long LastDeliveryAt { get; init; }

    /// <summary>True where nothing would be lost with the file.</summary>
    public bool IsEmpty => Generation == 0 && LastDeliveryAt == 0 && Entries.Count + Settled.Count == 0;

    /// <summary>True where an entry, settled or not, has the id.</summary>
    public bool Knows(string id) => Find(id) is not null || FindSettled(id) is not null;

    /// <summary>An entry that is not settled; null: none.</summary>
    public QueueEntry? Find(string id) => Entries.FirstOrDefault(e => e.Id == id);

    /// <summary>The record of one that is; null: none.</summary>
    public QueueEntry? FindSettled(string id) => Settled.FirstOrDefault(e => e.Id == id);

    /// <summary>The entries that a store claimed which is open no more are interrupted.</summary>
    public QueueState Interrupt(Func<string, bool> isAlive)
    {
        bool hasChanged = false;
        QueueEntry[] entries = [.. Entries];
        for (int i = 0; i < entries.Length; i++)
        {
            if (entries[i].State == QueueEntryState.Claimed && !isAlive(entries[i].ClaimedBy!))
            {
                entries[i] = entries[i] with { State = QueueEntryState.Interrupted };
                hasChanged = true;
            }
        }

        return hasChanged ? this with { Entries = entries } : this;
    }

    /// <summary>Adds an entry at the end, or finds the first one with its key.</summary>
    public (QueueState State, QueueEntry Entry) Add(QueueEntry draft, Func<string> newId, in QueueRules rules, long now)
    {
        RequireEnabled(rules);
        if (draft.Key is not null && Settled.Concat(Entries).FirstOrDefault(e => e.Key == draft.Key) is { } first)
        {
            return (this, first);
        }

        if (Entries.Count >= rules.SizeMax)
        {
            throw QueueErrors.Full(rules.SizeMax, Entries.Count);
        }

        QueueEntry added = draft with { Id = newId(), QueuedAt = now, Generation = Generation };
        return (this with { Entries = [.. Entries, added] }, added);
    }

    /// <summary>Changes an entry that waits. One that has only its title changed may be claimed or interrupted,
    /// and where it is gone nothing happens: a title may come late.</summary>
    public QueueState Update(string id, Func<QueueEntry, QueueEntry> change, bool isOfTitle)
    {
        QueueEntry? entry = Find(id);
        if (entry is null)
        {
            return isOfTitle ? this : throw QueueErrors.NotFound(id);
        }

        return Replace(isOfTitle ? entry : Waiting(entry, "update"), change(entry));
    }

    /// <summary>Moves an entry that waits by so many places, as far as there are any.</summary>
    public QueueState Move(string id, int delta)
    {
        QueueEntry entry = Waiting(Find(id) ?? throw QueueErrors.NotFound(id), "move");
        List<QueueEntry> entries = Entries.ToList();
        int from = entries.IndexOf(entry);
        int to = (int)Math.Clamp((long)from + delta, 0, entries.Count - 1);
        if (from == to)
        {
            return this;
        }

        entries.RemoveAt(from);
        entries.Insert(to, entry);
        return this with { Entries = entries };
    }

    /// <summary>Takes an entry out that nobody is delivering.</summary>
    public QueueState Remove(string id)
    {
        QueueEntry entry = Find(id) ?? throw QueueErrors.NotFound(id);
        return entry.State == QueueEntryState.Claimed ? throw QueueErrors.Wrong(entry, "remove")
            : Record(entry with { State = QueueEntryState.Cancelled, Detail = "removed" });
    }

    /// <summary>Raises the generation and takes every entry out that nobody is delivering; how many.</summary>
    public (QueueState State, int Count) Clear()
    {
        List<QueueEntry> dropped = Entries.Where(e => e.State != QueueEntryState.Claimed).Select(Dropped).ToList();
        QueueState state = this with
        {
            Generation = Limits.Next(Generation),
            Entries = [.. Entries.Where(e => e.State == QueueEntryState.Claimed)],
            Settled = [.. Settled.Concat(dropped).TakeLast(RecordsMax)],
        };
        return (state, dropped.Count);
    }

    /// <summary>Claims the first entry that is due.</summary>
    public (QueueState State, QueueEntry Entry) Claim(string? turnId, string claimer, in QueueRules rules, long now)
    {
        RequireEnabled(rules);
        long due = NextDue(rules, now);
        if (due == 0 || due > now)
        {
            throw QueueErrors.NothingDue(due);
        }

        QueueEntry entry =
            Entries.FirstOrDefault(e => e.State == QueueEntryState.Queued && e.ScheduledAt <= now)!;
        QueueEntry claimed = entry with
        {
            State = QueueEntryState.Claimed,
            TurnId = turnId,
            ClaimedBy = claimer,
            ClaimedAt = now,
        };
        return (Replace(entry, claimed), claimed);
    }

    /// <summary>The entry that this claimer may settle so, or the record of one that was settled so already:
    /// then there is nothing to do.</summary>
    public QueueEntry RequireSettling(string id, QueueOutcome outcome, string claimer)
    {
        if (FindSettled(id) is { } record)
        {
            // A release of what a clear had passed became a cancel.
            return record.State == Final(outcome) || (outcome, record.State) is
                (QueueOutcome.Release, QueueEntryState.Cancelled) ? record : throw QueueErrors.Wrong(record, "settle");
        }

        QueueEntry entry = Find(id) ?? throw QueueErrors.NotFound(id);
        return entry.State switch
        {
            QueueEntryState.Claimed when entry.ClaimedBy != claimer => throw QueueErrors.Claimed(entry),
            QueueEntryState.Queued when outcome != QueueOutcome.Release => throw QueueErrors.Wrong(entry, "settle"),
            _ => entry,
        };
    }

    /// <summary>Settles an entry that may be; also the next occurrence of one that comes again.</summary>
    public (QueueState State, QueueEntry Settled, QueueEntry? Next) Settle(QueueEntry entry, QueueOutcome outcome,
        string? detail, long seq, Func<string> newId, long now)
    {
        if (entry.IsSettled || entry.State == QueueEntryState.Queued)
        {
            return (this, entry, null); // it was, so
        }

        if (outcome == QueueOutcome.Release)
        {
            QueueEntry released = entry.Generation < Generation ? Dropped(entry) : entry with
            {
                State = QueueEntryState.Queued,
                TurnId = null,
                ClaimedBy = null,
                ClaimedAt = 0,
                Detail = detail,
            };
            return (released.IsSettled ? Record(released) : Replace(entry, released), released, null);
        }

        QueueEntry settled = entry with { State = Final(outcome)!.Value, Detail = detail, Seq = seq };
        QueueState state = Record(settled);
        if (outcome == QueueOutcome.Sent)
        {
            state = state with { LastDeliveryAt = now };
        }

        // What was cleared or cancelled comes no more; what failed does, at its next time.
        if (outcome == QueueOutcome.Cancelled || entry.Generation < Generation
            || entry.Repeat?.Next(entry.DueAt, now) is not { } next)
        {
            return (state, settled, null);
        }

        QueueEntry again = entry with
        {
            Id = newId(),
            State = QueueEntryState.Queued,
            QueuedAt = now,
            ScheduledAt = next.At,
            Repeat = next.Repeat,
            TurnId = null,
            ClaimedBy = null,
            ClaimedAt = 0,
            Detail = null,
        };
        return (state with { Entries = [.. state.Entries, again] }, settled, again);
    }

    /// <summary>When a claim will find something, or since when it would; 0: nothing waits, or nothing may
    /// be claimed. A clock that was set back holds nothing up but what is scheduled.</summary>
    public long NextDue(in QueueRules rules, long now)
    {
        long due = 0;
        foreach (QueueEntry entry in Entries)
        {
            long at = entry.ScheduledAt == 0 ? Math.Min(entry.QueuedAt, now) : entry.ScheduledAt;
            if (entry.State == QueueEntryState.Queued && (due == 0 || at < due))
            {
                due = at;
            }
        }

        return !rules.IsEnabled || due == 0 ? 0
            : LastDeliveryAt == 0 || LastDeliveryAt > now ? due : Math.Max(due, LastDeliveryAt + rules.DelayMs);
    }

    /// <summary>Without the oldest records, but for so many.</summary>
    public QueueState KeepRecords(int count) => Settled.Count <= count ? this
        : this with { Settled = [.. Settled.TakeLast(count)] };

    private static QueueEntryState? Final(QueueOutcome outcome) => outcome switch
    {
        QueueOutcome.Sent => QueueEntryState.Sent,
        QueueOutcome.Failed => QueueEntryState.Failed,
        QueueOutcome.Cancelled => QueueEntryState.Cancelled,
        _ => null,
    };

    private static void RequireEnabled(in QueueRules rules)
    {
        if (!rules.IsEnabled)
        {
            throw QueueErrors.Disabled();
        }
    }

    private static QueueEntry Waiting(QueueEntry entry, string what)
        => entry.State == QueueEntryState.Queued ? entry : throw QueueErrors.Wrong(entry, what);

    private static QueueEntry Dropped(QueueEntry entry)
        => entry with { State = QueueEntryState.Cancelled, Detail = "cleared" };

    private QueueState Replace(QueueEntry old, QueueEntry changed)
        => this with { Entries = [.. Entries.Select(e => ReferenceEquals(e, old) ? changed : e)] };

    private QueueState Record(QueueEntry settled) => this with
    {
        Entries = [.. Entries.Where(e => e.Id != settled.Id)],
        Settled = [.. Settled.Append(settled).TakeLast(RecordsMax)],
    };
}
