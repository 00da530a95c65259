using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Log;

namespace Sessions.Storage.Apply;

/// <summary>Gives branches back the links to their ancestors' logs that somebody removed, wherever the store still has
/// the lines: in the ancestor's own log, in another branch's link, or in what a prune left in the trash.</summary>
internal sealed class LostLinks(IDisk disk)
{
    private List<(string Folder, string Id, long Deletion)>? _folders;

    /// <summary>Makes the links of a session's history that are not there and can be made.</summary>
    public void Relink(string folder, LogState state)
    {
        foreach (HistoryPart part in state.History)
        {
            string link = Layout.History(folder, part.SessionId);
            if (disk.Stat(link) is null && Find(part) is { } source)
            {
                disk.CreateFolder(folder + "/" + Layout.HistoryFolder);
                FileLinks.Make(disk, source, link, part.Bytes);
                disk.SyncFolder(folder + "/" + Layout.HistoryFolder);
                disk.SyncFolder(folder);
                LogRing.Add("warning", $"{link} was gone, and is made again from {source}.");
            }
        }
    }

    private string? Find(HistoryPart part)
    {
        foreach (string path in Candidates(part.SessionId))
        {
            if (disk.Stat(path) is { IsFile: true } file && file.Length >= part.Bytes && Holds(path, part))
            {
                return path;
            }
        }

        return null;
    }

    private IEnumerable<string> Candidates(string id)
    {
        _folders ??= [.. FolderScan.Folders(disk)];
        foreach ((string folder, string found, _) in _folders)
        {
            yield return found == id ? folder + "/" + Layout.EventsFile : Layout.History(folder, id);
        }

        foreach (DiskName name in disk.Stat(Layout.PrunedFolder) is { IsFolder: true }
            ? disk.List(Layout.PrunedFolder) : [])
        {
            if (Layout.PrunedOf(name.Name) == id)
            {
                yield return Layout.PrunedFolder + "/" + name.Name;
            }
        }
    }

    // The same lines at the same place: a log that was pruned since begins with another number.
    private bool Holds(string path, HistoryPart part)
    {
        using LogView log = LogView.OpenFile(disk, path);
        var reader = new LineReader(log, 0, end: part.Bytes);
        long first = 0, last = 0;
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (EventLine.TryRead(line, out long seq, out _))
            {
                first = first == 0 ? seq : first;
                last = Math.Max(last, seq);
            }
        }

        return reader.Offset == part.Bytes && first == part.FirstSeq && last == part.LastSeq;
    }
}
