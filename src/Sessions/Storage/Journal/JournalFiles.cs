using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Journal;

/// <summary>
/// The journal's segments as files. Each is written full of zeros and synced before its first
/// frame, so that a commit only ever overwrites bytes that are there: half the cost of a sync on
/// ext4. docs/FORMAT.md "Journal" draws them.
/// </summary>
internal sealed class JournalFiles(IDisk disk, uint seed, string owner) : IDisposable
{
    public const long SegmentBytesMin = 4 << 20;
    public const long SegmentBytesMax = 64 << 20;

    private const int PieceBytes = 256 * 1024;

    private IDiskFile? _file;
    private long _number;

    public uint Seed => seed;

    /// <summary>What the headers of segments that it makes say of whose they are.</summary>
    public string StoreId { get; init; } = "";

    /// <summary>The numbers of the segments that are there, ascending.</summary>
    public List<long> Segments()
    {
        var numbers = new List<long>();
        foreach (DiskName name in disk.ListIfThere(Layout.Journal))
        {
            if (Layout.TrySegment(name.Name, out long number)) // what is no file there is damage, and is said
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        return numbers;
    }

    /// <summary>The open file of a segment; null where it is gone. Kept open until another is asked for.</summary>
    public IDiskFile? Open(long number)
    {
        if (_number == number && _file is not null)
        {
            return _file;
        }

        try
        {
            IDiskFile file = disk.OpenOwn(Layout.Segment(number), OpenMode.ReadWrite);
            Dispose();
            _file = file;
            _number = number;
            return file;
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return null;
        }
    }

    /// <summary>True while the name of the segment that is open stands for the open file.</summary>
    public bool IsInPlace => _file is not null && disk.Glance(Layout.Segment(_number)) is { } now
        && now.Identity == _file.Identity;

    /// <summary>The header; null where the segment is gone or its header is not one of this store.</summary>
    public SegmentHeader? ReadHeader(long number)
    {
        try
        {
            using IDiskFile file = disk.OpenOwn(Layout.Segment(number), OpenMode.Read);
            return ReadHeader(file);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound || Obstacle.IsOne(e))
        {
            return null;
        }
    }

    public SegmentHeader? ReadHeader(IDiskFile file)
    {
        byte[] page = new byte[SegmentHeader.Length];
        return file.Read(page, 0) == page.Length ? SegmentHeader.TryRead(page, seed) : null;
    }

    /// <summary>Makes a segment ready for frames, from the spare where that is large enough. On
    /// return its header, its zeros and its name are on stable storage, and before its name the frames
    /// it begins with.</summary>
    public SegmentHeader Create(SegmentHeader header, ReadOnlySpan<byte> frames = default)
    {
        disk.CreateFolder(Layout.Journal);
        string path = Layout.UnfinishedSegment(owner + "-segment");
        DiskEntry? found = disk.Stat(Layout.SpareSegment);
        if (found is { IsFile: true, Length: > SegmentBytesMax })
        {
            disk.Unlink(Layout.SpareSegment); // nobody here made it, and it may be nothing but a hole
        }

        if (found is { IsFile: true, IsOfOthers: false, Links: 1, Length: <= SegmentBytesMax } spare
            && spare.Length >= header.Size)
        {
            // Taken away first: another process may put its own in this place at any moment.
            disk.Rename(Layout.SpareSegment, path);
            header = header with { Size = spare.Length };
        }
        else
        {
            Fill(path, header.Size);
        }

        Finish(path, header, frames);
        return header;
    }

    /// <summary>Makes a segment of a header alone: it closes a journal whose frames are all in the
    /// files, and carries the floors.</summary>
    public void CreateClosing(SegmentHeader header)
    {
        disk.CreateFolder(Layout.Journal);
        string path = Layout.UnfinishedSegment(owner + "-segment");
        Remove(path);
        disk.WriteAll(path, new byte[SegmentHeader.Length]);
        Finish(path, header with { Size = SegmentHeader.Length }, default);
    }

    /// <summary>Gives a segment the content of an open file, durable before it has the name.</summary>
    public void Replace(long number, IDiskFile whole)
    {
        string path = Layout.UnfinishedSegment(owner + "-segment");
        Remove(path);
        using (IDiskFile file = disk.Open(path, OpenMode.CreateNew))
        {
            byte[] piece = new byte[PieceBytes];
            int read;
            for (long at = 0; (read = whole.Read(piece, at)) > 0; at += read)
            {
                file.Write(piece.AsSpan(0, read), at);
            }

            file.SyncStaged(); // whoever tries again begins with another one
        }

        disk.Rename(path, Layout.Segment(number));
        disk.SyncFolder(Layout.Journal);
    }

    /// <summary>Makes the spare unless there is one. Nobody relies on its name, which a power cut may take.</summary>
    public void MakeSpare(long size)
    {
        if (disk.Stat(Layout.SpareSegment) is not null)
        {
            return;
        }

        string path = Layout.UnfinishedSegment(owner + "-spare");
        disk.CreateFolder(Layout.Journal);
        Fill(path, size);
        disk.Rename(path, Layout.SpareSegment);
    }

    /// <summary>Removes the segments that somebody began to make and did not finish.</summary>
    public void Sweep()
    {
        foreach (DiskName name in disk.ListIfThere(Layout.Journal))
        {
            if (!name.IsFolder && Layout.IsUnfinishedSegment(name.Name))
            {
                disk.Unlink(Layout.Journal + "/" + name.Name);
            }
        }
    }

    public bool HasSpare => disk.Stat(Layout.SpareSegment) is not null;

    /// <summary>Unlinks the segments below a number, oldest first, so that what is left has no gap.</summary>
    public void Retire(long below)
    {
        foreach (long number in Segments())
        {
            if (number >= below)
            {
                break;
            }

            if (number == _number)
            {
                Dispose();
            }

            disk.Unlink(Layout.Segment(number));
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
        _number = 0;
    }

    private void Finish(string path, SegmentHeader header, ReadOnlySpan<byte> frames)
    {
        if (header.Number > Layout.SegmentMax)
        {
            disk.Unlink(path);
            throw Errors.Limit("segment", Layout.SegmentMax, header.Number); // nobody would find it by its name
        }

        byte[] page = new byte[SegmentHeader.Length];
        header.Write(page, seed, StoreId);
        using (IDiskFile file = disk.Open(path, OpenMode.ReadWrite))
        {
            file.Write(page, 0);
            if (frames.Length > 0)
            {
                file.Write(frames, SegmentHeader.Length);
            }

            file.SyncStaged(); // whoever tries again begins with another one
        }

        disk.Rename(path, Layout.Segment(header.Number));
        disk.SyncFolder(Layout.Journal);
        disk.SyncFolder("");
    }

    // What a failed sync left is never written to again.
    private void Remove(string path)
    {
        if (disk.Stat(path) is not null)
        {
            disk.Unlink(path);
        }
    }

    private void Fill(string path, long size)
    {
        Remove(path);
        byte[] zeros = new byte[PieceBytes];
        using IDiskFile file = disk.Open(path, OpenMode.CreateNew);
        try
        {
            for (long at = 0; at < size; at += zeros.Length)
            {
                file.Write(zeros.AsSpan(0, (int)Math.Min(zeros.Length, size - at)), at);
            }

            file.SyncStaged();
        }
        catch (DiskException)
        {
            // On a full disk the half-made file would keep the space that others need.
            disk.Unlink(path);
            throw;
        }
    }
}
