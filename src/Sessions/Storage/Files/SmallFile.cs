using Sessions.Json;
using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>Reads and writes files in one piece, up to a length; a longer file is damage, and is not read.</summary>
internal static class SmallFile
{
    /// <summary>Bytes of such a file: <see cref="JsonText.Indent"/> makes six times as much of the compact
    /// object at most. A longer one is damage, and is not read.</summary>
    public const int FileBytesMax = 8 * Limits.SmallFileBytesMax;

    // A reader without the lock may meet a file of the pool while it is written again: it then opens
    // the name once more and finds the file that took its place.
    private const int Tries = 4;

    private const int PieceBytes = 64 * 1024;

    /// <summary>The compact object of a checked JSON file; null where there is no file. A damaged one
    /// is kept aside; then <paramref name="fallback"/> answers, or the call fails with Corrupt.</summary>
    public static byte[]? Read(IDisk disk, Quarantine quarantine, string path, string? sessionId,
        Func<byte[], bool>? isValid = null, Func<byte[]?>? fallback = null)
    {
        UnreadableFile? found;
        try
        {
            if (TryReadOwn(disk, path, isValid, out found) is { } compact)
            {
                return compact;
            }
        }
        catch (DiskException e) when (Obstacle.HidesContent(e))
        {
            LogRing.Add("warning", $"{path} cannot be read: {e.Message}");
            return fallback?.Invoke() ?? throw (Obstacle.IsOne(e) ? DiskErrors.From(e, disk)
                : Errors.Corrupt("A file may not be read by this user; the rest of the store is usable.", path,
                    sessionId));
        }

        if (found is null)
        {
            return null;
        }

        string? kept = quarantine.Keep(path, sessionId, found);
        return fallback?.Invoke() ?? throw Errors.Corrupt("A file is damaged; the rest of the store is usable.",
            kept ?? path, sessionId);
    }

    /// <summary>The compact object of a checked JSON file, or null; <paramref name="found"/> is then what
    /// stands there, null where nothing does, or what is no file of the store (<see cref="Obstacle"/>).</summary>
    public static byte[]? TryRead(IDisk disk, string path, Func<byte[], bool>? isValid, out UnreadableFile? found)
    {
        try
        {
            return TryReadOwn(disk, path, isValid, out found);
        }
        catch (DiskException e) when (Obstacle.HidesContent(e))
        {
            LogRing.Add("warning", $"{path} cannot be read: {e.Message}");
            found = null;
            return null;
        }
    }

    private static byte[]? TryReadOwn(IDisk disk, string path, Func<byte[], bool>? isValid, out UnreadableFile? found)
    {
        found = null;
        for (int i = 0; i < Tries; i++)
        {
            UnreadableFile read;
            try
            {
                read = ReadWhole(disk, path, BytesMax(path));
            }
            catch (DiskException e) when (e.Error is DiskError.NotFound or DiskError.NotFolder)
            {
                found = null;
                return null;
            }

            if (found is not null && found.IsSame(read))
            {
                return null; // nobody is writing it
            }

            found = read;
            if (read.IsWhole && CheckedJson.Read(read.Bytes) is { } compact && (isValid is null || isValid(compact)))
            {
                return compact;
            }
        }

        return null;
    }

    /// <summary>All bytes of a file that holds text. Reading stops at the first zero byte, which no text has: so
    /// a hole costs no more than its beginning.</summary>
    public static UnreadableFile ReadWhole(IDisk disk, string path, long bytesMax, bool mayBeLinked = false)
    {
        using IDiskFile file = disk.OpenOwn(path, OpenMode.Read, mayBeLinked);
        long length = file.Length;
        if (length > bytesMax)
        {
            return new UnreadableFile([], length, "too_large");
        }

        // Each piece is as long as all before it, so that what is copied is no more than what is read.
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)Math.Min(length, PieceBytes));
        for (int read = 0; ; Array.Resize(ref bytes, (int)Math.Min(length, 2L * bytes.Length)))
        {
            int more = file.Read(bytes.AsSpan(read), read);
            bool hasZero = bytes.AsSpan(read, more).Contains((byte)0);
            read += more;
            if (hasZero)
            {
                bool isZeros = !bytes.AsSpan(0, read).ContainsAnyExcept((byte)0) && file.NextData(read) >= length;
                return new UnreadableFile(bytes[..read], length, isZeros ? "zeros" : "invalid_json");
            }

            if (read < bytes.Length || read == length)
            {
                return new UnreadableFile(read == bytes.Length ? bytes : bytes[..read], read, null);
            }
        }
    }

    /// <summary>Makes a file with this content alone, durable but for its name, which nobody relies on yet.</summary>
    public static void WriteAll(this IDisk disk, string path, ReadOnlySpan<byte> content)
    {
        using IDiskFile file = disk.Open(path, OpenMode.OpenOrCreate);
        file.Write(content, 0);
        file.SetLength(content.Length);
        file.SyncStaged();
    }

    // The text of all open streams is in one file, however much that is.
    private static long BytesMax(string path) => path == Layout.StreamsFile ? Array.MaxLength : FileBytesMax;
}
