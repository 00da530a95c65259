using Sessions.Lifecycle;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions;

/// <content>The abort signal, and what is recorded of it.</content>
public sealed partial class Session
{
    /// <summary>
    /// Signals first: from then on <see cref="IsAborted"/> is true and waits end in every process, whatever
    /// comes next. Then it records the abort, and in the same commit a result for each open tool call
    /// (docs/EVENTS.md); a failure speaks of the record alone. Returns how many sessions were reached. The reason
    /// has at most 4 KiB.
    /// </summary>
    public int Abort(string? reason = null, AbortFlags flags = AbortFlags.None)
    {
        Checks.Flags((uint)flags, 3);
        if (reason is not null)
        {
            Checks.AtMost(Checks.Bytes(reason, "reason"), Limits.ReasonBytesMax, "reason_bytes_max");
        }

        SignalAbort();
        bool tree = flags.HasFlag(AbortFlags.Tree);
        foreach (Row member in tree ? _store.Run(FamilyNow) : [])
        {
            if (!ReferenceEquals(member, _row))
            {
                Core.SignalAbort(member);
            }
        }

        return RecordAbort(reason, tree, !flags.HasFlag(AbortFlags.Relaxed) && _store.IsFull);
    }

    /// <summary>The first half of an abort, without any I/O: waits end, and nothing is recorded yet.</summary>
    internal void SignalAbort()
    {
        RequireWritable();
        if (Core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }

        Core.SignalAbort(_row);
    }

    /// <summary>The second half; works on a disposed session too.</summary>
    internal void RecordAbort() => RecordAbort(null, tree: false, _store.IsFull);

    private int RecordAbort(string? reason, bool tree, bool isFull) =>
        new AbortRecord(Core, _row, reason, tree, isFull).Write(_store.Commit);

    /// <summary>True from an abort, by any process, until it is cleared; through a share never, since what is
    /// done with a session is no part of what it shows. A look at memory.</summary>
    public bool IsAborted
    {
        get
        {
            if (_shareId is not null)
            {
                Current();
                Share(); // a revoked one is answered as every other call does
                return false;
            }

            Current(out bool isAborted);
            return isAborted;
        }
    }

    /// <summary>Waits for an abort, by any process; true at once where there is one. False when the
    /// time is over; <see cref="uint.MaxValue"/> waits for ever. Ends with Deleted, Closed or
    /// Cancelled when the session, the store or this object goes first, and through a share, where no abort is
    /// ever seen, with NotFound when that ends.</summary>
    public bool WaitAbort(uint timeoutMs)
    {
        if (IsAborted)
        {
            return true;
        }

        if (_shareId is not null)
        {
            return WaitFor(timeoutMs, () => IsAborted); // ends with the share
        }

        AbortSignal signal = _row.Abort!; // the look has made it
        int seen = signal.Count; // behind the look: what was over before it has been counted
        return WaitFor(timeoutMs, () => IsAborted || signal.Count != seen);
    }

    /// <summary>Clears the abort, also one that was signalled and could not be recorded.</summary>
    public void ClearAbort()
    {
        RequireWritable();
        Commit(new ClearAbortRequest(Core, _row) { Full = _store.IsFull });
    }

    private List<Row> FamilyNow()
    {
        lock (Core.Rows.Gate)
        {
            return Family.Of(Core.Rows.LiveRows(), _row);
        }
    }
}
