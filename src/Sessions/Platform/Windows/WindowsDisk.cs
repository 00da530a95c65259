using System.Diagnostics.CodeAnalysis;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Sessions.Platform.Windows;

/// <summary>
/// The disk of Windows. Files are opened so that others may rename and remove them. There is no
/// exchange of two names, no folder sync (renames are written through) and no mode: the folder's
/// access list rules, and the user's data folder is closed to others. Owners are not looked at.
/// </summary>
[SupportedOSPlatform("windows")]
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
internal sealed unsafe class WindowsDisk(string root) : IDisk
{
    private const uint FileMode600 = 0x180;
    private const uint FolderMode700 = 0x1C0;

    private readonly WindowsPath _paths = new(root);
    private DiskCapabilities? _capabilities;

    public DiskCapabilities Capabilities => _capabilities ??= AskCapabilities();

    public string Root => root;

    public IDiskFile Open(string path, OpenMode mode, bool mayBeLinked = false)
    {
        SafeFileHandle handle = OpenHandle(path, mode, mayBeLinked);
        WindowsFileInfo info = WindowsPath.Info(handle, path);
        return new WindowsFile(handle, path, info.Identity, info.Links > 1);
    }

    public DiskEntry? Stat(string path)
    {
        StorePath.Check("CreateFile", path);
        nint handle = Kernel32.CreateFile(_paths.Full(path), Kernel32.ReadAttributes, Kernel32.ShareAll, 0,
            Kernel32.OpenExisting, Kernel32.BackupSemantics | (path.Length == 0 ? 0 : Kernel32.OpenReparsePoint), 0);
        if (handle == -1)
        {
            DiskException failure = WindowsErrors.Failure("CreateFile", path);
            return failure.Error is DiskError.NotFound or DiskError.NotFolder ? null : throw failure;
        }

        using var opened = new SafeFileHandle(handle, ownsHandle: true);
        WindowsFileInfo info = WindowsPath.Info(opened, path);
        bool folder = info.IsFolder && !(info.IsLink && path.Length > 0);
        return new DiskEntry(folder, info.Length, info.Identity, info.Links, folder ? FolderMode700 : FileMode600,
            info.ModifiedMs) { IsOther = info.IsLink && path.Length > 0 };
    }

    public IReadOnlyList<DiskName> List(string path) => Run("FindFirstFile", path, () =>
    {
        StorePath.Check("FindFirstFile", path);
        using SafeFileHandle folder = Hold("FindFirstFile", path);
        var names = new List<DiskName>();
        foreach (FileSystemInfo entry in new DirectoryInfo(Full(path)).EnumerateFileSystemInfos())
        {
            bool isLink = (entry.Attributes & FileAttributes.ReparsePoint) != 0;
            names.Add(new DiskName(entry.Name, !isLink && (entry.Attributes & FileAttributes.Directory) != 0)
            {
                IsOther = isLink,
            });
        }

        return names;
    });

    public void CreateFolder(string path)
    {
        if (path.Length > 0 && Stat(Path.GetDirectoryName(path) ?? "") is null)
        {
            throw new DiskException(DiskError.NotFound, "CreateDirectory", path, 3);
        }

        if (Stat(path) is { IsFolder: false } found)
        {
            throw new DiskException(found.IsOther ? DiskError.Misplaced : DiskError.NotFolder, "CreateDirectory", path,
                183);
        }

        using SafeFileHandle? parent = path.Length == 0 ? null : _paths.HoldParent("CreateDirectory", path);
        Run("CreateDirectory", path, () => Directory.CreateDirectory(_paths.Full(path)));
    }

    public void SpreadFolders(string path)
    {
        // NTFS keeps the records of all files in one table.
    }

    public void Rename(string from, string to)
    {
        StorePath.Check("MoveFileEx", from);
        StorePath.Check("MoveFileEx", to);

        // Windows does not replace a folder, not even an empty one.
        if (Stat(to) is { IsFolder: true } && Stat(from) is { IsFolder: true })
        {
            RemoveFolder(to);
        }

        using SafeFileHandle source = _paths.HoldParent("MoveFileEx", from);
        using SafeFileHandle target = _paths.HoldParent("MoveFileEx", to);
        if (Kernel32.MoveFile(Full(from), Full(to), Kernel32.ReplaceExisting | Kernel32.WriteThrough) == 0)
        {
            throw WindowsErrors.Failure("MoveFileEx", from);
        }
    }

    public void Exchange(string left, string right) =>
        throw new DiskException(DiskError.Unsupported, "exchange", left, 0);

