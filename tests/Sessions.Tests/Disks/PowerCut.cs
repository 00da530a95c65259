namespace Sessions.Tests.Disks;

/// <summary>
/// Draws what stable storage holds after the power went. Each page written since the last sync of its
/// file is what it was then, what a write left there, or zeros where nothing durable was; the length
/// goes its own way; each name is what it was when its folder was last synced, or what it has been since.
/// </summary>
internal sealed class PowerCut(DiskImage image, PowerCutOptions options, Random random)
{
    private static readonly double[] Chances = [0, 0.1, 0.5, 0.9, 1];

    private readonly Dictionary<FolderNode, SortedDictionary<string, Node>> _names = [];
    private readonly Dictionary<Node, Node> _made = [];

    /// <summary>An image in which everything is durable.</summary>
    public DiskImage Draw()
    {
        var result = new DiskImage(image.Tracks) { PagesMax = image.PagesMax };
        if (image.Root is null)
        {
            return result;
        }

        // By id, so that a seed always draws the same.
        FolderNode[] folders = [.. image.AllNodes().OfType<FolderNode>().OrderBy(f => f.Id)];
        foreach (FolderNode folder in folders)
        {
            _names[folder] = new SortedDictionary<string, Node>(folder.Entries, StringComparer.Ordinal);
        }

        if (options.MetadataOrdered)
        {
            UndoFromTheEnd();
        }
        else
        {
            DrawNames(folders);
        }

        result.MakeRoot();
        _made[image.Root] = result.Root!;
        Build(result, image.Root, result.Root!);
        foreach (Node node in result.AllNodes())
        {
            if (node is FolderNode folder)
            {
                folder.Unsynced.Clear();
            }
        }

        result.Log.Clear();
        return result;
    }

    private double Chance() => options.Keep ?? Chances[random.Next(Chances.Length)];

    private void UndoFromTheEnd()
    {
        long[] numbers = [.. image.Log.Select(c => c.Number).Distinct()];
        double chance = Chance();
        int keep = options.Keep is null && random.Next(2) == 0
            ? random.Next(numbers.Length + 1)
            : (int)Math.Round(numbers.Length * chance);
        foreach (NameChange change in Enumerable.Reverse(image.Log))
        {
            if (keep == numbers.Length || change.Number < numbers[keep])
            {
                break;
            }

            Set(change.Folder, change.Name, change.Before);
        }
    }

    private void DrawNames(FolderNode[] folders)
    {
        foreach (FolderNode folder in folders)
        {
            double chance = Chance();
            foreach ((string name, List<Node?> versions) in folder.Unsynced)
            {
                Set(folder, name, Pick(versions, chance));
            }
        }

        if (options.AtomicRenames)
        {
            KeepWhatWasOnlyMoved(folders);
        }
    }

    // A node with a durable name and a name now must not vanish. Putting it back may push out
    // another, so this goes round until all are there; to take everything as it is now always ends it.
    private void KeepWhatWasOnlyMoved(FolderNode[] folders)
    {
        Dictionary<Node, (FolderNode Folder, string Name)> durable = Places(f => DurableNames(f));
        Dictionary<Node, (FolderNode Folder, string Name)> live = Places(f => f.Entries);
        for (int round = 0; ; round++)
        {
            Dictionary<Node, (FolderNode Folder, string Name)> drawn = Places(f => _names[f]);
            Node? missing = live.Keys.Where(n => durable.ContainsKey(n) && !drawn.ContainsKey(n)).MinBy(n => n.Id);
            if (missing is null)
            {
                return;
            }

            var places = round < folders.Length && random.Next(2) == 0 ? durable : live;
            for (Node node = missing; places.TryGetValue(node, out var place); node = place.Folder)
            {
                _names[place.Folder][place.Name] = node;
            }
        }
    }

    private static IEnumerable<KeyValuePair<string, Node>> DurableNames(FolderNode folder)
    {
        foreach (KeyValuePair<string, Node> entry in folder.Entries)
        {
            if (!folder.Unsynced.ContainsKey(entry.Key))
            {
                yield return entry;
            }
        }

        foreach ((string name, List<Node?> versions) in folder.Unsynced)
        {
            if (versions[0] is { } node)
            {
                yield return new(name, node);
            }
        }
    }

    // Where each node is found first on the way down from the root.
    private Dictionary<Node, (FolderNode Folder, string Name)> Places(
        Func<FolderNode, IEnumerable<KeyValuePair<string, Node>>> namesOf)
    {
        var places = new Dictionary<Node, (FolderNode Folder, string Name)>();
        var open = new Queue<FolderNode>([image.Root!]);
        while (open.TryDequeue(out FolderNode? folder))
        {
            foreach ((string name, Node node) in namesOf(folder))
            {
                if (!ReferenceEquals(node, image.Root) && places.TryAdd(node, (folder, name))
                    && node is FolderNode inner)
                {
                    open.Enqueue(inner);
                }
            }
        }

        return places;
    }

    private void Set(FolderNode folder, string name, Node? node)
    {
        if (node is null)
        {
            _names[folder].Remove(name);
        }
        else
        {
            _names[folder][name] = node;
        }
    }

    // A folder cannot stand in two places, so of two names that were drawn for it one is dropped.
    private void Build(DiskImage result, FolderNode from, FolderNode to)
    {
        IEnumerable<KeyValuePair<string, Node>> names = _names[from];
        foreach ((string name, Node node) in random.Next(2) == 0 ? names : names.Reverse())
        {
            if (node is FileNode file)
            {
                if (!_made.TryGetValue(file, out Node? made))
                {
                    _made[file] = made = DrawFile(result, file);
                }

                result.SetName(to, name, made);
            }
            else if (!_made.ContainsKey(node))
            {
                FolderNode made = result.NewFolder();
                _made[node] = made;
                result.SetName(to, name, made);
                Build(result, (FolderNode)node, made);
            }
        }
    }

    private FileNode DrawFile(DiskImage result, FileNode file)
    {
        double chance = Chance();
        long length = file.UnsyncedLengths.Count == 0 ? file.Length : Pick(file.UnsyncedLengths, chance);
        var pages = new List<byte[]?>(file.Pages);
        foreach ((int page, byte[]? durable) in file.Lost)
        {
            SetPage(page, durable);
        }

        foreach ((int page, List<byte[]?> versions) in file.Unsynced)
        {
            SetPage(page, Pick(versions, chance));
        }

        return result.AddFile(pages, length, firstPageMayChange: file.Mapped is not null);

        void SetPage(int page, byte[]? content)
        {
            while (pages.Count <= page)
            {
                pages.Add(null);
            }

            pages[page] = content;
        }
    }

    private T Pick<T>(List<T> versions, double chance)
    {
        if (random.NextDouble() < chance)
        {
            return versions[^1];
        }

        return options.Keep is not null || random.Next(2) == 0 ? versions[0] : versions[random.Next(versions.Count)];
    }
}
