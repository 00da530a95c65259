using Sessions.Platform;

namespace Sessions.Tests.Disks;

/// <summary>One change of one name; those of a rename bear the same number.</summary>
internal readonly record struct NameChange(long Number, FolderNode Folder, string Name, Node? Before, Node? After);

/// <summary>
/// The content of a model disk: a tree of names and files, what of it is durable, and who holds which
/// lock. Several openings share it, as processes share a file system. All calls are made under
/// <see cref="Gate"/>.
/// </summary>
internal sealed class DiskImage(bool tracks)
{
    private const int VersionsMax = 6;

    private ulong _nextId = 1;
    private long _changeNumber;

    public Lock Gate { get; } = new();

    public bool Tracks { get; } = tracks;

    public FolderNode? Root { get; private set; }

    /// <summary>Pages there may be in all; null for no limit.</summary>
    public long? PagesMax { get; set; }

    public long UsedPages { get; private set; }

    public long FreePages => PagesMax is { } max ? Math.Max(0, max - UsedPages) : long.MaxValue;

    /// <summary>Changes of names since names were last made durable anywhere, in order.</summary>
    public List<NameChange> Log { get; } = [];

    public List<ModelFile> Files { get; } = [];

    public List<ModelLockFile> LockFiles { get; } = [];

    public ulong NewId() => _nextId++;

    public void MakeRoot() => Root ??= NewFolder();

    public void RemoveRoot() => Root = null;

    public FolderNode NewFolder()
    {
        UsedPages++;
        return new FolderNode(NewId());
    }

    public FileNode NewFile() => new(NewId(), Tracks);

    /// <summary>What stands at a path. Null where nothing does.</summary>
    public Node? Find(string operation, string path)
    {
        Node? at = Root;
        foreach (Range range in path.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> name = path.AsSpan(range);
            if (name.Length == 0)
            {
                continue;
            }

            switch (at)
            {
                case null:
                    return null;
                case FolderNode folder:
                    folder.Entries.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out at);
                    break;
                default:
                    throw Failure(DiskError.NotFolder, operation, path);
            }
        }

        return at;
    }

    public Node Get(string operation, string path) =>
        Find(operation, path) ?? throw Failure(DiskError.NotFound, operation, path);

    public FolderNode GetFolder(string operation, string path) =>
        Get(operation, path) as FolderNode ?? throw Failure(DiskError.NotFolder, operation, path);

    /// <summary>The folder a path's last name stands in.</summary>
    public (FolderNode Folder, string Name) Place(string operation, string path)
    {
        int slash = path.LastIndexOf('/');
        if (path.Length == 0)
        {
            throw Failure(DiskError.Io, operation, path);
        }

        return (GetFolder(operation, slash < 0 ? "" : path[..slash]), path[(slash + 1)..]);
    }

    /// <summary>Starts a change of names; what follows up to the next one is a single step.</summary>
    public void BeginChange() => _changeNumber++;

    /// <summary>Lets a name stand for a node, or for nothing.</summary>
    public void SetName(FolderNode folder, string name, Node? node)
    {
        folder.Entries.TryGetValue(name, out Node? before);
        before?.Names.Remove((folder, name));
        if (node is null)
        {
            folder.Entries.Remove(name);
        }
        else
        {
            folder.Entries[name] = node;
            node.Names.Add((folder, name));
        }

        if (Tracks)
        {
            if (!folder.Unsynced.TryGetValue(name, out List<Node?>? versions))
            {
                folder.Unsynced.Add(name, versions = [before]);
            }
            else if (versions.Count >= VersionsMax)
            {
                versions.RemoveAt(1);
            }

            versions.Add(node);
            Log.Add(new NameChange(_changeNumber, folder, name, before, node));
        }
    }

    /// <summary>Gives the space of a node back once it has neither a name nor an opening.</summary>
    public void FreeIfGone(Node? node)
    {
        if (node is { Names.Count: 0, Opens: 0 } && !ReferenceEquals(node, Root))
        {
            UsedPages -= node.AllocatedPages;
        }
    }

    public void AddPages(long count) => UsedPages += count;

    /// <summary>Runs a change of a file's content and keeps the count of pages.</summary>
    public T Account<T>(FileNode file, Func<T> change)
    {
        long before = file.AllocatedPages;
        try
        {
            return change();
        }
        finally
        {
            UsedPages += file.AllocatedPages - before;
        }
    }

    /// <summary>A durable file with this content, without a name.</summary>
    public FileNode AddFile(IReadOnlyList<byte[]?> pages, long length, bool firstPageMayChange)
    {
        FileNode file = NewFile();
        file.Restore(pages, length, firstPageMayChange);
        UsedPages += file.AllocatedPages;
        return file;
    }

    public void SyncNames(FolderNode folder)
    {
        folder.Unsynced.Clear();
        Log.Clear();
    }

    /// <summary>Every node that a name stands for, or may stand for after a crash.</summary>
    public IReadOnlyCollection<Node> AllNodes()
    {
        var seen = new HashSet<Node>();
        var open = new Stack<Node>();
        Push(Root);
        foreach (NameChange change in Log)
        {
            Push(change.Folder);
            Push(change.Before);
        }

        while (open.TryPop(out Node? node))
        {
            if (node is FolderNode folder)
            {
                foreach (Node? entry in folder.Unsynced.Values.SelectMany(v => v).Concat(folder.Entries.Values))
                {
                    Push(entry);
                }
            }
        }

        return seen;

        void Push(Node? node)
        {
            if (node is not null && seen.Add(node))
            {
                open.Push(node);
            }
        }
    }

    public static DiskException Failure(DiskError error, string operation, string path) =>
        new(error, operation, path, 0);
}
