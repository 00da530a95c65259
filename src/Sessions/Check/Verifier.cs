using System.Buffers;
using System.Globalization;
using Sessions.Images;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Rules;
using Sessions.Storage.Apply;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;
using Sessions.Storage.Upkeep;

namespace Sessions.Check;

/// <summary>
/// Checks that a store is what the journal and the files say together, and writes a report. It
/// changes nothing but the quarantine, where copies of what it finds unreadable go.
/// </summary>
internal sealed partial class Verifier
{
    private readonly Action<CommitRequest> _commit;
    private readonly StoreCore _core;
    private readonly JobContext _context;
    private readonly bool _canLock;
    private readonly Utf8Buffer _issues = new(1024);
    private readonly IndexLookup _index;
    private int _count;
    private long _leftOff;
    private bool _isSound = true;
    private bool _isSettled = true; // nobody moves or writes what is looked at, so that harm is harm
    private long _sessions;
    private long _events;
    private long _bytes;

    private Verifier(StoreCore core, Action<CommitRequest> commit, JobContext context)
    {
        _commit = commit;
        _context = context;
        _core = core;
        _index = new IndexLookup(_core.Disk);
        _canLock = !_core.IsReadOnly && _core.State.Health == StoreHealth.Sound;
    }

    public static void Write(StoreCore core, Checkpointer checkpointer, Action<CommitRequest> commit, bool deep,
        JobContext context, IBufferWriter<byte> output)
    {
        var verifier = new Verifier(core, commit, context);
        long start = core.Environment.Time.GetTimestamp();
        if (verifier._canLock)
        {
            checkpointer.Flush(context); // so that the files are to be compared with, not the journal
        }

        verifier.CheckStore();
        verifier.CheckSessions(deep);
        var b = new Utf8Buffer(512);
        b.Byte('{').Member("ok", verifier._isSound).Member("deep", deep).Member("lsn", core.Rows.Lsn)
            .Member("sessions_checked", verifier._sessions).Member("events_checked", verifier._events)
            .Member("bytes_checked", verifier._bytes)
            .Member("duration_ms", (long)core.Environment.Time.GetElapsedTime(start).TotalMilliseconds)
            .Name("issues").Byte('[').Raw(verifier._issues.Written).Byte(']')
            .Member("issues_left_off", verifier._leftOff).Byte('}');
        if (core.State.Health != StoreHealth.Poisoned) // then no sync is tried again
        {
            core.Quarantine.Settle(); // a host may act on the report
        }

        output.Write(b.Written);
    }

    private void CheckStore()
    {
        if (_core.Corruption is { } corruption)
        {
            Add("journal_corrupt", "error", null, corruption.Split(':')[0], null, null, null, null, corruption);
        }

        if (_core.State.Health == StoreHealth.Poisoned)
        {
            Add("poisoned", "error", null, Layout.Journal, null, null, null, null,
                "a write of the journal or a sync failed; the next open recovers");
        }

        CheckPlaces(Misplaced.InStore(_core.Disk).Concat(Misplaced.AmongSessions(_core.Disk)), null);
        try
        {
            StoreFile.Read(_core.Disk);
        }
        catch (SessionException e)
        {
            Add("invalid_json", "error", null, Layout.StoreFile, 0, null, null, null, e.Message);
        }

        SoundConfig.Of(CheckSmall(Layout.ConfigFile, null) ?? [], rule => Add("rule_damaged", "error", null,
            Layout.ConfigFile, null, null, null, null, $"{rule}: the default holds"));
        CheckSmall(Layout.StreamsFile, null, c => StreamCodec.TryReadImage(c) is not null);
        CheckIndex();
        List<QuarantineEntry> entries = _core.Quarantine.List(out int leftOff, _context);
        _leftOff += leftOff;
        foreach (QuarantineEntry entry in entries)
        {
            _context.ThrowIfCancelled();
            if (entry.Reason is "torn_tail" or "excess" or LogMender.Reason || IsReadable(entry))
            {
                Add("kept_aside", "info", entry.SessionId, entry.Source, null, null, null, entry.File, entry.Reason);
            }
        }
    }

    // What was damaged once and has been made whole since is worth a note, no more.
    private bool IsReadable(QuarantineEntry entry)
        => SmallFile.TryRead(_core.Disk, entry.Source, null, out _) is not null;

