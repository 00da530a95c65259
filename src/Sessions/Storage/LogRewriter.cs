using Sessions.Platform;

namespace Sessions.Storage;

/// <summary>
/// Puts a new file in the place of a log. The new one was made and synced beside it before its frame,
/// and keeps its own name until the other one is durable: so whoever redoes this finds either the file
/// or the work done, whatever a power cut left of the names.
/// </summary>
internal sealed class LogRewriter(IDisk disk)
{
    private const string Half = ".swap";

    /// <summary>True for the names of files that are made to replace a log.</summary>
    public static bool IsOurs(string name) => Plausible.IsStagedLog(
        name.EndsWith(Half, StringComparison.Ordinal) ? name[..^Half.Length] : name);

    public void Replace(string folder, Change rewrite)
    {
        string fresh = folder + "/" + rewrite.File, log = folder + "/" + Layout.EventsFile;
        if (disk.Stat(fresh) is not { } made)
        {
            return; // done, and durable
        }

        if (!disk.Capabilities.HardLinks)
        {
            disk.Rename(fresh, log);
            disk.SyncFolder(folder);
            return;
        }

        if (disk.Stat(log)?.Identity != made.Identity)
        {
            Keep(log, rewrite.Kept);
            string half = fresh + Half;
            if (disk.Stat(half) is null)
            {
                disk.Link(fresh, half);
            }

            disk.Rename(half, log);
        }

        disk.SyncFolder(folder);
        disk.Unlink(fresh);
    }

    private void Keep(string log, string kept)
    {
        if (kept.Length == 0 || disk.Stat(log) is null || disk.Stat(kept) is not null)
        {
            return;
        }

        disk.CreateFolder(Layout.Trash);
        disk.CreateFolder(Layout.PrunedFolder);
        disk.Link(log, kept);
        disk.SyncFolder(Layout.PrunedFolder);
        disk.SyncFolder(Layout.Trash);
        disk.SyncFolder("");
    }
}
