using Sessions.Platform;

namespace Sessions.Tests.Disks;

/// <summary>
/// One opening of a disk in memory. Openings of one image act as processes do: each has its own
/// locks and dies alone. Disposing of an opening leaves the content as it is.
/// </summary>
internal abstract class ModelDisk(DiskImage image) : IDisk
{
    private bool _isDead;

    public DiskCapabilities Capabilities { get; set; } = new("memory", true, HardLinks: true, AtomicExchange: true);

    /// <summary>Whether TrySyncAll works.</summary>
    public bool HasSyncAll { get; set; } = true;

    /// <summary>Mounted read-only.</summary>
    public bool IsReadOnly { get; set; }

    public DiskImage Image { get; } = image;

    public bool IsDead => _isDead;

    public IDiskFile Open(string path, OpenMode mode, bool mayBeLinked = false) =>
        Do("open", path, mode is OpenMode.CreateNew or OpenMode.OpenOrCreate, () =>
        {
            Node? node = Image.Find("open", path);
            if (node is not null && mode == OpenMode.CreateNew)
            {
                throw DiskImage.Failure(DiskError.Exists, "open", path);
            }

            if (node is FolderNode)
            {
                throw DiskImage.Failure(DiskError.IsFolder, "open", path);
            }

            if (node is null && (mode is OpenMode.Read or OpenMode.ReadWrite))
            {
                throw DiskImage.Failure(DiskError.NotFound, "open", path);
            }

            if (node is FileNode { Names.Count: > 1 } && !mayBeLinked)
            {
                throw DiskImage.Failure(DiskError.Misplaced, "open", path);
            }

            FileNode file = (FileNode?)node ?? Create("open", path);
            if (mode != OpenMode.Read)
            {
                RefuseReadOnly("open", path);
            }

            return new ModelFile(this, file, path, canWrite: mode != OpenMode.Read);
        });

    public DiskEntry? Stat(string path) => Do<DiskEntry?>("stat", path, false, () =>
    {
        try
        {
            return Image.Find("stat", path) switch
            {
                null => null,
                FileNode file => new DiskEntry(false, file.Length, file.Id, (uint)file.Names.Count, 0x180,
                    file.ModifiedMs),
                Node folder => new DiskEntry(true, FileNode.PageBytes, folder.Id, 1, 0x1C0, 0),
            };
        }
        catch (DiskException e) when (e.Error == DiskError.NotFolder)
        {
            return null;
        }
    });

    public IReadOnlyList<DiskName> List(string path) => Do("opendir", path, false, () =>
    {
        FolderNode folder = Image.GetFolder("opendir", path);
        return (IReadOnlyList<DiskName>)[.. folder.Entries.Select(e => new DiskName(e.Key, e.Value is FolderNode))];
    });

    public void CreateFolder(string path) => Do("mkdir", path, true, () =>
    {
        if (path.Length == 0)
        {
            Image.MakeRoot();
            return;
        }

        (FolderNode folder, string name) = Image.Place("mkdir", path);
        if (folder.Entries.TryGetValue(name, out Node? found))
        {
            if (found is not FolderNode)
            {
                throw DiskImage.Failure(DiskError.NotFolder, "mkdir", path);
            }

            return;
        }

        RefuseReadOnly("mkdir", path);
        RefuseWhenFull("mkdir", path);
        Image.BeginChange();
        Image.SetName(folder, name, Image.NewFolder());
    });

    public void SpreadFolders(string path)
    {
        StorePath.Check("open", path);

        // There is no place on this disk that could be far from another.
    }

    public void Rename(string from, string to) => Do("rename", from, true, () =>
    {
        StorePath.Check("rename", to);
        RefuseReadOnly("rename", from);
        (FolderNode fromFolder, string fromName) = Image.Place("rename", from);
        (FolderNode toFolder, string toName) = Image.Place("rename", to);
        Node node = Image.Get("rename", from);
        toFolder.Entries.TryGetValue(toName, out Node? replaced);
        switch (node, replaced)
        {
            case (FolderNode, _) when from != to && (to + "/").StartsWith(from + "/", StringComparison.Ordinal):
                throw DiskImage.Failure(DiskError.Io, "rename", to); // a folder into itself
            case (_, FolderNode) when from != to && (from + "/").StartsWith(to + "/", StringComparison.Ordinal):
                throw DiskImage.Failure(DiskError.NotEmpty, "rename", to);
            case (FolderNode, FileNode):
                throw DiskImage.Failure(DiskError.NotFolder, "rename", to);
            case (FileNode, FolderNode):
                throw DiskImage.Failure(DiskError.IsFolder, "rename", to);
            case (FolderNode, FolderNode other) when node != other && other.Entries.Count > 0:
                throw DiskImage.Failure(DiskError.NotEmpty, "rename", to);
        }

        if (node == replaced)
        {
            return; // two names of one file: POSIX says that nothing happens
        }

        CheckRule("rename", from, [new Touch(from, null), new Touch(to, node)]);
        Image.BeginChange();
        Image.SetName(toFolder, toName, node);
        Image.SetName(fromFolder, fromName, null);
        Image.FreeIfGone(replaced);
    });

