using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Log;

/// <summary>Makes a log.json that was lost or damaged from what else bears witness of it: the links of a
/// branch or, where they are gone too, its parent; the first number of each log; and the markers among the
/// events.</summary>
internal static class LogStateRebuild
{
    /// <summary>The state; reads the whole log.</summary>
    /// <param name="disk">The store's disk.</param>
    /// <param name="folder">The session's folder.</param>
    /// <param name="info">What the session's file says: of which session it is a branch, and up to where.</param>
    public static LogState Of(IDisk disk, string folder, SessionInfo info)
    {
        string own = folder + "/" + Layout.EventsFile;
        long ownFirst = FirstSeq(disk, own) ?? ((info.ForkSeq ?? 0) + 1);
        List<HistoryPart> history = History(disk, folder, ownFirst);
        if (info is { ParentId: { } parentId, ForkSeq: { } forkSeq } && ownFirst == forkSeq + 1
            && !history.Exists(p => p.SessionId == parentId)
            && HistoryOfParent(disk, parentId, forkSeq) is { Count: > 0 } ofParent)
        {
            history = ofParent; // a link to an older ancestor alone would be taken for the parent's part as well
        }

        var state = new LogState
        {
            FirstSeq = history.Count > 0 ? history[0].FirstSeq : ownFirst,
            History = history,
        };
        var markers = new MarkerScan();
        foreach (HistoryPart part in history)
        {
            FindMarkers(disk, Layout.History(folder, part.SessionId), part.LastSeq, markers);
        }

        FindMarkers(disk, own, Limits.IntegerMax - 1, markers);
        return state with
        {
            Rewinds = markers.Rewinds,
            Compactions = [.. markers.Compactions.TakeLast(Compaction.KeptMax)],
        };
    }

    private static List<HistoryPart> History(IDisk disk, string folder, long ownFirst)
    {
        string history = folder + "/" + Layout.HistoryFolder;
        var found = new List<(string Id, string Path, long First)>();
        foreach (DiskName name in disk.Stat(history) is { IsFolder: true } ? disk.List(history) : [])
        {
            string path = history + "/" + name.Name;
            if (name is { IsFolder: false, IsOther: false } && name.Name.EndsWith(".jsonl", StringComparison.Ordinal)
                && SessionIds.IsValid(name.Name[..^".jsonl".Length]) && FirstSeq(disk, path) is { } first)
            {
                found.Add((name.Name[..^".jsonl".Length], path, first));
            }
        }

        found.Sort((a, b) => a.First.CompareTo(b.First));
        var parts = new List<HistoryPart>();
        for (int i = 0; i < found.Count; i++)
        {
            long last = (i + 1 < found.Count ? found[i + 1].First : ownFirst) - 1;
            if (last >= found[i].First)
            {
                using LogView log = LogView.OpenFile(disk, found[i].Path);
                parts.Add(new HistoryPart(found[i].Id, found[i].First, last, BranchPoint.EndOf(log, last)));
            }
        }

        return parts;
    }

    // What a branch saw of its parent, and of what that is a branch of. The links can be made again from there.
    private static List<HistoryPart> HistoryOfParent(IDisk disk, string parentId, long forkSeq)
    {
        try
        {
            return ReadHistoryOfParent(disk, parentId, forkSeq);
        }
        catch (DiskException e) when (Obstacle.HidesContent(e))
        {
            LogRing.Add("warning", $"What a branch saw of {parentId} cannot be told: {e.Message}");
            return []; // the branch's own events are not harmed
        }
    }

    private static List<HistoryPart> ReadHistoryOfParent(IDisk disk, string parentId, long forkSeq)
    {
        string folder = Layout.LiveFolder(parentId), own = folder + "/" + Layout.EventsFile;
        byte[]? known = SmallFile.TryRead(disk, folder + "/" + Layout.LogStateFile, c => LogState.CanRead(c, parentId),
            out _);
        List<HistoryPart> parts =
        [
            .. LogState.Read(known).History.Where(p => p.FirstSeq <= forkSeq)
                .Select(p => p.LastSeq <= forkSeq ? p : Cut(disk, Layout.History(folder, p.SessionId), p, forkSeq)),
        ];
        if (FirstSeq(disk, own) is { } first && first <= forkSeq)
        {
            parts.Add(Cut(disk, own, new HistoryPart(parentId, first, forkSeq, 0), forkSeq));
        }

        return parts;
    }

    private static HistoryPart Cut(IDisk disk, string path, HistoryPart part, long last)
    {
        if (disk.Stat(path) is not { IsFile: true })
        {
            return part with { LastSeq = last }; // it cannot be linked either, and is named as missing
        }

        using LogView log = LogView.OpenFile(disk, path);
        return part with { LastSeq = last, Bytes = BranchPoint.EndOf(log, last) };
    }

    private static long? FirstSeq(IDisk disk, string path)
    {
        if (disk.Stat(path) is not { IsFile: true })
        {
            return null;
        }

        using LogView log = LogView.OpenFile(disk, path);
        var reader = new LineReader(log, 0);
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (EventLine.TryRead(line, out long seq, out _))
            {
                return seq;
            }
        }

        return null;
    }

    private static void FindMarkers(IDisk disk, string path, long last, MarkerScan markers)
    {
        if (disk.Stat(path) is not { IsFile: true })
        {
            return;
        }

        using LogView log = LogView.OpenFile(disk, path);
        var walk = new LogWalk(log, 0, last);
        while (walk.TryNext())
        {
            if (walk.Damage is null && MarkerScan.IsMarker(EventLine.Head(walk.Unclosed.Span).Type))
            {
                markers.Add(EventView.Of(walk));
            }
        }
    }
}
