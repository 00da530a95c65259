namespace Sessions.Tests.Disks;

/// <summary>
/// The content of a file, page by page. A page that is null was never written; one that was written
/// with zeros only is <see cref="Zeros"/>. While the disk tracks what is durable, pages are never
/// changed in place, so that all the versions since the last sync can be kept.
/// </summary>
internal sealed class FileNode(ulong id, bool tracks) : Node(id)
{
    public const int PageBytes = 4096;

    private const int VersionsMax = 6;

    /// <summary>Stands for every page of zeros; never written to.</summary>
    public static readonly byte[] Zeros = new byte[PageBytes];

    private readonly List<byte[]?> _pages = [];
    private long _allocated;

    public override long AllocatedPages => _allocated;

    public long Length { get; private set; }

    /// <summary>When somebody last said that it was modified; this disk has no clock.</summary>
    public long ModifiedMs { get; set; }

    public IReadOnlyList<byte[]?> Pages => _pages;

    /// <summary>Pages written since the last sync: first what is durable, last what is there now.</summary>
    public SortedDictionary<int, List<byte[]?>> Unsynced { get; } = [];

    /// <summary>Pages that a failed sync dropped: what is durable. The system believes them clean.</summary>
    public SortedDictionary<int, byte[]?> Lost { get; } = [];

    /// <summary>Lengths since the last sync, the durable one first; empty where it is durable.</summary>
    public List<long> UnsyncedLengths { get; } = [];

    /// <summary>The first page, when processes have it mapped; changed in place without a trace.</summary>
    public byte[]? Mapped { get; private set; }

    /// <summary>True where bytes other than zeros wait for a sync.</summary>
    public bool HasUnsyncedContent => Unsynced.Values.Any(v => v[^1] is { } page && !ReferenceEquals(page, Zeros));

    /// <summary>True where it holds anything but zeros.</summary>
    public bool HasContent => _pages.Any(p => p is not null && !ReferenceEquals(p, Zeros));

    /// <summary>True where a byte other than zero between two offsets is not what a power cut leaves.</summary>
    public bool Differs(long from, long to)
    {
        to = Math.Min(to, Length);
        while (from < to)
        {
            (int page, int at, int length) = Part(from, (int)Math.Min(to - from, int.MaxValue));
            bool isUnsynced = Unsynced.TryGetValue(page, out List<byte[]?>? versions);
            byte[]? durable = isUnsynced ? versions![0] : null;
            if (_pages[page] is { } now && (isUnsynced || Lost.TryGetValue(page, out durable)))
            {
                ReadOnlySpan<byte> old = (durable ?? Zeros).AsSpan(at, length);
                for (int i = 0; i < length; i++)
                {
                    if (now[at + i] != 0 && now[at + i] != old[i])
                    {
                        return true;
                    }
                }
            }

            from += length;
        }

        return false;
    }

    public int Read(Span<byte> buffer, long offset)
    {
        int count = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        for (int done = 0; done < count;)
        {
            (int page, int at, int length) = Part(offset + done, count - done);
            Span<byte> target = buffer.Slice(done, length);
            if (_pages[page] is { } bytes)
            {
                bytes.AsSpan(at, length).CopyTo(target);
            }
            else
            {
                target.Clear();
            }

            done += length;
        }

        return count;
    }

    /// <summary>The first offset, from this one on, in a page that was written; else the end.</summary>
    public long NextData(long offset)
    {
        for (long page = offset / PageBytes; page < _pages.Count; page++)
        {
            if (_pages[(int)page] is not null)
            {
                return Math.Max(offset, page * PageBytes);
            }
        }

        return Math.Max(offset, Length);
    }

    /// <summary>Writes as many bytes as there are free pages for, and answers how many. With a
    /// filter it writes only some of the pages, as a crash in the middle does.</summary>
    public int Write(ReadOnlySpan<byte> data, long offset, ref long freePages, Func<bool>? filter = null)
    {
        int done = 0;
        long end = Length;
        while (done < data.Length)
        {
            (int page, int at, int length) = Part(offset + done, data.Length - done);
            if (filter is null || filter())
            {
                Fill(page);
                if (_pages[page] is null)
                {
                    if (freePages <= 0)
                    {
                        break;
                    }

                    freePages--;
                    _allocated++;
                }

                WritePage(page, at, data.Slice(done, length));
                end = offset + done + length;
            }

            done += length;
        }

        GrowTo(Math.Max(end, Length));
        return done;
    }

