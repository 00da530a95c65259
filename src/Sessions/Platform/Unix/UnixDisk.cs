using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using System.Text;

namespace Sessions.Platform;

/// <summary>The disk of Linux and macOS.</summary>
[SkipLocalsInit]
[UnsupportedOSPlatform("windows")]
internal sealed unsafe class UnixDisk : IDisk
{
    private const byte UnknownType = 0;
    private const byte FolderType = 4;
    private const nuint GetFlags = 0x8008_6601; // FS_IOC_GETFLAGS, FS_IOC_SETFLAGS
    private const nuint SetFlags = 0x4008_6602;
    private const int TopOfHierarchies = 0x20000; // FS_TOPDIR_FL

    // Before this kernel syncfs did not tell of pages that could not be written.
    private static readonly bool SyncfsTellsErrors =
        OperatingSystem.IsLinux() && Environment.OSVersion.Version >= new Version(5, 8);

    private readonly string _root;
    private readonly UnixPath _paths;
    private readonly Lock _gate = new();
    private DiskCapabilities? _capabilities;

    // Kept open from the first time it is found: syncfs tells of the failures since the descriptor
    // was opened, and a new one might have missed a failure that another process was told of.
    private int _rootFd = -1;

    public UnixDisk(string root)
    {
        _root = root;
        _paths = new UnixPath(root);
    }

    public DiskCapabilities Capabilities => _capabilities ?? AskCapabilities();

    public IDiskFile Open(string path, OpenMode mode)
    {
        byte* buffer = stackalloc byte[UnixPath.Bytes];
        byte* full = _paths.Join(path, buffer);
        int fd = UnixOpening.Open(full, path, mode);
        return fd >= 0 ? new UnixFile(fd, path) : throw Errno.Failure("open", path);
    }

    // The store's own folder may be a symbolic link; what lies in it may not.
    public DiskEntry? Stat(string path)
    {
        byte* buffer = stackalloc byte[UnixPath.Bytes];
        if (Unix.TryStat(_paths.Join(path, buffer), followLinks: path.Length == 0, out UnixStat stat))
        {
            return new DiskEntry(stat.IsFolder, stat.Length, stat.Identity, stat.Links, stat.Mode & Unix.ModeBits,
                stat.ModifiedMs);
        }

        int error = Errno.Last;
        return error is Errno.NotFound or Errno.NotFolder ? null : throw Errno.Failure("stat", path, error);
    }

