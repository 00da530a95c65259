using Sessions.Model;
using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>What stands in a file that may be far larger than what was ever written to it.</summary>
internal static class FileHoles
{
    private const int PieceBytes = 64 * 1024;

    /// <summary>Makes a copy of a whole file, in pieces and with its holes; durable but for its name.</summary>
    public static void Copy(IDisk disk, string source, string target, JobContext? context = null)
    {
        using IDiskFile from = disk.Open(source, OpenMode.Read, mayBeLinked: true);
        using IDiskFile to = disk.Open(target, OpenMode.OpenOrCreate);
        to.SetLength(0);
        new PartToKeep(from, 0, from.Length, context).WriteTo(to);
        to.Sync();
    }

    /// <summary>The offset after the last byte that is not zero, between two offsets; the first where there is
    /// none. Reads what is there and skips holes.</summary>
    public static long EndOfContent(IDiskFile file, long from, long to, JobContext? context = null)
    {
        byte[] piece = new byte[PieceBytes];
        long last = from;
        for (long at = from; at < to && (at = file.NextData(at)) < to;)
        {
            context?.ThrowIfCancelled();
            int read = file.Read(piece.AsSpan(0, (int)Math.Min(piece.Length, to - at)), at);
            if (read == 0)
            {
                break;
            }

            int index = piece.AsSpan(0, read).LastIndexOfAnyExcept((byte)0);
            last = index >= 0 ? at + index + 1 : last;
            at += read;
        }

        return last;
    }
}
