namespace Sessions.Platform;

/// <summary>open(2) in the four modes of <see cref="OpenMode"/>.</summary>
internal static unsafe class UnixOpening
{
    /// <summary>A descriptor, or -1 with the reason in errno. Throws where the file was opened and
    /// is not what was asked for.</summary>
    public static int Open(byte* full, string path, OpenMode mode)
    {
        switch (mode)
        {
            case OpenMode.Read:
                int fd = Unix.Open(full, 0);
                if (fd >= 0 && StatOrClose(fd, path).IsFolder)
                {
                    Libc.Close(fd);
                    throw Errno.Failure("open", path, Errno.IsFolder);
                }

                return fd;
            case OpenMode.ReadWrite:
                return Unix.Open(full, Unix.ReadWrite);
            case OpenMode.CreateNew:
                return Create(full, path);
            default:
                return OpenOrCreate(full, path);
        }
    }

    private static int OpenOrCreate(byte* full, string path)
    {
        while (true)
        {
            int fd = Unix.Open(full, Unix.ReadWrite);
            if (fd >= 0 || Errno.Last != Errno.NotFound)
            {
                return fd;
            }

            fd = Create(full, path);
            if (fd >= 0 || Errno.Last != Errno.Exists || !Unix.TryStat(full, followLinks: true, out _))
            {
                return fd;
            }
        }
    }

    // The umask can only have taken rights away; asking is cheaper than always setting them.
    private static int Create(byte* full, string path)
    {
        int fd = Unix.Open(full, Unix.ReadWrite | Unix.CreateNew);
        if (fd >= 0 && (StatOrClose(fd, path).Mode & 0x1FF) != Unix.FileMode
            && Libc.ChangeMode(fd, Unix.FileMode) != 0)
        {
            int error = Errno.Last;
            Libc.Close(fd);
            throw Errno.Failure("fchmod", path, error);
        }

        return fd;
    }

    /// <summary>What fstat says; closes the descriptor where it fails.</summary>
    public static UnixStat StatOrClose(int fd, string path)
    {
        if (Unix.TryStat(fd, out UnixStat stat))
        {
            return stat;
        }

        int error = Errno.Last;
        Libc.Close(fd);
        throw Errno.Failure("fstat", path, error);
    }
}
