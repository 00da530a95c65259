using System.Buffers;
using Sessions.Coordination.Queueing;
using Sessions.Images;
using Sessions.Json;
using Sessions.Rules;
using Sessions.Storage.Rows;

namespace Sessions;

/// <content>Prompts that wait for a busy agent.</content>
public sealed partial class Session
{
    /// <summary>
    /// Adds a prompt to the end of the session's queue and writes the entry as JSON. The entry is an object of
    /// `message` (a string, at most 1 MiB), `image_ids`, `file_ids` (arrays of ids), `client_id`, `prompt_name`,
    /// `arguments` (an object), `title`, `scheduled_at` (unix ms: it is not due before) or `delay_ms` (from now),
    /// `repeat` and `key`; a message, a prompt's name, an image or a file must be there. `repeat` is
    /// `{"every_ms":≥1000,"until":&lt;unix ms&gt;,"count":≥1}` with one end at least: each time an occurrence was
    /// sent or has failed, the next one that is still to come is queued in the same commit, under an id of its own;
    /// what was missed meanwhile is left out, and cancelling, removing or clearing one ends it. An entry that
    /// repeats the `key` of another, of which at least the last 50 that were settled are known, adds nothing and
    /// answers the first one. Open to all, whoever holds the session's lock. QueueFull where as many as
    /// `queue.max_size` are queued, claimed or interrupted; AccessDenied where the queue is switched off
    /// (`queue.enabled`); Limit where the message, or the queue as a whole (4 MiB), is too large. A commit.
    /// </summary>
    public void AddToQueue(ReadOnlySpan<byte> entryJson, IBufferWriter<byte> output)
    {
        Func<long, QueueEntry> draft = QueueInput.ReadEntry(entryJson);
        RequireWritable();
        var request = new AddToQueueRequest(Core, _row, draft, entryJson.Length) { Full = _store.IsFull };
        Commit(request);
        Write(output, b => QueueCodec.WriteEntry(request.State, request.Entry, b));
    }

    /// <summary>
    /// Writes `{"entries":[…],"generation":n,"count":n,"max_size":n,"next_due_at":n|null}`: first what is queued,
    /// claimed or interrupted (these are the count), by position; then records of what was sent, failed or
    /// cancelled, the newest last, at most 50 and without a position. An entry that was claimed by an open store
    /// that is gone is interrupted. Memory, but for the first look at a session.
    /// </summary>
    public void WriteQueue(IBufferWriter<byte> output)
    {
        (QueueState state, QueueRules rules) = Queue();
        Write(output, b => QueueCodec.WriteList(state, rules, Core.Now, b));
    }

    /// <summary>
    /// Changes an entry by merge patch (RFC 7396) of what an add takes but for `key`; `delay_ms` counts from now and
    /// takes the place of `scheduled_at`. InvalidTransition unless the entry is queued, NotFound where there is none
    /// or it was settled. A patch of the `title` alone may also come while the entry is claimed or interrupted; it is
    /// OK and does nothing where the entry is gone, for a generated title may come late. A commit.
    /// </summary>
    public void UpdateQueued(string entryId, ReadOnlySpan<byte> mergePatch)
    {
        RequireEntryId(entryId);
        (Func<QueueEntry, long, QueueEntry> change, bool isOfTitle) = QueueInput.ReadPatch(mergePatch);
        Edit(entryId, "updated", (state, now) => state.Update(entryId, e => change(e, now), isOfTitle));
    }

    /// <summary>Moves a queued entry by so many places, back (towards the end) or, where negative, to the front, as
    /// far as there are any. InvalidTransition unless it is queued, NotFound where there is none. A commit.</summary>
    public void MoveQueued(string entryId, int delta)
    {
        RequireEntryId(entryId);
        Edit(entryId, "moved", (state, _) => state.Move(entryId, delta));
    }

    /// <summary>Removes a queued or interrupted entry; a record of it, cancelled with the detail "removed", stays.
    /// InvalidTransition while it is claimed, NotFound where there is none. A commit.</summary>
    public void RemoveQueued(string entryId)
    {
        RequireEntryId(entryId);
        Edit(entryId, "removed", (state, _) => state.Remove(entryId));
    }

    /// <summary>
    /// Raises the queue's generation and drops all entries that are queued or interrupted, with a record of each:
    /// cancelled, with the detail "cleared". How many. What is claimed is still settled by who claimed it, but is
    /// dropped too where it is released, and comes no more where it would repeat. What is added from then on stays.
    /// A commit.
    /// </summary>
    public int ClearQueue()
    {
        RequireWritable();
        var request = new ClearQueueRequest(Core, _row) { Full = _store.IsFull };
        Commit(request);
        return request.Count;
    }

