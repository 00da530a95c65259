using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

namespace Sessions.Platform.Unix;

/// <summary>The disk of Linux and macOS.</summary>
[SkipLocalsInit]
[UnsupportedOSPlatform("windows")]
internal sealed unsafe class UnixDisk : IDisk
{
    private const nuint GetFlags = 0x8008_6601; // FS_IOC_GETFLAGS, FS_IOC_SETFLAGS
    private const nuint SetFlags = 0x4008_6602;
    private const int TopOfHierarchies = 0x20000; // FS_TOPDIR_FL

    // Before this kernel syncfs did not tell of pages that could not be written.
    private static readonly bool SyncfsTellsErrors =
        OperatingSystem.IsLinux() && Environment.OSVersion.Version >= new Version(5, 8);

    // syncfs tells of the failures since a descriptor was opened, and a new one might have missed a failure that
    // another process was told of: so it is asked of the root's, which lives as long as this object.
    private readonly UnixRoot _root;
    private readonly Lock _gate = new();
    private DiskCapabilities? _capabilities;

    public UnixDisk(string root, bool sharesOwners = false, bool walks = false)
        => _root = new UnixRoot(root, sharesOwners, walks);

    public DiskCapabilities Capabilities => _capabilities ?? AskCapabilities();

    public string Root => _root.Path;

    public IDiskFile Open(string path, OpenMode mode, bool mayBeLinked = false)
    {
        StorePath.Check("open", path);
        int fd = UnixOpening.Open(_root, path, mode, mayBeLinked, out UnixStat stat);
        return new UnixFile(fd, path, stat.Identity, stat.Links > 1);
    }

    public DiskEntry? Stat(string path)
    {
        StorePath.Check("stat", path);
        if (!_root.TryHold(out UnixRoot.Hold hold))
        {
            return !IsMissing(Errno.Last) ? throw Errno.Failure("stat", path)
                : path.Length == 0 && _root.IsFile() ? new DiskEntry(false, 0, 0, 1, 0, 0) : null;
        }

        using (hold)
        {
            return path.Length > 0 ? StatBelow(hold, path)
                : Posix.TryStat(hold.Descriptor, out UnixStat root) ? Entry(root) : throw Errno.Failure("stat", path);
        }
    }

    public DiskEntry? Glance(string path)
    {
        StorePath.Check("stat", path);
        return _root.TryGlance(path, out UnixStat stat) ? Entry(stat) : null;
    }

    public IReadOnlyList<DiskName> List(string path)
    {
        StorePath.Check("opendir", path);
        using UnixRoot.Hold hold = _root.Take("opendir", path);
        int fd = _root.Open(hold, path, Posix.ReadOnly | Posix.Folder);
        if (fd < 0)
        {
            throw Errno.Failure("opendir", path);
        }

        return UnixFolder.List(fd, path);
    }

    public void CreateFolder(string path)
    {
        StorePath.Check("mkdir", path);
        if (path.Length == 0)
        {
            UnixFolder.CreateRoot(_root.Path);
            return;
        }

        byte* buffer = stackalloc byte[UnixName.Bytes];
        using UnixRoot.Hold hold = _root.Take("mkdir", path);
        using UnixPlace place = _root.At(hold, "mkdir", path, buffer);
        UnixFolder.Create(place, path, _root.Owners);
    }

    public void SpreadFolders(string path)
    {
        StorePath.Check("open", path);
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        int fd = OpenFolder("open", path);

        // Other file systems refuse the flag, or have no flags at all: then it is as it is.
        int flags = 0;
        if (Libc.Ioctl(fd, GetFlags, &flags) == 0 && (flags & TopOfHierarchies) == 0)
        {
            flags |= TopOfHierarchies;
            Libc.Ioctl(fd, SetFlags, &flags);
        }

        Libc.Close(fd);
    }

    public void Rename(string from, string to)
    {
        StorePath.Check("rename", from);
        StorePath.Check("rename", to);
        byte* left = stackalloc byte[UnixName.Bytes];
        byte* right = stackalloc byte[UnixName.Bytes];
        using UnixRoot.Hold hold = _root.Take("rename", from);
        using UnixPlace source = _root.At(hold, "rename", from, left);
        using UnixPlace target = _root.At(hold, "rename", to, right);
        if (Libc.RenameAt(source.Folder, source.Name, target.Folder, target.Name) != 0)
        {
            int error = Errno.Last;
            throw error == Errno.Exists // some systems say this instead of ENOTEMPTY
                ? new DiskException(DiskError.NotEmpty, "rename", to, error)
                : Errno.Failure("rename", error is Errno.IsFolder or Errno.NotFolder ? to : from, error);
        }
    }

    public void Exchange(string left, string right)
    {
        StorePath.Check("renameat2", left);
        StorePath.Check("renameat2", right);
        byte* first = stackalloc byte[UnixName.Bytes];
        byte* second = stackalloc byte[UnixName.Bytes];
        using UnixRoot.Hold hold = _root.Take("renameat2", left);
        using UnixPlace one = _root.At(hold, "renameat2", left, first);
        using UnixPlace other = _root.At(hold, "renameat2", right, second);
        if (Posix.Exchange(one, other) != 0)
        {
            throw Errno.OptionalFailure("renameat2", left);
        }
    }

