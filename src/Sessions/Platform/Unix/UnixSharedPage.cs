namespace Sessions.Platform.Unix;

/// <summary>A mapped page of a file, with waits that cross processes.</summary>
internal sealed unsafe class UnixSharedPage(UnixRoot root, string path, nint address, ulong identity) : ISharedPage
{
    private const int ReadProtection = 1;
    private const int WriteProtection = 2;
    private const int SharedMapping = 1;

    private nint _address = address;

    public byte* Address => (byte*)_address;

    public bool IsLinked => root.TryGlance(path, out UnixStat stat) && stat.Identity == identity
        && stat.Length >= SharedPage.Bytes;

    // No descriptor is kept for this, since calls may have the page after the store was closed. Where the name is gone,
    // or is another file's, nobody can cut this one by it.
    public bool IsWhole => !root.TryGlance(path, out UnixStat stat) || stat.Identity != identity
        || stat.Length >= SharedPage.Bytes;

    /// <summary>Opens and maps the file; null where a reader finds none that is complete.</summary>
    public static UnixSharedPage? Open(UnixRoot root, string path, bool readOnly)
    {
        int fd;
        UnixStat stat;
        try
        {
            fd = UnixOpening.Open(root, path, readOnly ? OpenMode.Read : OpenMode.OpenOrCreate, mayBeLinked: false,
                out stat);
        }
        catch (DiskException e) when (readOnly && e.Error is DiskError.NotFound or DiskError.NotFolder)
        {
            return null;
        }

        try
        {
            if (readOnly && stat.Length < SharedPage.Bytes)
            {
                return null; // being made just now; touching it would be a SIGBUS
            }

            if (!readOnly && (stat.Length < SharedPage.Bytes || !stat.HasBlocks))
            {
                Allocate(fd, path);
            }

            int protection = ReadProtection | (readOnly ? 0 : WriteProtection);
            nint address = Libc.Map(0, SharedPage.Bytes, protection, SharedMapping, fd, 0);
            return address == -1 ? throw Errno.Failure("mmap", path)
                : new UnixSharedPage(root, path, address, stat.Identity);
        }
        finally
        {
            Libc.Close(fd);
        }
    }

    public void Wait(int* word, int expected, int timeoutMs)
    {
        if (OperatingSystem.IsMacOS())
        {
            Darwin.Wait(word, expected, timeoutMs, shared: true);
        }
        else
        {
            LinuxFutex.Wait(word, expected, timeoutMs, LinuxFutex.Shared);
        }
    }

    public void Wake(int* word, int count)
    {
        if (OperatingSystem.IsMacOS())
        {
            Darwin.Wake(word, count, shared: true);
        }
        else
        {
            LinuxFutex.Wake(word, count, LinuxFutex.Shared);
        }
    }

    public void Dispose()
    {
        nint address = Interlocked.Exchange(ref _address, 0);
        if (address != 0)
        {
            Libc.Unmap(address, SharedPage.Bytes);
        }
    }

    // The first store into a hole of a mapped file on a full disk is a SIGBUS, so the blocks are
    // taken here, without touching what another process may have put there meanwhile.
    private static void Allocate(int fd, string path)
    {
        int error = OperatingSystem.IsLinux() ? Libc.Allocate(fd, 0, SharedPage.Bytes) : Errno.NotSupported;
        if (error != 0 && Errno.IsOfCall(error))
        {
            error = Libc.Truncate(fd, SharedPage.Bytes) == 0 ? 0 : Errno.Last;
        }

        if (error != 0)
        {
            throw Errno.Failure("posix_fallocate", path, error);
        }
    }
}
