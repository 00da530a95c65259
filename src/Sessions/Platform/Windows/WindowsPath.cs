using System.Diagnostics.CodeAnalysis;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Sessions.Platform.Windows;

/// <summary>
/// Opens what lies in the store's folder by its path, and takes it only where the handle is of that very path:
/// Windows says where a handle's file really is (GetFinalPathNameByHandle), so a reparse point anywhere below the
/// root shows. The folder's own path may lead through links.
/// </summary>
[SupportedOSPlatform("windows")]
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
internal sealed unsafe class WindowsPath(string root)
{
    private const int PathCharacters = 32 * 1024;

    /// <summary>.NET's own calls take the form with \\?\ too, which lifts the limit of 260 characters.</summary>
    public string Full(string path)
    {
        if (path.AsSpan().IndexOfAny('\\', ':') >= 0)
        {
            throw new DiskException(DiskError.Misplaced, "CreateFile", path, 0); // a separator or a stream there
        }

        string full = path.Length == 0 ? root : Path.Combine(root, path.Replace('/', '\\'));
        return full.StartsWith(@"\\", StringComparison.Ordinal) ? full : @"\\?\" + full;
    }

    /// <summary>A handle of what stands at a path; Misplaced where a reparse point is on the way or in its
    /// place.</summary>
    public SafeFileHandle Open(string operation, string path, uint access, uint share, uint disposition, uint flags)
    {
        uint whole = flags | (path.Length == 0 ? 0 : Kernel32.OpenReparsePoint);
        nint opened = Kernel32.CreateFile(Full(path), access, share, 0, disposition, whole, 0);
        if (opened == -1)
        {
            throw WindowsErrors.Failure(operation, path);
        }

        var handle = new SafeFileHandle(opened, ownsHandle: true);
        try
        {
            if (path.Length > 0 && (Info(handle, path).IsLink || !IsAt(handle, path)))
            {
                throw new DiskException(DiskError.Misplaced, operation, path, 0);
            }

            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Keeps the folder that a name is in where it is for the length of a call: nobody can rename or
    /// replace it while a handle that does not share that is open.</summary>
    public SafeFileHandle HoldParent(string operation, string path)
        => Open(operation, path.LastIndexOf('/') is var slash and > 0 ? path[..slash] : "", Kernel32.ReadAttributes,
            Kernel32.ShareReadAndWrite, Kernel32.OpenExisting, Kernel32.BackupSemantics);

    public static WindowsFileInfo Info(SafeFileHandle handle, string path)
    {
        WindowsFileInfo info;
        return Kernel32.GetFileInformation(handle.DangerousGetHandle(), &info) != 0 ? info
            : throw WindowsErrors.Failure("GetFileInformationByHandle", path);
    }

    private bool IsAt(SafeFileHandle handle, string path)
    {
        using SafeFileHandle folder = Open("CreateFile", "", Kernel32.ReadAttributes, Kernel32.ShareAll,
            Kernel32.OpenExisting, Kernel32.BackupSemantics);
        string expected = Final(folder, "").TrimEnd('\\') + '\\' + path.Replace('/', '\\');
        return string.Equals(Final(handle, path), expected, StringComparison.OrdinalIgnoreCase);
    }

    private static string Final(SafeFileHandle handle, string path)
    {
        char[] buffer = new char[PathCharacters];
        fixed (char* text = buffer)
        {
            uint length = Kernel32.GetFinalPath(handle.DangerousGetHandle(), text, PathCharacters, 0);
            return length is > 0 and < PathCharacters ? new string(text, 0, (int)length)
                : throw WindowsErrors.Failure("GetFinalPathNameByHandle", path);
        }
    }
}