    public void Link(string existing, string added)
    {
        StorePath.Check("link", existing);
        StorePath.Check("link", added);
        byte* from = stackalloc byte[UnixName.Bytes];
        byte* to = stackalloc byte[UnixName.Bytes];
        using UnixRoot.Hold hold = _root.Take("link", added);
        using UnixPlace source = _root.At(hold, "link", existing, from);
        if (!Posix.TryStat(source.Folder, source.Name, out _, Posix.Kind))
        {
            throw Errno.Failure("link", existing); // comes before what is wrong with the other path
        }

        using UnixPlace target = _root.At(hold, "link", added, to);
        if (Libc.LinkAt(source.Folder, source.Name, target.Folder, target.Name, 0) != 0)
        {
            throw Errno.OptionalFailure("link", added);
        }
    }

    public void SetModified(string path, long unixMs)
    {
        StorePath.Check("utimensat", path);
        byte* buffer = stackalloc byte[UnixName.Bytes];
        using UnixRoot.Hold hold = _root.Take("utimensat", path);
        using UnixPlace place = _root.At(hold, "utimensat", path, buffer);
        if (Posix.SetModified(place, unixMs) != 0)
        {
            // The time of another user's file can only be set to now, by a user who may write to it.
            int error = Errno.Last;
            if (error != Errno.NotPermitted || Posix.SetModifiedNow(place) != 0)
            {
                throw Errno.Failure("utimensat", path, error);
            }
        }
    }

    public void Unlink(string path)
    {
        StorePath.Check("unlink", path);
        byte* buffer = stackalloc byte[UnixName.Bytes];
        using UnixRoot.Hold hold = _root.Take("unlink", path);
        using UnixPlace place = _root.At(hold, "unlink", path, buffer);
        if (Libc.UnlinkAt(place.Folder, place.Name, 0) != 0)
        {
            throw Errno.Failure("unlink", path);
        }
    }

    public void RemoveFolder(string path)
    {
        StorePath.Check("rmdir", path);
        byte* buffer = stackalloc byte[UnixName.Bytes];
        using UnixRoot.Hold hold = _root.Take("rmdir", path);
        using UnixPlace place = _root.At(hold, "rmdir", path, buffer);
        if (Posix.RemoveFolder(place) != 0)
        {
            int error = Errno.Last;
            throw error == Errno.Exists
                ? new DiskException(DiskError.NotEmpty, "rmdir", path, error)
                : Errno.Failure("rmdir", path, error);
        }
    }

    public void SyncFolder(string path)
    {
        StorePath.Check("fsync", path);
        int fd = OpenFolder("open", path);
        int result = Posix.SyncFolder(fd);
        int error = Errno.Last;
        Libc.Close(fd);

        // EINVAL: a file system where names need no syncing, or where nothing can be done about it.
        if (result != 0 && error != Errno.Invalid)
        {
            throw Errno.FailedSync("fsync", path, error);
        }
    }

    public bool TrySyncAll()
    {
        if (!SyncfsTellsErrors)
        {
            return false;
        }

        using UnixRoot.Hold hold = _root.Take("open", "");
        return Libc.SyncFileSystem(hold.Descriptor) == 0 ? true : throw Errno.FailedSync("syncfs", "", Errno.Last);
    }

    public ILockFile OpenLocks(string path, bool readOnly)
    {
        StorePath.Check("open", path);
        int fd = UnixOpening.Open(_root, path, readOnly ? OpenMode.Read : OpenMode.ReadWrite, mayBeLinked: true,
            out UnixStat stat); // a process killed while it made store.json leaves it two names
        return new UnixLockFile(_root, path, fd, stat.Identity);
    }

    public ISharedPage? OpenSharedPage(string path, bool readOnly)
    {
        StorePath.Check("open", path);
        return UnixSharedPage.Open(_root, path, readOnly);
    }

    public void Dispose() => _root.Dispose();

    private static bool IsMissing(int error) => error is Errno.NotFound or Errno.NotFolder;

    private DiskEntry? StatBelow(in UnixRoot.Hold hold, string path)
    {
        byte* buffer = stackalloc byte[UnixName.Bytes];
        try
        {
            using UnixPlace place = _root.At(hold, "stat", path, buffer);
            return Posix.TryStat(place.Folder, place.Name, out UnixStat stat, Posix.All) ? Entry(stat)
                : IsMissing(Errno.Last) ? null : throw Errno.Failure("stat", path);
        }
        catch (DiskException e) when (e.Error is DiskError.NotFound or DiskError.NotFolder or DiskError.Misplaced)
        {
            return null; // what is behind a link is not in the store
        }
    }

    private DiskEntry Entry(in UnixStat stat) => new(stat.IsFolder, stat.Length, stat.Identity, stat.Links,
        stat.Mode & Posix.ModeBits, stat.ModifiedMs)
    {
        IsOther = !stat.IsFolder && !stat.IsRegular,
        IsOfOthers = !_root.Owners.Have(stat),
        Owner = stat.Owner,
    };

    private int OpenFolder(string operation, string path)
    {
        using UnixRoot.Hold hold = _root.Take(operation, path);
        int fd = _root.Open(hold, path, Posix.ReadOnly | Posix.Folder);
        return fd >= 0 ? fd : throw Errno.Failure(operation, path);
    }

    private DiskCapabilities AskCapabilities()
    {
        lock (_gate)
        {
            if (_capabilities is { } known)
            {
                return known;
            }

            if (_root.TryHold(out UnixRoot.Hold hold))
            {
                using (hold)
                {
                    return _capabilities = FileSystems.Of(hold.Descriptor);
                }
            }

            int parent = UnixFolder.OpenNearestParent(_root.Path);
            try
            {
                return _capabilities = FileSystems.Of(parent);
            }
            finally
            {
                Libc.Close(parent);
            }
        }
    }
}