    public void SetLength(long length)
    {
        if (length < Length)
        {
            (int page, int at, _) = Part(length, 1);
            for (int i = _pages.Count - 1; i > page || (i == page && at == 0); i--)
            {
                if (_pages[i] is not null)
                {
                    _allocated--;
                    Replace(i, null);
                }

                _pages.RemoveAt(i);
            }

            if (page < _pages.Count && _pages[page] is not null)
            {
                WritePage(page, at, Zeros.AsSpan(at));
            }
        }

        GrowTo(length);
    }

    public void Sync()
    {
        Unsynced.Clear();
        UnsyncedLengths.Clear();
    }

    /// <summary>A sync that failed: some pages came through, the others are forgotten, and no later
    /// sync will write them.</summary>
    public void FailSync(Random random)
    {
        foreach ((int page, List<byte[]?> versions) in Unsynced)
        {
            if (random.Next(2) == 0)
            {
                Lost[page] = versions[0];
            }
        }

        Unsynced.Clear();
    }

    /// <summary>Fixes the first page in memory.</summary>
    public byte[] Map()
    {
        if (Mapped is null)
        {
            Fill(0);
            byte[] page = GC.AllocateArray<byte>(PageBytes, pinned: true);
            _pages[0]?.CopyTo(page, 0);
            _allocated += _pages[0] is null ? 1 : 0;
            Replace(0, page);
            Mapped = page;
            GrowTo(Math.Max(Length, PageBytes));
        }

        return Mapped;
    }

    /// <summary>The content of a new node, as a crash or a copy leaves it.</summary>
    public void Restore(IReadOnlyList<byte[]?> pages, long length, bool firstPageMayChange)
    {
        for (int i = 0; i < pages.Count && (long)i * PageBytes < length; i++)
        {
            byte[]? page = pages[i];
            int keep = (int)Math.Min(PageBytes, length - ((long)i * PageBytes));
            bool isShared = tracks && keep == PageBytes && !(firstPageMayChange && i == 0);
            if (page is not null && !ReferenceEquals(page, Zeros) && !isShared)
            {
                page = page.ToArray();
                page.AsSpan(keep).Clear();
            }

            _pages.Add(page);
            _allocated += page is null ? 0 : 1;
        }

        Length = length;
        Fill((int)((length + PageBytes - 1) / PageBytes) - 1);
    }

    private static (int Page, int At, int Length) Part(long offset, int count)
    {
        int at = (int)(offset % PageBytes);
        return ((int)(offset / PageBytes), at, Math.Min(count, PageBytes - at));
    }

    private void Fill(int lastPage)
    {
        while (_pages.Count <= lastPage)
        {
            _pages.Add(null);
        }
    }

    private void GrowTo(long length)
    {
        Fill((int)((length + PageBytes - 1) / PageBytes) - 1);
        if (length == Length)
        {
            return;
        }

        if (tracks)
        {
            if (UnsyncedLengths.Count == 0)
            {
                UnsyncedLengths.Add(Length);
            }
            else if (UnsyncedLengths.Count >= VersionsMax)
            {
                UnsyncedLengths.RemoveAt(1);
            }

            UnsyncedLengths.Add(length);
        }

        Length = length;
    }

    private void WritePage(int page, int at, ReadOnlySpan<byte> data)
    {
        byte[]? now = _pages[page];
        if (Mapped is not null && page == 0)
        {
            data.CopyTo(Mapped.AsSpan(at));
            return;
        }

        bool isZero = now is null || ReferenceEquals(now, Zeros);
        if (isZero && data.IndexOfAnyExcept((byte)0) < 0)
        {
            Replace(page, Zeros);
            return;
        }

        byte[] next = isZero ? new byte[PageBytes] : tracks ? now!.ToArray() : now!;
        data.CopyTo(next.AsSpan(at));
        Replace(page, data.Length == PageBytes && data.IndexOfAnyExcept((byte)0) < 0 ? Zeros : next);
    }

    private void Replace(int page, byte[]? next)
    {
        byte[]? now = _pages[page];
        _pages[page] = next;
        if (!tracks || (ReferenceEquals(now, next) && !Lost.ContainsKey(page)))
        {
            return;
        }

        if (!Unsynced.TryGetValue(page, out List<byte[]?>? versions))
        {
            versions = [now];
            if (Lost.Remove(page, out byte[]? durable))
            {
                versions.Insert(0, durable);
            }

            Unsynced.Add(page, versions);
        }
        else if (versions.Count >= VersionsMax)
        {
            versions.RemoveAt(1);
        }

        versions.Add(next);
    }
}
