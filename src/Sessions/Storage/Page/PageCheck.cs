using Sessions.Model;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Recovery;

namespace Sessions.Storage.Page;

/// <summary>
/// Validates the shared page. Any process may have written the file, and the journal knows all that is in it; so a
/// page with impossible numbers counts as lost, and is made anew.
/// </summary>
internal static class PageCheck
{
    // A batch is synced before it is published, and its numbers may go on behind a gap.
    private const long AheadMax = Takeover.Jump + Batch.RequestsMax;

    private const long GenerationMax = Limits.IntegerMax;

    /// <summary>True where the page is whole, of the store with that seed, and says nothing that cannot be. Each
    /// number only grows, and one that may be ahead of another is read behind it, so that a page which somebody
    /// is writing to passes as well.</summary>
    public static bool IsPossible(SharedState page, uint seed)
    {
        if (page.Layout != SharedState.Magic || page.StoreHash != seed || page.Health is < 0 or > StoreHealth.Corrupt)
        {
            return false;
        }

        long indexed = page.Indexed, applied = page.Applied, synced = page.Synced;
        long floor = page.Floor, published = page.Published;
        return indexed >= 0 && indexed <= applied && applied <= synced
            && published is >= 0 and <= Plausible.LsnMax && (ulong)floor <= (ulong)(published + Takeover.Jump)
            && synced <= Math.Max(published, floor) + AheadMax
            && (ulong)page.Segment <= Layout.SegmentMax && Plausible.AreIds(page.IdMs, page.IdN)
            && page.Generation is >= -1 and <= GenerationMax;
    }

    /// <summary>The generation of a page that is made anew behind another: what others knew is never the same.
    /// One that is impossible counts as none.</summary>
    public static long NextGeneration(long known, long now)
        => Math.Max(known is >= 0 and < GenerationMax ? known : 0, now) + 1;
}
