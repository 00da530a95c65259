using System.Globalization;
using System.Text;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Recovery;

/// <summary>
/// Says in tmp/ that a prune is making a file in a session's folder. Where the process is killed before a frame speaks
/// of that file, whoever empties tmp/ alone removes the file too, and need not look through all sessions for it.
/// </summary>
internal static class StagedMark
{
    private const string Word = "-prune-";
    private const int BytesMax = 512;

    /// <summary>Makes one, durable before the file; its path.</summary>
    public static string Make(StoreCore core, string sessionId, string file)
    {
        core.Disk.CreateFolder(Layout.Temporary);
        string path = string.Create(CultureInfo.InvariantCulture,
            $"{Layout.Temporary}/{core.InstanceId}{Word}{core.NextScratch()}");
        core.Disk.WriteAll(path, Encoding.UTF8.GetBytes($"{sessionId}\n{file}\n"));
        try
        {
            core.Disk.SyncFolder(Layout.Temporary);
        }
        catch (DiskException e)
        {
            core.Heed(e); // others rely on names in that folder, too
            throw;
        }

        return path;
    }

    /// <summary>Removes the file that one speaks of, if that is there. Every frame has to be in the files.</summary>
    public static void Sweep(IDisk disk, string path)
    {
        if (!path.Contains(Word, StringComparison.Ordinal) || !TryRead(disk, path, out string id, out string file))
        {
            return;
        }

        foreach ((string folder, _, _) in FolderScan.Folders(disk).Where(f => f.Id == id)) // or it is in the trash
        {
            foreach (string name in LogRewriter.NamesOf(file))
            {
                if (disk.Stat(folder + "/" + name) is { IsFile: true })
                {
                    disk.Unlink(folder + "/" + name);
                }
            }
        }
    }

    /// <summary>Removes one whose file is gone or belongs to a frame. One that stays goes when tmp/ is
    /// emptied.</summary>
    public static void Remove(IDisk disk, string path)
    {
        try
        {
            if (disk.Stat(path) is not null)
            {
                disk.Unlink(path);
            }
        }
        catch (DiskException e)
        {
            LogRing.Add("info", $"{path} was not removed: {e.Message}");
        }
    }

    private static bool TryRead(IDisk disk, string path, out string id, out string file)
    {
        (id, file) = ("", "");
        if (disk.Stat(path) is not { IsFile: true, Length: <= BytesMax, IsOfOthers: false, Links: 1 })
        {
            return false;
        }

        string[] lines = Encoding.UTF8.GetString(SmallFile.ReadWhole(disk, path, BytesMax).Bytes).Split('\n');
        if (lines.Length < 2 || !SessionIds.IsValid(lines[0]) || !Plausible.IsStagedLog(lines[1]))
        {
            return false;
        }

        (id, file) = (lines[0], lines[1]);
        return true;
    }
}
