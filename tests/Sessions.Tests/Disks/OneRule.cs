using Sessions.Model;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;

namespace Sessions.Tests.Disks;

/// <summary>What a call does to a file: writes bytes between two offsets, puts content in its place, or takes it
/// away.</summary>
internal readonly record struct Touch(string Path, Node? Placed, long From = -1, long To = -1)
{
    /// <summary>True where bytes of the file itself change.</summary>
    public bool IsWrite => From >= 0;

    /// <summary>True where nothing stands there afterwards.</summary>
    public bool IsGone => !IsWrite && Placed is null;
}

/// <summary>
/// The one rule as a check: no file is replaced, cut, moved or unlinked, and no event log written,
/// before the frame that can rebuild it is on stable storage. What is no record of its own
/// (journal, locks, scratch files, quarantine, index, format) is free. It reads the frames that a power cut
/// may take: what any of them speaks of may not be seen in the files. Bytes in the journal that are no frame
/// may be any: then nothing may change.
/// </summary>
internal static class OneRule
{
    private static readonly HashSet<string> Free = new(StringComparer.Ordinal)
    {
        "journal", "locks", "tmp", "quarantine", "index.jsonl", "store.json",
    };

    /// <summary>True where the rule holds for this path.</summary>
    public static bool Guards(string path)
    {
        int slash = path.IndexOf('/');
        // A share's secret is never in the journal: it is durable before the frame that speaks of it. A
        // file of a session neither: its name is its content's digest, so there is nothing to rebuild.
        return path.Length > 0 && !path.EndsWith(".secret", StringComparison.Ordinal)
            && !path.EndsWith(".new", StringComparison.Ordinal) // a log in the making, which nobody reads
            && !path.Contains("/files/", StringComparison.Ordinal)
            && !Free.Contains(slash < 0 ? path : path[..slash]);
    }

    /// <summary>What a call breaks the rule by; null where it does not.</summary>
    public static string? Breach(DiskImage image, IEnumerable<Touch> touches)
    {
        List<Touch> guarded = [.. touches.Where(t => Guards(t.Path))];
        if (guarded.Count == 0 || DoubtfulFrames.Read(image) is not { } doubtful)
        {
            return null;
        }

        if (doubtful.Bytes is { } bytes)
        {
            return $"{bytes} is not on stable storage";
        }

        foreach (Touch touch in guarded)
        {
            if (doubtful.Frames.Find(f => f.Changes.Any(c => Speaks(c, f.Lsn, touch, doubtful.Durable))) is { } frame)
            {
                return $"frame {frame.Lsn} is not on stable storage";
            }
        }

        return null;
    }

    /// <summary>All names of a file, as paths.</summary>
    public static IEnumerable<string> PathsOf(Node node) => node.Names.Select(n => PathOf(n.Folder, n.Name));

    // True where the touch would show what the change says.
    private static bool Speaks(Change change, long lsn, in Touch touch, List<Frame> durable)
    {
        if (change.Kind is ChangeKind.Config or ChangeKind.Streams)
        {
            return touch.Path == (change.Kind == ChangeKind.Config ? Layout.ConfigFile : Layout.StreamsFile)
                && ShowsImage(change, touch, durable);
        }

        if (Layout.SessionOf(touch.Path) is not { } id || id != change.Id)
        {
            return false;
        }

        string folder = touch.Path[..(touch.Path.IndexOf(id, StringComparison.Ordinal) + id.Length)];
        string file = touch.Path[folder.Length..].TrimStart('/');
        return change.Kind switch
        {
            ChangeKind.Put or ChangeKind.Trash or ChangeKind.Restore => file.Length == 0
                ? change.IsNew || change.Kind != ChangeKind.Put
                : file == Layout.SessionFile && (touch.IsGone || Revision(touch) >= lsn),
            ChangeKind.Purge => file.Length == 0 || touch.IsGone,
            ChangeKind.Append => file == Layout.EventsFile && touch.IsWrite
                && touch.From < change.Offset + change.Lines.Length && touch.To > change.Offset,
            ChangeKind.Rewrite => file == Layout.EventsFile && !touch.IsWrite,
            ChangeKind.Fork => file.StartsWith(Layout.HistoryFolder + "/", StringComparison.Ordinal),
            ChangeKind.Shares => file == Layout.SharesFile && ShowsImage(change, touch, durable),
            ChangeKind.Log => file == Layout.LogStateFile && ShowsImage(change, touch, durable),
            _ => change.Small is not null && file == change.Small!.FileName
                && ShowsImage(change, touch, durable),
        };
    }

    private static bool ShowsImage(Change change, in Touch touch, List<Frame> durable)
    {
        byte[] shown = touch.IsGone ? [] : Compact(touch);
        return shown.AsSpan().SequenceEqual(change.Image.Span)
            && !durable.Exists(f => f.Changes.Any(c => c.Kind == change.Kind && c.Id == change.Id
                && c.Image.Span.SequenceEqual(shown)));
    }

    private static long Revision(in Touch touch) => InfoCodec.TryRead(Compact(touch))?.Revision ?? 0;

    private static byte[] Compact(in Touch touch)
    {
        if (touch.Placed is not FileNode file)
        {
            return [];
        }

        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0);
        return CheckedJson.Read(bytes) ?? [];
    }

    private static string PathOf(FolderNode folder, string name)
    {
        string path = name;
        while (folder.Names.Count > 0)
        {
            path = folder.Names[0].Name + "/" + path;
            folder = folder.Names[0].Folder;
        }

        return path;
    }
}
