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
        var rewinds = new List<Rewind>();
        var compactions = new List<Compaction>();
        foreach (HistoryPart part in history)
        {
            FindMarkers(disk, Layout.History(folder, part.SessionId), part.LastSeq, rewinds, compactions);
        }

        FindMarkers(disk, own, Limits.IntegerMax - 1, rewinds, compactions);
        return state with { Rewinds = rewinds, Compactions = [.. compactions.TakeLast(Compaction.KeptMax)] };
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

    private static void FindMarkers(IDisk disk, string path, long last, List<Rewind> rewinds,
        List<Compaction> compactions)
    {
        if (disk.Stat(path) is null)
        {
            return;
        }

        using LogView log = LogView.OpenFile(disk, path);
        var walk = new LogWalk(log, 0, last);
        while (walk.TryNext())
        {
            if (walk.Damage is not null || !IsMarker(EventLine.Head(walk.Unclosed.Span).Type))
            {
                continue;
            }

            EventView view = EventView.Of(walk);
            if (view.Type == Marker.Rewind && Number(view, "to_seq") is { } to && to < view.Seq)
            {
                rewinds.Add(new Rewind(view.Seq, to + 1, view.Seq - 1));
            }
            else if (view.Type == Marker.Undone && rewinds.Count > 0)
            {
                rewinds.RemoveAt(rewinds.Count - 1);
            }
            else if (view.Type == Compaction.Type && Compaction.Read(view.Seq, view.Data) is { } compaction)
            {
                compactions.Add(compaction);
            }
        }
    }

    private static bool IsMarker(string type) => type is Marker.Rewind or Marker.Undone or Compaction.Type;

    private static long? Number(EventView view, string name)
        => view.Data.Span[0] == '{' && JsonMembers.Of(view.Data).Find(m => m.Name == name) is { Name: not null } m
            && System.Buffers.Text.Utf8Parser.TryParse(m.Value.Span, out long value, out int used)
            && used == m.Value.Length && value >= 0 ? value : null;
}
