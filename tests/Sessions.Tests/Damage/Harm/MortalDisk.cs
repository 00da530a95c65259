using Sessions.Platform;

namespace Sessions.Tests.Damage.Harm;

/// <summary>A disk whose process can be killed: all files and locks that were opened through it are closed then, and
/// nothing is done any more.</summary>
internal sealed class MortalDisk(IDisk disk) : IDisk
{
    private readonly List<IDisposable> _open = [];
    private bool _isDead;

    public DiskCapabilities Capabilities => disk.Capabilities;

    public string Root => disk.Root;

    /// <summary>Ends it as a kill ends a process. The memory that it mapped stays: who still looks at it would
    /// end.</summary>
    public void Kill()
    {
        _isDead = true;
        _open.ForEach(o => o.Dispose());
        _open.Clear();
    }

    public IDiskFile Open(string path, OpenMode mode, bool mayBeLinked = false)
        => Kept(new File(this, Living.Open(path, mode, mayBeLinked)));

    public DiskEntry? Stat(string path) => Living.Stat(path);

    public DiskEntry? Glance(string path) => Living.Glance(path);

    public IReadOnlyList<DiskName> List(string path) => Living.List(path);

    public void CreateFolder(string path) => Living.CreateFolder(path);

    public void SpreadFolders(string path) => Living.SpreadFolders(path);

    public void Rename(string from, string to) => Living.Rename(from, to);

    public void Exchange(string left, string right) => Living.Exchange(left, right);

    public void Link(string existing, string added) => Living.Link(existing, added);

    public void SetModified(string path, long unixMs) => Living.SetModified(path, unixMs);

    public void Unlink(string path) => Living.Unlink(path);

    public void RemoveFolder(string path) => Living.RemoveFolder(path);

    public void SyncFolder(string path) => Living.SyncFolder(path);

    public bool TrySyncAll() => Living.TrySyncAll();

    public ILockFile OpenLocks(string path, bool readOnly) => Kept(new Locks(this, Living.OpenLocks(path, readOnly)));

    public ISharedPage? OpenSharedPage(string path, bool readOnly) => Living.OpenSharedPage(path, readOnly);

    public void Dispose()
    {
        Kill();
        disk.Dispose();
    }

    private IDisk Living => _isDead ? throw new InvalidOperationException("The process was killed.") : disk;

    private T Kept<T>(T opened)
        where T : IDisposable
    {
        _open.Add(opened);
        return opened;
    }

    private void End(IDisposable wrapper, IDisposable opened)
    {
        if (!_isDead)
        {
            _open.Remove(wrapper);
        }

        opened.Dispose();
    }

    private sealed class File(MortalDisk owner, IDiskFile file) : IDiskFile
    {
        public ulong Identity => file.Identity;

        public bool IsLinked => file.IsLinked;

        public long Length => file.Length;

        public int Read(Span<byte> buffer, long offset) => file.Read(buffer, offset);

        public long NextData(long offset) => file.NextData(offset);

        public void Write(ReadOnlySpan<byte> data, long offset) => file.Write(data, offset);

        public void SetLength(long length) => file.SetLength(length);

        public void Sync() => file.Sync();

        public void StartWriteback() => file.StartWriteback();

        public bool? IsOpenElsewhere() => file.IsOpenElsewhere();

        public void Dispose() => owner.End(this, file);
    }

    private sealed class Locks(MortalDisk owner, ILockFile file) : ILockFile
    {
        public bool IsLinked => file.IsLinked;

        public bool TryLock(long offset, bool exclusive) => file.TryLock(offset, exclusive);

        public void Unlock(long offset) => file.Unlock(offset);

        public bool IsHeldByOther(long offset) => file.IsHeldByOther(offset);

        public void Dispose() => owner.End(this, file);
    }
}
