using Sessions.Storage.Rows;

namespace Sessions.Platform;

/// <summary>What went wrong on a disk, in the terms the engine decides by.</summary>
internal enum DiskError
{
    /// <summary>Anything else; see the error number.</summary>
    Io,

    /// <summary>ENOENT.</summary>
    NotFound,

    /// <summary>EEXIST.</summary>
    Exists,

    /// <summary>ENOSPC, EDQUOT, EFBIG.</summary>
    NoSpace,

    /// <summary>EACCES, EPERM.</summary>
    AccessDenied,

    /// <summary>EROFS.</summary>
    ReadOnly,

    /// <summary>ENOTDIR.</summary>
    NotFolder,

    /// <summary>EISDIR.</summary>
    IsFolder,

    /// <summary>ENOTEMPTY.</summary>
    NotEmpty,

    /// <summary>What stands there is no part of a store: a link on the way or in its place, a pipe, a socket, a
    /// device, a file that has a second name where it must have one. Or the path is none that a store has.</summary>
    Misplaced,

    /// <summary>EMFILE, ENFILE: this process, or the machine, has no more descriptors.</summary>
    NoDescriptor,

    /// <summary>EXDEV, EMLINK, ENOSYS, EINVAL of an optional call: this disk lacks it.</summary>
    Unsupported,

    /// <summary>Another thread closed the store during the call; no call of the system was made.</summary>
    Closed,
}

/// <summary>A file operation failed. <see cref="Operation"/> is the system call's name.</summary>
internal sealed class DiskException(DiskError error, string operation, string path, int osError)
    : Exception($"{operation} {path}: {error} ({osError})")
{
    /// <summary>The kind of failure.</summary>
    public DiskError Error { get; } = error;

    /// <summary>The call that failed, as the system names it: "fdatasync".</summary>
    public string Operation { get; } = operation;

    /// <summary>The path, relative to the store.</summary>
    public string Path { get; } = path;

    /// <summary>errno or GetLastError; 0 where there is none.</summary>
    public int OsError { get; } = osError;

    /// <summary>True where the call was about no file of the store: <see cref="Path"/> says nothing then.</summary>
    public bool HasNoFile { get; init; }

    /// <summary>True where a sync failed of what somebody relies on: the system may have dropped what it was to
    /// write, and no later sync need tell of it. It poisons the store (<see cref="StoreCore.Heed"/>).</summary>
    public bool IsFailedSync { get; init; }

    /// <summary>True where it was refused because an untrusted user owns it or may write to it;
    /// <see cref="Owner"/> and <see cref="Mode"/> are then its own.</summary>
    public bool IsOfOthers { get; init; }

    /// <summary>The user that it belongs to, as the system counts users.</summary>
    public uint Owner { get; init; }

    /// <summary>Its permissions.</summary>
    public uint Mode { get; init; }
}
