using System.Runtime.InteropServices;

namespace Sessions.Platform.Unix;

/// <summary>The calls that differ between Linux and macOS, with one signature for both.</summary>
internal static unsafe class Posix
{
    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const uint FileMode = 0x180;   // 0600
    public const uint FolderMode = 0x1C0; // 0700
    public const uint ModeBits = 0xFFF;

    /// <summary>What of a file is asked for: kind, mode, owner, names, length and number, but no times. A file
    /// whose times were asked for gets an exact one at its next change (see <see cref="UnixFile.Length"/>).</summary>
    public const uint Kind = 0x70F; // STATX_TYPE, MODE, NLINK, UID, INO, SIZE, BLOCKS

    /// <summary>The same, and the times.</summary>
    public const uint All = 0x7FF;

    private const int CurrentFolder = -100; // AT_FDCWD of Linux
    private const int DarwinCurrentFolder = -2;
    private const uint Swap = 2; // RENAME_EXCHANGE and RENAME_SWAP
    private const int StayOnLink = 0x100; // AT_SYMLINK_NOFOLLOW of Linux
    private const int DarwinStayOnLink = 0x20;
    private const int OfFolder = 0x200; // AT_REMOVEDIR of Linux
    private const int DarwinOfFolder = 0x80;
    private const int EmptyPath = 0x1000;
    private const int FirstFreeDescriptor = 3;

    private static bool IsMac => OperatingSystem.IsMacOS();

    public static int CreateNew => IsMac ? 0x200 | 0x800 : 0x40 | 0x80; // O_CREAT | O_EXCL

    public static int CloseOnExec => IsMac ? 0x0100_0000 : 0x8_0000;

    /// <summary>O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_DIRECTORY. Linux has two of them at other places on ARM.</summary>
    public static int NoFollow => IsMac ? 0x100 : IsLinuxArm ? 0x8000 : 0x2_0000;

    public static int NonBlocking => IsMac ? 4 : 0x800;

    public static int NoTerminal => IsMac ? 0x2_0000 : 0x100;

    public static int Folder => IsMac ? 0x10_0000 : IsLinuxArm ? 0x4000 : 0x1_0000;

    /// <summary>O_PATH: the descriptor serves to go on from and nothing else. macOS has no such thing.</summary>
    public static int PathOnly => IsMac ? 0 : 0x20_0000;

    private static bool IsLinuxArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    private static int DuplicateCloseOnExec => IsMac ? 67 : 1030;

    /// <summary>open(2), again after a signal, close-on-exec. The descriptor is never 0, 1 or 2: a
    /// host that closed its standard output must not print into a journal. -1 on failure.</summary>
    public static int Open(byte* path, int flags)
    {
        int fd;
        do
        {
            fd = IsMac
                ? Darwin.Open(path, flags | CloseOnExec, (int)FileMode)
                : Libc.Open(path, flags | CloseOnExec, (int)FileMode);
        }
        while (fd < 0 && Errno.WasInterrupted);

        return MoveUp(fd);
    }

    /// <summary>The same descriptor, or in its place another one that is not 0, 1 or 2. -1 on failure.</summary>
    public static int MoveUp(int fd)
    {
        if (fd is < 0 or >= FirstFreeDescriptor)
        {
            return fd;
        }

        int moved = Duplicate(fd);
        int error = Errno.Last;
        Libc.Close(fd);
        Marshal.SetLastPInvokeError(error);
        return moved;
    }

    /// <summary>Another descriptor for what this one stands for, close-on-exec. -1 on failure.</summary>
    public static int Duplicate(int fd) => Control(fd, DuplicateCloseOnExec, FirstFreeDescriptor);

    /// <summary>Of a socket's type: close-on-exec and nonblocking, where both can be had at once.</summary>
    public static int SocketFlags => IsMac ? 0 : 0x8_0000 | 0x800;

    /// <summary>Of a send: no SIGPIPE where the other end is gone.</summary>
    public static int NoSignal => IsMac ? 0 : 0x4000;

    /// <summary>Of a send or a receive: it never waits, whatever the flags of the socket say. A host can change those,
    /// since all its duplicates share them.</summary>
    public static int DontWait => IsMac ? 0x80 : 0x40;

    /// <summary>Sees to a new socket where its type could not say it all.</summary>
    public static bool TryPrepareSocket(int fd) => !IsMac || Darwin.TryPrepareSocket(fd);