    private void CheckIndex()
    {
        if (_core.Disk.Stat(Layout.IndexFile) is null)
        {
            return; // disposable, and absent until the first checkpoint
        }

        if (IndexFile.ReadClosing(_core.Disk) is not { } closing
            || !IndexFile.TryLoad(_core.Disk, closing.Lsn, (_, _) => { }))
        {
            Add("index_damaged", "info", null, Layout.IndexFile, null, null, null, null, "rebuilt from the sessions");
        }
        else if (closing.Lsn < _core.State.Indexed)
        {
            Add("index_behind", "info", null, Layout.IndexFile, null, null, null, null, "rebuilt from the sessions");
        }
    }

    private void CheckSessions(bool deep)
    {
        var found = new HashSet<string>();
        var folders = new List<(string Folder, string Id, long Deletion)>(FolderScan.Folders(_core.Disk));
        foreach ((string folder, string id, long deletion) in folders)
        {
            _context.Report(_sessions, folders.Count);
            found.Add(id);
            _sessions++;
            Twice(() => CheckAllowed(folder, id, deletion, deep), () => CheckSettled(folder, id, deletion, deep));
        }

        Twice(() => CheckMissing(found), () => CheckMissing(found));
    }

    // Others work on. What looks like harm is looked at again under the store lock, and only that counts.
    private void Twice(Action check, Action checkSettled)
    {
        int issues = _issues.Length;
        (bool isSound, long events, long bytes) = (_isSound, _events, _bytes);
        (int count, long leftOff) = (_count, _leftOff);
        _isSettled = !_canLock;
        bool isMoved = false;
        try
        {
            check();
        }
        catch (DiskException e) when (_canLock && e.Error == DiskError.NotFound)
        {
            isMoved = true;
        }

        _isSettled = true;
        if (_canLock && (isMoved || _issues.Length > issues || _leftOff > leftOff))
        {
            _issues.Truncate(issues);
            (_isSound, _events, _bytes) = (isSound, events, bytes);
            (_count, _leftOff) = (count, leftOff);
            _commit(new LookRequest(checkSettled) { Full = false });
        }
    }

    private void CheckSettled(string folder, string id, long deletion, bool deep)
    {
        if (_core.Disk.Stat(folder) is not null)
        {
            CheckAllowed(folder, id, deletion, deep);
        }
        else if (Find(id) is { } row)
        {
            CheckAllowed(row.Folder, id, row.DeletionLsn, deep); // moved in between
        }
    }

    private void CheckAllowed(string folder, string id, long deletion, bool deep)
    {
        try
        {
            CheckSession(folder, id, deletion, deep);
        }
        catch (DiskException e) when (e.Error == DiskError.AccessDenied)
        {
            Add("unreadable", "error", id, e.Path, null, null, null, null, "this user may not read it");
        }
    }

    private void CheckMissing(HashSet<string> found)
    {
        lock (_core.Rows.Gate)
        {
            _core.Refresh();
            _core.Rows.Complete();
            foreach (Row row in _core.Rows.Rows)
            {
                if (!row.IsGone && !found.Contains(row.Id) && IsMissing(row.Folder)
                    && _core.State.Applied >= _core.Rows.Lsn && row.DeletionLsn == 0)
                {
                    Add("missing", "error", row.Id, row.Folder, null, null, null, null, "the session's folder is gone");
                }
            }
        }
    }

    // Of what may be in motion nothing is kept: a second look, under the store lock, says whether it is harm.
    private Quarantine? Keeper => _isSettled ? _core.Quarantine : null;

    private bool IsMissing(string folder)
    {
        try
        {
            return _core.Disk.Stat(folder) is null;
        }
        catch (DiskException e) when (Obstacle.HidesContent(e))
        {
            return true; // behind a link, so it is not in the store
        }
    }

    private void CheckPlaces(IEnumerable<string> paths, string? id)
    {
        foreach (string path in paths)
        {
            if (_core.Disk.Stat(path) is { } entry)
            {
                bool isOwner = entry is { IsOfOthers: true, IsOther: false };
                Add(isOwner ? "wrong_owner" : "misplaced", "error", id ?? Layout.SessionOf(path), path, null, null,
                    null, null, Misplaced.Describe(entry));
            }
        }
    }

