namespace Sessions.Platform.Unix;

/// <summary>An open file of Linux or macOS. Reading, writing and syncing allocate nothing.</summary>
internal sealed unsafe class UnixFile(int fd, string path, ulong identity, bool isLinked) : IDiskFile
{
    private const uint StartWrite = 2; // SYNC_FILE_RANGE_WRITE
    private const int SetSignal = 10; // F_SETSIG
    private const int UrgentSignal = 23; // SIGURG
    private const int SetLease = 1024; // F_SETLEASE
    private const int WriteLease = 1; // F_WRLCK
    private const int NoLease = 2; // F_UNLCK
    private const int SeekEnd = 2;
    private const int SeekDataLinux = 3;
    private const int SeekDataMac = 4;

    private int _fd = fd;

    public ulong Identity => identity;

    public bool IsLinked => isLinked;

    // Not fstat: since Linux 6.13 a file whose times were looked at gets an exact one at its next
    // change, and from then on so does each file that is written to (multigrain timestamps). Then no
    // write to the journal finds its time unchanged, and each sync writes an inode beside the data.
    public long Length
    {
        get
        {
            long length = Libc.Seek(_fd, 0, SeekEnd);
            return length >= 0 ? length : throw Errno.Failure("lseek", path);
        }
    }

    public int Read(Span<byte> buffer, long offset)
    {
        int done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                nint got = Libc.ReadAt(_fd, start + done, (nuint)(buffer.Length - done), offset + done);
                if (got > 0)
                {
                    done += (int)got;
                }
                else if (got == 0)
                {
                    break;
                }
                else if (!Errno.WasInterrupted)
                {
                    throw Errno.Failure("pread", path);
                }
            }
        }

        return done;
    }

    public long NextData(long offset)
    {
        long next = Libc.Seek(_fd, offset, OperatingSystem.IsMacOS() ? SeekDataMac : SeekDataLinux);
        return next >= 0 ? next
            : Errno.Last == Errno.NoSuchAddress ? Math.Max(offset, Length) // nothing but a hole up to the end
            : Errno.Last == Errno.Invalid || Errno.Last == Errno.NotSupported ? offset
            : throw Errno.Failure("lseek", path);
    }

    public void Write(ReadOnlySpan<byte> data, long offset)
    {
        fixed (byte* start = data)
        {
            int done = 0;
            while (done < data.Length)
            {
                nint put = Libc.WriteAt(_fd, start + done, (nuint)(data.Length - done), offset + done);
                if (put >= 0)
                {
                    done += (int)put;
                }
                else if (!Errno.WasInterrupted)
                {
                    throw Errno.Failure("pwrite", path);
                }
            }
        }
    }

    public void SetLength(long length)
    {
        while (Libc.Truncate(_fd, length) != 0)
        {
            if (!Errno.WasInterrupted)
            {
                throw Errno.Failure("ftruncate", path);
            }
        }
    }

    // Not again after a signal either: what an interrupted sync has dropped, nobody knows.
    public void Sync()
    {
        if (Posix.SyncData(_fd) != 0)
        {
            throw Errno.FailedSync(OperatingSystem.IsMacOS() ? "fcntl(F_FULLFSYNC)" : "fdatasync", path, Errno.Last);
        }
    }

    public void StartWriteback()
    {
        if (OperatingSystem.IsLinux())
        {
            Libc.SyncRange(_fd, 0, 0, StartWrite);
        }
    }

    // A write lease is granted only where nobody else has the file open (fcntl(2), F_SETLEASE). One
    // that opens it in that moment would have a signal sent to us: SIGURG, which is ignored unless
    // asked for, where the one that comes by default ends the process.
    public bool? IsOpenElsewhere()
    {
        if (!OperatingSystem.IsLinux() || Libc.Control(_fd, SetSignal, UrgentSignal) != 0)
        {
            return null;
        }

        if (Libc.Control(_fd, SetLease, WriteLease) == 0)
        {
            Libc.Control(_fd, SetLease, NoLease);
            return false;
        }

        return Errno.Last == Errno.Again ? true : null;
    }

    public void Dispose()
    {
        int fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0)
        {
            // Never twice, whatever it answers: Linux has let go of the number even after EINTR.
            Libc.Close(fd);
        }
    }
}
