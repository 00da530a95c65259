using Sessions.Images;
using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>A session whose files changed, and where it is now (deletion LSN; 0: live).</summary>
internal readonly record struct TouchedSession(string Id, long Place, bool IsPurged);

/// <summary>
/// Brings what commits left in the system's cache to stable storage: files and names. What is not
/// where it is looked for is passed over: sessions may be moved under its eyes, and a caller without
/// the store lock finds out afterwards whether one was.
/// </summary>
internal static class Durably
{
    // Above so many sessions one sync of the whole file system costs less than theirs.
    private const int SessionsMax = 256;

    private const StringComparison Ordinal = StringComparison.Ordinal;

    private static readonly string[] Files =
    [
        Layout.SessionFile, Layout.EventsFile, Layout.SharesFile, Layout.LogStateFile,
        .. SmallFileKind.All.Select(k => k.FileName),
    ];

    /// <summary>Syncs what nobody relies on yet, and what its maker throws away where this fails: a failure is then one
    /// of this file alone.</summary>
    public static void SyncStaged(this IDiskFile file)
    {
        try
        {
            file.Sync();
        }
        catch (DiskException e) when (e.IsFailedSync)
        {
            throw new DiskException(e.Error, e.Operation, e.Path, e.OsError);
        }
    }

    /// <summary>Syncs a folder and all that it is in, up to the store's own: names from the inside out, so that none is
    /// durable before what it leads to.</summary>
    public static void SyncNames(IDisk disk, string folder)
    {
        for (; folder.Length > 0; folder = Layout.Parent(folder))
        {
            disk.SyncFolder(folder);
        }

        disk.SyncFolder("");
    }

    /// <summary>Syncs the sessions' files, the folders they are in, and those they came from: deletes
    /// that restores and purges took sessions back from, whose folders go when they are empty.</summary>
    public static void Sync(IDisk disk, IEnumerable<TouchedSession> sessions, IEnumerable<long> deletions)
    {
        List<TouchedSession> touched = [.. sessions];
        List<string> left = [.. deletions.Where(d => d != 0).Select(Layout.TrashFolder)
            .Where(f => disk.Stat(f) is { IsFolder: true })];
        if (touched.Count <= SessionsMax || !disk.TrySyncAll())
        {
            SyncEach(disk, touched, left);
        }

        foreach (string folder in left)
        {
            WhereStillThere(() =>
            {
                if (disk.List(folder).Count == 0)
                {
                    disk.RemoveFolder(folder);
                }
            });
        }
    }

    private static void SyncEach(IDisk disk, List<TouchedSession> touched, List<string> left)
    {
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
                SyncHistory(disk, folder + "/" + Layout.HistoryFolder, folders);
            }
        }

        SyncFile(disk, Layout.ConfigFile);
        SyncFile(disk, Layout.StreamsFile);

        // Where names are now, before where they came from: a name is durable in its new place before it
        // is gone for good from its old one. Within that, what is inside a folder before its own name.
        // The trash comes first: what was deleted came from the other folders, and its own name is in "".
        List<string> trashed = [.. folders.Reverse().TakeWhile(f => f.StartsWith(Layout.Trash, Ordinal))];
        foreach (string folder in trashed.Append("").Concat(folders.Reverse().Skip(trashed.Count))
            .Concat([Layout.Trash, Layout.Temporary, .. left]))
        {
            WhereStillThere(() =>
            {
                if (disk.Stat(folder) is { IsFolder: true })
                {
                    disk.SyncFolder(folder);
                }
            });
        }
    }

    private static void SyncFiles(IDisk disk, string folder)
    {
        foreach (string file in Files)
        {
            SyncFile(disk, folder + "/" + file);
        }
    }

    // An ancestor may be gone before what it wrote last was synced under its own name.
    private static void SyncHistory(IDisk disk, string folder, SortedSet<string> folders)
    {
        WhereStillThere(() =>
        {
            if (disk.Stat(folder) is not { IsFolder: true })
            {
                return;
            }

            folders.Add(folder);
            foreach (DiskName link in disk.List(folder))
            {
                SyncFile(disk, folder + "/" + link.Name);
            }
        });
    }

    private static void SyncFile(IDisk disk, string path)
    {
        WhereStillThere(() =>
        {
            if (disk.Stat(path) is not null)
            {
                using IDiskFile file = OpenToSync(disk, path);
                file.Sync();
            }
        });
    }

    // One that may not be written to any more has what was written to it before. Windows syncs only what may be.
    private static IDiskFile OpenToSync(IDisk disk, string path)
    {
        try
        {
            return disk.Open(path, OpenMode.ReadWrite, mayBeLinked: true);
        }
        catch (DiskException e) when (e is { Error: DiskError.AccessDenied, IsOfOthers: false }
            && !OperatingSystem.IsWindows())
        {
            return disk.Open(path, OpenMode.Read, mayBeLinked: true);
        }
    }

    private static void WhereStillThere(Action action)
    {
        try
        {
            action();
        }
        catch (DiskException e) when (!e.IsFailedSync && (e.Error == DiskError.NotFound || Obstacle.HidesContent(e)))
        {
            LogRing.Add("debug", $"Moved or removed while it was synced, or none of ours: {e.Message}");
        }
    }
}
