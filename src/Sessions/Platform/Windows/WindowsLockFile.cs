using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Sessions.Platform.Windows;

/// <summary>
/// Byte-range locks of Windows, which belong to the handle. They cannot be converted: the old one is
/// let go first and taken again where the new one is refused, so another may come in between. Only
/// the exclusive lock decides who may write, and that one is never given up this way.
/// </summary>
[SupportedOSPlatform("windows")]
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
internal sealed unsafe class WindowsLockFile(WindowsDisk disk, string path, SafeFileHandle handle, ulong identity)
    : ILockFile
{
    private readonly Dictionary<long, bool> _held = [];
    private readonly Lock _gate = new();

    public bool IsLinked => disk.Stat(path) is { } entry && entry.Identity == identity;

    public bool TryLock(long offset, bool exclusive)
    {
        lock (_gate)
        {
            bool isHeld = _held.TryGetValue(offset, out bool held);
            if (isHeld && held == exclusive)
            {
                return true;
            }

            if (isHeld)
            {
                Release(offset);
            }

            bool taken = Take(offset, exclusive);
            if (taken)
            {
                _held[offset] = exclusive;
            }
            else if (isHeld && Take(offset, held))
            {
                _held[offset] = held;
            }

            return taken;
        }
    }

    public void Unlock(long offset)
    {
        lock (_gate)
        {
            if (_held.ContainsKey(offset))
            {
                Release(offset);
            }
        }
    }

    // Windows has no question without taking; where this handle holds a shared lock itself, whether
    // others do too cannot be told without letting go.
    public bool IsHeldByOther(long offset)
    {
        lock (_gate)
        {
            if (_held.TryGetValue(offset, out bool exclusive))
            {
                if (exclusive)
                {
                    return false;
                }

                Release(offset);
                bool isFree = Take(offset, exclusive: true);
                if (isFree)
                {
                    ReleaseRange(offset);
                }

                if (Take(offset, exclusive: false))
                {
                    _held[offset] = false;
                }

                return !isFree;
            }

            if (!Take(offset, exclusive: true))
            {
                return true;
            }

            ReleaseRange(offset);
            return false;
        }
    }

    public void Dispose() => handle.Dispose();

    private bool Take(long offset, bool exclusive)
    {
        NativeOverlapped range = Range(offset);
        uint flags = Kernel32.FailImmediately | (exclusive ? Kernel32.ExclusiveLock : 0);
        if (Kernel32.LockFile(handle.DangerousGetHandle(), flags, 0, 1, 0, &range) != 0)
        {
            return true;
        }

        int error = Marshal.GetLastPInvokeError();
        return error == Kernel32.LockViolation ? false : throw WindowsErrors.Failure("LockFileEx", path, error);
    }

    private void Release(long offset)
    {
        ReleaseRange(offset);
        _held.Remove(offset);
    }

    private void ReleaseRange(long offset)
    {
        NativeOverlapped range = Range(offset);
        if (Kernel32.UnlockFile(handle.DangerousGetHandle(), 0, 1, 0, &range) == 0
            && Marshal.GetLastPInvokeError() != Kernel32.NotLocked)
        {
            throw WindowsErrors.Failure("UnlockFileEx", path);
        }
    }

    private static NativeOverlapped Range(long offset) =>
        new() { OffsetLow = (int)offset, OffsetHigh = (int)(offset >> 32) };
}
