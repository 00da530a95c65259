using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>Calls for which a missing name is no failure. They do not ask first: most names are there, and any may go
/// meanwhile.</summary>
internal static class IfThere
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

    /// <summary>Removes a name; fine where somebody did before.</summary>
    public static void UnlinkIfThere(this IDisk disk, string path)
    {
        try
        {
            disk.Unlink(path);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            LogRing.Add("debug", $"{path} was gone already.");
        }
    }
}
