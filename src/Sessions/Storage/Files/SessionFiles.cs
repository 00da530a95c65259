using Sessions.Model;
using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>
/// The files that are kept with a session, each under the SHA-256 of its content: files/&lt;digest&gt;.&lt;ext&gt;.
/// A name never stands for other content, so no frame speaks of them: a file is whole and durable, name
/// and all, before anybody is told of its id.
/// </summary>
internal static class SessionFiles
{
    /// <summary>A file that nobody refers to stays for so long after it was last put: the event that will
    /// refer to it may be on its way.</summary>
    public const long SparedMs = 60 * 60 * 1000;

    /// <summary>What is said of a file whose content is not what its name says.</summary>
    public const string Mismatch = "file_hash_mismatch";

    /// <summary>Bytes of a file that any rule lets in: it is handed over in one piece. A longer one in that folder
    /// was not put there by a host, and is not read.</summary>
    public const long BytesMax = 1024 * 1024 * 1024;

    private const int CopyBytes = 1024 * 1024;
    private const string ExtensionLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
    private const int DigestDigits = Sha256.Bytes * 2;
    private const int IdDigits = 32;

    public static string Id(string digest) => "f_" + digest[..IdDigits];

    public static string Path(string folder, string digest, string extension)
        => $"{folder}/{Layout.FilesFolder}/{digest}.{extension}";

    /// <summary>Where the file with that id is; null where there is none.</summary>
    public static string? Find(IDisk disk, string folder, string fileId)
    {
        foreach (string name in Names(disk, folder))
        {
            if (Id(name) == fileId)
            {
                return $"{folder}/{Layout.FilesFolder}/{name}";
            }
        }

        return null;
    }

    /// <summary>Whether the file at the path holds just that.</summary>
    public static bool Holds(IDisk disk, string path, ReadOnlySpan<byte> data)
    {
        if (disk.Stat(path) is not { IsFile: true } entry || entry.Length != data.Length)
        {
            return false;
        }

        using IDiskFile file = disk.Open(path, OpenMode.Read, mayBeLinked: true);
        byte[] buffer = new byte[CopyBytes];
        for (int offset = 0; offset < data.Length; offset += CopyBytes)
        {
            ReadOnlySpan<byte> expected = data.Slice(offset, Math.Min(CopyBytes, data.Length - offset));
            int read = file.Read(buffer.AsSpan(0, expected.Length), offset);
            if (!buffer.AsSpan(0, read).SequenceEqual(expected))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Gives a branch its parent's files: by hard links, or copies where there are none. The
    /// names are durable on return; what the child has already is left alone.</summary>
    public static void LinkAll(IDisk disk, string parentFolder, string childFolder)
    {
        List<string> names = Names(disk, parentFolder);
        if (names.Count == 0)
        {
            return;
        }

        string child = $"{childFolder}/{Layout.FilesFolder}";
        disk.CreateFolder(child);
        foreach (string name in names)
        {
            string from = $"{parentFolder}/{Layout.FilesFolder}/{name}", to = $"{child}/{name}";
            if (disk.Stat(to) is null && !FileLinks.Make(disk, from, to, long.MaxValue))
            {
                disk.SetModified(to, disk.Stat(from)!.Value.ModifiedMs); // a copy is as old as what it is of
            }
        }

        disk.SyncFolder(child);
        disk.SyncFolder(childFolder);
    }

    /// <summary>Removes the files that nobody refers to, but for those of the last hour; returns how many
    /// bytes that were. Call it under the store lock, after what referred to them is gone for good.</summary>
    public static long RemoveOrphans(IDisk disk, string folder, IReadOnlySet<string> referenced, long now)
    {
        long removed = 0;
        foreach (string name in Names(disk, folder))
        {
            string path = $"{folder}/{Layout.FilesFolder}/{name}";
            if (!referenced.Contains(Id(name)) && disk.Stat(path) is { } entry && entry.ModifiedMs < now - SparedMs)
            {
                disk.Unlink(path);
                removed += entry.Length;
            }
        }

        return removed;
    }

    /// <summary>The paths of files whose content is not what their name says, and how long they are.</summary>
    public static IEnumerable<(string Path, long Length, bool IsSound)> Check(IDisk disk, string folder,
        JobContext context)
    {
        byte[] buffer = new byte[CopyBytes];
        foreach (string name in Names(disk, folder))
        {
            string path = $"{folder}/{Layout.FilesFolder}/{name}";
            using IDiskFile file = disk.Open(path, OpenMode.Read, mayBeLinked: true);
            long length = file.Length;
            yield return (path, length, length <= BytesMax
                && name.StartsWith(Digest(file, buffer, context), StringComparison.Ordinal));
        }
    }

    private static string Digest(IDiskFile file, byte[] buffer, JobContext context)
    {
        var hash = new Sha256();
        long at = 0;
        for (int read; (read = file.Read(buffer, at)) > 0; at += read)
        {
            context.ThrowIfCancelled();
            hash.Append(buffer.AsSpan(0, read));
        }

        return Convert.ToHexStringLower(hash.Finish());
    }

    // What this library put there; anything else in the folder is not its own.
    private static List<string> Names(IDisk disk, string folder)
    {
        string files = $"{folder}/{Layout.FilesFolder}";
        return disk.Stat(files) is not { IsFolder: true } ? [] : [.. disk.List(files)
            .Where(n => !n.IsFolder && !n.IsOther && n.Name.Length > DigestDigits && n.Name[DigestDigits] == '.'
                && !n.Name.EndsWith(FileLinks.HalfSuffix, StringComparison.Ordinal)
                && n.Name.AsSpan(DigestDigits + 1).IndexOfAnyExcept(ExtensionLetters) < 0
                && Plausible.IsHex(n.Name.AsSpan(0, DigestDigits)))
            .Select(n => n.Name).Order(StringComparer.Ordinal)];
    }
}
