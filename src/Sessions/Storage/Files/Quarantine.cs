using System.Globalization;
using System.Text;
using Sessions.Model;
using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>
/// Keeps what cannot be read, byte for byte, in quarantine/&lt;n&gt;/, with a note beside it. The number is a hash of
/// the source and the content, so that finding a copy and making one cost the same however many there are. A copy
/// is durable once <see cref="Settle"/> returned, which is called before anything happens to an original: damage
/// that is only read costs no sync.
/// </summary>
internal sealed class Quarantine(IDisk disk, TimeProvider time, bool canWrite)
{
    /// <summary>Entries that a list has at most.</summary>
    public const int ListedMax = 10_000;

    private const int PlacesMax = 64; // for contents with the same number
    private const int SyncsMax = 16; // above that, one for the whole file system
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Source, long Length, uint Crc), string?> _kept = [];
    private readonly List<(string Copy, string Source)> _unsynced = [];
    private volatile bool _isUnsettled;

    /// <summary>Told of each failure of the disk in what is to be durable on return.</summary>
    public Action<DiskException> Heed { get; init; } = _ => { };

    /// <summary>Keeps a copy; the same bytes of the same file once. Returns its path, or null where
    /// nothing may be written.</summary>
    public string? Keep(string source, string? sessionId, string reason, ReadOnlySpan<byte> content)
    {
        lock (_gate)
        {
            (string, long, uint) key = (source, content.Length, Crc32C.Compute(content));
            return _kept.TryGetValue(key, out string? path)
                ? path : Add(key, sessionId, reason, new BytesToKeep(content.ToArray()));
        }
    }

    /// <summary>Keeps a small file that could not be read, all of it.</summary>
    public string? Keep(string source, string? sessionId, UnreadableFile found)
        => found.IsWhole ? Keep(source, sessionId, found.Reason, found.Bytes)
            : KeepFile(source, sessionId, found.Reason);

    /// <summary>Keeps a copy of a whole file, in pieces; null also where it is gone.</summary>
    public string? KeepFile(string source, string? sessionId, string reason, JobContext? context = null,
        bool mayBeLinked = false)
    {
        try
        {
            using IDiskFile file = disk.OpenOwn(source, OpenMode.Read, mayBeLinked);
            return KeepPart(source, sessionId, reason, file, 0, file.Length, context);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            LogRing.Add("info", $"{source} was gone before it could be kept.");
            return null;
        }
    }

    /// <summary>Keeps a copy of a part of a file, in pieces and without its holes, however large it is. On a full
    /// disk nothing is left of it.</summary>
    public string? KeepPart(string source, string? sessionId, string reason, IDiskFile file, long from, long to,
        JobContext? context = null)
    {
        var part = new PartToKeep(file, from, to, context);
        (string, long, uint) key = (source, part.Length, part.Digest());
        lock (_gate)
        {
            return _kept.TryGetValue(key, out string? path) ? path : Add(key, sessionId, reason, part);
        }
    }

    /// <summary>Moves what stands at a path, and is no part of a store, out of the way as it is; links are not
    /// followed. Returns where it is now. Durable on return.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="source">Where it stood, if it was moved since; null: there.</param>
    public string PutAside(string path, string? source = null)
    {
        source ??= path;
        lock (_gate)
        {
            LogRing.Add("warning", $"{source} does not belong there and was moved to {Layout.Quarantine}/.");
            string folder = MakeFolder(source);
            string file = folder + "/" + Layout.Name(source);
            Heeding(() =>
            {
                disk.Rename(path, file);
                ReadOnlySpan<byte> note = NoteOf(file, source, Layout.SessionOf(source), "misplaced");
                using (IDiskFile about = disk.Open(QuarantineNote.In(folder), OpenMode.CreateNew))
                {
                    about.Write(note, 0);
                    about.Sync();
                }

                disk.SyncFolder(folder);
                disk.SyncFolder(Layout.Quarantine);
                disk.SyncFolder("");
                disk.SyncFolder(Layout.Parent(path));
            });
            return file;
        }
    }

    /// <summary>Frees a name that a file of the store needs, and whose file is not needed any more. A file of the
    /// store is removed; anything else, which nobody may have read, is moved aside.</summary>
    /// <param name="path">The name.</param>
    /// <param name="source">Where it stood, if it was moved since; null: there.</param>
    public void Vacate(string path, string? source = null)
    {
        if (disk.Stat(path) is not { } entry)
        {
            return;
        }

        if (entry is { IsFile: true, IsOfOthers: false, IsReadable: true })
        {
            disk.UnlinkIfThere(path); // one with a second name stays where that is
        }
        else
        {
            PutAside(path, source);
        }
    }

    private QuarantineEntry? ReadNote(string name)
    {
        try
        {
            return QuarantineNote.Read(disk, $"{Layout.Quarantine}/{name}");
        }
        catch (DiskException e) when (Obstacle.HidesContent(e))
        {
            return null;
        }
    }

    /// <summary>Makes what was kept durable. Call it before an original is replaced, cut or removed; costs
    /// nothing where nothing was kept since.</summary>
    public void Settle()
    {
        if (!_isUnsettled)
        {
            return;
        }

        lock (_gate)
        {
            RestoreLost();
            Heeding(() =>
            {
                if (_unsynced.Count <= SyncsMax || !disk.TrySyncAll())
                {
                    _unsynced.ForEach(Sync);
                    disk.SyncFolder(Layout.Quarantine);
                    disk.SyncFolder("");
                }
            });
            _unsynced.Clear();
            _isUnsettled = false;
        }
    }

    /// <summary>What was kept, by the names of its folders: so many of them at most. Of the others nothing is
    /// read.</summary>
    public List<QuarantineEntry> List(out int leftOff, JobContext? context = null, int most = ListedMax)
    {
        var entries = new List<QuarantineEntry>();
        leftOff = 0;
        if (disk.Stat(Layout.Quarantine) is not { IsFolder: true })
        {
            return entries;
        }

        List<DiskName> names = [.. disk.List(Layout.Quarantine)];
        names.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        leftOff = Math.Max(0, names.Count - most);
        foreach (DiskName name in names.Take(most))
        {
            context?.ThrowIfCancelled();
            // A copy whose note was lost, or may not be read, is still kept, but there is nothing to say of it.
            if (name.IsFolder && ReadNote(name.Name) is { } entry)
            {
                entries.Add(entry);
            }
        }

        entries.Sort((a, b) => string.CompareOrdinal(a.File, b.File));
        return entries;
    }

    private string? Add((string Source, long Length, uint Crc) key, string? sessionId, string reason, IToKeep content)
    {
        LogRing.Add("warning", $"{key.Source} is damaged ({reason}).");
        string? path = canWrite ? FindOrWrite(key, sessionId, reason, content) : null;
        _kept.Add(key, path);
        if (path is not null)
        {
            _unsynced.Add((path, key.Source)); // also one that another process made: it need not have synced it yet
            _isUnsettled = true;
        }

        return path;
    }

    private string FindOrWrite((string Source, long Length, uint Crc) key, string? sessionId, string reason,
        IToKeep content)
    {
        disk.CreateFolder(Layout.Quarantine);
        long number = NumberOf(key);
        for (int i = 0; ; i++)
        {
            string folder = string.Create(CultureInfo.InvariantCulture, $"{Layout.Quarantine}/{number + i}");
            string copy = folder + "/" + Layout.Name(key.Source);
            bool isNoted = disk.Stat(folder) is not null && QuarantineNote.Read(disk, folder) is not null;
            bool isTaken = disk.Stat(folder) is { IsFolder: false };
            if (isNoted && IsCopy(copy, content))
            {
                return copy;
            }

            // Without a note it is what a crash left of this very copy, whose original was not touched.
            if (!isNoted && !isTaken)
            {
                Write(folder, copy, key.Source, sessionId, reason, content);
                return copy;
            }

            if (i == PlacesMax)
            {
                throw Errors.Corrupt("Too much that differs has the same number in the quarantine.", folder);
            }
        }
    }

    private bool IsCopy(string copy, IToKeep content)
    {
        if (disk.Stat(copy) is not { IsFile: true } found || found.Length != content.Length)
        {
            return false;
        }

        using IDiskFile file = disk.Open(copy, OpenMode.Read);
        return content.IsIn(file);
    }

    private void Write(string folder, string copy, string source, string? sessionId, string reason, IToKeep content)
    {
        disk.CreateFolder(folder);
        try
        {
            using (IDiskFile file = disk.Open(copy, OpenMode.OpenOrCreate))
            {
                file.SetLength(0);
                content.WriteTo(file);
            }

            ReadOnlySpan<byte> note = NoteOf(copy, source, sessionId, reason);
            using IDiskFile about = disk.Open(QuarantineNote.In(folder), OpenMode.OpenOrCreate);
            about.Write(note, 0);
            about.SetLength(note.Length);
        }
        catch (Exception e) when (e is DiskException or SessionException)
        {
            // On a full disk half a copy would keep the space that others need.
            if (disk.Stat(copy) is not null)
            {
                disk.Unlink(copy);
            }

            throw;
        }
    }

    private ReadOnlySpan<byte> NoteOf(string file, string source, string? sessionId, string reason)
        => QuarantineNote.Write(
            new QuarantineEntry(sessionId, file, source, reason, time.GetUtcNow().ToUnixTimeMilliseconds()));

    // One that is not there yet: what is moved aside has no content that a number could follow from.
    private string MakeFolder(string source)
    {
        disk.CreateFolder(Layout.Quarantine);
        long far = NumberOf((source, time.GetUtcNow().ToUnixTimeMilliseconds(), 0));
        for (long i = 1; ; i++)
        {
            long number = i <= PlacesMax ? i : far + i; // the first ones are those that people find
            string folder = string.Create(CultureInfo.InvariantCulture, $"{Layout.Quarantine}/{number}");
            if (disk.Stat(folder) is null)
            {
                disk.CreateFolder(folder);
                return folder;
            }
        }
    }

    // A sync that failed may have dropped what it was to write, so its copy was removed. It is made once more.
    private void RestoreLost()
    {
        for (int i = 0; i < _unsynced.Count; i++)
        {
            (string copy, string source) = _unsynced[i];
            if (disk.Stat(copy) is null && disk.Stat(source) is not null)
            {
                using IDiskFile from = disk.Open(source, OpenMode.Read, mayBeLinked: true); // a log may be
                using IDiskFile to = disk.Open(copy, OpenMode.OpenOrCreate);
                new PartToKeep(from, 0, from.Length, null).WriteTo(to);
            }
        }
    }

    private void Sync((string Copy, string Source) kept)
    {
        string folder = Layout.Parent(kept.Copy), note = QuarantineNote.In(folder);
        bool isCopySynced = false;
        try
        {
            using (IDiskFile file = disk.Open(kept.Copy, OpenMode.ReadWrite))
            {
                file.SyncStaged();
            }

            isCopySynced = true;
            using IDiskFile about = disk.Open(note, OpenMode.ReadWrite);
            about.Sync();
        }
        catch (DiskException e) when (e is { Error: DiskError.NotFound, IsFailedSync: false })
        {
            LogRing.Add("warning", $"{kept.Copy} was removed before it was durable.");
            return;
        }
        catch (DiskException) when (!isCopySynced)
        {
            disk.Unlink(kept.Copy);
            throw;
        }

        disk.SyncFolder(folder);
    }

    private void Heeding(Action action)
    {
        try
        {
            action();
        }
        catch (DiskException e)
        {
            Heed(e);
            throw;
        }
    }

    // FNV-1a, cut to what every reader of JSON takes for an integer.
    private static long NumberOf((string Source, long Length, uint Crc) key)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{key.Source}\n{key.Length}\n{key.Crc}")))
        {
            hash = (hash ^ b) * 1099511628211;
        }

        return (long)(hash % (1UL << 52)) + 1;
    }
}
