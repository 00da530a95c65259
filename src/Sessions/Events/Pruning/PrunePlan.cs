using Sessions.Model;
using Sessions.Storage.Log;

namespace Sessions.Events.Pruning;

/// <summary>What a prune takes away: found in one pass over the log, whatever its length.</summary>
internal sealed record PrunePlan
{
    /// <summary>The first event that stays.</summary>
    public required long FirstSeq { get; init; }

    /// <summary>Where its line begins in the log as a view has it.</summary>
    public required long Offset { get; init; }

    /// <summary>How many events go, and how many of them are messages.</summary>
    public required long Events { get; init; }
    public required long Messages { get; init; }

    /// <summary>Bytes of lines that go.</summary>
    public required long Bytes { get; init; }

    /// <summary>Bytes among them that are no event.</summary>
    public required IReadOnlyList<Piece> Damage { get; init; }

    /// <summary>The plan; null where nothing is to go.</summary>
    public static PrunePlan? Make(LogView log, LogState state, long lastSeq, PruneOptions options, long now,
        JobContext? context = null)
    {
        var turns = new TurnBoundaries();
        var walk = new LogWalk(log, state.FirstSeq <= 1 ? 0 : LogSearch.After(log, state.FirstSeq - 1), lastSeq);
        while (walk.TryNext())
        {
            context?.ThrowIfCancelled();
            context?.Report(walk.Offset, 2 * log.Length); // what stays is then copied
            if (walk.Seq >= state.FirstSeq)
            {
                turns.Add(walk);
            }
        }

        Boundary? cut = null;
        long start = 0;
        foreach (Boundary b in turns.Find())
        {
            if (cut is null)
            {
                (cut, start) = (b, b.Offset); // nothing stands before the first
                continue;
            }

            bool tooMany = options.MaxEvents > 0 && turns.Events - cut.Events > options.MaxEvents;
            bool tooLarge = options.MaxBytes > 0 && log.Length - cut.Offset > options.MaxBytes;
            bool tooOld = options.MaxAgeMs > 0 && b.NewestBefore < now - options.MaxAgeMs;
            if (!tooMany && !tooLarge && !tooOld)
            {
                break;
            }

            cut = b;
        }

        return cut is null || cut.Events == 0 ? null : new PrunePlan
        {
            FirstSeq = cut.Seq,
            Offset = cut.Offset,
            Events = cut.Events,
            Messages = cut.Messages,
            Bytes = cut.Offset - start,
            Damage = turns.Damage[..cut.Damaged],
        };
    }
}
