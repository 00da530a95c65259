namespace Sessions.Platform;

/// <summary>An open file of Linux or macOS. Reading, writing and syncing allocate nothing.</summary>
internal sealed unsafe class UnixFile(int fd, string path) : IDiskFile
{
    private const uint StartWrite = 2; // SYNC_FILE_RANGE_WRITE

    private int _fd = fd;

    public long Length =>
        Unix.TryStat(_fd, out UnixStat stat) ? stat.Length : throw Errno.Failure("fstat", path);

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
        if (Unix.SyncData(_fd) != 0)
        {
            throw Errno.Failure(OperatingSystem.IsMacOS() ? "fcntl(F_FULLFSYNC)" : "fdatasync", path);
        }
    }

    public void StartWriteback()
    {
        if (OperatingSystem.IsLinux())
        {
            Libc.SyncRange(_fd, 0, 0, StartWrite);
        }
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
