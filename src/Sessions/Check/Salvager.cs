using System.Buffers;
using Sessions.Images;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;
using Sessions.Storage.Page;
using Sessions.Storage.Recovery;
using Sessions.Storage.Rows;

namespace Sessions.Check;

/// <summary>
/// Makes a damaged store whole again, alone in it: keeps the journal aside byte for byte, applies
/// every frame of it that is whole, makes each session.json that cannot be read from the index or
/// from its events, and starts a new journal far above every number that was ever used.
/// </summary>
internal sealed partial class Salvager
{
    private readonly StoreCore _core;
    private readonly IDisk _disk;
    private readonly JobContext _context;
    private readonly LostLinks _lostLinks;
    private readonly List<string> _rebuilt = [];
    private int _redone;

    private Salvager(StoreCore core, JobContext context)
        => (_core, _disk, _context, _lostLinks) = (core, core.Disk, context, new LostLinks(core.Disk));

    /// <summary>Does it. Stopped before the new journal it leaves what a killed one leaves: a store that is as
    /// damaged as before, and a salvage can begin again.</summary>
    public static void Run(StoreEnvironment environment, JobContext context, IBufferWriter<byte> output)
    {
        IDisk disk = environment.Disk;
        if (disk.Stat("") is not { IsFolder: true }
            || (disk.Stat(Layout.StoreFile) is null && !Premises.HasRemains(disk)))
        {
            throw Errors.NotFound("store");
        }

        RequireOurs(disk);
        var quarantine = new Quarantine(disk, environment.Time, canWrite: true);
        Premises.Clear(disk, quarantine);
        Clear(quarantine, Misplaced.InStore(disk));
        StoreFile file = ReadOrMakeStoreFile(environment);
        using ILockFile locks = disk.OpenLocks(Layout.StoreFile, readOnly: false);
        if (!StoreLock.TryTakeStore(locks))
        {
            throw Errors.Busy("The store, which is open elsewhere,");
        }

        Clear(quarantine, Misplaced.AmongSessions(disk));
        foreach ((string folder, _, _) in FolderScan.Folders(disk))
        {
            WhereAllowed(folder, () => Clear(quarantine, Misplaced.InSession(disk, folder)));
        }

        var salvager = new Salvager(new StoreCore(environment, new SessionStoreOptions(), file.StoreId), context);
        salvager.Run(output);
    }

    // A file or folder that is wrong only in whose it is, or in who may write to it, is put right by its owner and
    // loses nothing. To move it away would.
    private static void RequireOurs(IDisk disk)
    {
        RequireOurs(disk, Misplaced.InStore(disk));
        RequireOurs(disk, Misplaced.AmongSessions(disk));
        foreach ((string folder, _, _) in FolderScan.Folders(disk))
        {
            WhereAllowed(folder, () => RequireOurs(disk, Misplaced.InSession(disk, folder)));
        }
    }

    private static void RequireOurs(IDisk disk, IEnumerable<string> paths)
    {
        foreach (string path in paths)
        {
            if (disk.Stat(path) is { IsOther: false, IsOfOthers: true } entry)
            {
                throw Errors.OfOthers(path, entry.Owner, entry.Mode);
            }
        }
    }

    // One that this user may not enter stays as it is, and is no reason to leave the others damaged.
    private static void WhereAllowed(string folder, Action salvage)
    {
        try
        {
            salvage();
        }
        catch (DiskException e) when (e.Error == DiskError.AccessDenied)
        {
            LogRing.Add("warning", $"{folder} may not be salvaged by this user: {e.Message}");
        }
    }

    private static void Clear(Quarantine quarantine, IEnumerable<string> paths)
    {
        foreach (string path in (List<string>)[.. paths])
        {
            quarantine.PutAside(path);
        }
    }