    public void Exchange(string left, string right) => Do("renameat2", left, true, () =>
    {
        StorePath.Check("renameat2", right);
        if (!Capabilities.AtomicExchange)
        {
            throw DiskImage.Failure(DiskError.Unsupported, "renameat2", left);
        }

        RefuseReadOnly("renameat2", left);
        Node first = Image.Get("renameat2", left);
        Node second = Image.Get("renameat2", right);
        CheckRule("renameat2", left, [new Touch(left, second), new Touch(right, first)]);
        (FolderNode leftFolder, string leftName) = Image.Place("renameat2", left);
        (FolderNode rightFolder, string rightName) = Image.Place("renameat2", right);
        Image.BeginChange();
        Image.SetName(leftFolder, leftName, second);
        Image.SetName(rightFolder, rightName, first);
    });

    public void Link(string existing, string added) => Do("link", added, true, () =>
    {
        StorePath.Check("link", existing);
        StorePath.Check("link", added);
        Node node = Image.Get("link", existing);
        (FolderNode folder, string name) = Image.Place("link", added);
        if (folder.Entries.ContainsKey(name))
        {
            throw DiskImage.Failure(DiskError.Exists, "link", added);
        }

        if (!Capabilities.HardLinks || node is not FileNode file)
        {
            throw DiskImage.Failure(DiskError.Unsupported, "link", added);
        }

        RefuseReadOnly("link", added);
        RefuseWhenFull("link", added);
        Image.BeginChange();
        Image.SetName(folder, name, file);
    });

    public void SetModified(string path, long unixMs) => Do("utimensat", path, true, () =>
    {
        RefuseReadOnly("utimensat", path);
        if (Image.Get("utimensat", path) is FileNode file)
        {
            file.ModifiedMs = unixMs;
        }
    });

    public void Unlink(string path) => Do("unlink", path, true, () =>
    {
        (FolderNode folder, string name) = Image.Place("unlink", path);
        switch (Image.Get("unlink", path))
        {
            case FolderNode:
                throw DiskImage.Failure(DiskError.IsFolder, "unlink", path);
            case Node file:
                RefuseReadOnly("unlink", path);
                CheckRule("unlink", path, [new Touch(path, null)]);
                Image.BeginChange();
                Image.SetName(folder, name, null);
                Image.FreeIfGone(file);
                break;
        }
    });

    public void RemoveFolder(string path) => Do("rmdir", path, true, () =>
    {
        FolderNode removed = Image.GetFolder("rmdir", path);
        RefuseReadOnly("rmdir", path);
        if (removed.Entries.Count > 0)
        {
            throw DiskImage.Failure(DiskError.NotEmpty, "rmdir", path);
        }

        if (path.Length == 0)
        {
            Image.RemoveRoot();
            return;
        }

        (FolderNode folder, string name) = Image.Place("rmdir", path);
        Image.BeginChange();
        Image.SetName(folder, name, null);
        Image.FreeIfGone(removed);
    });

    public void SyncFolder(string path) =>
        Do("fsync", path, true, () => Image.SyncNames(Image.GetFolder("fsync", path)));

    public bool TrySyncAll()
    {
        if (!HasSyncAll)
        {
            return false;
        }

        Do("syncfs", "", true, () =>
        {
            foreach (Node node in Image.AllNodes())
            {
                switch (node)
                {
                    case FileNode file:
                        file.Sync();
                        break;
                    case FolderNode folder:
                        Image.SyncNames(folder);
                        break;
                }
            }
        });
        return true;
    }

    public ILockFile OpenLocks(string path, bool readOnly) => Do("open", path, false, () =>
        Image.Get("open", path) is FileNode file
            ? new ModelLockFile(this, file, path, readOnly)
            : throw DiskImage.Failure(DiskError.IsFolder, "open", path));

