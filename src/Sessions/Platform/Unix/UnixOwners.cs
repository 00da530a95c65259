namespace Sessions.Platform.Unix;

/// <summary>
/// Whose files are the store's, as ssh decides it for its own (sshd(8), StrictModes): those of the user that runs
/// this process and of root, as long as nobody else may write to them. Root may open the store of one other user;
/// then that user's files are the store's, and what root makes there is given to that user.
/// </summary>
internal sealed class UnixOwners
{
    private const uint OthersMayWrite = 0x12; // 0022
    private const uint FileBits = 0x1B6;      // 0666
    private const uint Permissions = 0x1FF;   // 0777; the bits above are passed on by the system

    private readonly bool _isShared;

    /// <param name="root">The store's folder.</param>
    /// <param name="isShared">True where all users that the folder lets in are trusted.</param>
    public UnixOwners(in UnixStat root, bool isShared)
    {
        uint user = Libc.EffectiveUser();
        _isShared = isShared;
        Owner = user == 0 ? root.Owner : user;
        NewOwner = user == 0 && root.Owner != 0 && !isShared ? root.Owner : null;

        // The mode of a shared folder decides which users may read and write what is made in it.
        FileMode = isShared ? (root.Mode & FileBits) | Posix.FileMode : Posix.FileMode;
        FolderMode = isShared ? (root.Mode & Permissions) | Posix.FolderMode : Posix.FolderMode;
    }

    public uint Owner { get; }

    /// <summary>The user that a new file is given to; null: it stays with this process's user.</summary>
    public uint? NewOwner { get; }

    /// <summary>The mode of a new file.</summary>
    public uint FileMode { get; }

    /// <summary>The mode of a new folder.</summary>
    public uint FolderMode { get; }

    /// <summary>False where an untrusted user owns it or may write to it.</summary>
    public bool Have(in UnixStat stat)
        => _isShared || ((stat.Owner == Owner || stat.Owner == 0) && (stat.Mode & OthersMayWrite) == 0);

    /// <summary>The exception for what they do not have.</summary>
    public DiskException Refusal(string operation, string path, in UnixStat stat) => new(DiskError.AccessDenied,
        operation, path, Errno.Access) { Owner = stat.Owner, Mode = stat.Mode & Posix.ModeBits, IsOfOthers = true };

    /// <summary>Gives what was just made, and is open, its mode and owner.</summary>
    public void Give(int descriptor, string path, uint mode, in UnixStat made)
    {
        if (NewOwner is { } owner && made.Owner != owner && Libc.ChangeOwner(descriptor, owner, uint.MaxValue) != 0)
        {
            throw Errno.Failure("fchown", path);
        }

        // The umask can only have taken rights away; asking is cheaper than always setting them.
        if ((made.Mode & Permissions) != mode
            && Libc.ChangeMode(descriptor, mode | (made.Mode & Posix.ModeBits & ~Permissions)) != 0)
        {
            throw Errno.Failure("fchmod", path);
        }
    }
}
