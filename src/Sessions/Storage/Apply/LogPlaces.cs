using System.Globalization;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;

namespace Sessions.Storage.Apply;

/// <summary>
/// Holds the places of the lines in a journal against the logs they belong to. A line stands where its log ended,
/// so one that leaves a hole speaks of lines that were lost; and no more can be lost than a journal holds. One
/// that lies further behind the end is forged, and writing it would make a file of any size out of nothing.
/// </summary>
internal static class LogPlaces
{
    /// <summary>Says what is wrong, of the first session where something is; null where nothing is.</summary>
    public static string? Find(IDisk disk, Fold fold, long journalBytes)
    {
        foreach (FoldedSession session in fold.Sessions.Values)
        {
            if (!Fits(disk, session, journalBytes))
            {
                return string.Create(CultureInfo.InvariantCulture,
                    $"{Layout.Journal}: it has lines of {session.Id} far behind the end of its log");
            }
        }

        return null;
    }

    /// <summary>The sessions whose lines cannot stand where they should.</summary>
    public static HashSet<string> FindSessions(IDisk disk, IEnumerable<Frame> frames, long journalBytes)
        => [.. Fold.Of(frames).Sessions.Values.Where(s => !Fits(disk, s, journalBytes)).Select(s => s.Id)];

    private static bool Fits(IDisk disk, FoldedSession session, long journalBytes)
    {
        if (session.Lines.Count == 0 && session.Rewrite is null)
        {
            return true;
        }

        long end;
        try
        {
            end = EndOf(disk, session);
        }
        catch (DiskException e) when (Obstacle.HidesContent(e))
        {
            return true; // nothing is written there as long as this user may not even look at it
        }

        bool fits = session.Rewrite is null || session.Rewrite.Bytes <= end + journalBytes;
        foreach ((long offset, ReadOnlyMemory<byte> bytes) in session.Lines)
        {
            fits &= offset <= end + journalBytes;
            end = Math.Max(end, offset + bytes.Length);
        }

        return fits;
    }

    // Wherever it is by now, and whether or not the file that replaced it has its name already.
    private static long EndOf(IDisk disk, FoldedSession session)
    {
        long end = 0;
        foreach (long place in session.Sources.Append(session.Place ?? 0).Append(0))
        {
            string folder = Layout.Folder(session.Id, place);
            end = Math.Max(end, disk.Stat(folder + "/" + Layout.EventsFile)?.Length ?? 0);
            end = session.Rewrite is { } rewrite
                ? Math.Max(end, disk.Stat(folder + "/" + rewrite.File)?.Length ?? 0) : end;
        }

        return end;
    }
}
