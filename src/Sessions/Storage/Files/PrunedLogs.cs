using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>The logs that prunes keep in the trash.</summary>
internal static class PrunedLogs
{
    /// <summary>Removes those of these sessions.</summary>
    public static void Remove(IDisk disk, HashSet<string> sessionIds)
    {
        if (disk.Stat(Layout.PrunedFolder) is not { IsFolder: true })
        {
            return;
        }

        foreach (DiskName name in disk.List(Layout.PrunedFolder))
        {
            if (!name.IsFolder && Layout.PrunedOf(name.Name) is { } id && sessionIds.Contains(id))
            {
                disk.Unlink(Layout.PrunedFolder + "/" + name.Name);
            }
        }
    }
}
