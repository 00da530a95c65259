using Microsoft.Win32.SafeHandles;

namespace Sessions.Platform;

/// <summary>A mapped page of a file, with waits that cross processes.</summary>
internal sealed unsafe class UnixSharedPage(UnixRoot root, string path, int fd, nint address, ulong identity)
    : ISharedPage
{
    private const int ReadProtection = 1;
    private const int WriteProtection = 2;
    private const int SharedMapping = 1;

    private readonly SafeFileHandle _file = new(fd, ownsHandle: true);
    private nint _address = address;

    public byte* Address => (byte*)_address;

    public bool IsLinked => root.TryGlance(path, out UnixStat stat) && stat.Identity == identity
        && stat.Length >= SharedPage.Bytes;

    public bool IsWhole
    {
        get
        {
            bool isHeld = false;
            try
            {
                _file.DangerousAddRef(ref isHeld);
                return Unix.TryStat((int)_file.DangerousGetHandle(), out UnixStat stat)
                    && stat.Length >= SharedPage.Bytes;
            }
            finally
            {
                if (isHeld)
                {
                    _file.DangerousRelease();
                }
            }
        }
    }

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

        bool isKept = false;
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
            isKept = address != -1;
            return isKept ? new UnixSharedPage(root, path, fd, address, stat.Identity)
                : throw Errno.Failure("mmap", path);
        }
        finally
        {
            if (!isKept)
            {
                Libc.Close(fd);
            }
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
            _file.Dispose();
        }
    }

    // The first store into a hole of a mapped file on a full disk is a SIGBUS, so the blocks are
    // taken here, without touching what another process may have put there meanwhile.
    private static void Allocate(int fd, string path)
    {
        int error = OperatingSystem.IsLinux() ? Libc.Allocate(fd, 0, SharedPage.Bytes) : Errno.NotSupported;
        if (error == Errno.NotSupported || error == Errno.Invalid)
        {
            error = Libc.Truncate(fd, SharedPage.Bytes) == 0 ? 0 : Errno.Last;
        }

        if (error != 0)
        {
            throw Errno.Failure("posix_fallocate", path, error);
        }
    }
}
