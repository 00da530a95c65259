using System.Runtime.InteropServices;

namespace Sessions.Tests.Hostile;

/// <summary>What the runtime has no call for.</summary>
internal static partial class SystemCalls
{
    public const uint Pipe = 0x1000;
    public const uint Character = 0x2000;
    public const uint Socket = 0xC000;
    private const int HereAndNoLink = 0x100; // AT_SYMLINK_NOFOLLOW
    private const int Here = -100; // AT_FDCWD
    private const uint Basic = 0x7FF; // STATX_BASIC_STATS
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;

    public static bool IsRoot => OperatingSystem.IsLinux() && UserId() == 0;

    public static void Make(string path, uint kind, ulong device = 0)
        => Check(MakeNode(path, kind | 0x180, device), path);

    public static void Link(string target, string path) => Check(HardLink(target, path), path);

    public static void Own(string path, int user) => Check(ChangeOwner(path, user, user), path);

    public static void Mode(string path, uint mode) => Check(ChangeMode(path, mode), path);

    public static void Resize(string path, long bytes) => Check(Truncate(path, bytes), path);

    public static Node Look(string path)
    {
        Check(Statx(Here, path, HereAndNoLink, Basic, out Node node), path);
        return node;
    }

    public static int NewWatch()
    {
        int watch = InitializeWatch(NonBlocking | CloseOnExec);
        Check(watch, "inotify");
        return watch;
    }

    public static int Watch(int watch, string path, uint mask)
    {
        int number = AddWatch(watch, path, mask);
        Check(number, path);
        return number;
    }

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, [Out] byte[] buffer, nint length);

    [LibraryImport("libc", EntryPoint = "mount", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string source, string target, string type, nuint flags, string options);

    [LibraryImport("libc", EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unmount(string target, int flags);

    private static void Check(int result, string what)
    {
        if (result < 0)
        {
            throw new IOException($"{what}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();

    [LibraryImport("libc", EntryPoint = "mknod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeNode(string path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int HardLink(string target, string path);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, int user, int group);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeMode(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "truncate", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Truncate(string path, long bytes);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out Node node);

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int InitializeWatch(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true,
        StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddWatch(int watch, string path, uint mask);
}

/// <summary>struct statx of Linux, the same on every processor.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct Node
{
    [FieldOffset(16)]
    public uint Links;

    [FieldOffset(20)]
    public uint User;

    [FieldOffset(28)]
    public ushort Mode;

    [FieldOffset(32)]
    public ulong Inode;

    [FieldOffset(40)]
    public long Size;

    [FieldOffset(48)]
    public long Blocks;

    [FieldOffset(96)]
    public long ChangedSeconds;

    [FieldOffset(104)]
    public uint ChangedNanoseconds;

    [FieldOffset(112)]
    public long WrittenSeconds;

    [FieldOffset(120)]
    public uint WrittenNanoseconds;

    public readonly bool IsFolder => (Mode & 0xF000) == 0x4000;

    public readonly bool IsFile => (Mode & 0xF000) == 0x8000;

    public readonly bool IsLink => (Mode & 0xF000) == 0xA000;
}
