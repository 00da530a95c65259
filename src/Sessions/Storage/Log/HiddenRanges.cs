namespace Sessions.Storage.Log;

/// <summary>
/// What the rewinds of a conversation hide together, as runs of numbers that neither overlap nor touch, in
/// order. A question costs the logarithm of the number of runs, however many rewinds there are.
/// </summary>
internal sealed class HiddenRanges
{
    private static readonly HiddenRanges None = new([]);

    private readonly (long First, long Last)[] _runs;

    private HiddenRanges((long First, long Last)[] runs) => _runs = runs;

    /// <summary>The runs of some rewinds, which may be in any order and overlap.</summary>
    public static HiddenRanges Of(IReadOnlyList<Rewind> rewinds)
    {
        if (rewinds.Count == 0)
        {
            return None;
        }

        var sorted = new List<(long First, long Last)>(rewinds.Count);
        foreach (Rewind rewind in rewinds)
        {
            if (rewind.FirstSeq <= rewind.LastSeq) // one that was followed by nothing but its marker hides nothing
            {
                sorted.Add((rewind.FirstSeq, rewind.LastSeq));
            }
        }

        sorted.Sort();
        var runs = new List<(long First, long Last)>(sorted.Count);
        foreach ((long first, long last) in sorted)
        {
            if (runs.Count > 0 && (first <= runs[^1].Last || first - 1 == runs[^1].Last))
            {
                runs[^1] = (runs[^1].First, Math.Max(runs[^1].Last, last));
            }
            else
            {
                runs.Add((first, last));
            }
        }

        return new HiddenRanges([.. runs]);
    }

    /// <summary>True where a number is hidden.</summary>
    public bool Contains(long seq) => LastOf(seq) != 0;

    /// <summary>The last number of the run that a hidden number stands in; 0 where it is not hidden.</summary>
    public long LastOf(long seq)
    {
        int at = AtOrBefore(seq);
        return at >= 0 && seq <= _runs[at].Last ? _runs[at].Last : 0;
    }

    /// <summary>The last number before the next run, from a number on that is not hidden; the largest number
    /// there is where no run comes.</summary>
    public long LastShown(long seq)
    {
        int next = AtOrBefore(seq) + 1;
        return next < _runs.Length ? _runs[next].First - 1 : long.MaxValue;
    }

    // The last run that begins at the number or before it; -1: none does.
    private int AtOrBefore(long seq)
    {
        int low = 0, high = _runs.Length;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            (low, high) = _runs[middle].First <= seq ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }
}
