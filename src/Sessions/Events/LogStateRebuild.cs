using Sessions.Platform;
using Sessions.Storage;

namespace Sessions.Events;

/// <summary>Makes a log.json that was lost or damaged from what else bears witness of it: the links of a
/// branch, the first number of each log, and the markers among the events.</summary>
internal static class LogStateRebuild
{
    /// <summary>The state; reads the whole log.</summary>
    /// <param name="disk">The store's disk.</param>
    /// <param name="folder">The session's folder.</param>
    /// <param name="forkSeq">The last event that a branch has from its parent; null: it is none.</param>
    public static LogState Of(IDisk disk, string folder, long? forkSeq)
    {
        string own = folder + "/" + Layout.EventsFile;
        long ownFirst = FirstSeq(disk, own) ?? ((forkSeq ?? 0) + 1);
        List<HistoryPart> history = History(disk, folder, ownFirst);
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
            if (name.Name.EndsWith(".jsonl", StringComparison.Ordinal)
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

    private static long? FirstSeq(IDisk disk, string path)
    {
        if (disk.Stat(path) is null)
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
        if (disk.Stat(path) is null)
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
