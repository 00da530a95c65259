using Sessions.Events;
using Sessions.Images;
using Sessions.Json;
using Sessions.Rules;
using Sessions.Storage.Commit;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Queueing;

/// <summary>What is done to a queue: a function of what is there, and one image that says how it is then.</summary>
internal abstract class QueueRequest(StoreCore core, Row row) : CommitRequest
{
    protected StoreCore Core => core;

    protected Row Row => row;

    /// <summary>The queue as the request left it, or found it.</summary>
    public QueueState State { get; private set; } = QueueState.Empty;

    public sealed override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        QueueRules rules = StoreConfig.Queue(transaction.Rules(), StoreConfig.WorkspaceOf(info));
        KnownQueue known = RowQueue.Of(row, transaction.Side(row, SmallFileKind.Queue));
        QueueState before = known.State, found = before.Interrupt(core.IsOwnerAlive);
        Outcome outcome = Decide(transaction, found, info, rules);
        State = outcome.State;
        if (ReferenceEquals(State, before))
        {
            return;
        }

        byte[]? entry = outcome.IsAtEnd && ReferenceEquals(found, before)
            ? QueueCodec.WriteEntry(State.Entries[^1]) : null;
        KnownQueue? added = entry is null ? null : QueueCodec.WriteAdded(known, State, entry);
        KnownQueue after = added ?? QueueCodec.WriteKnown(State, row.Id);
        byte[] image = after.Image;
        if (outcome.Grows)
        {
            Checks.AtMost(image.Length, Limits.QueueBytesMax, "queue_bytes_max");
        }

        Effect(transaction);
        row.KnownQueue = after;
        if (ReferenceEquals(State, found))
        {
            outcome = new Outcome(State, "interrupted", null); // that was all there was to write down
        }

        byte[] detail = Detail(outcome.What, outcome.Entry, rules);
        if (added is not null && transaction.MayAddToQueue(row))
        {
            transaction.AddToQueue(row, image, entry!, outcome.What, detail);
        }
        else
        {
            transaction.PutSide(row, SmallFileKind.Queue, image, outcome.What, detail);
        }

        if (outcome.Next is not null)
        {
            transaction.PutSide(row, SmallFileKind.Queue, image, "added", Detail("added", outcome.Next, rules));
        }
    }

    /// <summary>The state after it; or throws, and nothing has happened.</summary>
    protected abstract Outcome Decide(Transaction transaction, QueueState state, SessionInfo info, QueueRules rules);

    /// <summary>What else goes into the frame, once nothing can fail any more.</summary>
    protected virtual void Effect(Transaction transaction)
    {
    }

    /// <summary>An id that no entry has.</summary>
    protected static Func<string> Ids(Transaction transaction, QueueState state) => () =>
    {
        Span<byte> random = stackalloc byte[4];
        string id;
        do
        {
            transaction.FillRandom(random);
            id = $"q-{transaction.Now / 1000}-{Convert.ToHexStringLower(random)}";
        }
        while (state.Knows(id));
        return id;
    };

    private byte[] Detail(string what, QueueEntry? entry, in QueueRules rules)
    {
        bool wantsTitle = rules.WantsTitles && entry is { Title: null, State: QueueEntryState.Queued };
        return new Utf8Buffer(160).Byte('{').Member("what", what).Member("entry_id", entry?.Id)
            .Member("state", entry is null ? null : QueueEntry.Word(entry.State)).Member("wants_title", wantsTitle)
            .Member("generation", State.Generation).Byte('}').ToArray();
    }

    /// <summary>How a request went.</summary>
    /// <param name="State">The queue after it.</param>
    /// <param name="What">What was done, in a word.</param>
    /// <param name="Entry">To which entry; null: to all.</param>
    protected readonly record struct Outcome(QueueState State, string What, QueueEntry? Entry)
    {
        /// <summary>An entry that was added besides; null: none.</summary>
        public QueueEntry? Next { get; init; }

        /// <summary>True where the host put something in, for which there must be room.</summary>
        public bool Grows { get; init; }

        /// <summary>True where all that was done is one more entry at the end.</summary>
        public bool IsAtEnd { get; init; }
    }
}