    public ISharedPage? OpenSharedPage(string path, bool readOnly) => Do("mmap", path, !readOnly, () =>
    {
        Node? node = Image.Find("mmap", path);
        switch (node)
        {
            case FolderNode:
                throw DiskImage.Failure(DiskError.IsFolder, "mmap", path);
            case FileNode { Length: < SharedPage.Bytes } or null when readOnly:
                return null;
        }

        FileNode file = (FileNode?)node ?? Create("mmap", path);
        if (file is { Mapped: null, AllocatedPages: 0 })
        {
            RefuseWhenFull("mmap", path);
        }

        return new ModelSharedPage(this, file, path, Image.Account(file, file.Map));
    });

    public void Dispose()
    {
        // The content outlives its openings.
    }

    /// <summary>Ends this opening as a kill ends a process: what was written stays, its locks go,
    /// and whatever thread still uses it gets a <see cref="PowerCutException"/>.</summary>
    public void Kill()
    {
        lock (Image.Gate)
        {
            Die();
        }
    }

    /// <summary>Runs one call: counts it, lets it fail, keeps the image to itself.</summary>
    internal T Do<T>(string operation, string path, bool isChange, Func<T> call)
    {
        StorePath.Check(operation, path);
        lock (Image.Gate)
        {
            RefuseDead();
            bool endsAfter = Enter(new DiskOperation(operation, path, isChange));
            if (!endsAfter)
            {
                return call();
            }

            try
            {
                call();
            }
            catch (DiskException e)
            {
                throw End(e);
            }

            throw End();
        }
    }

    internal void Do(string operation, string path, bool isChange, Action call) =>
        Do(operation, path, isChange, () =>
        {
            call();
            return true;
        });

    /// <summary>Writes, with what may go wrong in the middle of it.</summary>
    internal virtual void Write(FileNode file, string path, ReadOnlySpan<byte> data, long offset)
    {
        lock (Image.Gate)
        {
            RefuseDead();
            CheckWrite("pwrite", path, file, offset, offset + data.Length);
            WriteAll(file, path, data, offset);
        }
    }

    internal virtual void Sync(FileNode file, string path) => Do("fdatasync", path, true, file.Sync);

    /// <summary>Throws where the opening or the machine is gone.</summary>
    internal virtual void RefuseDead()
    {
        if (_isDead)
        {
            throw new PowerCutException("The process was killed.");
        }
    }

    /// <summary>The rule of <see cref="OneRule"/>; nothing where the disk does not check it.</summary>
    internal virtual void CheckRule(string operation, string path, IEnumerable<Touch> touches)
    {
    }

    /// <summary>The same for bytes that change, under all names of the file.</summary>
    internal void CheckWrite(string operation, string path, FileNode file, long from, long to)
        => CheckRule(operation, path, OneRule.PathsOf(file).Select(p => new Touch(p, file, from, to)));

    /// <summary>Called before each call; throws to fail it, answers true to end after it.</summary>
    protected virtual bool Enter(DiskOperation operation) => false;

    /// <summary>Ends this opening in the middle of a call.</summary>
    protected virtual PowerCutException End(DiskException? cause = null) => new("The process was killed.", cause);

    protected void WriteAll(FileNode file, string path, ReadOnlySpan<byte> data, long offset)
    {
        long before = file.AllocatedPages;
        long free = Image.FreePages;
        int written = file.Write(data, offset, ref free);
        Image.AddPages(file.AllocatedPages - before);
        if (written < data.Length)
        {
            throw DiskImage.Failure(DiskError.NoSpace, "pwrite", path);
        }
    }

    /// <summary>Ends this opening; under the gate.</summary>
    protected void Die()
    {
        _isDead = true;
        foreach (ModelLockFile locks in Image.LockFiles.Where(l => l.Disk == this).ToArray())
        {
            locks.Close();
        }

        foreach (ModelFile file in Image.Files.Where(f => f.Disk == this).ToArray())
        {
            file.Close();
        }
    }

    private FileNode Create(string operation, string path)
    {
        RefuseReadOnly(operation, path);
        (FolderNode folder, string name) = Image.Place(operation, path);
        RefuseWhenFull(operation, path);
        FileNode file = Image.NewFile();
        Image.BeginChange();
        Image.SetName(folder, name, file);
        return file;
    }

    private void RefuseReadOnly(string operation, string path)
    {
        if (IsReadOnly)
        {
            throw DiskImage.Failure(DiskError.ReadOnly, operation, path);
        }
    }

    // A new name may need a block of its folder.
    private void RefuseWhenFull(string operation, string path)
    {
        if (Image.FreePages <= 0)
        {
            throw DiskImage.Failure(DiskError.NoSpace, operation, path);
        }
    }
}
