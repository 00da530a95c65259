using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Upkeep;

/// <summary>
/// Where a backup goes: a folder that appears whole, in the place of the backup before it. The new one is made
/// beside it, under a name of its own, and the two change places in one step where the file system can; else the old
/// one keeps another name until the new one has its own. What a killed run left is recognized by a mark in it.
/// </summary>
internal sealed class BackupPlace : IDisposable
{
    private const string Mark = "unfinished-backup";
    private const string NewSuffix = ".sessions-new";
    private const string OldSuffix = ".sessions-old";

    private readonly string _path;
    private readonly string _name;
    private readonly IDisk _parent;
    private readonly Func<IDisk, bool> _isOurs;
    private readonly bool _sharesOwners;
    private ILockFile? _lock;
    private bool _isPublished;

    /// <param name="path">A full path.</param>
    /// <param name="isOurs">Whether a folder has a backup that may be replaced, or a part of one.</param>
    /// <param name="sharesOwners">As of the store.</param>
    public BackupPlace(string path, Func<IDisk, bool> isOurs, bool sharesOwners)
    {
        _path = Path.TrimEndingDirectorySeparator(path);
        _name = Path.GetFileName(_path);
        _isOurs = isOurs;
        _sharesOwners = sharesOwners;
        if (_name.Length == 0 || Path.GetDirectoryName(_path) is not { } parent)
        {
            throw Errors.Argument("path", "path must name a folder in another one.");
        }

        _parent = RealDisk.Open(parent, sharesOwners: true); // whose folder the host named, not whose the files are
        Staged = RealDisk.Open(_path + NewSuffix, sharesOwners);
    }

    /// <summary>The folder above.</summary>
    public IDisk Parent => _parent;

    /// <summary>The folder that the backup is made in.</summary>
    public IDisk Staged { get; }

    /// <summary>Makes that folder, empty but for the mark. Refuses a path that is taken by something else (Exists),
    /// that lies in the store (InvalidArgument), or that another run works on (Busy).</summary>
    public void Begin(ulong storeIdentity)
    {
        _parent.CreateFolder("");
        RequireOutside(storeIdentity);
        if (_parent.Stat(_name) is null && _parent.Stat(_name + OldSuffix) is { IsFolder: true } && IsOurs(OldSuffix))
        {
            _parent.Rename(_name + OldSuffix, _name); // killed between two renames
        }

        foreach (string suffix in (string[])["", NewSuffix, OldSuffix])
        {
            if (_parent.Stat(_name + suffix) is { } found && (!found.IsFolder || !IsOurs(suffix)))
            {
                throw new SessionException(SessionStatus.Exists,
                    $"{_path}{suffix} is there and is no backup of this store, or has later records than it; it is "
                    + "left as it is.",
                    Errors.Details(b => b.Member("path", _path + suffix)));
            }
        }

        Staged.CreateFolder("");
        using (IDiskFile mark = Staged.Open(Mark, OpenMode.OpenOrCreate))
        {
        }

        _lock = Staged.OpenLocks(Mark, readOnly: false);
        if (!_lock.TryLock(0, exclusive: true) || !_lock.IsLinked)
        {
            throw Errors.Busy("The place of the backup, where another run is at work,");
        }

        Remove(_name + OldSuffix);
        Empty(Staged);
    }

    /// <summary>Puts the new one in its place. Its content is durable already.</summary>
    public void Publish()
    {
        Staged.Unlink(Mark);
        Staged.SyncFolder("");
        if (_parent.Stat(_name) is null)
        {
            _parent.Rename(_name + NewSuffix, _name);
        }
        else if (!TryExchange())
        {
            _parent.Rename(_name, _name + OldSuffix);
            _parent.Rename(_name + NewSuffix, _name);
        }

        _isPublished = true;
        _parent.SyncFolder("");
        Remove(_name + NewSuffix);
        Remove(_name + OldSuffix);
    }

