using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Log;

namespace Sessions.Storage.Apply;

/// <summary>
/// Gives a branch its history: a second name for each log it sees a part of, so that it costs nothing
/// and stays whatever becomes of the ancestors. Where the file system has no links, the part is copied.
/// Doing it twice does nothing the second time.
/// </summary>
internal sealed class HistoryLinks(IDisk disk)
{
    /// <param name="folder">Where the branch is, or is being staged.</param>
    /// <param name="branch">What the frames say of it.</param>
    /// <param name="fold">What else they say.</param>
    /// <param name="relinks">False where a frame may be redone that later ones, not in this fold, went
    /// beyond: then a link that is there stays as it is.</param>
    public void Link(string folder, FoldedSession branch, Fold fold, bool relinks)
    {
        string parentId = branch.ForkedFrom!;
        FoldedSession? parent = fold.Sessions.GetValueOrDefault(parentId);
        string? parentFolder = null;
        foreach (HistoryPart part in LogState.Read(branch.Log).History)
        {
            string link = Layout.History(folder, part.SessionId);
            if (disk.Stat(link) is not null && (!relinks || !MayBeAnother(branch, parent)))
            {
                continue;
            }

            parentFolder ??= Find(parentId, parent?.Place ?? 0);
            string? source = parentFolder is null ? null : part.SessionId == parentId
                ? parentFolder + "/" + Layout.EventsFile : Layout.History(parentFolder, part.SessionId);
            DiskEntry? original = source is null ? null : disk.Stat(source);
            if (disk.Stat(link) is { } found)
            {
                if (original is null || original.Value.Identity == found.Identity)
                {
                    continue;
                }

                // After a power cut the parent's name for the file was lost and this one was not. The parent
                // gets its lines anew from the journal, in another file, and so does the branch. Where the parent's
                // log was replaced, though, the link may be the last name of the file that has it all.
                if (WholeLines(link, part.Bytes) > WholeLines(source!, part.Bytes))
                {
                    LogRing.Add("warning", $"{source} has less than {link}, which stays.");
                    continue;
                }

                disk.Unlink(link);
            }

            if (original is null)
            {
                // The parent was purged, which first made the links of its branches durable; so this one
                // was removed by hand. Its events are shown as missing.
                LogRing.Add("error", $"The history {link} is gone.");
                continue;
            }

            disk.CreateFolder(folder + "/" + Layout.HistoryFolder);
            FileLinks.Make(disk, source!, link, part.Bytes);
        }

        if ((parentFolder ?? Find(parentId, parent?.Place ?? 0)) is { } files)
        {
            SessionFiles.LinkAll(disk, files, folder);
        }
    }

    /// <summary>True where every link of a branch is there.</summary>
    public bool IsLinked(string folder, FoldedSession branch) => LogState.Read(branch.Log).History.All(p =>
        disk.Stat(Layout.History(folder, p.SessionId)) is { IsFile: true } link && link.Length >= p.Bytes);

    /// <summary>Removes the links to logs of which log.json does not speak any more.</summary>
    public void Drop(string folder, ReadOnlyMemory<byte> image)
    {
        string history = folder + "/" + Layout.HistoryFolder;
        if (disk.Stat(history) is not { IsFolder: true })
        {
            return;
        }

        HashSet<string> kept = [.. LogState.Read(image).History.Select(p => p.SessionId + ".jsonl")];
        foreach (DiskName link in disk.List(history))
        {
            if (!kept.Contains(link.Name))
            {
                disk.Unlink(history + "/" + link.Name);
            }
        }
    }

    // A link that is there already is looked at closely only where files are links and the parent's log
    // should still be the same file: before a log is replaced or purged, links to it are made durable.
    private bool MayBeAnother(FoldedSession branch, FoldedSession? parent) => disk.Capabilities.HardLinks
        && (parent?.Rewrite is null || parent.RewriteLsn < branch.ForkLsn);

    private long WholeLines(string path, long bytes)
    {
        try
        {
            using LogView log = LogView.OpenFile(disk, path);
            var reader = new LineReader(log, 0, end: bytes);
            long count = 0;
            while (reader.TryRead(out ReadOnlySpan<byte> line))
            {
                count += EventLine.TryRead(line, out _, out _) ? 1 : 0;
            }

            return count;
        }
        catch (DiskException e) when (Obstacle.HidesContent(e))
        {
            return 0;
        }
    }

    private string? Find(string id, long place)
    {
        if (disk.Stat(Layout.Folder(id, place)) is not null)
        {
            return Layout.Folder(id, place);
        }

        if (disk.Stat(Layout.LiveFolder(id)) is not null)
        {
            return Layout.LiveFolder(id);
        }

        foreach ((string folder, string found, _) in FolderScan.Folders(disk))
        {
            if (found == id)
            {
                return folder;
            }
        }

        return null;
    }
}
