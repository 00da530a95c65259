namespace Sessions.Tests.Disks;

/// <summary>What a test looks at or puts on a model disk behind the engine's back.</summary>
internal static class DiskInspection
{
    /// <summary>The whole content of a file, without a trace; null where there is none.</summary>
    public static byte[]? Peek(this ModelDisk disk, string path)
    {
        DiskImage image = disk.Image;
        lock (image.Gate)
        {
            if (image.Find("peek", path) is not FileNode file)
            {
                return null;
            }

            byte[] content = new byte[file.Length];
            file.Read(content, 0);
            return content;
        }
    }

    /// <summary>Puts a whole file there, durable, with the folders it needs; no fault, no check.</summary>
    public static void Poke(this ModelDisk disk, string path, ReadOnlySpan<byte> content)
    {
        DiskImage image = disk.Image;
        lock (image.Gate)
        {
            image.MakeRoot();
            FolderNode folder = image.Root!;
            string[] names = path.Split('/');
            int logged = image.Log.Count;
            image.BeginChange();
            foreach (string name in names[..^1])
            {
                if (!folder.Entries.TryGetValue(name, out Node? inner))
                {
                    image.SetName(folder, name, inner = image.NewFolder());
                    folder.Unsynced.Remove(name);
                }

                folder = (FolderNode)inner;
            }

            folder.Entries.TryGetValue(names[^1], out Node? before);
            FileNode file = image.NewFile();
            long free = long.MaxValue;
            file.Write(content, 0, ref free);
            file.Sync();
            image.AddPages(file.AllocatedPages);
            image.SetName(folder, names[^1], file);
            folder.Unsynced.Remove(names[^1]);
            image.FreeIfGone(before);
            image.Log.RemoveRange(logged, image.Log.Count - logged);
        }
    }

    /// <summary>The paths of all files, in order.</summary>
    public static IReadOnlyList<string> Paths(this ModelDisk disk)
    {
        var paths = new List<string>();
        DiskImage image = disk.Image;
        lock (image.Gate)
        {
            Add(image.Root, "");
        }

        paths.Sort(StringComparer.Ordinal);
        return paths;

        void Add(FolderNode? folder, string prefix)
        {
            foreach ((string name, Node node) in folder?.Entries ?? [])
            {
                if (node is FolderNode inner)
                {
                    Add(inner, prefix + name + "/");
                }
                else
                {
                    paths.Add(prefix + name);
                }
            }
        }
    }
}
