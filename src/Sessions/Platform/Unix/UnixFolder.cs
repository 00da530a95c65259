using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Sessions.Platform.Unix;

/// <summary>Lists and makes folders of Linux and macOS.</summary>
[SkipLocalsInit]
[UnsupportedOSPlatform("windows")]
internal static unsafe class UnixFolder
{
    private const byte UnknownType = 0;
    private const byte FolderType = 4;
    private const byte FileType = 8;

    /// <summary>The names in an open folder, whose descriptor is closed on return.</summary>
    public static List<DiskName> List(int fd, string path)
        => OperatingSystem.IsLinux() ? ListByBlocks(fd, path) : ListByNames(fd, path);

    /// <summary>Makes a folder of the store's owner; fine where one is.</summary>
    public static void Create(in UnixPlace place, string path, UnixOwners owners)
    {
        int made;
        using (new FileUser(owners.NewOwner))
        {
            made = Libc.MakeFolderAt(place.Folder, place.Name, owners.FolderMode);
        }

        if (made != 0)
        {
            int error = Errno.Last;

            // A file system mounted read-only says so before it says that the folder is there.
            if (Posix.TryStat(place.Folder, place.Name, out UnixStat found, Posix.Kind))
            {
                if (found.IsFolder)
                {
                    return;
                }

                error = found.IsRegular ? Errno.NotFolder : Errno.Loop;
            }

            throw Errno.Failure("mkdir", path, error);
        }

        int fd = Posix.MoveUp(
            Posix.OpenAt(place.Folder, place.Name, Posix.ReadOnly | Posix.Folder | Posix.NoFollow, 0));
        if (fd < 0)
        {
            throw Errno.Failure("mkdir", path);
        }

        try
        {
            if (!Posix.TryStat(fd, out UnixStat stat))
            {
                throw Errno.Failure("fstat", path);
            }

            owners.Give(fd, path, owners.FolderMode, stat);
        }
        finally
        {
            Libc.Close(fd);
        }
    }

    /// <summary>Makes the store's own folder and those above it; fine where it is.</summary>
    public static void CreateRoot(string root)
    {
        byte* full = stackalloc byte[UnixName.Bytes];
        if (!UnixName.TryWrite(root, new Span<byte>(full, UnixName.Bytes)))
        {
            throw Errno.Failure("mkdir", "", Errno.NameTooLong);
        }

        int error = Libc.MakeFolder(full, Posix.FolderMode) == 0 ? 0 : Errno.Last;
        if (error == Errno.NotFound)
        {
            CreateParents(root);
            error = Libc.MakeFolder(full, Posix.FolderMode) == 0 ? 0 : Errno.Last;
        }

        if (error == 0)
        {
            RestoreMode(full);
            return;
        }

        if (Posix.TryStatBehind(full, out UnixStat found))
        {
            if (found.IsFolder)
            {
                return;
            }

            error = Errno.NotFolder;
        }

        throw Errno.Failure("mkdir", "", error);
    }

    /// <summary>A descriptor of the nearest folder above one that is not there, which will lie on its file
    /// system.</summary>
    public static int OpenNearestParent(string root)
    {
        byte* buffer = stackalloc byte[UnixName.Bytes];
        string? folder = root;
        while ((folder = Path.GetDirectoryName(folder)) is not null)
        {
            int fd = UnixName.TryWrite(folder, new Span<byte>(buffer, UnixName.Bytes))
                ? Posix.Open(buffer, Posix.Folder) : -1;
            if (fd >= 0)
            {
                return fd;
            }
        }

        throw Errno.Failure("open", "");
    }

    // Linux hands out as many names as a buffer takes: three calls less than opendir(3) needs around the same one,
    // and no memory from malloc. Each opening lists three folders.
    private static List<DiskName> ListByBlocks(int fd, string path)
    {
        byte* block = stackalloc byte[LinuxFolder.BlockBytes];
        var names = new List<DiskName>();
        try
        {
            int length;
            while ((length = LinuxFolder.Read(fd, block)) > 0)
            {
                for (byte* at = block; at < block + length; at += LinuxFolder.Length(at))
                {
                    Add(names, fd, LinuxFolder.Name(at), LinuxFolder.Type(at));
                }
            }

            return length == 0 ? names : throw Errno.Failure("getdents64", path);
        }
        finally
        {
            Libc.Close(fd);
        }
    }

    private static List<DiskName> ListByNames(int fd, string path)
    {
        nint folder = Posix.ListFolder(fd);
        if (folder == 0)
        {
            int error = Errno.Last;
            Libc.Close(fd);
            throw Errno.Failure("opendir", path, error);
        }

        var names = new List<DiskName>();
        try
        {
            byte* entry;
            while ((entry = Posix.ReadFolder(folder, out byte type)) is not null)
            {
                Add(names, fd, entry, type);
            }

            int error = Errno.Last;
            return error == 0 ? names : throw Errno.Failure("readdir", path, error);
        }
        finally
        {
            Libc.CloseFolder(folder);
        }
    }

    private static void Add(List<DiskName> names, int folder, byte* entry, byte type)
    {
        string name = UnixName.Read(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry));
        if (name is "." or "..")
        {
            return;
        }

        names.Add(type == UnknownType && Posix.TryStat(folder, entry, out UnixStat stat, Posix.Kind)
            ? new DiskName(name, stat.IsFolder) { IsOther = !stat.IsFolder && !stat.IsRegular }
            : new DiskName(name, type == FolderType) { IsOther = type is not (FolderType or FileType) });
    }

    private static void RestoreMode(byte* full)
    {
        int fd = Posix.Open(full, Posix.Folder | Posix.NoFollow);
        if (fd < 0)
        {
            throw Errno.Failure("open", "");
        }

        bool isDone = Posix.TryStat(fd, out UnixStat made)
            && ((made.Mode & 0x1FF) == Posix.FolderMode || Libc.ChangeMode(fd, Posix.FolderMode) == 0);
        int error = Errno.Last;
        Libc.Close(fd);
        if (!isDone)
        {
            throw Errno.Failure("fchmod", "", error);
        }
    }

    private static void CreateParents(string root)
    {
        byte* full = stackalloc byte[UnixName.Bytes];
        var missing = new Stack<string>();
        string? folder = root;
        while ((folder = Path.GetDirectoryName(folder)) is not null && !TryCreate(folder, full))
        {
            missing.Push(folder);
        }

        while (missing.TryPop(out folder))
        {
            if (!TryCreate(folder, full))
            {
                throw Errno.Failure("mkdir", "", Errno.NotFound); // where the system makes none
            }
        }
    }

    // False where the folder above is missing.
    private static bool TryCreate(string folder, byte* full)
    {
        UnixName.TryWrite(folder, new Span<byte>(full, UnixName.Bytes)); // shorter than the path that was written
        return Libc.MakeFolder(full, Posix.FolderMode) == 0 || Errno.Last switch
        {
            Errno.Exists => true,
            Errno.NotFound => false,
            _ => throw Errno.Failure("mkdir", ""),
        };
    }
}
