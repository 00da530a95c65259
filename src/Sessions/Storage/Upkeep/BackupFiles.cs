using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Recovery;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Upkeep;

/// <summary>The files of a backup: what is copied, and how a copy is brought up to date.</summary>
internal sealed class BackupFiles(StoreCore core, IDisk to, JobContext context)
{
    private const int CopyBytes = 1 << 20;
    private const int SampleBytes = 64 * 1024;
    private const int DepthMax = 8;
    private const int LeftOutMax = 100;
    private const int SyncEachMax = 256;

    // By the file in the store: the first of its names here, for the others to be links to.
    private readonly Dictionary<ulong, string> _linked = [];
    private readonly byte[] _buffer = new byte[CopyBytes];
    private int _made;

    /// <summary>The disk that is worked on: where a failure is from.</summary>
    public IDisk At { get; set; } = core.Disk;

    public long Bytes { get; private set; }

    /// <summary>Files that may not be read here, or are none; the first hundred.</summary>
    public List<string> LeftOut { get; } = [];

    private IDisk Source => At = core.Disk;

    private IDisk Target => At = to;

    /// <summary>Removes what an attempt copied.</summary>
    public void Clear()
    {
        Target.CreateFolder("");
        foreach (string folder in (string[])[Layout.Sessions, Layout.Trash, Layout.Quarantine])
        {
            Remove(folder);
        }

        _linked.Clear();
        LeftOut.Clear();
    }

    /// <summary>Copies every session that is there, and what is kept aside.</summary>
    public void CopyAll()
    {
        foreach ((string folder, string id, _) in FolderScan.Folders(core.Disk))
        {
            CopySession(id, folder, null);
        }

        CopyRest();
    }

    /// <summary>Brings the copies of sessions up to what the store has of them now.</summary>
    public void Copy(Dictionary<string, Touch> touched)
    {
        foreach ((string id, Touch touch) in touched)
        {
            context.ThrowIfCancelled();
            string? folder;
            lock (core.Rows.Gate)
            {
                folder = core.Rows.Known(id) is { IsGone: false } row ? row.Folder : null;
            }

            foreach (long place in touch.Places)
            {
                Remove(Layout.Folder(id, place));
            }

            if (folder is null)
            {
                Remove(Layout.LiveFolder(id));
            }
            else
            {
                CopySession(id, folder, touch);
            }
        }
    }

    /// <summary>Copies what belongs to no session: the rules, pruned logs, the quarantine.</summary>
    public void CopyRest()
    {
        CopyTree(Layout.PrunedFolder, 0);
        CopyTree(Layout.Quarantine, 0);
        if (Source.Stat(Layout.ConfigFile) is { IsFile: true })
        {
            CopyFile(Layout.ConfigFile);
        }
    }

    /// <summary>Copies a file, from its first byte.</summary>
    public void CopyFile(string path)
    {
        using IDiskFile from = Source.Open(path, OpenMode.Read, mayBeLinked: true);
        long length = from.Length;
        if (Target.Stat(path) is not null)
        {
            to.Unlink(path);
        }

        if (from.IsLinked && TryLink(from, length, path))
        {
            return;
        }

        using IDiskFile copy = to.Open(path, OpenMode.CreateNew);
        _made++;
        Append(from, 0, length, copy);
    }

    /// <summary>Writes a small file of a compact object.</summary>
    public void WriteSmall(string path, ReadOnlySpan<byte> compact)
    {
        var text = new Utf8Buffer(compact.Length * 2);
        CheckedJson.Write(compact, text);
        if (Target.Stat(path) is not null)
        {
            to.Unlink(path);
        }

        using IDiskFile file = to.Open(path, OpenMode.CreateNew);
        _made++;
        file.Write(text.Written, 0);
    }

    /// <summary>Makes all of it durable.</summary>
    public void Sync()
    {
        // Few files cost less by themselves than all that a busy file system has to write.
        if (_made <= SyncEachMax || !Target.TrySyncAll())
        {
            At = to;
            Migration.SyncTree(to, "");
        }
    }

    // A session that moves under this is touched by the frame that moved it.
    private void CopySession(string id, string folder, Touch? touch)
    {
        try
        {
            byte[]? info = touch is null ? null : InfoOf(id);
            EnsureFolder(folder);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (DiskName name in Source.List(folder))
            {
                string path = folder + "/" + name.Name;
                seen.Add(name.Name);
                if (name.IsFolder)
                {
                    CopyTree(path, 0);
                }
                else if (name.IsOther || IsUnfinished(name.Name))
                {
                    LeaveOut(path, name.IsOther);
                }
                else if (name.Name == Layout.SessionFile && info is not null)
                {
                    WriteSmall(path, info);
                }
                else if (name.Name == Layout.EventsFile && touch is { IsRewritten: false, Places.Count: 0 }
                    && Target.Stat(path) is { IsFile: true } copied)
                {
                    CopyTail(path, Math.Min(copied.Length, touch.LogFrom));
                }
                else
                {
                    CopyReadable(path);
                }
            }

            RemoveOthers(folder, seen);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound && ReferenceEquals(At, core.Disk))
        {
            LogRing.Add("debug", $"Moved while it was copied: {e.Path}");
        }
    }

    private byte[]? InfoOf(string id)
    {
        lock (core.Rows.Gate)
        {
            return core.Rows.Known(id) is { IsGone: false } row && core.Rows.CanRead(row)
                ? core.Rows.Read(row).Json : null;
        }
    }

