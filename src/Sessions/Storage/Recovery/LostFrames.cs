using System.Globalization;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;

namespace Sessions.Storage.Recovery;

/// <summary>
/// Tells a journal that lost its last frames from one that ends where it was torn. No file is
/// changed before its frame is on stable storage, so a file that is ahead of the journal bears
/// witness of a frame that was there.
/// </summary>
internal static class LostFrames
{
    /// <summary>What bears witness; null where nothing does. All sessions are looked at where there is a
    /// torn tail, else those that the journal speaks of.</summary>
    public static string? Find(IDisk disk, JournalScan scan, Fold fold)
    {
        IEnumerable<(string Folder, string Id)> sessions = scan.RestEnd > scan.End
            ? FolderScan.Folders(disk).Select(f => (f.Folder, f.Id))
            : fold.Sessions.Values.Where(s => !s.IsPurged).Select(s => (Layout.Folder(s.Id, s.Place ?? 0), s.Id));
        foreach ((string folder, string id) in sessions)
        {
            SessionInfo? info = null;
            SmallFile.TryRead(disk, folder + "/" + Layout.SessionFile, c => (info = InfoCodec.TryRead(c)) is not null,
                out _);
            if (info is null)
            {
                continue; // damage of another kind
            }

            if (info.Revision > scan.LastLsn && info.Revision < scan.LastLsn + Takeover.Jump)
            {
                return string.Create(CultureInfo.InvariantCulture,
                    $"{Layout.Journal}: it ends with LSN {scan.LastLsn}, and {id} shows LSN {info.Revision}");
            }

            if (!fold.Sessions.ContainsKey(id) && LastSeq(disk, folder + "/" + Layout.EventsFile) > info.LastSeq)
            {
                return $"{Layout.Journal}: it does not speak of the last events of {id}";
            }
        }

        return null;
    }

    private static long LastSeq(IDisk disk, string path)
    {
        using LogView? log = TryOpen(disk, path);
        if (log is null)
        {
            return 0;
        }

        var reader = new LineReader(log, LogSearch.Back(log, log.Length, 2, LineReader.LineBytesMax));
        long last = 0;
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            last = EventLine.TryRead(line, out long seq, out _) ? Math.Max(last, seq) : last;
        }

        return last;
    }

    // A log that this user may not read bears witness of nothing.
    private static LogView? TryOpen(IDisk disk, string path)
    {
        try
        {
            return disk.Stat(path) is { IsFile: true, IsOfOthers: false } ? LogView.OpenFile(disk, path) : null;
        }
        catch (DiskException e) when (Obstacle.HidesContent(e))
        {
            return null;
        }
    }
}
