using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.IO.MemoryMappedFiles;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Sessions.Platform.Windows;

/// <summary>
/// A mapped page of a file. Windows wakes waiters on an address within one process only, so waits
/// are cut into slices of a millisecond, after which a change made by another process is seen.
/// </summary>
[SupportedOSPlatform("windows")]
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
internal sealed unsafe class WindowsSharedPage : ISharedPage
{
    private const int SliceMs = 1;

    private readonly WindowsDisk _disk;
    private readonly string _path;
    private readonly ulong _identity;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _address;

    public WindowsSharedPage(WindowsDisk disk, string path, SafeFileHandle handle, bool readOnly)
    {
        _disk = disk;
        _path = path;
        _identity = disk.Stat(path)?.Identity ?? 0;
        MemoryMappedFileAccess access = readOnly ? MemoryMappedFileAccess.Read : MemoryMappedFileAccess.ReadWrite;
        _file = MemoryMappedFile.CreateFromFile(
            handle, null, SharedPage.Bytes, access, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor(0, SharedPage.Bytes, access);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _address);
    }

    public byte* Address => _address;

    public bool IsLinked => _disk.Stat(_path) is { } entry && entry.Identity == _identity;

    public bool IsWhole => true; // a file that is mapped cannot be cut there

    public void Wait(int* word, int expected, int timeoutMs)
    {
        long start = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref *word) == expected
            && (timeoutMs < 0 || Stopwatch.GetElapsedTime(start).TotalMilliseconds < timeoutMs))
        {
            Kernel32.WaitOnAddress(word, &expected, sizeof(int), SliceMs);
        }
    }

    public void Wake(int* word, int count) => Kernel32.Wake(word, count);

    public void Dispose()
    {
        if (_address is not null)
        {
            _address = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }
}
