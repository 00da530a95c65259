namespace Sessions.Platform.Unix;

/// <summary>Opens a file below the root in one of the modes of <see cref="OpenMode"/>, and takes nothing but a
/// regular file of the store's owner.</summary>
internal static unsafe class UnixOpening
{
    /// <summary>A descriptor, and what fstat says of it.</summary>
    public static int Open(UnixRoot root, string path, OpenMode mode, bool mayBeLinked, out UnixStat stat)
    {
        using UnixRoot.Hold hold = root.Take("open", path);
        while (true)
        {
            int fd = mode == OpenMode.CreateNew ? -1
                : root.Open(hold, path, mode == OpenMode.Read ? Posix.ReadOnly : Posix.ReadWrite);
            if (fd >= 0)
            {
                stat = Posix.StatOrClose(fd, path);
                Require(root.Owners, fd, path, stat, mayBeLinked);
                return fd;
            }

            if (mode != OpenMode.CreateNew && (mode != OpenMode.OpenOrCreate || Errno.Last != Errno.NotFound))
            {
                throw Errno.Failure("open", path);
            }

            using (new FileUser(root.Owners.NewOwner))
            {
                fd = root.Open(hold, path, Posix.ReadWrite | Posix.CreateNew, (int)root.Owners.FileMode);
            }

            if (fd >= 0)
            {
                stat = Posix.StatOrClose(fd, path);
                Give(root.Owners, fd, path, stat);
                return fd;
            }

            // Somebody else made it in between: that one is opened.
            if (mode == OpenMode.CreateNew || Errno.Last != Errno.Exists)
            {
                throw Errno.Failure("open", path);
            }
        }
    }

    private static void Require(UnixOwners owners, int fd, string path, in UnixStat stat, bool mayBeLinked)
    {
        DiskException? failure = stat.IsFolder ? Errno.Failure("open", path, Errno.IsFolder)
            : !stat.IsRegular || (stat.Links > 1 && !mayBeLinked)
                ? new DiskException(DiskError.Misplaced, "open", path, 0)
            : !owners.Have(stat) ? owners.Refusal("open", path, stat) : null;
        if (failure is not null)
        {
            Libc.Close(fd);
            throw failure;
        }
    }

    private static void Give(UnixOwners owners, int fd, string path, in UnixStat stat)
    {
        try
        {
            owners.Give(fd, path, owners.FileMode, stat);
        }
        catch (DiskException)
        {
            Libc.Close(fd);
            throw;
        }
    }
}
