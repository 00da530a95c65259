using System.Globalization;
using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>
/// Removes folders with all that is in them, however deep somebody made them: what lies deeper than a path may be
/// long is moved up into tmp/ first. Links are removed, never followed.
/// </summary>
internal sealed class Trees(IDisk disk, string owner)
{
    private const int DepthMax = 8;

    private long _moved;

    /// <summary>Removes a folder; fine where there is none.</summary>
    public void Remove(string folder)
    {
        var deep = new Queue<string>();
        deep.Enqueue(folder);
        while (deep.TryDequeue(out string? next))
        {
            RemoveOne(next, 0, deep);
        }
    }

    private void RemoveOne(string folder, int depth, Queue<string> deep)
    {
        if (disk.Stat(folder) is not { IsFolder: true })
        {
            return;
        }

        foreach (DiskName name in disk.List(folder))
        {
            string path = folder + "/" + name.Name;
            if (!name.IsFolder)
            {
                disk.Unlink(path);
            }
            else if (depth < DepthMax)
            {
                RemoveOne(path, depth + 1, deep);
            }
            else
            {
                string moved = FreeName();
                disk.Rename(path, moved);
                deep.Enqueue(moved);
            }
        }

        disk.RemoveFolder(folder);
    }

    // A run that was killed may have left some.
    private string FreeName()
    {
        disk.CreateFolder(Layout.Temporary);
        string name;
        do
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{Layout.Temporary}/{owner}-deep-{++_moved}");
        }
        while (disk.Stat(name) is not null);
        return name;
    }
}