    private void Run(IBufferWriter<byte> output)
    {
        foreach (string folder in (string[])[Layout.Temporary, Layout.Locks, Layout.Journal])
        {
            _disk.CreateFolder(folder);
        }

        var journal = new JournalFiles(_disk, _core.Seed, _core.InstanceId) { StoreId = _core.StoreId };
        JournalScan scan = JournalScan.Read(_disk, journal);
        KeepJournal(scan.Segments);
        IndexClosing? index = IndexFile.ReadClosing(_disk);
        var rows = new Dictionary<string, ReadOnlyMemory<byte>>();
        IndexFile.TryLoad(_disk, 0, (head, slice) => rows[head.Id] = slice);
        _redone = Redo(scan);
        RemoveDamaged(Layout.ConfigFile, null, null);
        RemoveDamaged(Layout.StreamsFile, null, c => StreamCodec.TryReadImage(c) is not null);
        int sessions = RebuildInfos(rows);
        long lsn = LsnBehindAll(scan, index, out (long Ms, long N) lastId);
        BeginIndex(lsn, lastId);
        BeginJournal(journal, scan.Segments, lsn, lastId);
        if (_disk.Stat(Layout.SharedPage) is not null)
        {
            _core.Quarantine.Vacate(Layout.SharedPage); // it may say that the store is poisoned or damaged
        }

        WriteReport(sessions, scan.Corruption, output);
        LogRing.Add("info", $"Salvaged {sessions} sessions, {_rebuilt.Count} of them rebuilt.");
    }

    // Each of these may be lost or older than the others, so the highest number that one of them knows counts.
    private long LsnBehindAll(JournalScan scan, IndexClosing? index, out (long Ms, long N) lastId)
    {
        (long lsn, long ms, long n) = FolderScan.Floors(_disk);
        lastId = index is null ? (ms, n) : Later((ms, n), (index.IdMs, index.IdN));
        if (scan.Newest is { } header)
        {
            lastId = Later(lastId, (header.IdMs, header.IdN));
        }

        foreach (Change change in scan.Frames.Concat(scan.Stranded).SelectMany(f => f.Changes))
        {
            if (change.IsNew && SessionIds.TryParse(change.Id, out long newMs, out long newN))
            {
                lastId = Later(lastId, (newMs, newN));
            }
        }

        return Takeover.Behind(Math.Max(Math.Max(lsn, scan.LastLsn), index?.Lsn ?? 0));
    }

    private static (long Ms, long N) Later((long Ms, long N) one, (long Ms, long N) other)
        => other.CompareTo(one) > 0 ? other : one;

    private void BeginIndex(long lsn, (long Ms, long N) lastId)
    {
        if (_disk.Stat(Layout.IndexFile) is not null)
        {
            _disk.Unlink(Layout.IndexFile);
        }

        IndexWriter.Write(_disk, _core.Quarantine, null, [], lsn, lastId);
    }

    // Behind the last segment there was; that one and all before it are of no use from then on.
    private void BeginJournal(JournalFiles journal, List<long> segments, long lsn, (long Ms, long N) lastId)
    {
        long number = (segments.Count == 0 ? 0 : segments[^1]) + 1;
        journal.CreateClosing(new SegmentHeader
        {
            Number = number,
            Size = SegmentHeader.Length,
            FirstLsn = lsn + 1,
            PreviousEnd = 0,
            PreviousLsn = lsn,
            FirstNeeded = number,
            IdMs = lastId.Ms,
            IdN = lastId.N,
        });
        journal.Retire(number);
        _disk.SyncFolder(Layout.Journal);
    }

    private void WriteReport(int sessions, string? corruption, IBufferWriter<byte> output)
    {
        var b = new Utf8Buffer();
        b.Byte('{').Member("sessions", (long)sessions).Member("frames_applied", (long)_redone)
            .Member("corruption", corruption).Name("rebuilt").Byte('[');
        for (int i = 0; i < _rebuilt.Count; i++)
        {
            b.Raw(i == 0 ? ""u8 : ","u8).Text(_rebuilt[i]);
        }

        b.Raw("],\"quarantined\":["u8);
        List<QuarantineEntry> kept = _core.Quarantine.List(out int leftOff);
        for (int i = 0; i < kept.Count; i++)
        {
            b.Raw(i == 0 ? ""u8 : ","u8).Text(kept[i].File);
        }

        output.Write(b.Byte(']').Member("quarantined_left_off", leftOff).Byte('}').Written);
    }

