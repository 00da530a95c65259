using Sessions.Platform;

namespace Sessions.Storage;

/// <summary>Reading and writing files in one piece.</summary>
internal static class SmallFile
{
    // A reader without the lock may meet a file of the pool while it is written again: it then opens
    // the name once more and finds the file that took its place.
    private const int Tries = 4;

    /// <summary>The compact object of a checked JSON file; null where there is no file. A damaged one
    /// is kept aside; then <paramref name="fallback"/> answers, or the call fails with Corrupt.</summary>
    public static byte[]? Read(IDisk disk, Quarantine quarantine, string path, string? sessionId,
        Func<byte[], bool>? isValid = null, Func<byte[]?>? fallback = null)
    {
        byte[]? bytes;
        try
        {
            if (TryReadOwn(disk, path, isValid, out bytes) is { } compact)
            {
                return compact;
            }
        }
        catch (DiskException e) when (Obstacle.IsOne(e))
        {
            LogRing.Add("warning", $"{path} does not belong there: {e.Message}");
            return fallback?.Invoke() ?? throw Errors.From(e);
        }

        if (bytes is null)
        {
            return null;
        }

        string? kept = quarantine.Keep(path, sessionId, Reason(bytes), bytes);
        return fallback?.Invoke() ?? throw Errors.Corrupt("A file is damaged; the rest of the store is usable.",
            kept ?? path, sessionId);
    }

    /// <summary>The compact object of a checked JSON file, or null; <paramref name="bytes"/> are then what
    /// stands there, null where nothing does, or what is no file of the store (<see cref="Obstacle"/>).</summary>
    public static byte[]? TryRead(IDisk disk, string path, Func<byte[], bool>? isValid, out byte[]? bytes)
    {
        try
        {
            return TryReadOwn(disk, path, isValid, out bytes);
        }
        catch (DiskException e) when (Obstacle.IsOne(e))
        {
            LogRing.Add("warning", $"{path} does not belong there: {e.Message}");
            bytes = null;
            return null;
        }
    }

    private static byte[]? TryReadOwn(IDisk disk, string path, Func<byte[], bool>? isValid, out byte[]? bytes)
    {
        bytes = null;
        for (int i = 0; i < Tries; i++)
        {
            try
            {
                bytes = disk.ReadAll(path);
            }
            catch (DiskException e) when (e.Error is DiskError.NotFound or DiskError.NotFolder)
            {
                bytes = null;
                return null;
            }

            if (CheckedJson.Read(bytes) is { } compact && (isValid is null || isValid(compact)))
            {
                return compact;
            }
        }

        return null;
    }

    /// <summary>In a word, what is wrong with a file that cannot be read.</summary>
    public static string Reason(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? "empty"
        : !bytes.ContainsAnyExcept((byte)0) ? "zeros"
        : JsonText.TryCompactObject(bytes) is null ? "invalid_json"
        : CheckedJson.Read(bytes) is null ? "checksum" : "wrong_content";

    /// <summary>All bytes of a file.</summary>
    public static byte[] ReadAll(this IDisk disk, string path, bool mayBeLinked = false)
    {
        using IDiskFile file = mayBeLinked ? disk.Open(path, OpenMode.Read, mayBeLinked)
            : disk.OpenOwn(path, OpenMode.Read);
        byte[] bytes = new byte[file.Length];
        int read = 0;
        while (read < bytes.Length)
        {
            int n = file.Read(bytes.AsSpan(read), read);
            if (n == 0)
            {
                return bytes[..read];
            }

            read += n;
        }

        return bytes;
    }

    /// <summary>Makes a file with this content alone, durable but for its name.</summary>
    public static void WriteAll(this IDisk disk, string path, ReadOnlySpan<byte> content)
    {
        using IDiskFile file = disk.Open(path, OpenMode.OpenOrCreate);
        file.Write(content, 0);
        file.SetLength(content.Length);
        file.Sync();
    }
}
