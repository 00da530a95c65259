using Sessions.Images;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Apply;

/// <summary>A session whose files are looked at, and what its log must have.</summary>
/// <param name="Row">The session.</param>
/// <param name="LogLength">Bytes that are in the log; 0 or less: not known.</param>
/// <param name="Lines">What frames say that stands in it.</param>
internal readonly record struct WrittenFiles(Row Row, long LogLength, IReadOnlyList<WrittenPart> Lines)
{
    /// <summary>What the rows know now. Under the gate.</summary>
    public static WrittenFiles Of(Row row) => new(row, row.FileLength, row.Written?.Parts ?? []);
}

/// <content>What a checkpoint looks at before the journal goes: the files are still those that were written.</content>
internal sealed partial class Applier
{
    /// <summary>The sessions whose logs this process keeps open.</summary>
    public IReadOnlyCollection<string> OpenLogs => _logs.Ids;

    /// <summary>False where a file of a session does not say what was written to it. Without the store lock the
    /// session may be on its way elsewhere, or may have been written to since.</summary>
    public static bool HasFiles(IDisk disk, in WrittenFiles files)
        => files.Row.IsGone || (Wrong(disk, files.Row) is null && HasLog(disk, files)
            && LostParts(disk, files.Row).Count == 0);

    /// <summary>The same under the store lock, which the caller holds; then it is put right. What this user may not
    /// write is <see cref="Held"/> afterwards.</summary>
    public void Mend(Row row, long applied)
    {
        Held.Clear();
        Holding(row.Id, () => MendAllowed(row, applied));
    }

    private void MendAllowed(Row row, long applied)
    {
        var files = WrittenFiles.Of(row);
        string path = row.Folder + "/" + Layout.EventsFile;
        if (HasFiles(_disk, files) && (row.IsGone || _logs.IsInPlace(row.Id, path)))
        {
            return;
        }

        LogRing.Add("warning", $"Files of {row.Id} were removed or replaced; they are made anew.");
        RowQueue.TakeIn(row);
        var session = new FoldedSession(row.Id) { Lsn = applied };
        _folders.Clear();
        Clearing(() =>
        {
            EnsureFolder(row.Folder);
            if (files.LogLength > 0 && !(HasLog(_disk, files) && _logs.IsInPlace(row.Id, path)))
            {
                _logs.Mend(session, path, files.LogLength);
            }

            Relink(row);
            while (Wrong(_disk, row) is { } wrong)
            {
                string file = row.Folder + "/" + wrong.Name;
                KeepOther(file, row.Id);
                WriteOrRemove(file, wrong.Image, isWithoutFrame: true);
            }
        });
    }

    // A link is made by the name, and for ever: it must be of the file that the events were written to.
    private void RequireLog(FoldedSession branch)
    {
        string parentId = branch.ForkedFrom!;
        Row? row;
        long length = 0;
        lock (_core.Rows.Gate)
        {
            row = OnExcess is null && MakesLostFolders ? _core.Rows.Known(parentId) : null;
            length = row is { IsLive: true } ? WrittenFiles.Of(row).LogLength : 0;
        }

        if (length > 0 && !_logs.IsInPlace(parentId, row!.Folder + "/" + Layout.EventsFile))
        {
            var parent = new FoldedSession(parentId) { Lsn = branch.ForkLsn };
            _logs.Mend(parent, row.Folder + "/" + Layout.EventsFile, length);
        }
    }

    // The ancestors' logs have what a branch sees of them, as long as they are there.
    private void Relink(Row row)
    {
        List<string> lost = LostParts(_disk, row);
        foreach (string link in lost)
        {
            if (_disk.Stat(link) is { } entry && (entry.IsFolder || entry.IsOther))
            {
                _quarantine.PutAside(link);
            }
        }

        if (lost.Count > 0)
        {
            new LostLinks(_disk).Relink(row.Folder, row.Log!);
        }
    }

    private static List<string> LostParts(IDisk disk, Row row)
    {
        var lost = new List<string>();
        foreach (HistoryPart part in row.Log?.History ?? [])
        {
            string link = Layout.History(row.Folder, part.SessionId);
            if (disk.Glance(link) is not { IsFile: true })
            {
                lost.Add(link);
            }
        }

        return lost;
    }

    // The other file may be the only copy of what somebody wrote.
    private void KeepOther(string path, string id)
    {
        if (_disk.Stat(path) is { IsFile: true, IsOfOthers: false, IsReadable: true, Links: 1 })
        {
            _quarantine.KeepFile(path, id, LogMender.Reason);
            _quarantine.Settle();
        }
    }

    private static bool HasLog(IDisk disk, in WrittenFiles files)
    {
        if (files.LogLength <= 0)
        {
            return true;
        }

        string path = files.Row.Folder + "/" + Layout.EventsFile;
        if (files.Lines.Count == 0)
        {
            return disk.Glance(path) is { IsFile: true } entry && entry.Length >= files.LogLength;
        }

        try
        {
            using IDiskFile file = disk.Open(path, OpenMode.Read, mayBeLinked: true);
            return file.Length >= files.LogLength && files.Lines.All(l => l.IsIn(file));
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound || Obstacle.HidesContent(e))
        {
            return false;
        }
    }

    // The first small file that does not say what is known of it, and what it must say; empty where it must go.
    private static (string Name, ReadOnlyMemory<byte> Image)? Wrong(IDisk disk, Row row)
    {
        string folder = row.Folder + "/";
        if (row.Info is { } info && !Says(disk, folder + Layout.SessionFile, info))
        {
            return (Layout.SessionFile, info.Json);
        }

        if (row.Log is { } log)
        {
            ReadOnlyMemory<byte> image = log.Write(row.Id);
            if (log.IsPlain ? disk.Glance(folder + Layout.LogStateFile) is not null
                : !Says(disk, folder + Layout.LogStateFile, image))
            {
                return (Layout.LogStateFile, image);
            }
        }

        if (row.Shares is { Length: > 0 } shares && !Says(disk, folder + Layout.SharesFile, shares))
        {
            return (Layout.SharesFile, shares);
        }

        for (int i = 0; i < row.Sides?.Length; i++)
        {
            if (row.Sides[i] is { Length: > 0 } side && !Says(disk, folder + SmallFileKind.All[i].FileName, side))
            {
                return (SmallFileKind.All[i].FileName, side);
            }
        }

        return null;
    }

    private static bool Says(IDisk disk, string path, ReadOnlyMemory<byte> image)
        => SmallFile.TryRead(disk, path, null, out _) is { } compact && compact.AsSpan().SequenceEqual(image.Span);

    // Counters may have gone on since it was written, and no other member.
    private static bool Says(IDisk disk, string path, SessionInfo info)
        => SmallFile.TryRead(disk, path, null, out _) is { } compact && (compact.AsSpan().SequenceEqual(info.Json)
            || (InfoCodec.TryRead(compact) is { } known && known.Id == info.Id && known.LastSeq < info.LastSeq
                && known.With(info.Counters).Json.AsSpan().SequenceEqual(info.Json)));
}
