using Sessions.Platform;

namespace Sessions.Tests.Disks;

/// <summary>Byte-range locks of one opening of a model file.</summary>
internal sealed class ModelLockFile : ILockFile
{
    private readonly FileNode _file;
    private readonly string _path;
    private readonly bool _readOnly;
    private readonly Dictionary<long, bool> _held = [];
    private bool _isClosed;

    public ModelLockFile(ModelDisk disk, FileNode file, string path, bool readOnly)
    {
        Disk = disk;
        _file = file;
        _path = path;
        _readOnly = readOnly;
        file.Opens++;
        disk.Image.LockFiles.Add(this);
    }

    public ModelDisk Disk { get; }

    public bool IsLinked
    {
        get
        {
            lock (Disk.Image.Gate)
            {
                Disk.RefuseDead();
                return Disk.Image.Find("stat", _path) == _file;
            }
        }
    }

    public bool TryLock(long offset, bool exclusive)
    {
        lock (Disk.Image.Gate)
        {
            Check();
            if (exclusive && _readOnly)
            {
                throw DiskImage.Failure(DiskError.Io, "fcntl(F_OFD_SETLK)", _path);
            }

            if (Others(offset).Any(isExclusive => exclusive || isExclusive))
            {
                return false;
            }

            _held[offset] = exclusive;
            return true;
        }
    }

    public void Unlock(long offset)
    {
        lock (Disk.Image.Gate)
        {
            _held.Remove(offset);
        }
    }

    public bool IsHeldByOther(long offset)
    {
        lock (Disk.Image.Gate)
        {
            Check();
            return Others(offset).Any();
        }
    }

    public void Dispose()
    {
        lock (Disk.Image.Gate)
        {
            Close();
        }
    }

    /// <summary>Lets go of all locks; under the gate.</summary>
    public void Close()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _held.Clear();
            Disk.Image.LockFiles.Remove(this);
            _file.Opens--;
            Disk.Image.FreeIfGone(_file);
        }
    }

    private IEnumerable<bool> Others(long offset)
    {
        foreach (ModelLockFile other in Disk.Image.LockFiles)
        {
            if (other != this && other._file == _file && other._held.TryGetValue(offset, out bool exclusive))
            {
                yield return exclusive;
            }
        }
    }

    private void Check()
    {
        Disk.RefuseDead();
        if (_isClosed)
        {
            throw DiskImage.Failure(DiskError.Io, "fcntl(F_OFD_SETLK)", _path);
        }
    }
}
