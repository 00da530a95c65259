using Sessions.Images;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Recovery;

namespace Sessions.Check;

/// <summary>Finds what stands in a store and is no part of it: see <see cref="Obstacle"/>. A verification names it,
/// a salvage moves it to quarantine/.</summary>
internal static class Misplaced
{
    private static readonly string[] Files =
        [Layout.StoreFile, Layout.ConfigFile, Layout.StreamsFile, Layout.IndexFile, Layout.SharedPage];

    private static readonly string[] SessionFiles =
    [
        Layout.SessionFile, Layout.EventsFile, Layout.LogStateFile, Layout.SharesFile,
        .. SmallFileKind.All.Select(k => k.FileName),
    ];

    /// <summary>The paths of such things beside the sessions: the store's own folders and files, and the
    /// journal's.</summary>
    public static IEnumerable<string> InStore(IDisk disk)
    {
        foreach (string folder in Premises.Folders)
        {
            if (disk.Stat(folder) is { } entry && (!entry.IsFolder || entry.IsOfOthers))
            {
                yield return folder;
            }
        }

        foreach (string file in Files)
        {
            if (IsWrongFile(disk, file, mayBeLinked: file == Layout.StoreFile))
            {
                yield return file;
            }
        }

        foreach (string segment in Among(disk, Layout.Journal, n => Layout.TrySegment(n, out _)
            || Layout.Journal + "/" + n == Layout.SpareSegment, mayBeLinked: false))
        {
            yield return segment;
        }
    }

    /// <summary>Those in the folder of a session, or in place of it.</summary>
    public static IEnumerable<string> InSession(IDisk disk, string folder)
    {
        foreach (string name in SessionFiles)
        {
            string path = folder + "/" + name;
            if (IsWrongFile(disk, path, mayBeLinked: name == Layout.EventsFile))
            {
                yield return path;
            }
        }

        foreach (string name in (string[])[Layout.HistoryFolder, Layout.FilesFolder])
        {
            string path = folder + "/" + name;
            if (disk.Stat(path) is { } entry && (!entry.IsFolder || entry.IsOfOthers))
            {
                yield return path;
                continue;
            }

            foreach (string inner in Among(disk, path, _ => true, mayBeLinked: true))
            {
                yield return inner;
            }
        }
    }

    /// <summary>Links and the like where the folders of years, months, days and sessions are.</summary>
    public static IEnumerable<string> AmongSessions(IDisk disk)
    {
        var folders = new Stack<(string Path, int Level)>([(Layout.Sessions, 0), (Layout.Trash, 2)]);
        while (folders.TryPop(out (string Path, int Level) next))
        {
            foreach (DiskName name in NamesIn(disk, next.Path))
            {
                string path = next.Path + "/" + name.Name;
                if (name.IsOther || (name.IsFolder && disk.Stat(path) is { IsOfOthers: true }))
                {
                    yield return path;
                }

                if (name.IsFolder && next.Level < 3 && path != Layout.PrunedFolder)
                {
                    bool isLast = path == Layout.NamedFolder || next.Level == 2;
                    folders.Push((path, isLast ? 3 : next.Level + 1));
                }
            }
        }
    }

    private static IEnumerable<string> Among(IDisk disk, string folder, Func<string, bool> isOurs, bool mayBeLinked)
    {
        foreach (DiskName name in NamesIn(disk, folder))
        {
            string path = folder + "/" + name.Name;
            if (isOurs(name.Name) && IsWrongFile(disk, path, mayBeLinked))
            {
                yield return path;
            }
        }
    }

    private static IReadOnlyList<DiskName> NamesIn(IDisk disk, string folder)
    {
        try
        {
            return disk.Stat(folder) is { IsFolder: true } ? disk.List(folder) : [];
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound || Obstacle.HidesContent(e))
        {
            return []; // gone, or replaced, in between
        }
    }

    /// <summary>What is wrong with it, in a sentence for a person.</summary>
    public static string Describe(in DiskEntry entry)
        => entry.IsOther ? "a link, a pipe, a socket or a device stands there; it is not followed and not opened"
            : entry.IsOfOthers ? $"it belongs to user {entry.Owner} with mode {Errors.ModeText(entry.Mode)}; only its "
                + "owner may be able to write to it (chmod go-w, or chown)"
            : entry.IsFolder ? "a folder stands in the place of a file"
            : entry.Links > 1 ? "the file has a second name elsewhere (a hard link); it is not opened"
            : "a file stands in the place of a folder";

    private static bool IsWrongFile(IDisk disk, string path, bool mayBeLinked)
    {
        try
        {
            return disk.Stat(path) is { } entry && (!entry.IsFile || entry.IsOfOthers
                || (entry.Links > 1 && !mayBeLinked && !OwnNames.AreAllOwn(disk, path)));
        }
        catch (DiskException e) when (e.Error is DiskError.Misplaced or DiskError.NotFolder)
        {
            return false; // the folder it is in is one, and has a path of its own
        }
    }
}
