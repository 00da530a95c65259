using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>Gives a file a second name, or, where the file system has no links, a copy.</summary>
internal static class FileLinks
{
    /// <summary>What a copy is called until it is whole.</summary>
    public const string HalfSuffix = ".part";

    private const int CopyBytes = 1 << 20;

    /// <summary>Makes the link, which must not be there; a copy has the first bytes alone, as many as are
    /// asked for, on stable storage but for their name. One that was cut short is never taken for whole.
    /// True where it is a link.</summary>
    public static bool Make(IDisk disk, string source, string link, long bytes)
    {
        if (TryLink(disk, source, link))
        {
            return true;
        }

        string half = link + HalfSuffix;
        if (disk.Stat(half) is not null)
        {
            disk.Unlink(half);
        }

        Copy(disk, source, half, 0, bytes);
        disk.Rename(half, link);
        return false;
    }

    /// <summary>Makes the link, which must not be there; false where this file can have none. What the call answers
    /// decides: a file system may be on no list, and a sandbox may refuse links from one moment to the next.</summary>
    public static bool TryLink(IDisk disk, string source, string link)
    {
        if (!disk.Capabilities.HardLinks)
        {
            return false;
        }

        try
        {
            disk.Link(source, link);
            return true;
        }
        catch (DiskException e) when (e.Error is DiskError.Unsupported or DiskError.AccessDenied)
        {
            LogRing.Add("debug", $"{source} cannot be linked: {e.Message}");
            return false;
        }
    }

    /// <summary>Copies a part of a file into a new one, which is durable but for its name.</summary>
    public static void Copy(IDisk disk, string source, string copy, long start, long bytes)
    {
        using IDiskFile from = disk.Open(source, OpenMode.Read, mayBeLinked: true);
        using IDiskFile to = disk.Open(copy, OpenMode.CreateNew);
        byte[] buffer = new byte[Math.Min(CopyBytes, bytes)];
        for (long at = 0; at < bytes;)
        {
            int read = from.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes - at)), start + at);
            if (read == 0)
            {
                break;
            }

            to.Write(buffer.AsSpan(0, read), at);
            at += read;
        }

        to.SyncStaged(); // whoever tries again begins with another one
    }
}
