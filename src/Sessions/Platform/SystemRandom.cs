using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Sessions.Platform;

/// <summary>
/// Random bytes from the system's own generator, fit for secrets. The framework's RandomNumberGenerator
/// loads OpenSSL on Linux, which the host's machine may lack and whose four megabytes it would pay for.
/// </summary>
internal static unsafe partial class SystemRandom
{
    private const int Interrupted = 4; // EINTR
    private const int PieceMax = 256; // up to here no call is cut short, and getentropy takes no more
    private const uint SystemPreferred = 2;

    /// <summary>Fills the buffer.</summary>
    public static void Fill(Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int piece = Math.Min(buffer.Length, PieceMax);
            fixed (byte* start = buffer)
            {
                int got = OperatingSystem.IsLinux() ? (int)FromLinux(start, (nuint)piece, 0) : FromOthers(start, piece);
                if (got < 0)
                {
                    int error = Marshal.GetLastPInvokeError();
                    if (error != Interrupted)
                    {
                        throw new DiskException(DiskError.Io, "getrandom", "", error) { HasNoFile = true };
                    }

                    continue;
                }

                buffer = buffer[got..];
            }
        }
    }

    [ExcludeFromCodeCoverage(Justification = "Runs on macOS and Windows alone.")]
    private static int FromOthers(byte* start, int length)
    {
        int failed = OperatingSystem.IsMacOS()
            ? FromMac(start, (nuint)length)
            : FromWindows(0, start, (uint)length, SystemPreferred);
        return failed == 0 ? length : -1;
    }

    [LibraryImport("libc", EntryPoint = "getrandom", SetLastError = true)]
    private static partial nint FromLinux(byte* buffer, nuint length, uint flags);

    [LibraryImport("libSystem", EntryPoint = "getentropy", SetLastError = true)]
    private static partial int FromMac(byte* buffer, nuint length);

    [LibraryImport("bcrypt", EntryPoint = "BCryptGenRandom")]
    private static partial int FromWindows(nint algorithm, byte* buffer, uint length, uint flags);
}
