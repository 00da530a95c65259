using Sessions.Platform;

namespace Sessions.Tests.Support;

/// <summary>Counts what is asked of another disk, so that a test can tell work from time.</summary>
internal sealed class CountingDisk(IDisk disk) : IDisk
{
    private long _bytesRead;
    private long _bytesWritten;
    private long _opens;
    private long _lists;
    private long _syncs;

    public long BytesRead => Volatile.Read(ref _bytesRead);

    public long BytesWritten => Volatile.Read(ref _bytesWritten);

    public long Opens => Volatile.Read(ref _opens);

    /// <summary>Names that were listed.</summary>
    public long NamesListed => Volatile.Read(ref _lists);

    /// <summary>Syncs of files and folders.</summary>
    public long Syncs => Volatile.Read(ref _syncs);

    public DiskCapabilities Capabilities => disk.Capabilities;

    public void Reset() => _bytesRead = _bytesWritten = _opens = _lists = _syncs = 0;

    public IDiskFile Open(string path, OpenMode mode, bool mayBeLinked = false)
    {
        Interlocked.Increment(ref _opens);
        return new File(this, disk.Open(path, mode, mayBeLinked));
    }

    public DiskEntry? Stat(string path) => disk.Stat(path);

    public IReadOnlyList<DiskName> List(string path)
    {
        IReadOnlyList<DiskName> names = disk.List(path);
        Interlocked.Add(ref _lists, names.Count);
        return names;
    }

    public void CreateFolder(string path) => disk.CreateFolder(path);

    public void SpreadFolders(string path) => disk.SpreadFolders(path);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Exchange(string left, string right) => disk.Exchange(left, right);

    public void Link(string existing, string added) => disk.Link(existing, added);

    public void SetModified(string path, long unixMs) => disk.SetModified(path, unixMs);

    public void Unlink(string path) => disk.Unlink(path);

    public void RemoveFolder(string path) => disk.RemoveFolder(path);

    public void SyncFolder(string path)
    {
        Interlocked.Increment(ref _syncs);
        disk.SyncFolder(path);
    }

    public bool TrySyncAll()
    {
        Interlocked.Increment(ref _syncs);
        return disk.TrySyncAll();
    }

    /// <summary>Called before it is asked who holds a byte.</summary>
    public Action<long>? OnLookAtByte { get; set; }

    public ILockFile OpenLocks(string path, bool readOnly) => new LockFile(this, disk.OpenLocks(path, readOnly));

    public ISharedPage? OpenSharedPage(string path, bool readOnly) => disk.OpenSharedPage(path, readOnly);

    public void Dispose()
    {
        // A store disposes of its disk; a test opens one more on this one.
    }

    private sealed class LockFile(CountingDisk owner, ILockFile file) : ILockFile
    {
        public bool IsLinked => file.IsLinked;

        public bool TryLock(long offset, bool exclusive) => file.TryLock(offset, exclusive);

        public void Unlock(long offset) => file.Unlock(offset);

        public bool IsHeldByOther(long offset)
        {
            owner.OnLookAtByte?.Invoke(offset);
            return file.IsHeldByOther(offset);
        }

        public void Dispose() => file.Dispose();
    }

    private sealed class File(CountingDisk owner, IDiskFile file) : IDiskFile
    {
        public ulong Identity => file.Identity;

        public bool IsLinked => file.IsLinked;

        public long Length => file.Length;

        public int Read(Span<byte> buffer, long offset)
        {
            int read = file.Read(buffer, offset);
            Interlocked.Add(ref owner._bytesRead, read);
            return read;
        }

        public long NextData(long offset) => file.NextData(offset);

        public void Write(ReadOnlySpan<byte> data, long offset)
        {
            Interlocked.Add(ref owner._bytesWritten, data.Length);
            file.Write(data, offset);
        }

        public void SetLength(long length) => file.SetLength(length);

        public void Sync()
        {
            Interlocked.Increment(ref owner._syncs);
            file.Sync();
        }

        public void StartWriteback() => file.StartWriteback();

        public bool? IsOpenElsewhere() => file.IsOpenElsewhere();

        public void Dispose() => file.Dispose();
    }
}
