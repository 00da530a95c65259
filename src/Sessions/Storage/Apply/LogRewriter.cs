using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;

namespace Sessions.Storage.Apply;

/// <summary>
/// Puts a new file in the place of a log. The new one was made and synced beside it before its frame,
/// and keeps its own name until the other one is durable: so whoever redoes this finds either the file
/// or the work done, whatever a power cut left of the names.
/// </summary>
internal sealed class LogRewriter(IDisk disk)
{
    private const string Half = ".swap";

    /// <summary>The names that a staged file has in the course of things.</summary>
    public static IEnumerable<string> NamesOf(string file) => [file, file + Half, file + FileLinks.HalfSuffix];

    /// <summary>True for the names of files that are made to replace a log.</summary>
    public static bool IsOurs(string name) => Plausible.IsStagedLog(name.EndsWith(Half, StringComparison.Ordinal)
        || name.EndsWith(FileLinks.HalfSuffix, StringComparison.Ordinal) ? name[..^Half.Length] : name);

    /// <param name="folder">The session's folder.</param>
    /// <param name="rewrite">The change.</param>
    /// <param name="firstSeq">The first event that the new file has; 0: it is not known.</param>
    public void Replace(string folder, Change rewrite, long firstSeq)
    {
        string fresh = folder + "/" + rewrite.File, log = folder + "/" + Layout.EventsFile, half = fresh + Half;
        if (disk.Stat(fresh) is null && !TryRestore(fresh, half, log, rewrite.Bytes, firstSeq))
        {
            return; // done, and durable
        }

        if (disk.Stat(fresh) is not { } made)
        {
            throw new DiskException(DiskError.NotFound, "open", fresh, 0);
        }

        if (disk.Stat(log)?.Identity != made.Identity)
        {
            Keep(log, rewrite.Kept);
            if (disk.Stat(half) is null && !FileLinks.TryLink(disk, fresh, half))
            {
                disk.Rename(fresh, log); // a power cut may undo it, and then the new file is there again
                disk.SyncFolder(folder);
                return;
            }

            disk.Rename(half, log);
        }

        disk.SyncFolder(folder);
        disk.Unlink(fresh);
    }

    // The file is gone. Its name goes last, so mostly the work is done; else it is made once more, for its frame is
    // on stable storage and lines behind it stand where they belong in the new file. False where it is done.
    private bool TryRestore(string fresh, string swap, string log, long bytes, long firstSeq)
    {
        if (disk.Stat(swap) is not null)
        {
            disk.Rename(swap, fresh);
            return true;
        }

        if (firstSeq == 0 || disk.Stat(log) is null)
        {
            return false;
        }

        using LogView old = LogView.OpenFile(disk, log);
        if (FirstSeq(old) >= firstSeq)
        {
            return false;
        }

        LogRing.Add("warning", $"{fresh} is gone before it took the place of the log; it is made from that.");
        long from = BranchPoint.EndOf(old, firstSeq - 1);
        string half = fresh + FileLinks.HalfSuffix;
        if (disk.Stat(half) is not null)
        {
            disk.Unlink(half); // cut short
        }

        FileLinks.Copy(disk, log, half, from, bytes);
        disk.Rename(half, fresh);
        return true;
    }

    // That of a log without any whole line is beyond all others: there is nothing to take away.
    private static long FirstSeq(LogView log)
    {
        var reader = new LineReader(log, 0);
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (EventLine.TryRead(line, out long seq, out _))
            {
                return seq;
            }
        }

        return long.MaxValue;
    }

    private void Keep(string log, string kept)
    {
        if (kept.Length == 0 || disk.Stat(log) is null || disk.Stat(kept) is not null)
        {
            return;
        }

        disk.CreateFolder(Layout.Trash);
        disk.CreateFolder(Layout.PrunedFolder);
        FileLinks.Make(disk, log, kept, disk.Stat(log)?.Length ?? 0); // where links are refused, a copy
        disk.SyncFolder(Layout.PrunedFolder);
        disk.SyncFolder(Layout.Trash);
        disk.SyncFolder("");
    }
}
