namespace Sessions.Tests.Disks;

/// <summary>A disk in memory that never fails.</summary>
internal sealed class MemoryDisk : ModelDisk
{
    public MemoryDisk()
        : this(new DiskImage(tracks: false))
    {
    }

    private MemoryDisk(DiskImage image)
        : base(image)
    {
    }

    /// <summary>Another opening of the same content, as another process has it.</summary>
    public MemoryDisk OpenAs() => new(Image)
    {
        Capabilities = Capabilities,
        HasSyncAll = HasSyncAll,
        IsReadOnly = IsReadOnly,
    };

    /// <summary>A disk of its own with the same content, without locks.</summary>
    public MemoryDisk Copy()
    {
        lock (Image.Gate)
        {
            var options = new PowerCutOptions { Keep = 1 };
            return new MemoryDisk(new PowerCut(Image, options, new Random(0)).Draw())
            {
                Capabilities = Capabilities,
                HasSyncAll = HasSyncAll,
            };
        }
    }
}
