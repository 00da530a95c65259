using Sessions.Storage.Log;

namespace Sessions.Events.Pages;

/// <summary>What a reader may see of a log at one moment: the range of its handle, what the state of
/// the log hides, and what it asked for.</summary>
internal sealed record Sight(SeqRange Range, LogState State, long LastSeq, ReadFlags Flags)
{
    /// <summary>Where the reader's own wish begins: nothing before it is named as a hole.</summary>
    public long From => Flags.HasFlag(ReadFlags.Context) ? State.ContextFrom : 1;

    /// <summary>The lowest number that can be shown.</summary>
    public long Floor => Math.Max(Range.First, From);

    /// <summary>The highest.</summary>
    public long End => Math.Min(LastSeq, Range.Last);

    /// <summary>False where a rewind hides the event from this reader, or where it was pruned, though a
    /// branch may still have the line.</summary>
    public bool Shows(long seq)
        => seq >= State.FirstSeq && (Flags.HasFlag(ReadFlags.Hidden) || !State.IsHidden(seq));

    /// <summary>Adds why numbers that were not shown were not, in as few runs as there are reasons.</summary>
    public void AddHoles(long first, long last, List<Hole> holes)
    {
        while (first <= last)
        {
            (long end, string reason) = first < Range.First ? (Range.First - 1, "outside_share")
                : first < State.FirstSeq ? (State.FirstSeq - 1, "pruned") : RunFrom(first);
            end = Math.Min(end, last);
            if (holes.Count > 0 && holes[^1] is var before && before.Last == first - 1 && before.Reason == reason)
            {
                holes[^1] = before with { Last = end };
            }
            else
            {
                holes.Add(new Hole(first, end, reason));
            }

            first = end + 1;
        }
    }

    private (long End, string Reason) RunFrom(long first)
    {
        if (Flags.HasFlag(ReadFlags.Hidden))
        {
            return (long.MaxValue, "missing");
        }

        long hidden = State.Hidden.LastOf(first);
        return hidden > 0 ? (hidden, "rewound") : (State.Hidden.LastShown(first), "missing");
    }
}

/// <summary>Numbers that a page does not show, and why.</summary>
internal readonly record struct Hole(long First, long Last, string Reason);
