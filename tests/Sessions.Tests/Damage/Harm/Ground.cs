using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Hostile;

namespace Sessions.Tests.Damage.Harm;

/// <summary>The files of a store as somebody else sees and harms them.</summary>
internal sealed class Ground(string root, Random random)
{
    private readonly List<(string Path, byte[] Bytes)> _older = [];
    private readonly List<(string Aside, string Path)> _away = [];
    private bool _hasEverForbidden;
    private bool _hasModes; // since the last time that all was allowed
    private int _names;

    public string Root => Path.Combine(root, "store");

    /// <summary>Files and folders that may not be used as they should, or are elsewhere.</summary>
    public bool HasMore => _away.Count > 0 || _hasModes;

    public string At(string path) => Path.Combine(Root, path);

    public IDisk Open() => RealDisk.Open(Root);

    /// <summary>All regular files of a store that may be harmed, relative.</summary>
    public List<string> Files() => [.. Walk("").Where(f => !f.IsFolder).Select(f => f.Path)
        .Where(p => !p.StartsWith(Layout.Quarantine, StringComparison.Ordinal))];

    public List<string> Folders() => [.. Walk("").Where(f => f.IsFolder).Select(f => f.Path)
        .Where(p => !p.StartsWith(Layout.Quarantine, StringComparison.Ordinal))];

    /// <summary>Keeps a copy of a file as it is now, to be put back some time.</summary>
    public void Remember()
    {
        List<string> files = Files().FindAll(f => !f.StartsWith(Layout.Locks, StringComparison.Ordinal));
        if (files.Count > 0 && TryRead(files[random.Next(files.Count)]) is var (path, bytes) && bytes is not null)
        {
            _older.Add((path, bytes));
        }
    }

    /// <summary>The other names of the file at a path, itself among them.</summary>
    public List<string> NamesOf(string path)
    {
        ulong inode = SystemCalls.Look(At(path)).Inode;
        return Files().FindAll(f => SystemCalls.Look(At(f)).Inode == inode);
    }

    /// <summary>A copy as it was once; null where none was kept.</summary>
    public string? PutOlder(string path)
    {
        List<(string Path, byte[] Bytes)> older = _older.FindAll(o => o.Path == path);
        if (older.Count == 0)
        {
            return null;
        }

        Swap(path, older[random.Next(older.Count)].Bytes);
        return "an older copy";
    }

    public string PutCopy(string path)
    {
        Swap(path, File.ReadAllBytes(At(path)));
        return "a copy of itself";
    }

    public string? PutAnothers(string path)
    {
        List<string> others = Files().FindAll(f => f != path && Path.GetFileName(f) == Path.GetFileName(path));
        if (others.Count == 0)
        {
            return null;
        }

        string other = others[random.Next(others.Count)];
        Swap(path, File.ReadAllBytes(At(other)));
        return $"a copy of {other}";
    }

    public string Remove(string path)
    {
        File.Delete(At(path));
        return "removed";
    }

    public string Move(string path)
    {
        string aside = NewName();
        File.Move(At(path), aside);
        _away.Add((aside, path));
        return "moved away";
    }

    /// <summary>Puts back what was moved away, over what is there now.</summary>
    public string? MoveBack(Func<string, bool> mayBe)
    {
        if (_away.Count == 0)
        {
            return null;
        }

        (string aside, string path) = _away[0];
        _away.RemoveAt(0);
        if (!Directory.Exists(Path.GetDirectoryName(At(path))) || Directory.Exists(At(path)) || !mayBe(path))
        {
            return null;
        }

        File.Move(aside, At(path), overwrite: true);
        return path;
    }

    public string Cut(string path)
    {
        long length = new FileInfo(At(path)).Length;
        long left = random.Next(3) == 0 ? Math.Max(0, length - 1) : random.NextInt64(length + 1);
        SystemCalls.Resize(At(path), left);
        return $"cut from {length} to {left}";
    }

    public string Empty(string path)
    {
        SystemCalls.Resize(At(path), 0);
        return "emptied";
    }

