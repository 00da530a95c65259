using Sessions.Platform;

namespace Sessions.CrashHost;

/// <summary>The real disk, but for one sync of the journal that fails when it is told to.</summary>
internal sealed class FailingDisk(IDisk disk) : IDisk
{
    private const int Eio = 5;
    private int _failures;

    public DiskCapabilities Capabilities => disk.Capabilities;

    public string Root => disk.Root;

    public void FailNextSync() => _failures = 1;

    public IDiskFile Open(string path, OpenMode mode, bool mayBeLinked = false)
        => new File(this, path, disk.Open(path, mode, mayBeLinked));

    public DiskEntry? Stat(string path) => disk.Stat(path);

    public IReadOnlyList<DiskName> List(string path) => disk.List(path);

    public void CreateFolder(string path) => disk.CreateFolder(path);

    public void SpreadFolders(string path) => disk.SpreadFolders(path);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Exchange(string left, string right) => disk.Exchange(left, right);

    public void Link(string existing, string added) => disk.Link(existing, added);

    public void SetModified(string path, long unixMs) => disk.SetModified(path, unixMs);

    public void Unlink(string path) => disk.Unlink(path);

    public void RemoveFolder(string path) => disk.RemoveFolder(path);

    public void SyncFolder(string path) => disk.SyncFolder(path);

    public bool TrySyncAll() => disk.TrySyncAll();

    public ILockFile OpenLocks(string path, bool readOnly) => disk.OpenLocks(path, readOnly);

    public ISharedPage? OpenSharedPage(string path, bool readOnly) => disk.OpenSharedPage(path, readOnly);

    public void Dispose() => disk.Dispose();

    private sealed class File(FailingDisk owner, string path, IDiskFile file) : IDiskFile
    {
        public ulong Identity => file.Identity;

        public bool IsLinked => file.IsLinked;

        public long Length => file.Length;

        public int Read(Span<byte> buffer, long offset) => file.Read(buffer, offset);

        public long NextData(long offset) => file.NextData(offset);

        public void Write(ReadOnlySpan<byte> data, long offset) => file.Write(data, offset);

        public void SetLength(long length) => file.SetLength(length);

        public void Sync()
        {
            bool isJournal = path.StartsWith("journal/", StringComparison.Ordinal);
            if (isJournal && Interlocked.Exchange(ref owner._failures, 0) > 0)
            {
                throw new DiskException(DiskError.Io, "fdatasync", path, Eio) { IsFailedSync = true };
            }

            file.Sync();
        }

        public void StartWriteback() => file.StartWriteback();

        public bool? IsOpenElsewhere() => file.IsOpenElsewhere();

        public void Dispose() => file.Dispose();
    }
}
