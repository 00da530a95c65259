using Sessions.Platform;

namespace Sessions.Tests.Disks;

/// <summary>An open file of a model disk.</summary>
internal sealed class ModelFile : IDiskFile
{
    private readonly FileNode _file;
    private readonly string _path;
    private readonly bool _canWrite;
    private bool _isClosed;

    public ModelFile(ModelDisk disk, FileNode file, string path, bool canWrite)
    {
        Disk = disk;
        _file = file;
        _path = path;
        _canWrite = canWrite;
        IsLinked = file.Names.Count > 1;
        file.Opens++;
        disk.Image.Files.Add(this);
    }

    public ModelDisk Disk { get; }

    public ulong Identity => _file.Id;

    public bool IsLinked { get; }

    public long Length => Disk.Do("fstat", _path, false, () => Checked("fstat").Length);

    // Without a closure, so that reading is fast.
    public int Read(Span<byte> buffer, long offset)
    {
        Disk.Do("pread", _path, false, () => Checked("pread"));
        lock (Disk.Image.Gate)
        {
            return _file.Read(buffer, offset);
        }
    }

    public long NextData(long offset) => Disk.Do("lseek", _path, false, () => Checked("lseek").NextData(offset));

    public void Write(ReadOnlySpan<byte> data, long offset) =>
        Disk.Write(Checked("pwrite", writes: true), _path, data, offset);

    public void SetLength(long length) => Disk.Do("ftruncate", _path, true, () =>
    {
        FileNode file = Checked("ftruncate", writes: true);
        if (length < file.Length)
        {
            Disk.CheckWrite("ftruncate", _path, file, length, long.MaxValue);
        }

        Disk.Image.Account(file, () =>
        {
            file.SetLength(length);
            return 0;
        });
    });

    public void Sync() => Disk.Sync(Checked("fdatasync"), _path);

    public void StartWriteback()
    {
        // Whether a page came through is drawn at the power cut.
    }

    public bool? IsOpenElsewhere()
    {
        lock (Disk.Image.Gate)
        {
            return _file.Opens > 1;
        }
    }

    public void Dispose()
    {
        lock (Disk.Image.Gate)
        {
            Close();
        }
    }

    /// <summary>Lets go of the file; under the gate.</summary>
    public void Close()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            Disk.Image.Files.Remove(this);
            _file.Opens--;
            Disk.Image.FreeIfGone(_file);
        }
    }

    private FileNode Checked(string operation, bool writes = false)
    {
        if (_isClosed)
        {
            Disk.RefuseDead();
        }

        return _isClosed || (writes && !_canWrite)
            ? throw DiskImage.Failure(DiskError.Io, operation, _path)
            : _file;
    }
}
