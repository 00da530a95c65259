using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Journal;

/// <summary>All that the journal's segments hold, read in order, and where they stop making sense.</summary>
internal sealed class JournalScan
{
    // With one frame of the largest event, and as much again.
    private const long SegmentBytesLikely = 4 * JournalFiles.SegmentBytesMax;

    public List<long> Segments { get; private set; } = [];

    /// <summary>The header of the newest segment; null where there is no segment.</summary>
    public SegmentHeader? Newest { get; private set; }

    /// <summary>The header of the oldest segment that counts.</summary>
    public SegmentHeader? Oldest { get; private set; }

    public List<Frame> Frames { get; } = [];

    /// <summary>In the newest segment: after the last whole frame.</summary>
    public long End { get; private set; }

    /// <summary>In the newest segment: after the last byte that is not zero.</summary>
    public long RestEnd { get; private set; }

    /// <summary>Bytes of the segments that count: no more can have been lost with frames of them.</summary>
    public long Bytes { get; private set; }

    /// <summary>The last LSN that one of the frames says was on stable storage.</summary>
    public long Synced { get; private set; }

    /// <summary>Where each frame of the newest segment ends, by LSN.</summary>
    public List<(long Lsn, long End)> Ends { get; } = [];

    /// <summary>What makes this damage rather than an interrupted write; null where nothing does.</summary>
    public string? Corruption { get; private set; }

    /// <summary>Takes note of damage that shows elsewhere.</summary>
    public void Damage(string what) => Corruption ??= what;

    /// <summary>Frames that are whole, but stand behind damage.</summary>
    public List<Frame> Stranded { get; } = [];

    public long LastLsn => Frames.Count > 0 ? Frames[^1].Lsn : Oldest?.FirstLsn - 1 ?? 0;

    /// <summary>True where every frame is in the files already: no segment, or a closing one.</summary>
    public bool IsClosed => Newest is null ? Corruption is null : Newest.Size == SegmentHeader.Length;

    public static JournalScan Read(IDisk disk, JournalFiles journal)
    {
        var scan = new JournalScan { Segments = journal.Segments() };
        if (scan.Segments.Count == 0)
        {
            return scan;
        }

        scan.Newest = journal.ReadHeader(scan.Segments[^1]);
        if (scan.Newest is null && disk.Stat(Layout.Segment(scan.Segments[^1]))
                is { IsFile: true, Length: SegmentHeader.Length })
        {
            // Only a segment that closes a journal is so short. It has no frames, and what else it says
            // can be had from the index or the folders.
            LogRing.Add("warning", $"{Layout.Segment(scan.Segments[^1])} is damaged; it closed the journal.");
            return scan;
        }

        if (scan.Newest is null)
        {
            scan.Corruption = Layout.Segment(scan.Segments[^1]) + ": the header is damaged";
        }

        // What counts are the last segments without a gap: older ones are left over from a
        // checkpoint that a crash kept from unlinking them.
        int first = scan.Segments.Count - 1;
        while (first > 0 && scan.Segments[first - 1] == scan.Segments[first] - 1
            && scan.Segments[first - 1] >= (scan.Newest?.FirstNeeded ?? 0))
        {
            first--;
        }

        for (int i = first; i < scan.Segments.Count; i++)
        {
            scan.ReadSegment(disk, journal, scan.Segments[i], isNewest: i == scan.Segments.Count - 1);
        }

        return scan;
    }

    private void ReadSegment(IDisk disk, JournalFiles journal, long number, bool isNewest)
    {
        string path = Layout.Segment(number);
        try
        {
            using IDiskFile file = disk.OpenOwn(path, OpenMode.Read);
            ReadSegment(file, path, journal, number, isNewest);
        }
        catch (DiskException e) when (Obstacle.IsOne(e))
        {
            Corruption ??= path + ": it is no file of the journal";
        }
    }

    private void ReadSegment(IDiskFile file, string path, JournalFiles journal, long number, bool isNewest)
    {
        if (journal.ReadHeader(file) is not { } header || header.Number != number)
        {
            Corruption ??= path + ": the header is damaged";
            FindStranded(file, journal.Seed, SegmentHeader.Length - 8, file.Length);
            return;
        }

        if (file.Length < header.Size)
        {
            Corruption ??= path + ": it was cut";
        }

        Oldest ??= header;
        Bytes += Math.Min(file.Length, SegmentBytesLikely);
        long end = file.Length;
        if (!isNewest)
        {
            SegmentHeader? next = journal.ReadHeader(number + 1);
            end = next is { PreviousEnd: > 0 } ? Math.Min(next.PreviousEnd, end) : end;
        }

        var reader = new SegmentReader(file, journal.Seed, SegmentHeader.Length, end);
        long last = ReadFrames(reader, path, header, isNewest);
        End = reader.Offset;
        bool rest = reader.FindRest(out long restEnd);
        RestEnd = restEnd;
        if (!isNewest && reader.Offset != end)
        {
            Corruption ??= $"{path}: no frame at {reader.Offset}";
            FindStranded(file, journal.Seed, reader.Offset, end);
        }
        else if (isNewest && rest)
        {
            long lost = Math.Max(last + 1, header.FirstLsn);
            if (FindStranded(file, journal.Seed, reader.Offset, Math.Min(end, restEnd + 8)) >= lost)
            {
                Corruption ??= $"{path}: no frame at {reader.Offset}, yet it was on stable storage";
            }
            else if (Corruption is null)
            {
                Stranded.Clear(); // pages of an unsynced write that came through out of order
            }
        }
    }

    // The LSN of the last one.
    private long ReadFrames(SegmentReader reader, string path, SegmentHeader header, bool isNewest)
    {
        long last = Frames.Count > 0 ? Frames[^1].Lsn : 0;
        while (reader.Next() is { } frame)
        {
            if (frame.Lsn <= last || frame.Lsn < header.FirstLsn)
            {
                Corruption ??= $"{path}: LSN {frame.Lsn} stands behind LSN {last}";
            }

            last = frame.Lsn;
            Synced = Math.Max(Synced, reader.Synced);
            (Corruption is null ? Frames : Stranded).Add(frame);
            if (isNewest)
            {
                Ends.Add((frame.Lsn, reader.Offset));
            }
        }

        return last;
    }

    // The highest `synced` of any whole frame behind the damage.
    private long FindStranded(IDiskFile file, uint seed, long from, long to)
    {
        var search = new FrameSearch(file, seed, from + FrameSearch.Step, to);
        while (search.Next() is { } payload)
        {
            if (ChangeCodec.TryRead(search.Lsn, payload) is { } frame)
            {
                Stranded.Add(frame);
            }
            else if (!search.TryPassUnknown())
            {
                break;
            }
        }

        if (search.IsOverfull)
        {
            Corruption ??= "a segment has more that looks like frames than it has room for";
        }

        return search.Synced;
    }
}
