using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;

namespace Sessions.Platform.Unix;

/// <summary>
/// What macOS has under other names or with other layouts. Apple's arm64 convention passes the
/// variable arguments of a C function on the stack, so open and fcntl are declared with as many
/// unused arguments as fill the registers. Intel Macs keep the 64-bit inode calls under a suffix.
/// </summary>
[ExcludeFromCodeCoverage(Justification = "Runs on macOS alone.")]
internal static unsafe partial class Darwin
{
    private const string Name = "libSystem";

    private const int FullSyncCommand = 51;
    private const uint CompareAndWait = 1;
    private const uint CompareAndWaitShared = 3;
    private const uint WakeAll = 0x100;
    private const uint NoErrno = 0x0100_0000;
    private const int SetDescriptorFlags = 2;
    private const int CloseOnExec = 1;
    private const int SetStatusFlags = 4;
    private const int NonBlocking = 4;
    private const int SocketLevel = 0xFFFF;
    private const int NoSignal = 0x1022;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public static int Open(byte* path, int flags, int mode) => IsArm
        ? OpenArm(path, flags, 0, 0, 0, 0, 0, 0, mode)
        : Libc.Open(path, flags, mode);

    public static int Control(int fd, int command, nint argument) => IsArm
        ? ControlArm(fd, command, 0, 0, 0, 0, 0, 0, argument)
        : Libc.Control(fd, command, argument);

    public static int OpenAt(int folder, byte* path, int flags, int mode) => IsArm
        ? OpenAtArm(folder, path, flags, 0, 0, 0, 0, 0, mode)
        : Libc.OpenAt(folder, path, flags, mode);

    public static bool TryStat(int folder, byte* path, int flags, out UnixStat stat)
    {
        DarwinStat found;
        int result = IsArm ? FstatatArm(folder, path, &found, flags) : FstatatIntel(folder, path, &found, flags);
        stat = result == 0 ? found.ToUnix() : default;
        return result == 0;
    }

    public static bool TryStat(int fd, out UnixStat stat)
    {
        DarwinStat found;
        int result = IsArm ? FstatArm(fd, &found) : FstatIntel(fd, &found);
        stat = result == 0 ? found.ToUnix() : default;
        return result == 0;
    }

    /// <summary>The capabilities of the file system that an open folder is on.</summary>
    public static DiskCapabilities CapabilitiesOf(int fd)
    {
        DarwinFileSystem found;
        if ((IsArm ? FstatfsArm(fd, &found) : FstatfsIntel(fd, &found)) != 0)
        {
            throw Errno.Failure("fstatfs", "");
        }

        string name = new((sbyte*)found.TypeName);
        bool isApples = name is "apfs" or "hfs";
        return new DiskCapabilities(name, (found.Flags & DarwinFileSystem.Local) != 0, isApples, isApples);
    }

    /// <summary>fsync, and the drive's cache too; only fsync where the file system has no more.</summary>
    public static int FullSync(int fd)
    {
        int result = Control(fd, FullSyncCommand, 0);
        return result != 0 && (Errno.Last == Errno.Invalid || Errno.Last == Errno.NotSupported)
            ? Libc.Sync(fd)
            : result;
    }

    /// <summary>Close-on-exec, nonblocking, and no SIGPIPE (SO_NOSIGPIPE).</summary>
    public static bool TryPrepareSocket(int fd)
    {
        int yes = 1;
        return Control(fd, SetDescriptorFlags, CloseOnExec) == 0 && Control(fd, SetStatusFlags, NonBlocking) == 0
            && SetSocketOption(fd, SocketLevel, NoSignal, &yes, sizeof(int)) == 0;
    }

    public static nint ListFolder(int fd) => IsArm ? Libc.ListFolder(fd) : FdopendirIntel(fd);

    public static byte* ReadFolder(nint folder) => IsArm ? Libc.ReadFolder(folder) : ReaddirIntel(folder);

    public static void Wait(int* word, int expected, int timeoutMs, bool shared)
    {
        if (timeoutMs == 0)
        {
            return; // to ulock, no time means for ever
        }

        uint micros = timeoutMs < 0 ? 0 : (uint)Math.Min(timeoutMs * 1000L, uint.MaxValue);
        UlockWait((shared ? CompareAndWaitShared : CompareAndWait) | NoErrno, word, (uint)expected, micros);
    }

    public static void Wake(int* word, int count, bool shared) => UlockWake(
        (shared ? CompareAndWaitShared : CompareAndWait) | NoErrno | (count > 1 ? WakeAll : 0), word, 0);

