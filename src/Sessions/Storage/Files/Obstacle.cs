using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>
/// What stands in a store where a file or folder of its own belongs and is none: a link, a pipe, a socket, a device,
/// a folder for a file, a file for a folder, a second name of some other file, or what somebody else owns. Nothing
/// goes through it. Where a commit or a recovery must write there, it is moved to quarantine/ as it is.
/// </summary>
internal static class Obstacle
{
    /// <summary>True where the call failed because of one.</summary>
    public static bool IsOne(DiskException e)
        => e.Error is DiskError.Misplaced or DiskError.IsFolder or DiskError.NotFolder || e.IsOfOthers;

    /// <summary>The same, and where the system does not let this user read what stands there.</summary>
    public static bool HidesContent(DiskException e) => e.Error == DiskError.AccessDenied || IsOne(e);

    /// <summary>The first part of the path that is one; null where none is. Of the store's own folders none counts:
    /// what is in them would seem to be lost, so the store stops until they are put right.</summary>
    public static string? Find(IDisk disk, DiskException failure)
    {
        string path = failure.Path;
        for (int end = path.IndexOf('/', StringComparison.Ordinal); end > 0; end = path.IndexOf('/', end + 1))
        {
            if (disk.Stat(path[..end]) is not { } entry)
            {
                return null;
            }

            if (!entry.IsFolder)
            {
                return IsOwnFolder(path[..end]) ? null : path[..end];
            }
        }

        return disk.Stat(path) is { } last && !IsOwnFolder(path) && IsWrong(last, failure) ? path : null;
    }

    private static bool IsWrong(in DiskEntry entry, DiskException failure) => entry.IsOther || failure.Error switch
    {
        DiskError.IsFolder => entry.IsFolder,
        DiskError.NotFolder => !entry.IsFolder,
        DiskError.Misplaced => entry.Links > 1,
        _ => false, // what is wrong only in who may write to it is put right by its owner, and loses nothing
    };

    private static bool IsOwnFolder(string path)
        => path is Layout.Journal or Layout.Locks or Layout.Temporary or Layout.Sessions or Layout.Trash
            or Layout.Quarantine or Layout.Backup;
}