/// <summary>Adds an entry.</summary>
internal sealed class AddToQueueRequest(StoreCore core, Row row, Func<long, QueueEntry> draft, int sizeHint)
    : QueueRequest(core, row)
{
    public override int SizeHint => sizeHint + 1024;

    /// <summary>The entry: the new one, or the first with its key.</summary>
    public QueueEntry Entry { get; private set; } = null!;

    protected override Outcome Decide(Transaction transaction, QueueState state, SessionInfo info, QueueRules rules)
    {
        (state, Entry) = state.Add(draft(transaction.Now), Ids(transaction, state), rules, transaction.Now);
        return new Outcome(state, "added", Entry) { Grows = true, IsAtEnd = true };
    }
}

/// <summary>Changes, moves or removes one entry.</summary>
internal sealed class EditQueueRequest(StoreCore core, Row row, string entryId, string what,
    Func<QueueState, long, QueueState> edit) : QueueRequest(core, row)
{
    protected override Outcome Decide(Transaction transaction, QueueState state, SessionInfo info, QueueRules rules)
    {
        QueueState after = edit(state, transaction.Now);
        QueueEntry? entry = after.Find(entryId) ?? after.FindSettled(entryId);
        return new Outcome(after, what, entry) { Grows = what == "updated" };
    }
}

/// <summary>Drops what waits.</summary>
internal sealed class ClearQueueRequest(StoreCore core, Row row) : QueueRequest(core, row)
{
    /// <summary>How many entries it dropped.</summary>
    public int Count { get; private set; }

    protected override Outcome Decide(Transaction transaction, QueueState state, SessionInfo info, QueueRules rules)
    {
        (state, Count) = state.Clear();
        return new Outcome(state, "cleared", null);
    }
}

/// <summary>Writes down that claims are interrupted whose claimers are gone; nothing where there are none.</summary>
internal sealed class InterruptClaimsRequest(StoreCore core, Row row) : QueueRequest(core, row)
{
    protected override Outcome Decide(Transaction transaction, QueueState state, SessionInfo info, QueueRules rules)
        => new(state, "interrupted", null);
}

/// <summary>Claims the entry whose turn it is.</summary>
internal sealed class ClaimQueuedRequest(StoreCore core, Row row, string? turnId) : QueueRequest(core, row)
{
    /// <summary>The claimed entry.</summary>
    public QueueEntry Entry { get; private set; } = null!;

    protected override Outcome Decide(Transaction transaction, QueueState state, SessionInfo info, QueueRules rules)
    {
        if (info.IsAborted || Core.AbortOf(Row, info).Look(Core.State))
        {
            throw Errors.Aborted(Row.Id);
        }

        (state, Entry) = state.Claim(turnId, Core.InstanceId, rules, transaction.Now);
        return new Outcome(state, "claimed", Entry);
    }
}

/// <summary>Settles a claimed or interrupted entry; one that was sent becomes a prompt in the same frame.</summary>
internal sealed class SettleQueuedRequest(StoreCore core, Row row, string entryId, QueueOutcome outcome,
    string? detail) : QueueRequest(core, row)
{
    private LogAppender? _log;

    /// <summary>The number of the prompt; 0: none.</summary>
    public long Seq { get; private set; }

    protected override Outcome Decide(Transaction transaction, QueueState state, SessionInfo info, QueueRules rules)
    {
        (_log, Seq) = (null, 0);
        if (outcome == QueueOutcome.Sent && !state.Knows(entryId)
            && new LogAppender(Core, transaction, Row).Find(entryId) is { } known)
        {
            Seq = known; // it is so long ago that there is no record of it
            return new Outcome(state, "settled", null);
        }

        QueueEntry entry = state.RequireSettling(entryId, outcome, Core.InstanceId);
        Seq = entry.Seq;
        if (!entry.IsSettled && outcome == QueueOutcome.Sent)
        {
            _log = new LogAppender(Core, transaction, Row, entry.Message.Length + 512);
            byte[] data = QueueCodec.WritePrompt(entry);
            Seq = _log.Add(new NewEvent(EventLine.Prompt, data, 0, entry.TurnId, entry.Id), out _);
        }

        (state, QueueEntry settled, QueueEntry? next) =
            state.Settle(entry, outcome, detail, Seq, Ids(transaction, state), transaction.Now);
        return new Outcome(state, "settled", settled) { Next = next };
    }

    protected override void Effect(Transaction transaction) => _log?.Commit();
}
