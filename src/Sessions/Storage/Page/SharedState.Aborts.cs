namespace Sessions.Storage.Page;

/// <content>
/// Aborts are signalled in the page before they are recorded, by whoever has it, without any lock: a ring of the
/// last ones, which all processes read for themselves.
/// </content>
internal sealed unsafe partial class SharedState
{
    /// <summary>So many are kept; who was told of none for longer has to rely on the record.</summary>
    public const int AbortsKept = 128;

    /// <summary>Bits of what tells the session in the ring.</summary>
    public const int DigestBits = 48;

    private const int AbortCountOffset = 320;
    private const int AbortRingOffset = 1024;
    private const int WordsEach = 2;
    private const long DigestMask = (1L << DigestBits) - 1;

    /// <summary>How long a wait sleeps at most before it looks by itself. Who only reads cannot be counted as
    /// one that waits, and may not be woken.</summary>
    public int SliceMs => isReadOnly ? 20 : 100;

    /// <summary>How many aborts were signalled since the page was made.</summary>
    public long AbortSignals => Read(AbortCountOffset);

    /// <summary>Signals an abort and wakes everybody. Returns what was published by then: a record of the session's
    /// abort with a higher LSN is younger than the signal.</summary>
    /// <remarks>
    /// Each of the two words of a place bears the lap of the ring beside its value, so that it is seen whose turn
    /// the place is, and both are swapped in. The number counts up only when both are there; anybody does that,
    /// and the second word, for one that was stopped or killed half-way. So nobody ever waits for anybody, and
    /// what is counted is whole.
    /// </remarks>
    public long SignalAbort(long digest)
    {
        long lsn = 0;
        for (bool isDone = false; !isDone;)
        {
            long number = AbortSignals, lap = LapOf(number);
            long* words = Place(number);
            long first = Volatile.Read(ref words[0]);
            if (number != AbortSignals)
            {
                continue; // else an older lap could be written over a newer one
            }

            isDone = Tag(first) != lap
                && Interlocked.CompareExchange(ref words[0], (lap << DigestBits) | digest, first) == first;
            long second = Volatile.Read(ref words[1]);
            if (number == AbortSignals && Tag(second) != lap)
            {
                Interlocked.CompareExchange(ref words[1], (lap << DigestBits) | (Published & DigestMask), second);
            }

            lsn = Volatile.Read(ref words[1]) & DigestMask; // as all others read it
            Interlocked.CompareExchange(ref *(long*)(_address + AbortCountOffset), number + 1, number);
        }

        Interlocked.Increment(ref *News);
        page.Wake(News, int.MaxValue); // also those who could not be counted
        return lsn;
    }

    /// <summary>One of the last aborts that were signalled, by its number; false where newer ones have taken its
    /// place.</summary>
    public bool TryReadAbort(long number, out long digest, out long lsn)
    {
        long* words = Place(number);
        long first = Volatile.Read(ref words[0]), second = Volatile.Read(ref words[1]), lap = LapOf(number);
        (digest, lsn) = (first & DigestMask, second & DigestMask);
        return Tag(first) == lap && Tag(second) == lap;
    }

    // The count of signals is whatever somebody wrote there; no number has a place outside the ring.
    private long* Place(long number)
        => (long*)(_address + AbortRingOffset) + ((ulong)number % AbortsKept * WordsEach);

    // Never 0 in the first lap, so that an empty place is not taken for a full one.
    private static long LapOf(long number) => (long)(((ulong)number / AbortsKept) + 1) & ushort.MaxValue;

    private static long Tag(long word) => (long)((ulong)word >> DigestBits);
}
