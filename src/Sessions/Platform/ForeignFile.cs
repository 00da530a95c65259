using System.Text;
using Microsoft.Win32.SafeHandles;
using Sessions.Platform.Unix;

namespace Sessions.Platform;

/// <summary>A file that is not the store's.</summary>
internal static class ForeignFile
{
    private const int PieceBytes = 1 << 20;

    /// <summary>The whole content of a regular file of at most so many bytes; Limit where it has more. After each
    /// mebibyte it is said how many were read, of how many.</summary>
    public static byte[] Read(string path, long bytesMax, Action<long, long> onPiece)
    {
        try
        {
            using SafeFileHandle file = OpenRegular(path);
            long length = RandomAccess.GetLength(file);
            Checks.AtMost(length, bytesMax, "file_bytes_max");
            byte[] content = new byte[length];
            int read = 0;
            while (read < content.Length)
            {
                onPiece(read, length);
                int piece = Math.Min(PieceBytes, content.Length - read);
                int n = RandomAccess.Read(file, content.AsSpan(read, piece), read);
                if (n == 0)
                {
                    return content[..read]; // somebody cut it meanwhile
                }

                read += n;
            }

            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Failure("read", path, e.HResult & 0xFFFF); // where the system's number is
        }
    }

    // To open a pipe waits for somebody at its other end, perhaps for ever: so nothing is waited for, and what was
    // opened is looked at. The host named the path, so its links are followed.
    private static unsafe SafeFileHandle OpenRegular(string path)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            throw Errors.Argument("path", "path must have at least one character, and no NUL.");
        }

        if (OperatingSystem.IsWindows())
        {
            return OpenOnWindows(path);
        }

        byte[] text = Encoding.UTF8.GetBytes(path + "\0");
        fixed (byte* start = text)
        {
            int fd = Posix.Open(start, Posix.ReadOnly | Posix.NonBlocking | Posix.NoTerminal);
            if (fd < 0)
            {
                throw Errno.Last == Errno.NotFound ? Missing(path)
                    : Failure("open", path, Errno.Last);
            }

            var file = new SafeFileHandle(fd, ownsHandle: true);
            if (Posix.TryStat(fd, out UnixStat stat) && stat.IsRegular)
            {
                return file;
            }

            file.Dispose();
            throw Errors.OfSystem(SessionStatus.Io, "open", path, path, "it is not a regular file", 0);
        }
    }

    private static SafeFileHandle OpenOnWindows(string path)
    {
        try
        {
            return File.OpenHandle(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Missing(path);
        }
    }

    private static SessionException Missing(string path) => new(SessionStatus.NotFound, $"There is no file at {path}.",
        Errors.Details(b => b.Member("path", path)));

    private static SessionException Failure(string operation, string path, int number)
        => Errors.OfSystem(SessionStatus.Io, operation, path, path, Errors.SystemText(number), number);
}
