using Sessions.Platform;

namespace Sessions.Storage;

/// <summary>A session whose files changed, and where it is now (deletion LSN; 0: live).</summary>
internal readonly record struct TouchedSession(string Id, long Place, bool IsPurged);

/// <summary>Brings what commits left in the system's cache to stable storage: files and names.</summary>
internal static class Durably
{
    // Above so many sessions one sync of the whole file system costs less than theirs.
    private const int SessionsMax = 256;

    private static readonly string[] Files = [Layout.SessionFile, Layout.EventsFile, Layout.SharesFile];

    public static void Sync(IDisk disk, IEnumerable<TouchedSession> sessions)
    {
        List<TouchedSession> touched = [.. sessions];
        if (touched.Count > SessionsMax && disk.TrySyncAll())
        {
            return;
        }

        var folders = new SortedSet<string>(StringComparer.Ordinal) { "" };
        foreach (TouchedSession session in touched)
        {
            string folder = Layout.Folder(session.Id, session.Place);
            for (string parent = Layout.Parent(folder); parent.Length > 0; parent = Layout.Parent(parent))
            {
                folders.Add(parent);
            }

            folders.Add(Layout.DayFolder(session.Id));
            if (!session.IsPurged)
            {
                folders.Add(folder);
                SyncFiles(disk, folder);
            }
        }

        SyncFile(disk, Layout.ConfigFile);

        // Folders came from here: a name that is only durable where it went may come back where it was.
        folders.Add(Layout.Temporary);
        folders.Add(Layout.Trash);

        foreach (string folder in folders.Reverse()) // what is within a folder before its name
        {
            if (disk.Stat(folder) is { IsFolder: true })
            {
                disk.SyncFolder(folder);
            }
        }
    }

    private static void SyncFiles(IDisk disk, string folder)
    {
        foreach (string file in Files)
        {
            SyncFile(disk, folder + "/" + file);
        }
    }

    private static void SyncFile(IDisk disk, string path)
    {
        if (disk.Stat(path) is null)
        {
            return;
        }

        using IDiskFile file = disk.Open(path, OpenMode.ReadWrite);
        file.Sync();
    }
}
