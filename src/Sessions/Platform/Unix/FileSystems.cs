namespace Sessions.Platform.Unix;

/// <summary>What statfs(2) calls a file system, and whether it lies on this machine.</summary>
internal static unsafe class FileSystems
{
    /// <summary>The capabilities of the file system that an open folder is on.</summary>
    public static DiskCapabilities Of(int fd)
    {
        if (OperatingSystem.IsMacOS())
        {
            return Darwin.CapabilitiesOf(fd);
        }

        // struct statfs begins with the type as a long; 120 bytes on 64-bit systems.
        long* result = stackalloc long[32];
        if (Libc.FileSystem(fd, result) != 0)
        {
            throw Errno.Failure("fstatfs", "");
        }

        return OfLinux((uint)result[0]);
    }

    /// <summary>The capabilities for a value of f_type.</summary>
    public static DiskCapabilities OfLinux(uint type)
    {
        (string name, bool isLocal) = type switch
        {
            0xEF53 => ("ext4", true), // ext2 and ext3 have the same number
            0x58465342 => ("xfs", true),
            0x9123683E => ("btrfs", true),
            0x2FC12FC1 => ("zfs", true),
            0x01021994 => ("tmpfs", true),
            0x858458F6 => ("ramfs", true),
            0x794C7630 => ("overlay", true),
            0xF2F52010 => ("f2fs", true),
            0xCA451A4E => ("bcachefs", true),
            0x3153464A => ("jfs", true),
            0x52654973 => ("reiserfs", true),
            0x24051905 => ("ubifs", true),
            0x3434 => ("nilfs", true),
            0xF15F => ("ecryptfs", true),
            0x61756673 => ("aufs", true),
            0x7366746E => ("ntfs", true),
            0x2011BAB0 => ("exfat", true),
            0x4D44 => ("vfat", true),
            0x53464846 => ("wslfs", true),
            0x6969 => ("nfs", false),
            0x517B => ("smb", false),
            0xFE534D42 => ("smb2", false),
            0xFF534D42 => ("cifs", false),
            0x01021997 => ("9p", false),
            0x65735546 => ("fuse", false), // virtiofs too
            0x00C36400 => ("ceph", false),
            0x786F4256 => ("vboxsf", false),
            0xBACBACBC => ("vmhgfs", false),
            0x7C7C6673 => ("prl_fs", false),
            0x5346414F => ("afs", false),
            0x6B414653 => ("afs", false),
            0x73757245 => ("coda", false),
            0x564C => ("ncp", false),
            0x01161970 => ("gfs2", false),
            0x7461636F => ("ocfs2", false),
            0x0BD00BD0 => ("lustre", false),
            0x47504653 => ("gpfs", false),
            _ => ("unknown", true),
        };
        return new DiskCapabilities(name, isLocal, HardLinks: name is not ("vfat" or "exfat"), AtomicExchange: true);
    }
}
