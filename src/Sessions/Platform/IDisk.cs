namespace Sessions.Platform;

/// <summary>
/// Every access of the engine to files goes through this interface; nothing else in the engine may
/// call the operating system's file functions. Paths are relative to the store's folder, with '/'
/// between the parts, and "" for the folder itself; one that leads anywhere but down is refused
/// (<see cref="StorePath"/>). No link is followed on the way and none is opened, nor a pipe, a socket or a device
/// (<see cref="DiskError.Misplaced"/>), nor what an untrusted user owns or may write to
/// (<see cref="DiskException.IsOfOthers"/>). No open waits for another end. A failed call throws
/// <see cref="DiskException"/> and has done nothing, except a write, which may have written a part.
/// Files are made with mode 0600 and folders with 0700, whatever the umask; in a store that its owners share, with
/// what the store's folder allows.
/// </summary>
internal interface IDisk : IDisposable
{
    /// <summary>What this disk can do. Fixed for the life of the object.</summary>
    DiskCapabilities Capabilities { get; }

    /// <summary>Where the store's folder lies, for people to read; "" where it has no path.</summary>
    string Root => "";

    /// <summary>Opens a file. <see cref="OpenMode.CreateNew"/> fails with
    /// <see cref="DiskError.Exists"/> where the name is taken. Only logs, attachments and store.json may have more
    /// than one name: any other file that has is refused, since somebody may have linked a file of the user's here
    /// for it to be written over.</summary>
    IDiskFile Open(string path, OpenMode mode, bool mayBeLinked = false);

    /// <summary>What stands at the path; null where nothing does, or where a link is on the way: what is behind one is
    /// not in the store. A link at the end is an entry.</summary>
    DiskEntry? Stat(string path);

    /// <summary>The same with as few calls as the system allows, for what is asked of one file at each commit: which
    /// file it is, how long, how many names; no times. A link on the way may be followed, so the answer serves to be
    /// compared with what is known. Null also where it could not be asked.</summary>
    DiskEntry? Glance(string path) => Stat(path);

    /// <summary>The entries of a folder, without "." and "..", in no order. The folder must
    /// exist.</summary>
    IReadOnlyList<DiskName> List(string path);

    /// <summary>Makes one folder; fine where it exists.</summary>
    void CreateFolder(string path);

    /// <summary>Asks that what lies in the folders made in this one from now on be kept apart on the
    /// disk. Only a hint. ext4 has one for it (chattr +T): then inodes of the journal do not share
    /// blocks with those of sessions. Where ext4 has no journal of its own, fdatasync writes such a
    /// block whenever any inode in it has changed (ext4_fsync_nojournal, ext4_write_inode), so a swap
    /// of session.json made each later commit write two blocks, one after the other.</summary>
    void SpreadFolders(string path);

    /// <summary>rename(2): atomic, replaces a file or an empty folder at <paramref name="to"/>.</summary>
    void Rename(string from, string to);

    /// <summary>Swaps two files in one step (RENAME_EXCHANGE). Call it only where
    /// <see cref="DiskCapabilities.AtomicExchange"/> is set; both must exist.</summary>
    void Exchange(string left, string right);

    /// <summary>A second name for a file (hard link). Fails with <see cref="DiskError.Exists"/>.</summary>
    void Link(string existing, string added);

    /// <summary>Says when a file was last modified; of all its names, as content is. Not durable. Of another user's
    /// file, in a store of a team, the time is now.</summary>
    void SetModified(string path, long unixMs);

    /// <summary>Removes the name of a file.</summary>
    void Unlink(string path);

    /// <summary>Removes an empty folder.</summary>
    void RemoveFolder(string path);

    /// <summary>Makes the names in a folder durable. A failure is as final as that of a file's sync.</summary>
    void SyncFolder(string path);

    /// <summary>Makes everything on the file system durable (syncfs), or, where there is no such
    /// call, returns false and the caller syncs file by file.</summary>
    bool TrySyncAll();

    /// <summary>Opens a file that carries byte-range locks owned by this opening of it. The file
    /// must exist. With <paramref name="readOnly"/> only shared locks can be had.</summary>
    ILockFile OpenLocks(string path, bool readOnly);

    /// <summary>Maps <see cref="SharedPage.Bytes"/> bytes of a file that all processes on this
    /// machine share, made of zeros where it did not exist. Null where the file is absent and
    /// <paramref name="readOnly"/> is set.</summary>
    ISharedPage? OpenSharedPage(string path, bool readOnly);
}

/// <summary>An open file. Reads and writes name their offset, so one object serves many threads.</summary>
internal interface IDiskFile : IDisposable
{
    /// <summary>The same number for every opening of one file, whatever it is called.</summary>
    ulong Identity { get; }

    /// <summary>True where the file had more than one name when it was opened.</summary>
    bool IsLinked { get; }

    /// <summary>Size in bytes, asked of the system at each call.</summary>
    long Length { get; }

    /// <summary>Reads up to the buffer's length; fewer bytes only at the end of the file.</summary>
    int Read(Span<byte> buffer, long offset);

