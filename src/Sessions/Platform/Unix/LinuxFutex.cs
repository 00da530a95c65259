using System.Runtime.InteropServices;

namespace Sessions.Platform.Unix;

/// <summary>futex(2), which glibc does not wrap.</summary>
internal static unsafe class LinuxFutex
{
    /// <summary>The word is used by this process alone (FUTEX_PRIVATE_FLAG).</summary>
    public const int Private = 128;

    /// <summary>The word lies in memory that other processes map too.</summary>
    public const int Shared = 0;

    private const int WaitOperation = 0;
    private const int WakeOperation = 1;

    private static readonly nint Number = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202,
        Architecture.S390x => 238,
        Architecture.Ppc64le => 221,
        _ => 98, // arm64 and every architecture since
    };

    // The result does not matter: all its errors (EAGAIN, EINTR, ETIMEDOUT) mean "look again".
    public static void Wait(int* word, int expected, int timeoutMs, int scope)
    {
        long* time = stackalloc long[2];
        time[0] = timeoutMs / 1000;
        time[1] = timeoutMs % 1000 * 1_000_000L;
        Libc.SystemCall(Number, word, WaitOperation | scope, expected, timeoutMs < 0 ? null : time, null, 0);
    }

    public static void Wake(int* word, int count, int scope) =>
        Libc.SystemCall(Number, word, WakeOperation | scope, count, null, null, 0);
}
