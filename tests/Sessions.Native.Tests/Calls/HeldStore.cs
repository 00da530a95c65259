using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>
/// What another process can do to an open store, for tests of calls that then fail or wait. It knows the
/// page and the lock of docs/FORMAT.md.
/// </summary>
internal sealed partial class HeldStore : IDisposable
{
    private const long LockByte = 1L << 40;
    private const int OfdSetLockAndWait = 38;
    private const short WriteLock = 1;
    private readonly SafeFileHandle _file;

    /// <summary>Skips the test where locks are others.</summary>
    internal static void Need() => Assert.SkipUnless(OperatingSystem.IsLinux(), "takes a lock of Linux");

    /// <summary>Takes the store lock and holds it until disposed of: no commit comes through.</summary>
    internal HeldStore(string folder)
    {
        _file = File.OpenHandle(Path.Combine(folder, "store.json"), FileMode.Open, FileAccess.ReadWrite,
            FileShare.ReadWrite);
        var flock = new Flock { Type = WriteLock, Start = LockByte, Length = 1 };
        Assert.Equal(0, Control((int)_file.DangerousGetHandle(), OfdSetLockAndWait, ref flock));
    }

    /// <summary>Lets go of it.</summary>
    public void Dispose() => _file.Dispose();

    /// <summary>Makes the store one whose journal could not be written.</summary>
    internal static void Poison(string folder)
    {
        const int Health = 104;
        using SafeFileHandle page = File.OpenHandle(Path.Combine(folder, "locks", "shared"), FileMode.Open,
            FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.Write(page, BitConverter.GetBytes(1L), Health);
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, ref Flock flock);

    [StructLayout(LayoutKind.Sequential)]
    private struct Flock
    {
        internal short Type;
        internal short Whence;
        internal long Start;
        internal long Length;
        internal int Process;
    }
}
