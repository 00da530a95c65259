using System.Text.RegularExpressions;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Tests.Coordination.Watching;

namespace Sessions.Tests.Disks;

/// <summary>What a power cut might take from the journal of an image: frames, and bytes that are none.</summary>
internal sealed partial class DoubtfulFrames
{
    private readonly HashSet<long> _durable = [];

    private DoubtfulFrames()
    {
    }

    /// <summary>Frames of which no copy is on stable storage.</summary>
    public List<Frame> Frames { get; private set; } = [];

    /// <summary>The others.</summary>
    public List<Frame> Durable { get; } = [];

    /// <summary>The file that has other bytes of that kind; null: none has.</summary>
    public string? Bytes { get; private set; }

    /// <summary>Null where all of the journal is on stable storage.</summary>
    public static DoubtfulFrames? Read(DiskImage image)
    {
        if (image.Root is null || !image.Root.Entries.TryGetValue("journal", out Node? journal)
            || journal is not FolderNode folder)
        {
            return null;
        }

        // A segment in the making is read by nobody until it has its name.
        List<(string Name, FileNode File)> segments = [.. folder.Entries
            .Where(e => e.Value is FileNode && !e.Key.EndsWith(".new", StringComparison.Ordinal))
            .Select(e => (e.Key, (FileNode)e.Value)).OrderBy(e => e.Key, StringComparer.Ordinal)];
        if (!segments.Exists(s => s.File.HasUnsyncedContent || s.File.Lost.Count > 0
            || (folder.Unsynced.ContainsKey(s.Name) && s.File.HasContent)))
        {
            return null;
        }

        var found = new DoubtfulFrames();
        uint? seed = SeedOf(image.Root);
        foreach ((string name, FileNode file) in segments)
        {
            found.Add("journal/" + name, file, seed, isNamed: !folder.Unsynced.ContainsKey(name));
        }

        found.Frames = found.Frames.FindAll(f => !found._durable.Contains(f.Lsn));
        return found.Frames.Count > 0 || found.Bytes is not null ? found : null;
    }

    private void Add(string path, FileNode file, uint? seed, bool isNamed)
    {
        long end = SegmentHeader.Length;
        if (seed is { } known && file.Length > end)
        {
            var reader = new SegmentReader(new NodeReader(file), known, end, file.Length);
            while (reader.Next() is { } frame)
            {
                bool isDurable = isNamed && !file.Differs(end, reader.Offset);
                (isDurable ? Durable : Frames).Add(frame);
                if (isDurable)
                {
                    _durable.Add(frame.Lsn);
                }

                end = reader.Offset;
            }
        }

        bool isFrames = end > SegmentHeader.Length;
        bool isOther = isNamed ? file.Differs(0, SegmentHeader.Length) || file.Differs(end, file.Length)
            : !isFrames && file.HasContent && !IsFresh(file, seed);
        Bytes ??= isOther ? path : null;
    }

    // A segment that was made and not used yet: without its name there is none, and nothing is lost.
    private static bool IsFresh(FileNode file, uint? seed)
    {
        byte[] page = new byte[SegmentHeader.Length];
        return seed is { } known && file.Read(page, 0) == page.Length && SegmentHeader.TryRead(page, known) is not null
            && file.Pages.Skip(1).All(p => p is null || ReferenceEquals(p, FileNode.Zeros));
    }

    private static uint? SeedOf(FolderNode root)
    {
        if (!root.Entries.TryGetValue(Layout.StoreFile, out Node? node) || node is not FileNode file)
        {
            return null;
        }

        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0);
        Match id = StoreId().Match(System.Text.Encoding.UTF8.GetString(bytes));
        return id.Success ? StoreFile.SeedOf(id.Value) : null;
    }

    [GeneratedRegex("st_[0-9a-f]{16}")]
    private static partial Regex StoreId();

    /// <summary>Reads a file without a trace.</summary>
    private sealed class NodeReader(FileNode file) : IDiskFile
    {
        public ulong Identity => file.Id;

        public bool IsLinked => false;

        public long Length => file.Length;

        public int Read(Span<byte> buffer, long offset) => file.Read(buffer, offset);

        public long NextData(long offset) => file.NextData(offset);

        public void Write(ReadOnlySpan<byte> data, long offset) => throw new NotSupportedException();

        public void SetLength(long length) => throw new NotSupportedException();

        public void Sync() => throw new NotSupportedException();

        public void StartWriteback() => throw new NotSupportedException();

        public bool? IsOpenElsewhere() => throw new NotSupportedException();

        public void Dispose()
        {
            // The node is the image's.
        }
    }
}