    private static StoreFile ReadOrMakeStoreFile(StoreEnvironment environment)
    {
        try
        {
            if (StoreFile.Read(environment.Disk) is { } file)
            {
                return file.Version <= StoreFile.CurrentVersion ? file : throw Migration.Unsupported(file.Version);
            }
        }
        catch (SessionException e) when (e.Status == SessionStatus.Corrupt)
        {
            UnreadableFile found = SmallFile.ReadWhole(environment.Disk, Layout.StoreFile, StoreFile.BytesMax,
                mayBeLinked: true);
            var quarantine = new Quarantine(environment.Disk, environment.Time, canWrite: true);
            quarantine.Keep(Layout.StoreFile, null, found);
            quarantine.Settle();
            environment.Disk.Unlink(Layout.StoreFile);
            return StoreFile.Create(environment, LostStoreId.Find(environment.Disk, found.Bytes));
        }

        return StoreFile.Create(environment, LostStoreId.Find(environment.Disk, []));
    }

    private void KeepJournal(List<long> segments)
    {
        foreach (long segment in segments)
        {
            _context.ThrowIfCancelled();
            using IDiskFile file = _disk.OpenOwn(Layout.Segment(segment), OpenMode.Read);
            long used = FileHoles.EndOfContent(file, 0, file.Length, _context);
            if (used > SegmentHeader.Length)
            {
                _core.Quarantine.KeepPart(Layout.Segment(segment), null, "salvaged_journal", file, 0, used, _context);
            }
        }

        _core.Quarantine.Settle();
    }

    private int Redo(JournalScan scan)
    {
        foreach (long segment in scan.Segments)
        {
            using IDiskFile file = _disk.OpenOwn(Layout.Segment(segment), OpenMode.ReadWrite);
            file.Sync();
        }

        List<Frame> frames = WholeFrames.Of(_disk, scan);
        var streams = new StreamTable(_disk, _core.Quarantine, _core.InstanceId);
        bool hasStreams = streams.TryLoad(frames);
        var applier = new Applier(_core) { MakesLostFolders = false };
        try
        {
            RedoFrames(applier, frames);
            if (hasStreams)
            {
                applier.Apply(new Fold { Streams = streams.Image(), AreStreamsCompleted = true });
            }
        }
        finally
        {
            applier.Close();
        }

        if (!_disk.TrySyncAll())
        {
            Durably.Sync(_disk, FolderScan.Folders(_disk).Select(f => new TouchedSession(f.Id, f.Deletion, false)), []);
        }

        return frames.Count;
    }

    private void RedoFrames(Applier applier, List<Frame> frames)
    {
        for (int i = 0; i < frames.Count; i++)
        {
            _context.ThrowIfCancelled();
            _context.Report(i, frames.Count);
            Frame frame = frames[i];

            // One by one, so that a frame that refers to what was lost stops no other.
            var fold = Fold.Of([frame]);
            fold.Streams = null; // the file may be newer than an image; below, it gets what all frames come to
            try
            {
                applier.Apply(fold);
            }
            catch (DiskException e) when (e.Error == DiskError.NotFound)
            {
                LogRing.Add("warning", $"Record {frame.Lsn} refers to a session that is lost.");
            }
        }
    }

    // Nothing else knows what stood in it; it is kept aside, and what is there no more is the default.
    private bool RemoveDamaged(string path, string? id, Func<byte[], bool>? isValid)
    {
        if (!KeepDamaged(path, id, isValid))
        {
            return false;
        }

        _core.Quarantine.Settle(); // has nothing to do where all sessions were gone through first
        _disk.Unlink(path);
        _disk.SyncFolder(Layout.Parent(path));
        return true;
    }

