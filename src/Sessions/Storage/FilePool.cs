using System.Globalization;
using Sessions.Platform;

namespace Sessions.Storage;

/// <summary>
/// Scratch files that small JSON files are written into before they are swapped in. A file swapped
/// out comes back into the pool, and is used again after a while, because making a new inode costs
/// more than all the rest of a commit on ext4. Used under the store lock only.
/// </summary>
internal sealed class FilePool(IDisk disk, TimeProvider time, string owner)
{
    // A foreign reader may still hold a file that was swapped out; nobody reads one for so long.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(250);
    private const int FilesMax = 4096;

    private readonly Queue<(string Path, long At)> _resting = new();
    private long _made;

    /// <summary>A path under tmp/ that now holds the content.</summary>
    public string Write(ReadOnlySpan<byte> content)
    {
        try
        {
            return WriteOne(content);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            // Somebody removed tmp/ under the store, and the resting files with it.
            _resting.Clear();
            disk.CreateFolder(Layout.Temporary);
            return WriteOne(content);
        }
    }

    private string WriteOne(ReadOnlySpan<byte> content)
    {
        if (_resting.TryPeek(out (string Path, long At) oldest)
            && (time.GetElapsedTime(oldest.At) >= Rest || _resting.Count >= FilesMax))
        {
            _resting.Dequeue();
            using IDiskFile used = disk.Open(oldest.Path, OpenMode.ReadWrite);
            used.Write(content, 0);
            if (used.Length > content.Length)
            {
                used.SetLength(content.Length);
            }

            return oldest.Path;
        }

        string path = string.Create(CultureInfo.InvariantCulture, $"{Layout.Temporary}/{owner}-{++_made}");
        using IDiskFile made = disk.Open(path, OpenMode.CreateNew);
        made.Write(content, 0);
        return path;
    }

    /// <summary>Takes a file that was swapped out.</summary>
    public void Return(string path) => _resting.Enqueue((path, time.GetTimestamp()));

    /// <summary>Removes the files; the pool can go on.</summary>
    public void Empty()
    {
        while (_resting.TryDequeue(out (string Path, long At) file))
        {
            if (disk.Stat(file.Path) is not null)
            {
                disk.Unlink(file.Path);
            }
        }
    }
}
