namespace Sessions.Platform.Unix;

/// <summary>What fstat says of a file, on either system.</summary>
internal readonly struct UnixStat
{
    private const uint TypeBits = 0xF000;
    private const uint FolderType = 0x4000;
    private const uint RegularType = 0x8000;
    private const uint LinkType = 0xA000;
    private const long BlockBytes = 512;

    public UnixStat(in LinuxStat stat)
        : this(stat.Size, stat.Links, stat.Mode, stat.Owner, stat.Inode,
            ulong.RotateLeft(stat.DeviceMinor, 40) + ulong.RotateLeft(stat.DeviceMajor, 52),
            (stat.ModifiedSeconds * 1000) + (stat.ModifiedNanoseconds / 1_000_000))
    {
        HasBlocks = stat.Blocks * BlockBytes >= stat.Size;
    }

    public UnixStat(long length, uint links, uint mode, uint owner, ulong inode, ulong device, long modifiedMs)
    {
        Owner = owner;
        ModifiedMs = modifiedMs;
        Length = length;
        Links = links;
        Mode = mode;
        Identity = inode ^ device;
        HasBlocks = true;
    }

    public long Length { get; }

    public uint Links { get; }

    public long ModifiedMs { get; }

    public uint Mode { get; }

    /// <summary>The user it belongs to.</summary>
    public uint Owner { get; }

    /// <summary>Device and inode in one number.</summary>
    public ulong Identity { get; }

    /// <summary>False where a part of the file has no room on the disk yet, as far as known.</summary>
    public bool HasBlocks { get; }

    public bool IsFolder => (Mode & TypeBits) == FolderType;

    public bool IsRegular => (Mode & TypeBits) == RegularType;

    public bool IsLink => (Mode & TypeBits) == LinkType;
}
