using System.Runtime.InteropServices;

namespace Sessions.Platform.Unix;

/// <summary>Error numbers of Linux and macOS, and what the engine calls them.</summary>
internal static class Errno
{
    /// <summary>No number of a system's: the store was closed under the call.</summary>
    public const int Closed = int.MaxValue;

    public const int NotPermitted = 1;
    public const int NotFound = 2;
    public const int NoDevice = 6;
    public const int Interrupted = 4;
    public const int NoSuchAddress = 6; // ENXIO
    public const int Access = 13;
    public const int Exists = 17;
    public const int CrossDevice = 18;
    public const int NotFolder = 20;
    public const int IsFolder = 21;
    public const int Invalid = 22;

    private const int TooManyOpenInSystem = 23;
    private const int TooManyOpen = 24;
    private const int FileTooBig = 27;
    private const int NoSpace = 28;
    private const int ReadOnly = 30;
    private const int TooManyLinks = 31;

    private static bool IsMac => OperatingSystem.IsMacOS();

    public static int Again => IsMac ? 35 : 11;

    public static int NameTooLong => IsMac ? 63 : 36;

    public static int Loop => IsMac ? 62 : 40;

    public static int NoCall => IsMac ? 78 : 38;

    public static int NotSupported => IsMac ? 45 : 95;

    private static int NotEmpty => IsMac ? 66 : 39;

    private static int Quota => IsMac ? 69 : 122;

    private static int SocketNotSupported => IsMac ? 102 : 95;

    /// <summary>errno of the last call that kept it.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>True where the call was only interrupted by a signal.</summary>
    public static bool WasInterrupted => Last == Interrupted;

    /// <summary>The exception for the last call.</summary>
    public static DiskException Failure(string operation, string path) => Failure(operation, path, Last);

    /// <summary>The exception for the last call, which was about no file.</summary>
    public static DiskException Failure(string operation) => new(Kind(Last), operation, "", Last) { HasNoFile = true };

    /// <summary>The exception for a sync that failed.</summary>
    public static DiskException FailedSync(string operation, string path, int number) =>
        new(Kind(number), operation, path, number) { IsFailedSync = true };

    /// <summary>The exception for an error number.</summary>
    public static DiskException Failure(string operation, string path, int number) =>
        new(Kind(number), operation, path, number);

    /// <summary>The exception for the last call where the file system may lack it and says so with
    /// EINVAL, EPERM or EACCES. Where it is the caller who may not, what is done in its place says so.</summary>
    public static DiskException OptionalFailure(string operation, string path)
    {
        int number = Last;
        return new DiskException(IsOfCall(number) ? DiskError.Unsupported : Kind(number), operation, path, number);
    }

    /// <summary>True where the number may say that the call is not to be had here, whatever it is given.</summary>
    public static bool IsOfCall(int number)
        => number is Invalid or NotPermitted or Access || Kind(number) == DiskError.Unsupported;

    public static DiskError Kind(int number) => number switch
    {
        NotFound => DiskError.NotFound,
        Exists => DiskError.Exists,
        NoSpace or FileTooBig => DiskError.NoSpace,
        Access or NotPermitted => DiskError.AccessDenied,
        ReadOnly => DiskError.ReadOnly,
        NotFolder => DiskError.NotFolder,
        IsFolder => DiskError.IsFolder,
        TooManyOpen or TooManyOpenInSystem => DiskError.NoDescriptor,
        CrossDevice or TooManyLinks => DiskError.Unsupported,
        Closed => DiskError.Closed,
        NoDevice => DiskError.Misplaced, // a socket, or a pipe that nobody reads
        _ when number == Loop => DiskError.Misplaced,
        _ when number == Quota => DiskError.NoSpace,
        _ when number == NotEmpty => DiskError.NotEmpty,
        _ when number == NoCall || number == NotSupported || number == SocketNotSupported => DiskError.Unsupported,
        _ => DiskError.Io,
    };
}