    private void CopyTail(string path, long offset)
    {
        using IDiskFile from = Source.Open(path, OpenMode.Read, mayBeLinked: true);
        long length = from.Length;
        using IDiskFile copy = Target.Open(path, OpenMode.ReadWrite, mayBeLinked: true);
        Append(from, Math.Min(offset, length), length, copy);
    }

    // What never changes once it has its name: attachments, links of branches, pruned logs, what is kept aside.
    private void CopyTree(string folder, int depth)
    {
        if (Source.Stat(folder) is not { IsFolder: true })
        {
            Remove(folder);
            return;
        }

        EnsureFolder(folder);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (DiskName name in Source.List(folder))
        {
            string path = folder + "/" + name.Name;
            seen.Add(name.Name);
            if (name.IsFolder && depth < DepthMax)
            {
                CopyTree(path, depth + 1);
            }
            else if (name.IsFolder || name.IsOther || IsUnfinished(name.Name))
            {
                LeaveOut(path, name.IsFolder || name.IsOther);
            }
            else if (Source.Stat(path) is { IsFile: true } entry && Target.Stat(path)?.Length != entry.Length)
            {
                CopyReadable(path);
            }
        }

        RemoveOthers(folder, seen);
    }

    private void CopyReadable(string path)
    {
        try
        {
            CopyFile(path);
        }
        catch (DiskException e) when (Obstacle.HidesContent(e) && ReferenceEquals(At, core.Disk))
        {
            LeaveOut(path, isNews: true);
        }
    }

    // Files that are on their way to another name, which is what they are copied by.
    private static bool IsUnfinished(string name)
        => LogRewriter.IsOurs(name) || name.EndsWith(FileLinks.HalfSuffix, StringComparison.Ordinal);

    private void LeaveOut(string path, bool isNews)
    {
        if (isNews && LeftOut.Count < LeftOutMax && !LeftOut.Contains(path))
        {
            LeftOut.Add(path);
        }
    }

    private void RemoveOthers(string folder, HashSet<string> seen)
    {
        foreach (DiskName name in Target.List(folder))
        {
            if (!seen.Contains(name.Name) && !name.IsFolder)
            {
                to.Unlink(folder + "/" + name.Name);
            }
            else if (!seen.Contains(name.Name))
            {
                Remove(folder + "/" + name.Name);
            }
        }
    }

    // A second name of a file of the store is a second name here, too: a branch takes no space. A number of a file may
    // come again for another one, so its beginning and its end are compared.
    private bool TryLink(IDiskFile from, long length, string path)
    {
        if (!to.Capabilities.HardLinks
            || (_linked.GetValueOrDefault(from.Identity) ?? LogOfAncestor(from.Identity, path)) is not { } first
            || Target.Stat(first) is not { IsFile: true } copied
            || !AreAlike(from, first, Math.Min(length, copied.Length)))
        {
            _linked[from.Identity] = path;
            return false;
        }

        Target.Link(first, path);
        if (copied.Length < length)
        {
            using IDiskFile copy = to.Open(path, OpenMode.ReadWrite, mayBeLinked: true);
            Append(from, copied.Length, length, copy);
        }

        return true;
    }

    // A branch that was made since its ancestor's log was copied, which had one name then.
    private string? LogOfAncestor(ulong identity, string path)
    {
        if (Layout.Name(Layout.Parent(path)) != Layout.HistoryFolder)
        {
            return null;
        }

        string ancestor = Path.GetFileNameWithoutExtension(Layout.Name(path)), folder;
        lock (core.Rows.Gate)
        {
            folder = core.Rows.Known(ancestor)?.Folder ?? Layout.LiveFolder(ancestor);
        }

        string log = folder + "/" + Layout.EventsFile;
        return Source.Stat(log)?.Identity == identity ? log : null;
    }

    private bool AreAlike(IDiskFile from, string first, long common)
    {
        using IDiskFile copy = Target.Open(first, OpenMode.Read, mayBeLinked: true);
        byte[] other = new byte[Math.Min(SampleBytes, common)];
        foreach (long at in (long[])[0, common - other.Length])
        {
            At = core.Disk;
            int read = from.Read(_buffer.AsSpan(0, other.Length), at);
            At = to;
            if (copy.Read(other, at) != read || !other.AsSpan(0, read).SequenceEqual(_buffer.AsSpan(0, read)))
            {
                return false;
            }
        }

        return true;
    }

    private void Append(IDiskFile from, long offset, long length, IDiskFile copy)
    {
        for (long at = offset; at < length;)
        {
            At = core.Disk;
            at = from.NextData(at);
            int read = at < length ? from.Read(_buffer.AsSpan(0, (int)Math.Min(CopyBytes, length - at)), at) : 0;
            if (read == 0)
            {
                break;
            }

            At = to;
            copy.Write(_buffer.AsSpan(0, read), at);
            at += read;
            Bytes += read;
            context.Report(Bytes, 0);
            KeepUp();
        }

        At = to;
        copy.SetLength(length);
    }

    // Nothing of the journal may go before this process has read what it did.
    private void KeepUp()
    {
        context.ThrowIfCancelled();
        At = core.Disk;
        core.Refresh();
    }

    private void EnsureFolder(string path)
    {
        if (Target.Stat(path) is { IsFolder: true })
        {
            return;
        }

        if (Layout.Parent(path) is { Length: > 0 } parent)
        {
            EnsureFolder(parent);
        }

        Target.CreateFolder(path);
    }

    private void Remove(string folder) => new Trees(Target, core.InstanceId).Remove(folder);
}
