using System.Runtime.CompilerServices;
using System.Text;

namespace Sessions.Storage.Page;

/// <summary>
/// What was signalled of the aborts of one session, beside its record. A signal counts from the moment it is in
/// the page, and until the record speaks of the session's aborts again: of this one, or of its being cleared. So
/// nothing is lost where an abort cannot be recorded, and a lagging process never brings back what was cleared.
/// Any thread.
/// </summary>
internal sealed class AbortSignal(string id, SessionInfo info)
{
    private readonly Lock _gate = new();
    private readonly long _digest = DigestOf(id);
    private volatile SharedState? _page; // whose signals were counted
    private long _seen;
    private int _count;
    private volatile bool _isPending;
    private long _quietAt = -1; // what was seen, while nothing is pending
    private long _signalledAt = -1;

    // The last LSN that may have been an abort's or a clear's; of one just read nobody knows a better bound.
    private long _recordedAt = info.Revision;
    private long _abortCount = info.AbortCount;
    private bool _wasAborted = info.IsAborted;

    /// <summary>How many aborts this process has heard of, some of them twice: a waiter that sees it change has
    /// seen one, though it was cleared at once.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>True where one was signalled that the record does not speak of yet.</summary>
    public bool IsPending => _isPending;

    /// <summary>What tells a session in the page's ring: 48 bits, the same in every process (FNV-1a, mixed).</summary>
    public static long DigestOf(string id)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in Encoding.UTF8.GetBytes(id))
        {
            hash = (hash ^ b) * 1099511628211;
        }

        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
        return (long)((hash ^ (hash >> 33)) >> (64 - SharedState.DigestBits));
    }

    /// <summary>Hears what was signalled in the page since the last look; true where one is pending. Call under the
    /// rows' gate with the page of then: so the pages come one after another, and none comes back.</summary>
    public bool Look(SharedState page)
    {
        if (page.AbortSignals != Volatile.Read(ref _seen) || !ReferenceEquals(page, _page))
        {
            Hear(page);
        }

        return _isPending;
    }

    /// <summary>True where nothing is pending and nothing was signalled since: the fast path of
    /// <see cref="Look"/>, two loads and the page's counter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // every look of a loop goes through here
    public bool IsQuiet(SharedState page)
        => page.AbortSignals == Volatile.Read(ref _quietAt) && ReferenceEquals(page, _page);

    /// <summary>Takes in a signal that was given when so much was published.</summary>
    public void Give(long lsn)
    {
        lock (_gate)
        {
            Take(lsn);
        }
    }

    /// <summary>Takes in what the record says, at the LSN that made it so. The row has it already.</summary>
    public void Learn(SessionInfo info, long lsn)
    {
        lock (_gate)
        {
            if (info.AbortCount > _abortCount)
            {
                Volatile.Write(ref _count, _count + 1);
            }

            if (info.AbortCount != _abortCount || info.IsAborted != _wasAborted)
            {
                _recordedAt = lsn;
                Weigh();
            }

            (_abortCount, _wasAborted) = (info.AbortCount, info.IsAborted);
        }
    }

    private void Hear(SharedState page)
    {
        lock (_gate)
        {
            long end = page.AbortSignals;
            long from = ReferenceEquals(page, _page) && _seen <= end ? _seen : 0; // else it was made anew
            for (long n = Math.Max(from, end - SharedState.AbortsKept); n < end; n++)
            {
                if (page.TryReadAbort(n, out long digest, out long lsn) && digest == _digest)
                {
                    Take(lsn);
                }
            }

            Volatile.Write(ref _quietAt, -1); // of the page before it
            Volatile.Write(ref _seen, end);
            _page = page;
            Weigh();
        }
    }

    private void Weigh()
    {
        _isPending = _signalledAt >= _recordedAt;
        Volatile.Write(ref _quietAt, _isPending || _page is null ? -1 : _seen);
    }

    private void Take(long lsn)
    {
        _signalledAt = Math.Max(_signalledAt, lsn);
        Weigh();
        Volatile.Write(ref _count, _count + 1);
    }
}
