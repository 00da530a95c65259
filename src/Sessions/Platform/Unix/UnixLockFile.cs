using System.Runtime.CompilerServices;

namespace Sessions.Platform.Unix;

/// <summary>
/// Byte-range locks that belong to the open file description (F_OFD_SETLK), not to the process:
/// closing another descriptor of the same file does not drop them, as it would with F_SETLK.
/// </summary>
[SkipLocalsInit]
internal sealed unsafe class UnixLockFile : ILockFile
{
    private readonly UnixRoot _root;
    private readonly string _path;
    private readonly ulong _identity;
    private int _fd;

    public UnixLockFile(UnixRoot root, string path, int fd, ulong identity)
    {
        _root = root;
        _path = path;
        _fd = fd;
        _identity = identity;
        ForkGuard.DescriptorOpened?.Invoke(fd);
    }

    private static bool IsMac => OperatingSystem.IsMacOS();

    private static short Shared => (short)(IsMac ? 1 : 0);

    private static short Exclusive => (short)(IsMac ? 3 : 1);

    private static short Unlocked => 2;

    // The number of a removed file is not used again while we hold it open, so one look at the path
    // is enough.
    public bool IsLinked => _root.TryGlance(_path, out UnixStat stat) && stat.Identity == _identity;

    public bool TryLock(long offset, bool exclusive)
    {
        short type = exclusive ? Exclusive : Shared;
        if (Call(IsMac ? 90 : 37, offset, ref type) == 0)
        {
            return true;
        }

        int error = Errno.Last;
        return error == Errno.Again || error == Errno.Access
            ? false
            : throw Errno.Failure("fcntl(F_OFD_SETLK)", _path, error);
    }

    public void Unlock(long offset)
    {
        short type = Unlocked;
        if (Call(IsMac ? 90 : 37, offset, ref type) != 0)
        {
            throw Errno.Failure("fcntl(F_OFD_SETLK)", _path);
        }
    }

    public bool IsHeldByOther(long offset)
    {
        short type = Exclusive;
        return Call(IsMac ? 92 : 36, offset, ref type) == 0
            ? type != Unlocked
            : throw Errno.Failure("fcntl(F_OFD_GETLK)", _path);
    }

    public void Dispose()
    {
        int fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0)
        {
            ForkGuard.DescriptorClosed?.Invoke(fd);
            Libc.Close(fd);
        }
    }

    // struct flock. Linux: type and whence at 0 and 2, start at 8, length at 16, process at 24.
    // macOS: start at 0, length at 8, process at 16, type and whence at 20 and 22.
    private int Call(int command, long offset, ref short type)
    {
        byte* range = stackalloc byte[32];
        new Span<byte>(range, 32).Clear();
        short* typeAt = (short*)(range + (IsMac ? 20 : 0));
        long* startAt = (long*)(range + (IsMac ? 0 : 8));
        *typeAt = type;
        startAt[0] = offset;
        startAt[1] = 1;
        int result;
        do
        {
            result = Posix.Control(_fd, command, (nint)range);
        }
        while (result != 0 && Errno.WasInterrupted);

        type = *typeAt;
        return result;
    }
}
