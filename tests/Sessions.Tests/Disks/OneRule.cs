namespace Sessions.Tests.Disks;

/// <summary>
/// The one rule as a check: no file is replaced, cut, moved or unlinked, and no event log written,
/// before the frame that can rebuild it is on stable storage. What is no record of its own
/// (journal, locks, scratch files, quarantine, index, format) is free.
/// </summary>
internal static class OneRule
{
    private static readonly HashSet<string> Free = new(StringComparer.Ordinal)
    {
        "journal", "locks", "tmp", "quarantine", "index.jsonl", "store.json",
    };

    /// <summary>True where the rule holds for this path.</summary>
    public static bool Guards(string path)
    {
        int slash = path.IndexOf('/');
        // A share's secret is never in the journal: it is durable before the frame that speaks of it. A
        // file of a session neither: its name is its content's digest, so there is nothing to rebuild.
        return path.Length > 0 && !path.EndsWith(".secret", StringComparison.Ordinal)
            && !path.EndsWith(".new", StringComparison.Ordinal) // a log in the making, which nobody reads
            && !path.Contains("/files/", StringComparison.Ordinal)
            && !Free.Contains(slash < 0 ? path : path[..slash]);
    }

    /// <summary>True where one of a file's names is guarded.</summary>
    public static bool Guards(Node node) => node.Names.Any(n => Guards(PathOf(n.Folder, n.Name)));

    /// <summary>The journal file that holds what is not durable yet; null where there is none.</summary>
    public static string? PendingFrame(DiskImage image)
    {
        if (image.Root is null || !image.Root.Entries.TryGetValue("journal", out Node? journal)
            || journal is not FolderNode folder)
        {
            return null;
        }

        foreach ((string name, Node node) in folder.Entries)
        {
            // A segment in the making is read by nobody until it has its name.
            if (node is FileNode file && !name.EndsWith(".new", StringComparison.Ordinal)
                && (file.HasUnsyncedContent || (folder.Unsynced.ContainsKey(name) && file.HasContent)))
            {
                return "journal/" + name;
            }
        }

        return null;
    }

    private static string PathOf(FolderNode folder, string name)
    {
        string path = name;
        while (folder.Names.Count > 0)
        {
            path = folder.Names[0].Name + "/" + path;
            folder = folder.Names[0].Folder;
        }

        return path;
    }
}
