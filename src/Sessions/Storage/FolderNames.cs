using Sessions.Platform;

namespace Sessions.Storage;

/// <summary>Lists folders that are nearly always there, without asking first whether they are.</summary>
internal static class FolderNames
{
    /// <summary>The names in a folder; none where no folder is there. A folder that is often missing is better asked
    /// for with <see cref="IDisk.Stat"/>, for here it costs an exception.</summary>
    public static IReadOnlyList<DiskName> ListIfThere(this IDisk disk, string folder)
    {
        try
        {
            return disk.List(folder);
        }
        catch (DiskException e) when (e.Error is DiskError.NotFound or DiskError.NotFolder or DiskError.Misplaced)
        {
            return [];
        }
    }
}