    /// <summary>
    /// Claims, for a turn (null: none), the entry with the lowest position among those that are not scheduled and
    /// those that are due, and writes it as JSON. Who claimed it delivers it and then says how that went (<see
    /// cref="SettleQueued"/>): until then nobody else gets it. Where the open store is closed, or its process ends,
    /// without that, the entry is interrupted. NotFound where nothing is due, also while the pause of
    /// `queue.delay_ms` after the last entry that was sent lasts; its details have `next_due_at`. AccessDenied where
    /// the queue is switched off; Cancelled while the session is aborted. A write of the conversation. A commit.
    /// </summary>
    public void ClaimQueued(string? turnId, IBufferWriter<byte> output)
    {
        Checks.Name(turnId, "turn_id");
        RequireWritable();
        if (Core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }

        Core.Own(); // so that others know whether the claimer is still there
        var request = new ClaimQueuedRequest(Core, _row, turnId) { Full = _store.IsFull, Right = _right };
        Commit(request);
        Write(output, b => QueueCodec.WriteEntry(request.State, request.Entry, b));
    }

    /// <summary>
    /// Says how a delivery went. Sent appends a `user_prompt` (docs/EVENTS.md) with the entry's id and its turn in
    /// the same commit, and returns its number: entry and prompt are never apart, and where the log has an event
    /// with that id there is no second one. The others return 0: Failed and Cancelled are final, Release puts the
    /// entry back into its place. The detail (null: none; at most 4 KiB) is kept with the entry. An interrupted
    /// entry may be settled by anybody; a claimed one only through the open store that claimed it, else Conflict. To
    /// settle once more in the same way is OK, does nothing and returns the same number; in another way, or an entry
    /// that was not claimed, is InvalidTransition. NotFound where there is no such entry. A write of the
    /// conversation. A commit.
    /// </summary>
    public long SettleQueued(string entryId, QueueOutcome outcome, string? detail = null)
    {
        RequireEntryId(entryId);
        if (outcome is not (QueueOutcome.Sent or QueueOutcome.Release or QueueOutcome.Failed or QueueOutcome.Cancelled))
        {
            throw Errors.Argument("outcome", "outcome must be SESSION_QUEUE_SENT, _RELEASE, _FAILED or _CANCELLED.");
        }

        if (detail is not null)
        {
            Checks.AtMost(Checks.Bytes(detail, "detail"), Limits.ReasonBytesMax, "reason_bytes_max");
        }

        RequireWritable();
        var request = new SettleQueuedRequest(Core, _row, entryId, outcome, detail)
        {
            Full = _store.IsFull,
            Right = _right,
        };
        Commit(request);
        return request.Seq;
    }

    /// <summary>When a claim will find something (unix ms): a time that is past where it would now. 0 where nothing
    /// waits or the queue is switched off. Of an abort, which also keeps claims away, it says nothing. Memory, but
    /// for the first look at a session.</summary>
    public long NextQueueDue()
    {
        (QueueState state, QueueRules rules) = Queue();
        return state.NextDue(rules, Core.Now);
    }

    private void Edit(string entryId, string what, Func<QueueState, long, QueueState> edit)
    {
        RequireWritable();
        Commit(new EditQueueRequest(Core, _row, entryId, what, edit) { Full = _store.IsFull });
    }

    private (QueueState State, QueueRules Rules) Queue()
    {
        RequireWritable();
        SessionInfo info = Current();
        (byte[] image, byte[] config) = _store.Look(isSettled =>
        {
            lock (Core.Rows.Gate)
            {
                return (Core.Rows.ReadSide(_row, SmallFileKind.Queue, isSettled), Core.Rows.ReadRules());
            }
        });
        QueueState state = RowQueue.Of(_row, image).State;
        QueueRules rules = StoreConfig.Queue(config, StoreConfig.WorkspaceOf(info));
        return (_store.Run(() => state.Interrupt(o => Core.Lock is null || Core.IsOwnerAlive(o))), rules);
    }

    private static void RequireEntryId(string entryId)
    {
        ArgumentNullException.ThrowIfNull(entryId);
        Checks.Name(entryId, "entry_id");
    }

    private static void Write(IBufferWriter<byte> output, Action<Utf8Buffer> write)
    {
        var b = new Utf8Buffer(1024);
        write(b);
        HalfPairs.ReplaceIn(b.Writable); // an earlier version took them
        output.Write(b.Written);
    }
}