    /// <summary>A text that sysctl knows by this name; "" where it does not.</summary>
    public static string SystemText(string name)
    {
        byte[] key = Encoding.UTF8.GetBytes(name + "\0");
        byte* value = stackalloc byte[128];
        nuint size = 128;
        fixed (byte* k = key)
        {
            return Sysctl(k, value, &size, null, 0) == 0
                ? Encoding.UTF8.GetString(value, (int)size).TrimEnd('\0')
                : "";
        }
    }

    [LibraryImport(Name, EntryPoint = "renameatx_np", SetLastError = true)]
    internal static partial int RenameAt(int fromFolder, byte* from, int toFolder, byte* to, uint flags);

    [LibraryImport(Name, EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetSocketOption(int fd, int level, int option, void* value, uint length);

    [LibraryImport(Name, EntryPoint = "open", SetLastError = true)]
    private static partial int OpenArm(byte* path, int flags, nint r2, nint r3, nint r4, nint r5, nint r6, nint r7,
        nint mode);

    [LibraryImport(Name, EntryPoint = "fcntl", SetLastError = true)]
    private static partial int ControlArm(int fd, int command, nint r2, nint r3, nint r4, nint r5, nint r6, nint r7,
        nint argument);

    [LibraryImport(Name, EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAtArm(int folder, byte* path, int flags, nint r3, nint r4, nint r5, nint r6, nint r7,
        nint mode);

    [LibraryImport(Name, EntryPoint = "fstatat", SetLastError = true)]
    private static partial int FstatatArm(int folder, byte* path, DarwinStat* result, int flags);

    [LibraryImport(Name, EntryPoint = "fstat", SetLastError = true)]
    private static partial int FstatArm(int fd, DarwinStat* result);

    [LibraryImport(Name, EntryPoint = "fstatfs", SetLastError = true)]
    private static partial int FstatfsArm(int fd, DarwinFileSystem* result);

    [LibraryImport(Name, EntryPoint = "fstatat$INODE64", SetLastError = true)]
    private static partial int FstatatIntel(int folder, byte* path, DarwinStat* result, int flags);

    [LibraryImport(Name, EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static partial int FstatIntel(int fd, DarwinStat* result);

    [LibraryImport(Name, EntryPoint = "fstatfs$INODE64", SetLastError = true)]
    private static partial int FstatfsIntel(int fd, DarwinFileSystem* result);

    [LibraryImport(Name, EntryPoint = "fdopendir$INODE64", SetLastError = true)]
    private static partial nint FdopendirIntel(int fd);

    [LibraryImport(Name, EntryPoint = "readdir$INODE64", SetLastError = true)]
    private static partial byte* ReaddirIntel(nint folder);

    [LibraryImport(Name, EntryPoint = "__ulock_wait")]
    private static partial int UlockWait(uint operation, int* word, ulong value, uint timeoutMicros);

    [LibraryImport(Name, EntryPoint = "__ulock_wake")]
    private static partial int UlockWake(uint operation, int* word, ulong value);

    [LibraryImport(Name, EntryPoint = "sysctlbyname")]
    private static partial int Sysctl(byte* name, byte* value, nuint* size, byte* newValue, nuint newSize);
}

/// <summary>struct stat of macOS with 64-bit inodes, the part that is used.</summary>
[ExcludeFromCodeCoverage(Justification = "Runs on macOS alone.")]
[StructLayout(LayoutKind.Explicit, Size = 144)]
internal struct DarwinStat
{
    [FieldOffset(0)]
    internal int Device;

    [FieldOffset(4)]
    internal ushort Mode;

    [FieldOffset(6)]
    internal ushort Links;

    [FieldOffset(8)]
    internal ulong Inode;

    [FieldOffset(16)]
    internal uint Owner;

    [FieldOffset(48)]
    internal long ModifiedSeconds;

    [FieldOffset(56)]
    internal long ModifiedNanoseconds;

    [FieldOffset(96)]
    internal long Size;

    internal readonly UnixStat ToUnix() => new(Size, Links, Mode, Owner, Inode,
        ulong.RotateLeft((uint)Device, 40),
        (ModifiedSeconds * 1000) + (ModifiedNanoseconds / 1_000_000));
}

/// <summary>struct statfs of macOS, the part that is used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 2168)]
internal unsafe struct DarwinFileSystem
{
    internal const uint Local = 0x1000;

    [FieldOffset(64)]
    internal uint Flags;

    [FieldOffset(72)]
    internal fixed byte TypeName[16];
}
