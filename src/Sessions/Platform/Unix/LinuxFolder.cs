using System.Runtime.InteropServices;

namespace Sessions.Platform.Unix;

/// <summary>getdents64(2): many names of a folder with one call. glibc wraps it since 2.30 only, so it is asked by
/// its number.</summary>
internal static unsafe class LinuxFolder
{
    /// <summary>How many bytes of names one call takes: some 200 names.</summary>
    public const int BlockBytes = 8192;

    // struct linux_dirent64: inode and position, 8 bytes each, then length, type and the name.
    private const int LengthAt = 16;
    private const int TypeAt = 18;
    private const int NameAt = 19;

    private static readonly nint Number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 217 : 61;

    /// <summary>The next names of an open folder, as many as a block takes; how many bytes they are, 0 at the end,
    /// -1 with the reason in errno.</summary>
    public static int Read(int fd, byte* block) => (int)Libc.ReadFolderBlock(Number, fd, block, BlockBytes);

    /// <summary>How far the next name is from this one.</summary>
    public static int Length(byte* entry) => *(ushort*)(entry + LengthAt);

    public static byte Type(byte* entry) => entry[TypeAt];

    /// <summary>The name, with a NUL behind it.</summary>
    public static byte* Name(byte* entry) => entry + NameAt;
}
