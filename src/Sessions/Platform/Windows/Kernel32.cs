using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Sessions.Platform.Windows;

/// <summary>The calls of Windows that .NET does not offer.</summary>
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
internal static unsafe partial class Kernel32
{
    public const uint ReplaceExisting = 1;
    public const uint WriteThrough = 8;
    public const uint FailImmediately = 1;
    public const uint ExclusiveLock = 2;
    public const int LockViolation = 33;
    public const int NotLocked = 158;
    public const uint ReadAttributes = 0x80;
    public const uint ShareAll = 7;
    public const uint OpenExisting = 3;
    public const uint BackupSemantics = 0x0200_0000;
    public const uint OpenReparsePoint = 0x0020_0000;
    public const uint GenericRead = 0x8000_0000;
    public const uint GenericWrite = 0x4000_0000;
    public const uint CreateNew = 1;
    public const uint OpenAlways = 4;
    public const uint ShareReadAndWrite = 3;

    private const string Name = "kernel32";
    private const string Synch = "api-ms-win-core-synch-l1-2-0";

    public static void Wake(int* word, int count)
    {
        if (count > 1)
        {
            WakeByAddressAll(word);
        }
        else
        {
            WakeByAddressSingle(word);
        }
    }

    [LibraryImport(Synch, EntryPoint = "WaitOnAddress")]
    internal static partial int WaitOnAddress(int* word, int* expected, nuint size, uint timeoutMs);

    [LibraryImport(Name, EntryPoint = "MoveFileExW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    internal static partial int MoveFile(string from, string to, uint flags);

    [LibraryImport(Name, EntryPoint = "CreateHardLinkW", SetLastError = true,
        StringMarshalling = StringMarshalling.Utf16)]
    internal static partial int CreateHardLink(string added, string existing, nint security);

    [LibraryImport(Name, EntryPoint = "CreateFileW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    internal static partial nint CreateFile(string path, uint access, uint share, nint security, uint disposition,
        uint flags, nint template);

    [LibraryImport(Name, EntryPoint = "CloseHandle")]
    internal static partial int CloseHandle(nint handle);

    [LibraryImport(Name, EntryPoint = "GetFileInformationByHandle", SetLastError = true)]
    internal static partial int GetFileInformation(nint handle, WindowsFileInfo* info);

    [LibraryImport(Name, EntryPoint = "GetFinalPathNameByHandleW", SetLastError = true)]
    internal static partial uint GetFinalPath(nint handle, char* path, uint characters, uint flags);

    [LibraryImport(Name, EntryPoint = "LockFileEx", SetLastError = true)]
    internal static partial int LockFile(nint handle, uint flags, uint reserved, uint low, uint high,
        NativeOverlapped* range);

    [LibraryImport(Name, EntryPoint = "UnlockFileEx", SetLastError = true)]
    internal static partial int UnlockFile(nint handle, uint reserved, uint low, uint high, NativeOverlapped* range);

    [LibraryImport(Synch, EntryPoint = "WakeByAddressSingle")]
    private static partial void WakeByAddressSingle(int* word);

    [LibraryImport(Synch, EntryPoint = "WakeByAddressAll")]
    private static partial void WakeByAddressAll(int* word);
}

/// <summary>BY_HANDLE_FILE_INFORMATION.</summary>
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
[StructLayout(LayoutKind.Explicit, Size = 52)]
internal struct WindowsFileInfo
{
    internal const uint Folder = 0x10;
    internal const uint ReparsePoint = 0x400;

    [FieldOffset(0)]
    internal uint Attributes;

    [FieldOffset(20)]
    internal uint ModifiedLow;

    [FieldOffset(24)]
    internal uint ModifiedHigh;

    [FieldOffset(28)]
    internal uint Volume;

    [FieldOffset(32)]
    internal uint SizeHigh;

    [FieldOffset(36)]
    internal uint SizeLow;

    [FieldOffset(40)]
    internal uint Links;

    [FieldOffset(44)]
    internal uint IndexHigh;

    [FieldOffset(48)]
    internal uint IndexLow;

    internal readonly bool IsFolder => (Attributes & Folder) != 0;

    internal readonly bool IsLink => (Attributes & ReparsePoint) != 0;

    internal readonly long Length => ((long)SizeHigh << 32) | SizeLow;

    internal readonly long ModifiedMs =>
        DateTimeOffset.FromFileTime(((long)ModifiedHigh << 32) | ModifiedLow).ToUnixTimeMilliseconds();

    internal readonly ulong Identity =>
        (((ulong)IndexHigh << 32) | IndexLow) ^ ulong.RotateLeft(Volume, 40);
}
