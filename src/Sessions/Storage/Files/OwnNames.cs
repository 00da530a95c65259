using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>
/// Opens a file that has one name, but for what a power cut may leave: a rename or an exchange of which one half is
/// durable gives a file a second name, where it was made. One with a name anywhere else is none of the store's.
/// </summary>
internal static class OwnNames
{
    /// <summary><see cref="IDisk.Open"/> for such a file.</summary>
    public static IDiskFile OpenOwn(this IDisk disk, string path, OpenMode mode, bool mayBeLinked = false)
    {
        try
        {
            return disk.Open(path, mode, mayBeLinked);
        }
        catch (DiskException e) when (e.Error == DiskError.Misplaced && AreAllOwn(disk, path))
        {
            return disk.Open(path, mode, mayBeLinked: true);
        }
    }

    /// <summary>True where every name of a file with several is in its own folder or in tmp/.</summary>
    public static bool AreAllOwn(IDisk disk, string path)
    {
        if (disk.Stat(path) is not { IsFile: true, Links: > 1 } file)
        {
            return false;
        }

        string folder = Layout.Parent(path);
        long found = CountIn(disk, folder, file.Identity);
        return found + (folder == Layout.Temporary ? 0 : CountIn(disk, Layout.Temporary, file.Identity)) == file.Links;
    }

    private static long CountIn(IDisk disk, string folder, ulong identity)
    {
        if (disk.Stat(folder) is not { IsFolder: true })
        {
            return 0;
        }

        long count = 0;
        foreach (DiskName name in disk.List(folder))
        {
            string path = folder.Length == 0 ? name.Name : folder + "/" + name.Name;
            count += disk.Stat(path) is { IsFile: true } entry && entry.Identity == identity ? 1 : 0;
        }

        return count;
    }
}