    public string AddGarbage(string path)
    {
        using FileStream file = new(At(path), FileMode.Append);
        byte[] bytes = new byte[random.Next(1, 300)];
        random.NextBytes(bytes);
        file.Write(bytes);
        file.Write(random.Next(2) == 0 ? "\n"u8 : "x"u8);
        return $"{bytes.Length + 1} bytes of garbage behind it";
    }

    public string? WriteOver(string path)
    {
        long length = new FileInfo(At(path)).Length;
        if (length == 0)
        {
            return null;
        }

        using FileStream file = new(At(path), FileMode.Open, FileAccess.ReadWrite);
        file.Position = random.NextInt64(Math.Min(length, 16 * 1024));
        long at = file.Position;
        byte[] bytes = new byte[(int)Math.Min(length - at, random.Next(1, 60))];
        random.NextBytes(bytes);
        file.Write(bytes);
        return $"{bytes.Length} bytes of garbage at {at}";
    }

    public string PutLink(string path)
    {
        File.Delete(At(path));
        File.CreateSymbolicLink(At(path), Outside());
        return "a link";
    }

    public string PutHardLink(string path)
    {
        File.Delete(At(path));
        SystemCalls.Link(Outside(), At(path));
        return "a hard link";
    }

    public string PutFolder(string path)
    {
        File.Delete(At(path));
        Directory.CreateDirectory(At(path));
        return "a folder";
    }

    public string PutPipe(string path)
    {
        File.Delete(At(path));
        SystemCalls.Make(At(path), SystemCalls.Pipe);
        return "a pipe";
    }

    public string Forbid(string path, bool isFolder)
    {
        uint[] modes = isFolder ? [0x16D, 0, 0x1FF] : [0x124, 0, 0x1B6];
        uint mode = modes[random.Next(modes.Length)];
        _hasEverForbidden = _hasModes = true;
        SystemCalls.Mode(At(path), mode);
        return $"mode {Convert.ToString(mode, 8)}";
    }

    /// <summary>Puts all permissions right.</summary>
    public void Allow()
    {
        if (_hasEverForbidden)
        {
            // A session may be elsewhere by now, and a file may have been moved away and back since the last time.
            HostileLibrary.Run("chmod", "-R", "u+rwX,go-w", Root);
        }

        _hasModes = false;
    }

    /// <summary>True for a file with that content.</summary>
    public static bool Says(string path, string content)
    {
        try
        {
            return File.ReadAllText(path) == content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>What is outside and must stay as it is.</summary>
    public void RequireOutside()
        => Assert.All(Directory.GetFiles(root, "outside-*"),
            f => Assert.Equal("of the user's own", File.ReadAllText(f)));

    private string Outside()
    {
        string path = Path.Combine(root, $"outside-{++_names}");
        File.WriteAllText(path, "of the user's own");
        return path;
    }

    private string NewName() => Path.Combine(root, $"aside-{++_names}");

    private void Swap(string path, byte[] bytes)
    {
        string fresh = NewName();
        File.WriteAllBytes(fresh, bytes);
        SystemCalls.Mode(fresh, 0x180);
        if (Directory.Exists(At(path)))
        {
            Directory.Delete(At(path), recursive: true);
        }

        File.Move(fresh, At(path), overwrite: true);
    }

    private (string Path, byte[]? Bytes) TryRead(string path)
    {
        try
        {
            return (path, File.ReadAllBytes(At(path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (path, null);
        }
    }

    private IEnumerable<(string Path, bool IsFolder)> Walk(string folder)
    {
        string[] entries;
        try
        {
            entries = Directory.GetFileSystemEntries(At(folder));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            yield break;
        }

        Array.Sort(entries, StringComparer.Ordinal);
        foreach (string entry in entries)
        {
            string path = Path.GetRelativePath(Root, entry);
            bool isFolder = Directory.Exists(entry), isFile = File.Exists(entry);
            if ((isFolder || isFile) && new FileInfo(entry).LinkTarget is null
                && (isFolder || SystemCalls.Look(entry).IsFile))
            {
                yield return (path, isFolder);
                foreach ((string, bool) inner in isFolder ? Walk(path) : [])
                {
                    yield return inner;
                }
            }
        }
    }
}
