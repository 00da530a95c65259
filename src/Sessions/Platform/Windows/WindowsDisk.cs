using System.Diagnostics.CodeAnalysis;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Sessions.Platform;

/// <summary>
/// The disk of Windows. Files are opened so that others may rename and remove them. There is no
/// exchange of two names, no folder sync (renames are written through) and no mode: the folder's
/// access list rules, and the user's data folder is closed to others.
/// </summary>
[SupportedOSPlatform("windows")]
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
internal sealed unsafe class WindowsDisk(string root) : IDisk
{
    private const FileShare ShareAll = FileShare.ReadWrite | FileShare.Delete;
    private const uint FileMode600 = 0x180;
    private const uint FolderMode700 = 0x1C0;

    private DiskCapabilities? _capabilities;

    public DiskCapabilities Capabilities => _capabilities ??= AskCapabilities();

    public IDiskFile Open(string path, OpenMode mode)
    {
        if (mode == OpenMode.Read && Stat(path) is { IsFolder: true })
        {
            throw new DiskException(DiskError.IsFolder, "CreateFile", path, 0);
        }

        return new WindowsFile(OpenHandle(path, mode), path);
    }

    public DiskEntry? Stat(string path)
    {
        uint flags = Kernel32.BackupSemantics | (path.Length == 0 ? 0 : Kernel32.OpenReparsePoint);
        nint handle = Kernel32.CreateFile(
            Full(path), Kernel32.ReadAttributes, Kernel32.ShareAll, 0, Kernel32.OpenExisting, flags, 0);
        if (handle == -1)
        {
            DiskException failure = WindowsErrors.Failure("CreateFile", path);
            return failure.Error is DiskError.NotFound or DiskError.NotFolder ? null : throw failure;
        }

        try
        {
            WindowsFileInfo info;
            if (Kernel32.GetFileInformation(handle, &info) == 0)
            {
                throw WindowsErrors.Failure("GetFileInformationByHandle", path);
            }

            bool folder = (info.Attributes & WindowsFileInfo.Folder) != 0;
            return new DiskEntry(
                folder, info.Length, info.Identity, info.Links, folder ? FolderMode700 : FileMode600,
                info.ModifiedMs);
        }
        finally
        {
            Kernel32.CloseHandle(handle);
        }
    }

    public IReadOnlyList<DiskName> List(string path) => Run("FindFirstFile", path, () =>
    {
        var names = new List<DiskName>();
        foreach (FileSystemInfo entry in new DirectoryInfo(Full(path)).EnumerateFileSystemInfos())
        {
            bool isLink = (entry.Attributes & FileAttributes.ReparsePoint) != 0;
            names.Add(new DiskName(entry.Name, !isLink && (entry.Attributes & FileAttributes.Directory) != 0));
        }

        return names;
    });

    public void CreateFolder(string path)
    {
        if (path.Length > 0 && Stat(Path.GetDirectoryName(path) ?? "") is null)
        {
            throw new DiskException(DiskError.NotFound, "CreateDirectory", path, 3);
        }

        if (Stat(path) is { IsFolder: false })
        {
            throw new DiskException(DiskError.NotFolder, "CreateDirectory", path, 183);
        }

        Run("CreateDirectory", path, () => Directory.CreateDirectory(Full(path)));
    }

    public void SpreadFolders(string path)
    {
        // NTFS keeps the records of all files in one table.
    }

    public void Rename(string from, string to)
    {
        // Windows does not replace a folder, not even an empty one.
        if (Stat(to) is { IsFolder: true } && Stat(from) is { IsFolder: true })
        {
            RemoveFolder(to);
        }

        if (Kernel32.MoveFile(Full(from), Full(to), Kernel32.ReplaceExisting | Kernel32.WriteThrough) == 0)
        {
            throw WindowsErrors.Failure("MoveFileEx", from);
        }
    }

    public void Exchange(string left, string right) =>
        throw new DiskException(DiskError.Unsupported, "exchange", left, 0);

    public void Link(string existing, string added)
    {
        if (Kernel32.CreateHardLink(Full(added), Full(existing), 0) == 0)
        {
            throw WindowsErrors.Failure("CreateHardLink", added);
        }
    }

    public void SetModified(string path, long unixMs) => Run("SetFileTime", path,
        () => File.SetLastWriteTimeUtc(Full(path), DateTimeOffset.FromUnixTimeMilliseconds(unixMs).UtcDateTime));

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

        Run("DeleteFile", path, () => File.Delete(Full(path)));
    }

    public void RemoveFolder(string path) => Run("RemoveDirectory", path, () => Directory.Delete(Full(path)));

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
        SafeFileHandle handle = OpenHandle(path, readOnly ? OpenMode.Read : OpenMode.ReadWrite);
        return new WindowsLockFile(this, path, handle, Stat(path)?.Identity ?? 0);
    }

    public ISharedPage? OpenSharedPage(string path, bool readOnly)
    {
        if (readOnly && Stat(path) is not { Length: >= SharedPage.Bytes })
        {
            return null;
        }

        SafeFileHandle handle = OpenHandle(path, readOnly ? OpenMode.Read : OpenMode.OpenOrCreate);
        return Run("CreateFileMapping", path, () => new WindowsSharedPage(this, path, handle, readOnly));
    }

    public void Dispose()
    {
        // Holds nothing between the calls.
    }

    // .NET's own calls take the form with \\?\ too, which lifts the limit of 260 characters.
    private string Full(string path)
    {
        string full = path.Length == 0 ? root : Path.Combine(root, path.Replace('/', '\\'));
        return full.StartsWith(@"\\", StringComparison.Ordinal) ? full : @"\\?\" + full;
    }

    private SafeFileHandle OpenHandle(string path, OpenMode mode) => Run("CreateFile", path, () => mode switch
    {
        OpenMode.Read => File.OpenHandle(Full(path), FileMode.Open, FileAccess.Read, ShareAll),
        OpenMode.ReadWrite => File.OpenHandle(Full(path), FileMode.Open, FileAccess.ReadWrite, ShareAll),
        OpenMode.CreateNew => File.OpenHandle(Full(path), FileMode.CreateNew, FileAccess.ReadWrite, ShareAll),
        _ => File.OpenHandle(Full(path), FileMode.OpenOrCreate, FileAccess.ReadWrite, ShareAll),
    });

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
