using System.Text;
using Microsoft.Win32.SafeHandles;

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
            RequireRegular(path);
            using SafeFileHandle file = File.OpenHandle(path);
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
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SessionException(SessionStatus.NotFound, "There is no file at that path.",
                Errors.Details(b => b.Member("path", path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException
            or ArgumentException)
        {
            throw new SessionException(SessionStatus.Io, $"The file cannot be read: {e.Message}",
                Errors.Details(b => b.Member("path", path)));
        }
    }

    // To open a pipe waits for somebody at its other end, perhaps for ever. What is not there is said by the open.
    private static unsafe void RequireRegular(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        fixed (byte* text = Encoding.UTF8.GetBytes(path + "\0"))
        {
            if (Unix.TryStat(text, followLinks: true, out UnixStat stat) && !stat.IsRegular)
            {
                throw new IOException("It is not a regular file.");
            }
        }
    }
}