    private bool KeepDamaged(string path, string? id, Func<byte[], bool>? isValid)
    {
        if (SmallFile.TryRead(_disk, path, isValid, out UnreadableFile? found) is not null || found is null)
        {
            return false;
        }

        _core.Quarantine.Keep(path, id, found);
        return true;
    }

    // All of it before anything is replaced, so that it is made durable in one go.
    private void KeepDamaged(List<(string Folder, string Id, long Deletion)> folders)
    {
        for (int i = 0; i < folders.Count; i++)
        {
            _context.ThrowIfCancelled();
            (string folder, string id, _) = folders[i];
            KeepDamaged(folder + "/" + Layout.SessionFile, id, c => InfoCodec.TryRead(c)?.Id == id);
            KeepDamaged(folder + "/" + Layout.SharesFile, id, c => ShareList.CanRead(c, id));
            KeepDamaged(folder + "/" + Layout.LogStateFile, id, c => LogState.CanRead(c, id));
            foreach (SmallFileKind side in SmallFileKind.All)
            {
                KeepDamaged(folder + "/" + side.FileName, id, c => side.CanRead(c, id));
            }
        }

        _core.Quarantine.Settle();
    }

    private int RebuildInfos(Dictionary<string, ReadOnlyMemory<byte>> rows)
    {
        var folders = new List<(string Folder, string Id, long Deletion)>(FolderScan.Folders(_disk));
        KeepDamaged(folders);
        var applier = new Applier(_core);
        try
        {
            for (int i = 0; i < folders.Count; i++)
            {
                _context.ThrowIfCancelled();
                _context.Report(_redone + i, _redone + folders.Count);
                (string folder, string id, long deletion) = folders[i];
                WhereAllowed(folder, () => RebuildInfo(applier, folder, id, deletion, rows));
            }
        }
        finally
        {
            applier.Close();
        }

        _disk.TrySyncAll();
        return folders.Count;
    }

    private void RebuildInfo(Applier applier, string folder, string id, long deletion,
        Dictionary<string, ReadOnlyMemory<byte>> rows)
    {
        RemoveDamaged(folder + "/" + Layout.SharesFile, id, c => ShareList.CanRead(c, id));
        foreach (SmallFileKind side in SmallFileKind.All)
        {
            RemoveDamaged(folder + "/" + side.FileName, id, c => side.CanRead(c, id));
        }

        string path = folder + "/" + Layout.SessionFile;
        SessionInfo? info = null;
        bool damaged = SmallFile.TryRead(_disk, path, c => (info = InfoCodec.TryRead(c))?.Id == id,
            out UnreadableFile? found) is null;
        if (damaged)
        {
            _core.Quarantine.Keep(path, id, found ?? new UnreadableFile([], 0, null));
            _core.Quarantine.Settle();
            info = (rows.TryGetValue(id, out ReadOnlyMemory<byte> row) && !row.IsEmpty
                ? InfoCodec.TryRead(row) : null)
                ?? new SessionInfo { Id = id, Revision = 1, Title = "Recovered Session" };
            SessionIds.TryParse(id, out long created, out _);
            created = info.CreatedAt != 0 ? info.CreatedAt : RealTime.IsAhead(created, _core.Now) ? _core.Now : created;
            long updated = info.UpdatedAt == 0 ? created : info.UpdatedAt;
            info = info with { CreatedAt = created, UpdatedAt = updated, Share = Shared(folder) };
            _rebuilt.Add(id);
        }

        bool isOlder = !damaged && TakeNewer(path, rows, ref info!);
        RebuildLogState(applier, folder, info!);
        Relink(folder, id);
        SessionInfo counted = Count(folder, info!, damaged);
        counted = counted.Share is { } share && !MayHaveShare(folder, share.ShareId)
            ? counted with { Share = Shared(folder) } : counted;
        counted = counted.DeletionLsn == deletion ? counted
            : counted with { DeletionLsn = deletion, DeletedAt = deletion == 0 ? 0 : _core.Now };
        if (damaged || isOlder || !ReferenceEquals(counted, info))
        {
            applier.Replace(path, counted.Json);
            _disk.SyncFolder(folder);
        }
    }
}
