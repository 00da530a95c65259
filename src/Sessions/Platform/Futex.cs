using System.Diagnostics.CodeAnalysis;
using Sessions.Platform.Unix;
using Sessions.Platform.Windows;

namespace Sessions.Platform;

/// <summary>Waiting on a word of memory that this process alone uses. The word must not move.</summary>
internal static unsafe class Futex
{
    /// <summary>Waits while *word is <paramref name="expected"/>, at most so many milliseconds, for
    /// ever with -1. May return early for no reason.</summary>
    public static void Wait(int* word, int expected, int timeoutMs)
    {
        if (OperatingSystem.IsLinux())
        {
            LinuxFutex.Wait(word, expected, timeoutMs, LinuxFutex.Private);
        }
        else
        {
            WaitElsewhere(word, expected, timeoutMs);
        }
    }

    /// <summary>Wakes up to so many waiters.</summary>
    public static void Wake(int* word, int count)
    {
        if (OperatingSystem.IsLinux())
        {
            LinuxFutex.Wake(word, count, LinuxFutex.Private);
        }
        else
        {
            WakeElsewhere(word, count);
        }
    }

    [ExcludeFromCodeCoverage(Justification = "Runs on other systems than Linux.")]
    private static void WaitElsewhere(int* word, int expected, int timeoutMs)
    {
        if (OperatingSystem.IsMacOS())
        {
            Darwin.Wait(word, expected, timeoutMs, shared: false);
        }
        else if (OperatingSystem.IsWindows())
        {
            Kernel32.WaitOnAddress(word, &expected, sizeof(int), (uint)timeoutMs);
        }
        else
        {
            throw new PlatformNotSupportedException();
        }
    }

    [ExcludeFromCodeCoverage(Justification = "Runs on other systems than Linux.")]
    private static void WakeElsewhere(int* word, int count)
    {
        if (OperatingSystem.IsMacOS())
        {
            Darwin.Wake(word, count, shared: false);
        }
        else if (OperatingSystem.IsWindows())
        {
            Kernel32.Wake(word, count);
        }
        else
        {
            throw new PlatformNotSupportedException();
        }
    }
}