    /// <summary>The first offset, from this one on, where a byte other than zero may stand; the end of the
    /// file (or the offset, where that is beyond it) if a hole goes that far. A reader that needs no zeros skips
    /// a hole in one call, however large it is. Where the file system tells of no holes, the offset itself.</summary>
    long NextData(long offset);

    /// <summary>Writes all of it, growing the file with zeros where the offset lies beyond its end.</summary>
    void Write(ReadOnlySpan<byte> data, long offset);

    /// <summary>Cuts or grows (with zeros) the file.</summary>
    void SetLength(long length);

    /// <summary>Content and size are on stable storage on return (fdatasync; F_FULLFSYNC on
    /// macOS). Never call it again after it failed: the system may have dropped the pages
    /// (<see cref="DiskException.IsFailedSync"/>).</summary>
    void Sync();

    /// <summary>Asks the system to start writing without waiting. Only a hint.</summary>
    void StartWriteback();

    /// <summary>Whether anybody else, in any process, has this file open now; null where the system
    /// cannot say. It is said of the file itself, whatever it is called meanwhile.</summary>
    bool? IsOpenElsewhere();
}

/// <summary>How <see cref="IDisk.Open"/> opens.</summary>
internal enum OpenMode
{
    /// <summary>For reading; must exist.</summary>
    Read,

    /// <summary>For reading and writing; must exist.</summary>
    ReadWrite,

    /// <summary>For reading and writing; must not exist (O_EXCL).</summary>
    CreateNew,

    /// <summary>For reading and writing; made where it is absent.</summary>
    OpenOrCreate,
}

/// <summary>What stands at a path. <paramref name="Identity"/> is the same for two names of one
/// file; <paramref name="Links"/> is the number of names; <paramref name="ModifiedMs"/> is in unix ms.</summary>
internal readonly record struct DiskEntry(bool IsFolder, long Length, ulong Identity, uint Links, uint Mode,
    long ModifiedMs)
{
    /// <summary>True for what is neither a file nor a folder: a link, a pipe, a socket, a device.</summary>
    public bool IsOther { get; init; }

    /// <summary>True for a regular file.</summary>
    public bool IsFile => !IsFolder && !IsOther;

    /// <summary>True where an untrusted user owns it or may write to it.</summary>
    public bool IsOfOthers { get; init; }

    /// <summary>The user that it belongs to, as the system counts users; 0 where it does not.</summary>
    public uint Owner { get; init; }

    /// <summary>False where its owner took the right to read it from itself.</summary>
    public bool IsReadable => (Mode & 0x100) != 0;

    /// <summary>False where its owner took the right to write to it from itself.</summary>
    public bool IsWritable => (Mode & 0x80) != 0;

    /// <summary>False for a folder in which its owner may not make, find or remove names.</summary>
    public bool IsOpenToOwner => (Mode & 0x1C0) == 0x1C0;
}

/// <summary>One name in a folder.</summary>
internal readonly record struct DiskName(string Name, bool IsFolder)
{
    /// <summary>True for what is neither a file nor a folder.</summary>
    public bool IsOther { get; init; }
}

/// <summary>What a disk can do.</summary>
/// <param name="FileSystem">The file system's name ("ext4"), "unknown" where it has none we know.</param>
/// <param name="IsLocal">False on network and host-shared file systems.</param>
/// <param name="HardLinks">Link works.</param>
/// <param name="AtomicExchange">Exchange works.</param>
internal sealed record DiskCapabilities(string FileSystem, bool IsLocal, bool HardLinks, bool AtomicExchange);

/// <summary>
/// Byte-range locks of one opening of a file: two openings in one process exclude each other just
/// as two processes do, and all go when it is disposed of or the process ends, however it ends.
/// </summary>
internal interface ILockFile : IDisposable
{
    /// <summary>Takes or converts (in one step) the lock on one byte; false where another opening
    /// holds a lock in the way. Never waits.</summary>
    bool TryLock(long offset, bool exclusive);

    /// <summary>Lets go of the lock on one byte; fine where it is not held.</summary>
    void Unlock(long offset);

    /// <summary>True where another opening holds a lock that an exclusive one would meet.</summary>
    bool IsHeldByOther(long offset);

    /// <summary>True while the path still names the file that was opened.</summary>
    bool IsLinked { get; }
}

/// <summary>Memory that all processes with the store open share.</summary>
internal unsafe interface ISharedPage : IDisposable
{
    /// <summary>The first byte; 8-byte aligned, valid until Dispose.</summary>
    byte* Address { get; }

    /// <summary>True while the path still names the file that was mapped, and that is whole.</summary>
    bool IsLinked { get; }

    /// <summary>False where somebody cut the file: to touch the memory would end the process (SIGBUS). Asked of the
    /// system at each call, by the file's name.</summary>
    bool IsWhole { get; }

    /// <summary>Waits while *word is <paramref name="expected"/>, at most so long; may return
    /// early for no reason. The word lies in this page; other processes' wakes count.</summary>
    void Wait(int* word, int expected, int timeoutMs);

    /// <summary>Wakes up to <paramref name="count"/> waiters on the word, in any process.</summary>
    void Wake(int* word, int count);
}

/// <summary>Sizes of the shared page.</summary>
internal static class SharedPage
{
    /// <summary>Bytes that are mapped.</summary>
    public const int Bytes = 4096;
}