    private void CheckSession(string folder, string id, long deletion, bool deep)
    {
        _context.ThrowIfCancelled();
        CheckPlaces(Misplaced.InSession(_core.Disk, folder), id);
        CheckHeld(folder, id);
        SessionInfo? info = CheckInfo(folder, id);
        List<ShareRecord>? shares = CheckShares(folder, id);
        foreach (SmallFileKind side in SmallFileKind.All)
        {
            CountHalves(folder + "/" + side.FileName, id,
                CheckSmall(folder + "/" + side.FileName, id, c => side.CanRead(c, id)));
        }

        bool hasLog = CheckSmall(folder + "/" + Layout.LogStateFile, id, c => LogState.CanRead(c, id)) is not null
            || _core.Disk.Stat(folder + "/" + Layout.LogStateFile) is null;
        if (info is null)
        {
            return;
        }

        CheckClaims(folder, deletion, info);
        CheckBehind(folder, info);
        if (shares is not null)
        {
            CheckShared(folder, info, shares);
        }

        if (_core.Corruption is not null)
        {
            CheckDoubts(folder, id);
        }

        if (deep && hasLog)
        {
            CheckEvents(folder, id, deletion);
            CheckFiles(folder, id);
        }
    }

    // Null where nothing can be said of the session by it.
    private SessionInfo? CheckInfo(string folder, string id)
    {
        string path = folder + "/" + Layout.SessionFile;
        byte[]? compact = CheckSmall(path, id);
        SessionInfo? info = compact is null ? null : InfoCodec.TryRead(compact);
        if (compact is null && _core.Disk.Stat(path) is null)
        {
            Add("missing", "error", id, path, null, null, null, null, "session.json is missing");
        }
        else if (compact is not null && (info is null || info.Id != id))
        {
            const string wrong = "wrong_content";
            string? kept = Keeper?.KeepFile(path, id, wrong);
            Add(wrong, "error", id, path, 0, null, null, kept, "session.json is not this session's");
            info = null; // what another session's says is of no account here
        }

        CountHalves(path, id, compact);
        return info;
    }

    // Null where this user may not read them.
    private List<ShareRecord>? CheckShares(string folder, string id)
    {
        string path = folder + "/" + Layout.SharesFile;
        List<ShareRecord> shares = ShareList.Read(CheckSmall(path, id, c => ShareList.CanRead(c, id)));
        if (_core.Disk.Stat(path) is { IsReadable: false })
        {
            return null;
        }

        CheckSecrets(folder, id, shares);
        return shares;
    }

    // What an info says of the store around it.
    private void CheckClaims(string folder, long deletion, SessionInfo info)
    {
        if (info.Revision > _core.State.Published)
        {
            Add("revision_ahead", "error", info.Id, folder + "/" + Layout.SessionFile, null, null, null, null,
                string.Create(CultureInfo.InvariantCulture,
                    $"revision {info.Revision} is beyond the journal's end {_core.State.Published}"));
        }

        if (info.DeletionLsn != deletion)
        {
            Add("wrong_place", "error", info.Id, folder, null, null, null, null,
                "session.json speaks of another place");
        }
    }

    // Null also where the session's file was damaged while we looked: that is another line of the report.
    private Row? Find(string id)
    {
        try
        {
            return _core.Rows.Find(id);
        }
        catch (SessionException e) when (e.Status == SessionStatus.Corrupt)
        {
            Add("unreadable", "error", id, Layout.LiveFolder(id), null, null, null, null, e.Message);
            return null;
        }
    }

    private void Add(string code, string severity, string? id, string file, long? offset, long? length, long? seq,
        string? quarantine, string message)
    {
        _isSound &= severity == "info";
        if (_count == Limits.VerifyIssuesMax)
        {
            _leftOff++;
            return;
        }

        _count++;
        _issues.Raw(_issues.Length == 0 ? ""u8 : ","u8).Byte('{').Raw("\"code\":"u8).Text(code)
            .Member("severity", severity)
            .Member("session_id", id).Member("file", file).Member("offset", offset).Member("length", length)
            .Member("seq", seq).Member("quarantine", quarantine).Member("message", message).Byte('}');
    }
}