    public static int Control(int fd, int command, nint argument) =>
        IsMac ? Darwin.Control(fd, command, argument) : Libc.Control(fd, command, argument);

    /// <summary>openat(2) as it is: no second try, close-on-exec. -1 on failure.</summary>
    public static int OpenAt(int folder, byte* path, int flags, int mode) => IsMac
        ? Darwin.OpenAt(folder, path, flags | CloseOnExec, mode)
        : Libc.OpenAt(folder, path, flags | CloseOnExec, mode);

    /// <summary>What stands at an absolute path, behind all its links.</summary>
    public static bool TryStatBehind(byte* path, out UnixStat stat)
        => TryStat(IsMac ? DarwinCurrentFolder : CurrentFolder, path, 0, All, out stat);

    /// <summary>What a path from a folder names; a link by that name is not followed.</summary>
    public static bool TryStat(int folder, byte* path, out UnixStat stat, uint what)
        => TryStat(folder, path, IsMac ? DarwinStayOnLink : StayOnLink, what, out stat);

    /// <summary>What a descriptor stands for.</summary>
    public static bool TryStat(int fd, out UnixStat stat)
    {
        if (IsMac)
        {
            return Darwin.TryStat(fd, out stat);
        }

        byte nothing = 0;
        return TryStat(fd, &nothing, EmptyPath, Kind, out stat);
    }

    private static bool TryStat(int folder, byte* path, int flags, uint what, out UnixStat stat)
    {
        if (IsMac)
        {
            return Darwin.TryStat(folder, path, flags, out stat);
        }

        LinuxStat result;
        bool done = Libc.Stat(folder, path, flags, what, &result) == 0;
        stat = done ? new UnixStat(in result) : default;
        return done;
    }

    public static int Exchange(in UnixPlace left, in UnixPlace right) => IsMac
        ? Darwin.RenameAt(left.Folder, left.Name, right.Folder, right.Name, Swap)
        : Libc.Exchange(left.Folder, left.Name, right.Folder, right.Name, Swap);

    public static int RemoveFolder(in UnixPlace place)
        => Libc.UnlinkAt(place.Folder, place.Name, IsMac ? DarwinOfFolder : OfFolder);

    /// <summary>The time of the last change of a file; that of the last read stays as it is.</summary>
    public static int SetModified(in UnixPlace place, long unixMs)
    {
        long omit = IsMac ? -2 : (1 << 30) - 2; // UTIME_OMIT
        long* times = stackalloc long[] { 0, omit, unixMs / 1000, unixMs % 1000 * 1_000_000 };
        return Libc.SetTimes(place.Folder, place.Name, times, IsMac ? DarwinStayOnLink : StayOnLink);
    }

    /// <summary>The same, to now.</summary>
    public static int SetModifiedNow(in UnixPlace place)
        => Libc.SetTimes(place.Folder, place.Name, null, IsMac ? DarwinStayOnLink : StayOnLink);

    /// <summary>Content and size to stable storage; on macOS through the drive's cache too.</summary>
    public static int SyncData(int fd) => IsMac ? Darwin.FullSync(fd) : Libc.SyncData(fd);

    /// <summary>The same for a folder and its names.</summary>
    public static int SyncFolder(int fd) => IsMac ? SyncData(fd) : Libc.Sync(fd);

    /// <summary>Begins to read the names of an open folder, whose descriptor it owns from then on. 0 on
    /// failure.</summary>
    public static nint ListFolder(int fd) => IsMac ? Darwin.ListFolder(fd) : Libc.ListFolder(fd);

    /// <summary>The next name of a folder, or null at its end (and then errno is 0).</summary>
    public static byte* ReadFolder(nint folder, out byte type)
    {
        byte* entry = IsMac ? Darwin.ReadFolder(folder) : Libc.ReadFolder(folder);
        if (entry is null)
        {
            type = 0;
            return null;
        }

        // struct dirent: type and name stand at 18 and 19 on Linux, at 20 and 21 on macOS.
        int at = IsMac ? 20 : 18;
        type = entry[at];
        return entry + at + 1;
    }

    /// <summary>What fstat says; closes the descriptor where it fails.</summary>
    public static UnixStat StatOrClose(int fd, string path)
    {
        if (TryStat(fd, out UnixStat stat))
        {
            return stat;
        }

        int error = Errno.Last;
        Libc.Close(fd);
        throw Errno.Failure("fstat", path, error);
    }
}