    public IReadOnlyList<DiskName> List(string path)
    {
        byte* buffer = stackalloc byte[UnixPath.Bytes];
        nint folder = Unix.OpenFolder(_paths.Join(path, buffer));
        if (folder == 0)
        {
            throw Errno.Failure("opendir", path);
        }

        var names = new List<DiskName>();
        try
        {
            byte* entry;
            while ((entry = Unix.ReadFolder(folder, out byte type)) is not null)
            {
                string name = Encoding.UTF8.GetString(
                    System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry));
                if (name is not ("." or ".."))
                {
                    names.Add(new DiskName(name, IsFolder(path, name, type)));
                }
            }

            int error = Errno.Last;
            return error == 0 ? names : throw Errno.Failure("readdir", path, error);
        }
        finally
        {
            Libc.CloseFolder(folder);
        }
    }

    public void CreateFolder(string path)
    {
        byte* buffer = stackalloc byte[UnixPath.Bytes];
        byte* full = _paths.Join(path, buffer);
        if (Libc.MakeFolder(full, Unix.FolderMode) != 0)
        {
            int error = Errno.Last;
            if (error == Errno.NotFound && path.Length == 0)
            {
                CreateParents();
                error = Libc.MakeFolder(full, Unix.FolderMode) == 0 ? 0 : Errno.Last;
            }

            if (error != 0)
            {
                // A file system mounted read-only says so before it says that the folder is there.
                if (Unix.TryStat(full, followLinks: true, out UnixStat found))
                {
                    if (found.IsFolder)
                    {
                        return;
                    }

                    error = Errno.NotFolder;
                }

                throw Errno.Failure("mkdir", path, error);
            }
        }

        if (Unix.TryStat(full, followLinks: false, out UnixStat made) && (made.Mode & 0x1FF) != Unix.FolderMode
            && Libc.ChangeMode(full, Unix.FolderMode) != 0)
        {
            throw Errno.Failure("chmod", path);
        }
    }

    public void SpreadFolders(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        byte* buffer = stackalloc byte[UnixPath.Bytes];
        int fd = Unix.Open(_paths.Join(path, buffer), 0);
        if (fd < 0)
        {
            throw Errno.Failure("open", path);
        }

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
        byte* left = stackalloc byte[UnixPath.Bytes];
        byte* right = stackalloc byte[UnixPath.Bytes];
        if (Libc.Rename(_paths.Join(from, left), _paths.Join(to, right)) != 0)
        {
            int error = Errno.Last;
            throw error == Errno.Exists // some systems say this instead of ENOTEMPTY
                ? new DiskException(DiskError.NotEmpty, "rename", to, error)
                : Errno.Failure("rename", from, error);
        }
    }

    public void Exchange(string left, string right)
    {
        byte* first = stackalloc byte[UnixPath.Bytes];
        byte* second = stackalloc byte[UnixPath.Bytes];
        if (Unix.Exchange(_paths.Join(left, first), _paths.Join(right, second)) != 0)
        {
            throw Errno.OptionalFailure("renameat2", left);
        }
    }

    public void Link(string existing, string added)
    {
        byte* from = stackalloc byte[UnixPath.Bytes];
        byte* to = stackalloc byte[UnixPath.Bytes];
        if (Libc.Link(_paths.Join(existing, from), _paths.Join(added, to)) != 0)
        {
            throw Errno.OptionalFailure("link", added);
        }
    }

    public void SetModified(string path, long unixMs)
    {
        byte* buffer = stackalloc byte[UnixPath.Bytes];
        if (Unix.SetModified(_paths.Join(path, buffer), unixMs) != 0)
        {
            throw Errno.Failure("utimensat", path);
        }
    }

    public void Unlink(string path)
    {
        byte* buffer = stackalloc byte[UnixPath.Bytes];
        if (Libc.Unlink(_paths.Join(path, buffer)) != 0)
        {
            throw Errno.Failure("unlink", path);
        }
    }

    public void RemoveFolder(string path)
    {
        byte* buffer = stackalloc byte[UnixPath.Bytes];
        if (Libc.RemoveFolder(_paths.Join(path, buffer)) != 0)
        {
            int error = Errno.Last;
            throw error == Errno.Exists
                ? new DiskException(DiskError.NotEmpty, "rmdir", path, error)
                : Errno.Failure("rmdir", path, error);
        }
    }

    public void SyncFolder(string path)
    {
        byte* buffer = stackalloc byte[UnixPath.Bytes];
        int fd = Unix.Open(_paths.Join(path, buffer), 0);
        if (fd < 0)
        {
            throw Errno.Failure("open", path);
        }

        int result = Unix.SyncFolder(fd);
        int error = Errno.Last;
        Libc.Close(fd);

        // EINVAL: a file system where names need no syncing, or where nothing can be done about it.
        if (result != 0 && error != Errno.Invalid)
        {
            throw Errno.Failure("fsync", path, error);
        }
    }

    public bool TrySyncAll()
    {
        if (!SyncfsTellsErrors)
        {
            return false;
        }

        int fd = RootDescriptor();
        if (fd < 0)
        {
            throw Errno.Failure("open", "");
        }

        return Libc.SyncFileSystem(fd) == 0 ? true : throw Errno.Failure("syncfs", "");
    }

    public ILockFile OpenLocks(string path, bool readOnly)
    {
        byte* buffer = stackalloc byte[UnixPath.Bytes];
        int fd = Unix.Open(_paths.Join(path, buffer), readOnly ? 0 : Unix.ReadWrite);
        if (fd < 0)
        {
            throw Errno.Failure("open", path);
        }

        return new UnixLockFile(_paths, path, fd, UnixOpening.StatOrClose(fd, path).Identity);
    }

    public ISharedPage? OpenSharedPage(string path, bool readOnly) => UnixSharedPage.Open(_paths, path, readOnly);

    public void Dispose()
    {
        int fd = Interlocked.Exchange(ref _rootFd, -1);
        if (fd >= 0)
        {
            Libc.Close(fd);
        }
    }

    private bool IsFolder(string path, string name, byte type) => type == UnknownType
        ? Stat(path.Length == 0 ? name : path + "/" + name) is { IsFolder: true }
        : type == FolderType;

    private void CreateParents()
    {
        try
        {
            if (Path.GetDirectoryName(_root) is { } parent)
            {
                Directory.CreateDirectory(parent, (UnixFileMode)Unix.FolderMode);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            DiskError kind = e is UnauthorizedAccessException ? DiskError.AccessDenied : DiskError.NotFolder;
            throw new DiskException(kind, "mkdir", "", Errno.Last);
        }
    }

    private DiskCapabilities AskCapabilities()
    {
        lock (_gate)
        {
            if (_capabilities is { } known)
            {
                return known;
            }

            int fd = RootDescriptor();
            if (fd >= 0)
            {
                return _capabilities = FileSystems.Of(fd);
            }

            int parent = OpenNearestParent();
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

    private int RootDescriptor()
    {
        lock (_gate)
        {
            if (_rootFd < 0)
            {
                byte* buffer = stackalloc byte[UnixPath.Bytes];
                _rootFd = Unix.Open(_paths.Join("", buffer), 0);
            }

            return _rootFd;
        }
    }

    // A folder that is not there yet will lie on the file system of the nearest one that is.
    private int OpenNearestParent()
    {
        byte* buffer = stackalloc byte[UnixPath.Bytes];
        string? folder = _root;
        while ((folder = Path.GetDirectoryName(folder)) is not null)
        {
            int fd = Unix.Open(new UnixPath(folder).Join("", buffer), 0);
            if (fd >= 0)
            {
                return fd;
            }
        }

        throw Errno.Failure("open", "");
    }
}
