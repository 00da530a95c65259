using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Sessions.Platform.Windows;

/// <summary>Error numbers of Windows, and what the engine calls them.</summary>
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
internal static class WindowsErrors
{
    /// <summary>The exception for the last call.</summary>
    public static DiskException Failure(string operation, string path) =>
        Failure(operation, path, Marshal.GetLastPInvokeError());

    public static DiskException Failure(string operation, string path, int number) =>
        new(Kind(number), operation, path, number);

    /// <summary>The exception for one of .NET's own, which carries the number in its HResult.</summary>
    public static DiskException Failure(string operation, string path, Exception e) => e switch
    {
        UnauthorizedAccessException => new DiskException(DiskError.AccessDenied, operation, path, 5),
        _ => Failure(operation, path, e.HResult & 0xFFFF),
    };

    /// <summary>The exception for a sync that failed.</summary>
    public static DiskException FailedSync(string operation, string path, Exception e)
    {
        DiskException failure = Failure(operation, path, e);
        return new DiskException(failure.Error, operation, path, failure.OsError) { IsFailedSync = true };
    }

    private static DiskError Kind(int number) => number switch
    {
        2 or 3 => DiskError.NotFound,
        4 => DiskError.NoDescriptor,
        5 => DiskError.AccessDenied,
        80 or 183 => DiskError.Exists,
        39 or 112 or 1295 => DiskError.NoSpace,
        19 => DiskError.ReadOnly,
        145 => DiskError.NotEmpty,
        267 => DiskError.NotFolder,
        1 or 17 or 50 or 1142 => DiskError.Unsupported,
        _ => DiskError.Io,
    };
}