    private bool TryExchange()
    {
        if (!_parent.Capabilities.AtomicExchange)
        {
            return false;
        }

        try
        {
            _parent.Exchange(_name + NewSuffix, _name);
            return true;
        }
        catch (DiskException e) when (e.Error == DiskError.Unsupported)
        {
            LogRing.Add("debug", $"The backup takes its place by two renames: {e.Message}");
            return false;
        }
    }

    /// <summary>Takes away what was not published.</summary>
    public void Dispose()
    {
        try
        {
            if (_lock is not null && !_isPublished)
            {
                Remove(_name + NewSuffix, Staged);
            }
        }
        catch (DiskException e)
        {
            LogRing.Add("warning", $"What a failed backup made stays until the next one: {e.Message}");
        }
        finally
        {
            _lock?.Dispose();
            Staged.Dispose();
            _parent.Dispose();
        }
    }

    // The path, or a folder above it, may be the store's. From the top, so that nothing in the store is looked at.
    private void RequireOutside(ulong storeIdentity)
    {
        var folders = new Stack<string>();
        for (string? folder = _path; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            folders.Push(folder);
        }

        if (folders.Any(f => IsStore(f, storeIdentity)))
        {
            throw Errors.Argument("path", "path must lie outside the store.");
        }
    }

    private static bool IsStore(string folder, ulong storeIdentity)
    {
        try
        {
            using IDisk disk = RealDisk.Open(folder, sharesOwners: true);
            return disk.Stat("") is { IsFolder: true } found && found.Identity == storeIdentity;
        }
        catch (DiskException e) when (e.Error == DiskError.AccessDenied)
        {
            return false; // a folder that may be passed and not read, such as /home: the store's is read
        }
    }

    private bool IsOurs(string suffix)
    {
        using IDisk disk = RealDisk.Open(_path + suffix, _sharesOwners);
        return disk.List("").Count == 0 || disk.Stat(Mark) is not null || _isOurs(disk);
    }

    // With the mark in it, so that it is known for what it is wherever this is cut.
    private void Remove(string name)
    {
        if (_parent.Stat(name) is { IsFolder: true })
        {
            using IDisk disk = RealDisk.Open(Path.Combine(Path.GetDirectoryName(_path)!, name), _sharesOwners);
            using (IDiskFile mark = disk.Open(Mark, OpenMode.OpenOrCreate))
            {
            }

            Remove(name, disk);
        }
    }

    // The mark goes last: whatever a killed run left of the rest is known by it, and an empty folder is anybody's.
    private void Remove(string name, IDisk disk)
    {
        Empty(disk);
        disk.UnlinkIfThere(Mark);
        _parent.RemoveFolder(name);
    }

    // All but the mark. What lies very deep is moved up into tmp/, which is therefore no file by then, and goes last;
    // it is made only where something has to be moved: a full disk may have room for no folder.
    private static void Empty(IDisk disk)
    {
        var trees = new Trees(disk, "backup");
        IReadOnlyList<DiskName> names = disk.List("");
        foreach (DiskName name in names.OrderBy(n => n.IsFolder))
        {
            if (!name.IsFolder && name.Name != Mark)
            {
                disk.Unlink(name.Name);
            }
            else if (name.IsFolder && name.Name != Layout.Temporary)
            {
                trees.Remove(name.Name);
            }
        }

        while (disk.Stat(Layout.Temporary) is { IsFolder: true })
        {
            IReadOnlyList<DiskName> left = disk.List(Layout.Temporary);
            foreach (DiskName name in left.Where(n => !n.IsFolder))
            {
                disk.Unlink(Layout.Temporary + "/" + name.Name);
            }

            foreach (DiskName name in left.Where(n => n.IsFolder))
            {
                trees.Remove(Layout.Temporary + "/" + name.Name); // which may move others beside it
            }

            if (disk.List(Layout.Temporary).Count == 0)
            {
                disk.RemoveFolder(Layout.Temporary);
            }
        }
    }
}
