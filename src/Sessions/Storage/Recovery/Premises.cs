using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Index;

namespace Sessions.Storage.Recovery;

/// <summary>
/// Looks at the store's own folders before anything is read or written in them. Their names lead everywhere else, so
/// a store in which one of them is a link, or is open to others, is not opened at all.
/// </summary>
internal static class Premises
{
    private const string Moved = Layout.Quarantine + ".was";

    /// <summary>The folders that a store has of its own.</summary>
    public static IEnumerable<string> Folders => [.. ToRead, .. ToWrite];

    private static readonly string[] ToRead = [Layout.Sessions, Layout.Journal];

    private static readonly string[] ToWrite =
        [Layout.Temporary, Layout.Locks, Layout.Trash, Layout.Quarantine, Layout.Backup];

    private static readonly string[] Made = ["store-", "i-"]; // what a store in the making has in tmp/ begins with

    /// <summary>True where a folder without store.json has what only a store leaves: one that no session was made in
    /// has an index and nothing else.</summary>
    public static bool HasRemains(IDisk disk) => disk.Stat(Layout.Sessions) is not null
        || disk.Stat(Layout.Journal) is not null || IndexFile.ReadClosing(disk) is not null;

    /// <summary>What a folder that has no store yet has under a name that a store needs, so that a store there would
    /// take it for its own and throw it away; null where there is nothing of the kind.</summary>
    public static string? FindForeign(IDisk disk)
    {
        foreach (string file in (string[])[Layout.ConfigFile, Layout.StreamsFile, Layout.IndexFile])
        {
            if (disk.Stat(file) is not null)
            {
                return file;
            }
        }

        foreach (string folder in ToWrite)
        {
            foreach (DiskName name in disk.ListIfThere(folder))
            {
                string path = folder + "/" + name.Name;
                bool isMade = folder == Layout.Temporary && !name.IsFolder
                    && Array.Exists(Made, m => name.Name.StartsWith(m, StringComparison.Ordinal));
                if (!isMade && path != Layout.SharedPage)
                {
                    return path;
                }
            }
        }

        return null;
    }

    /// <summary>Refuses a store whose root is somebody else's (AccessDenied), and one in which something other than
    /// a folder stands for a folder (Corrupt).</summary>
    /// <param name="disk">The store's.</param>
    /// <param name="root">The root as it was just looked at.</param>
    /// <param name="readOnly">True where nothing will be written.</param>
    public static void Check(IDisk disk, in DiskEntry? root, bool readOnly)
    {
        RequireOurs("", root);
        foreach (string folder in readOnly ? ToRead : [.. ToRead, .. ToWrite])
        {
            DiskEntry? entry = disk.Stat(folder);
            if (entry is { IsFolder: false })
            {
                throw Errors.Misplaced(folder);
            }

            RequireOurs(folder, entry);
            if (entry is { IsOpenToOwner: false } && !readOnly)
            {
                throw Errors.Corrupt("A folder of the store may not be written to by its owner.", folder);
            }
        }
    }

    /// <summary>The same for a salvage, which moves what is no folder to quarantine/.</summary>
    public static void Clear(IDisk disk, Quarantine quarantine)
    {
        RequireOurs("", disk.Stat(""));
        foreach (string folder in (string[])[Layout.Quarantine, .. ToRead, .. ToWrite])
        {
            DiskEntry? entry = disk.Stat(folder);
            if (entry is { IsFolder: false } && folder == Layout.Quarantine)
            {
                disk.Rename(folder, Moved); // its own name must be free before anything is put there
                quarantine.PutAside(Moved, Layout.Quarantine);
            }
            else if (entry is { IsFolder: false })
            {
                quarantine.PutAside(folder);
            }
            else
            {
                RequireOurs(folder, entry);
            }
        }
    }

    private static void RequireOurs(string path, DiskEntry? entry)
    {
        if (entry is { IsOfOthers: true } found)
        {
            throw Errors.OfOthers(path, found.Owner, found.Mode);
        }
    }
}
