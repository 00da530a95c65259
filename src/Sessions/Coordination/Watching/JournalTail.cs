using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Watching;

/// <summary>
/// Reads frames that are no longer in memory from the journal's segments, from one LSN to another that is
/// published. It has its own place and files, so whoever is slow costs nobody else anything.
/// </summary>
internal sealed class JournalTail : IDisposable
{
    // How much of the journal is read at most for one that fell behind: more than that takes longer than others take to
    // write as much again.
    private const long BehindBytesMax = 64 << 20;

    private readonly StoreCore _core;
    private readonly JournalFiles _journal;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private IDiskFile _file;
    private readonly long _start;
    private long _segment;
    private long _offset = SegmentHeader.Length;

    private JournalTail(StoreCore core, JournalFiles journal, SegmentHeader header, IDiskFile file)
        => (_core, _journal, _segment, _start, _file) = (core, journal, header.Number, header.PreviousLsn, file);

    /// <summary>Behind this LSN it reads at the earliest.</summary>
    public long Start => _start;

    /// <summary>At the segment in which the frame behind an LSN stands; null where it is gone.</summary>
    public static JournalTail? TryOpen(StoreCore core, long position)
    {
        var journal = new JournalFiles(core.Disk, core.Seed, core.InstanceId);
        List<long> segments = journal.Segments();
        for (int i = segments.Count - 1; i >= 0; i--)
        {
            if (journal.ReadHeader(segments[i]) is { } header
                && (header.PreviousLsn <= position || (header.Told > 0 && header.Told <= position)))
            {
                return TryOpenFile(core.Disk, segments[i]) is { } file
                    ? new JournalTail(core, journal, header, file) : null;
            }
        }

        return null;
    }

    /// <summary>At the first segment that is still there and begins behind one LSN and before another, where the frames
    /// from the first one on are gone; null where there is none.</summary>
    public static JournalTail? TryOpenBehind(StoreCore core, long position, long target)
    {
        var journal = new JournalFiles(core.Disk, core.Seed, core.InstanceId);
        List<long> segments = journal.Segments();
        JournalTail? found = null;
        long bytes = 0;
        for (int i = segments.Count - 1; i >= 0; i--)
        {
            if (journal.ReadHeader(segments[i]) is not { } header || header.PreviousLsn <= position
                || (bytes += header.Size) > BehindBytesMax)
            {
                break; // segments go oldest first
            }

            if (header.PreviousLsn < target && TryOpenFile(core.Disk, segments[i]) is { } file)
            {
                found?.Dispose();
                found = new JournalTail(core, journal, header, file);
            }
        }

        return found;
    }

    /// <summary>
    /// Hands out the frames behind <paramref name="position"/> and up to <paramref name="target"/>, after so many
    /// bytes no more of them. False where the journal does not lead there.
    /// </summary>
    /// <param name="into">Gets the frames.</param>
    /// <param name="position">The LSN behind which it reads; never smaller than in the call before.</param>
    /// <param name="target">An LSN that is published.</param>
    /// <param name="bytesMax">How many bytes of the journal it reads, or one frame more.</param>
    /// <param name="bytes">How many it read.</param>
    /// <param name="isThere">True where no frame up to the target is left.</param>
    public bool TryRead(Queue<Frame> into, long position, long target, long bytesMax, out long bytes, out bool isThere)
    {
        bytes = 0;
        isThere = target <= _start; // nothing that was told lies between
        while (!isThere)
        {
            var reader = new SegmentReader(_file, _core.Seed, _offset, _file.Length, _buffer);
            while (bytes < bytesMax && reader.Next() is { } frame)
            {
                isThere = frame.Lsn >= target;
                if (frame.Lsn > target)
                {
                    return true; // LSNs jump here
                }

                bytes += reader.Offset - _offset;
                _offset = reader.Offset;
                if (frame.Lsn > position)
                {
                    into.Enqueue(frame);
                }

                if (isThere)
                {
                    return true;
                }
            }

            if (bytes >= bytesMax || into.Count > 0)
            {
                return true;
            }

            if (!TryNextSegment())
            {
                return false;
            }
        }

        return true;
    }

    public void Dispose() => _file.Dispose();

    private bool TryNextSegment()
    {
        if (_journal.ReadHeader(_segment + 1) is not { } header || header.PreviousEnd != _offset
            || TryOpenFile(_core.Disk, _segment + 1) is not { } file)
        {
            return false;
        }

        _file.Dispose();
        (_file, _segment, _offset) = (file, _segment + 1, SegmentHeader.Length);
        return true;
    }

    private static IDiskFile? TryOpenFile(IDisk disk, long segment)
    {
        try
        {
            return disk.OpenOwn(Layout.Segment(segment), OpenMode.Read);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return null;
        }
    }
}
