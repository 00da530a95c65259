using System.Globalization;
using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>
/// Scratch files that small JSON files are written into before they are swapped in. A file swapped
/// out comes back into the pool and is used again once no reader holds it, because making a new inode
/// costs more than all the rest of a commit on ext4. Only a file that this pool made itself is written to
/// again: what stood in a store before may be a second name for a file of the user's, whatever it looks like.
/// Used under the store lock only.
/// </summary>
/// <param name="disk">The store's.</param>
/// <param name="time">Its clock.</param>
/// <param name="owner">The open store that the scratch files are of.</param>
/// <param name="next">A number for a name, which nobody else gets: one open store has more pools than one.</param>
/// <param name="quarantine">For what comes back from a name and is no file of the store.</param>
internal sealed class FilePool(IDisk disk, TimeProvider time, string owner, Func<long> next, Quarantine quarantine)
{
    // Where the system can say who else has a file open, a short rest lets those through who had
    // found the old file and were about to open it. Where it cannot, nobody reads one for so long.
    private static readonly TimeSpan ShortRest = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongRest = TimeSpan.FromMilliseconds(250);
    private const int FilesMax = 4096;

    private readonly Queue<(string Path, long At, string? Source)> _resting = new();
    private readonly Queue<ulong> _oldest = new();
    private readonly HashSet<ulong> _own = [];

    /// <summary>A path under tmp/ that now holds the content; on stable storage, where that is asked for.</summary>
    public string Write(ReadOnlySpan<byte> content, bool isDurable = false)
    {
        string path = WriteAnywhere(content);
        if (isDurable)
        {
            using IDiskFile file = disk.Open(path, OpenMode.ReadWrite);
            file.SyncStaged();
        }

        return path;
    }

    private string WriteAnywhere(ReadOnlySpan<byte> content)
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

    /// <summary>Takes a file that was swapped out.</summary>
    /// <param name="path">Its name now.</param>
    /// <param name="source">The name it had.</param>
    public void Return(string path, string? source = null)
    {
        if (_resting.Count < FilesMax)
        {
            _resting.Enqueue((path, time.GetTimestamp(), source));
        }
        else
        {
            quarantine.Vacate(path, source);
        }
    }

    /// <summary>Removes the files; the pool can go on.</summary>
    public void Empty()
    {
        while (_resting.TryDequeue(out (string Path, long At, string? Source) file))
        {
            quarantine.Vacate(file.Path, file.Source);
        }
    }

    private string WriteOne(ReadOnlySpan<byte> content)
    {
        while (_resting.TryPeek(out (string Path, long At, string? Source) oldest) && IsDue(oldest.At, ShortRest))
        {
            using IDiskFile? used = TryOpenOwn(oldest.Path);
            if (used is null)
            {
                _resting.Dequeue();
                quarantine.Vacate(oldest.Path, oldest.Source);
                continue;
            }

            bool? isRead = used.IsOpenElsewhere();
            if (isRead is null && !IsDue(oldest.At, LongRest))
            {
                break;
            }

            _resting.Dequeue();
            if (isRead is true)
            {
                _resting.Enqueue((oldest.Path, time.GetTimestamp(), oldest.Source));
                continue; // ends: it is not due again before a while
            }

            used.Write(content, 0);
            if (used.Length > content.Length)
            {
                used.SetLength(content.Length);
            }

            return oldest.Path;
        }

        string path = string.Create(CultureInfo.InvariantCulture, $"{Layout.Temporary}/{owner}-{next()}");
        using IDiskFile made = disk.Open(path, OpenMode.CreateNew);
        made.Write(content, 0);
        Remember(made.Identity);
        return path;
    }

    private bool IsDue(long at, TimeSpan rest) => time.GetElapsedTime(at) >= rest;

    private void Remember(ulong identity)
    {
        if (_oldest.Count == FilesMax)
        {
            _own.Remove(_oldest.Dequeue());
        }

        if (_own.Add(identity))
        {
            _oldest.Enqueue(identity);
        }
    }

    // Null where it is none of this pool's, or no file at all.
    private IDiskFile? TryOpenOwn(string path)
    {
        IDiskFile file;
        try
        {
            file = disk.Open(path, OpenMode.ReadWrite);
        }
        catch (DiskException e) when (e.Error == DiskError.AccessDenied || Obstacle.IsOne(e))
        {
            return null;
        }

        if (_own.Contains(file.Identity))
        {
            return file;
        }

        file.Dispose();
        return null;
    }
}
