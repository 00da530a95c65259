namespace Sessions.Tests.Disks;

/// <summary>A file or folder of a model disk, apart from its names.</summary>
internal abstract class Node(ulong id)
{
    public ulong Id { get; } = id;

    /// <summary>Where it is named now. A folder has one name at most.</summary>
    public List<(FolderNode Folder, string Name)> Names { get; } = [];

    /// <summary>Openings that keep it alive without a name.</summary>
    public int Opens { get; set; }

    /// <summary>Pages it takes of the disk.</summary>
    public abstract long AllocatedPages { get; }
}

/// <summary>A folder: its names, and for each name that is not on stable storage what it has stood
/// for since it last was. The first of these is what a crash may bring back, the last one is now.</summary>
internal sealed class FolderNode(ulong id) : Node(id)
{
    public Dictionary<string, Node> Entries { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, List<Node?>> Unsynced { get; } = new(StringComparer.Ordinal);

    public override long AllocatedPages => 1;
}