    public void Link(string existing, string added)
    {
        StorePath.Check("CreateHardLink", existing);
        StorePath.Check("CreateHardLink", added);
        using SafeFileHandle source = _paths.HoldParent("CreateHardLink", existing);
        using SafeFileHandle target = _paths.HoldParent("CreateHardLink", added);
        if (Kernel32.CreateHardLink(Full(added), Full(existing), 0) == 0)
        {
            throw WindowsErrors.Failure("CreateHardLink", added);
        }
    }

    public void SetModified(string path, long unixMs) => Run("SetFileTime", path,
        () =>
        {
            using SafeFileHandle handle = OpenHandle(path, OpenMode.ReadWrite, mayBeLinked: true);
            File.SetLastWriteTimeUtc(handle, DateTimeOffset.FromUnixTimeMilliseconds(unixMs).UtcDateTime);
        });

    public void Unlink(string path)
    {
        if (Stat(path) is not { } entry)
        {
            throw new DiskException(DiskError.NotFound, "DeleteFile", path, 2); // File.Delete says nothing
        }

        if (entry.IsFolder)
        {
            throw new DiskException(DiskError.IsFolder, "DeleteFile", path, 5);
        }

        using SafeFileHandle parent = _paths.HoldParent("DeleteFile", path);
        Run("DeleteFile", path, () => File.Delete(Full(path)));
    }

    public void RemoveFolder(string path) => Run("RemoveDirectory", path, () =>
    {
        StorePath.Check("RemoveDirectory", path);
        using SafeFileHandle parent = _paths.HoldParent("RemoveDirectory", path);
        Directory.Delete(Full(path));
    });

    // NTFS logs names in order, and renames are written through.
    public void SyncFolder(string path)
    {
        if (Stat(path) is null)
        {
            throw new DiskException(DiskError.NotFound, "CreateFile", path, 2);
        }
    }

    public bool TrySyncAll() => false;

    public ILockFile OpenLocks(string path, bool readOnly)
    {
        SafeFileHandle handle = OpenHandle(path, readOnly ? OpenMode.Read : OpenMode.ReadWrite, mayBeLinked: true);
        return new WindowsLockFile(this, path, handle, Stat(path)?.Identity ?? 0);
    }

    public ISharedPage? OpenSharedPage(string path, bool readOnly)
    {
        if (readOnly && Stat(path) is not { Length: >= SharedPage.Bytes })
        {
            return null;
        }

        SafeFileHandle handle = OpenHandle(path, readOnly ? OpenMode.Read : OpenMode.OpenOrCreate,
            mayBeLinked: false);
        return Run("CreateFileMapping", path, () => new WindowsSharedPage(this, path, handle, readOnly));
    }

    public void Dispose()
    {
        // Holds nothing between the calls.
    }

    private string Full(string path) => _paths.Full(path);

    private SafeFileHandle Hold(string operation, string path) => _paths.Open(operation, path,
        Kernel32.ReadAttributes, Kernel32.ShareReadAndWrite, Kernel32.OpenExisting, Kernel32.BackupSemantics);

    private SafeFileHandle OpenHandle(string path, OpenMode mode, bool mayBeLinked)
    {
        StorePath.Check("CreateFile", path);
        if (Stat(path) is { IsFolder: true } && mode != OpenMode.CreateNew)
        {
            throw new DiskException(DiskError.IsFolder, "CreateFile", path, 0);
        }

        using SafeFileHandle? parent = mode is OpenMode.CreateNew or OpenMode.OpenOrCreate
            ? _paths.HoldParent("CreateFile", path) : null; // a file must not be made behind a link
        uint access = Kernel32.GenericRead | (mode == OpenMode.Read ? 0 : Kernel32.GenericWrite);
        SafeFileHandle handle = _paths.Open("CreateFile", path, access, Kernel32.ShareAll, mode switch
        {
            OpenMode.CreateNew => Kernel32.CreateNew,
            OpenMode.OpenOrCreate => Kernel32.OpenAlways,
            _ => Kernel32.OpenExisting,
        }, 0);
        if (!mayBeLinked && WindowsPath.Info(handle, path).Links > 1)
        {
            handle.Dispose();
            throw new DiskException(DiskError.Misplaced, "CreateFile", path, 0);
        }

        return handle;
    }

    private static T Run<T>(string operation, string path, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WindowsErrors.Failure(operation, path, e);
        }
    }

    private static void Run(string operation, string path, Action call) => Run(operation, path, () =>
    {
        call();
        return true;
    });

    private DiskCapabilities AskCapabilities()
    {
        try
        {
            var drive = new DriveInfo(Path.GetPathRoot(root) ?? root);
            string name = drive.DriveFormat.ToLowerInvariant();
            return new DiskCapabilities(name, drive.DriveType != DriveType.Network,
                HardLinks: name is "ntfs", AtomicExchange: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A share ("\\server\share") has no drive letter.
            return new DiskCapabilities("unknown", IsLocal: false, HardLinks: false, AtomicExchange: false);
        }
    }
}
