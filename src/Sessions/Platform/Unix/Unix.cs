namespace Sessions.Platform;

/// <summary>The calls that differ between Linux and macOS, with one signature for both.</summary>
internal static unsafe class Unix
{
    public const int ReadWrite = 2;
    public const uint FileMode = 0x180;   // 0600
    public const uint FolderMode = 0x1C0; // 0700
    public const uint ModeBits = 0xFFF;

    private const int CurrentFolder = -100; // AT_FDCWD of Linux
    private const int DarwinCurrentFolder = -2;
    private const uint Swap = 2; // RENAME_EXCHANGE and RENAME_SWAP
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7FF;
    private const int FirstFreeDescriptor = 3;

    private static bool IsMac => OperatingSystem.IsMacOS();

    public static int CreateNew => IsMac ? 0x200 | 0x800 : 0x40 | 0x80; // O_CREAT | O_EXCL

    private static int CloseOnExec => IsMac ? 0x0100_0000 : 0x8_0000;

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
        System.Runtime.InteropServices.Marshal.SetLastPInvokeError(error);
        return moved;
    }

    /// <summary>Another descriptor for what this one stands for, close-on-exec. -1 on failure.</summary>
    public static int Duplicate(int fd) => Control(fd, DuplicateCloseOnExec, FirstFreeDescriptor);

    /// <summary>Of a socket's type: close-on-exec and nonblocking, where both can be had at once.</summary>
    public static int SocketFlags => IsMac ? 0 : 0x8_0000 | 0x800;

    /// <summary>Of a send: no SIGPIPE where the other end is gone.</summary>
    public static int NoSignal => IsMac ? 0 : 0x4000;

    /// <summary>Sees to a new socket where its type could not say it all.</summary>
    public static bool TryPrepareSocket(int fd) => !IsMac || Darwin.TryPrepareSocket(fd);

    public static int Control(int fd, int command, nint argument) =>
        IsMac ? Darwin.Control(fd, command, argument) : Libc.Control(fd, command, argument);

    public static bool TryStat(byte* path, bool followLinks, out UnixStat stat)
    {
        if (IsMac)
        {
            return Darwin.TryStat(path, followLinks, out stat);
        }

        LinuxStat result;
        bool done = Libc.Stat(CurrentFolder, path, followLinks ? 0 : NoFollow, BasicStats, &result) == 0;
        stat = done ? new UnixStat(in result) : default;
        return done;
    }

    public static bool TryStat(int fd, out UnixStat stat)
    {
        if (IsMac)
        {
            return Darwin.TryStat(fd, out stat);
        }

        byte nothing = 0;
        LinuxStat result;
        bool done = Libc.Stat(fd, &nothing, EmptyPath, BasicStats, &result) == 0;
        stat = done ? new UnixStat(in result) : default;
        return done;
    }

    public static int Exchange(byte* left, byte* right) => IsMac
        ? Darwin.RenameAt(DarwinCurrentFolder, left, DarwinCurrentFolder, right, Swap)
        : Libc.RenameAt(CurrentFolder, left, CurrentFolder, right, Swap);

    /// <summary>The time of the last change of a file; that of the last read stays as it is.</summary>
    public static int SetModified(byte* path, long unixMs)
    {
        long omit = IsMac ? -2 : (1 << 30) - 2; // UTIME_OMIT
        long* times = stackalloc long[] { 0, omit, unixMs / 1000, unixMs % 1000 * 1_000_000 };
        return Libc.SetTimes(IsMac ? DarwinCurrentFolder : CurrentFolder, path, times, IsMac ? 0x20 : NoFollow);
    }

    /// <summary>Content and size to stable storage; on macOS through the drive's cache too.</summary>
    public static int SyncData(int fd) => IsMac ? Darwin.FullSync(fd) : Libc.SyncData(fd);

    /// <summary>The same for a folder and its names.</summary>
    public static int SyncFolder(int fd) => IsMac ? SyncData(fd) : Libc.Sync(fd);

    public static nint OpenFolder(byte* path) => IsMac ? Darwin.OpenFolder(path) : Libc.OpenFolder(path);

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
}

/// <summary>What fstat says of a file, on either system.</summary>
internal readonly struct UnixStat
{
    private const uint TypeBits = 0xF000;
    private const uint FolderType = 0x4000;
    private const uint RegularType = 0x8000;

    public UnixStat(in LinuxStat stat)
        : this(stat.Size, stat.Links, stat.Mode, stat.Inode,
            ulong.RotateLeft(stat.DeviceMinor, 40) + ulong.RotateLeft(stat.DeviceMajor, 52),
            (stat.ModifiedSeconds * 1000) + (stat.ModifiedNanoseconds / 1_000_000))
    {
        HasBlocks = stat.Blocks > 0;
    }

    public UnixStat(long length, uint links, uint mode, ulong inode, ulong device, long modifiedMs)
    {
        ModifiedMs = modifiedMs;
        Length = length;
        Links = links;
        Mode = mode;
        Identity = inode ^ device;
        HasBlocks = true;
    }

    public long Length { get; }

    public uint Links { get; }

    public long ModifiedMs { get; }

    public uint Mode { get; }

    /// <summary>Device and inode in one number.</summary>
    public ulong Identity { get; }

    /// <summary>False where nothing of the file was ever given room on the disk, as far as known.</summary>
    public bool HasBlocks { get; }

    public bool IsFolder => (Mode & TypeBits) == FolderType;

    public bool IsRegular => (Mode & TypeBits) == RegularType;
}
