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
        byte[]? compact = CheckSmall(folder + "/" + Layout.SessionFile, id);
        SessionInfo? info = compact is null ? null : InfoCodec.TryRead(compact);
        if (compact is null && _core.Disk.Stat(folder + "/" + Layout.SessionFile) is null)
        {
            Add("missing", "error", id, folder + "/" + Layout.SessionFile, null, null, null, null,
                "session.json is missing");
        }
        else if (compact is not null && (info is null || info.Id != id))
        {
            string path = folder + "/" + Layout.SessionFile, wrong = "wrong_content";
            string? kept = Keeper?.KeepFile(path, id, wrong);
            Add(wrong, "error", id, path, 0, null, null, kept, "session.json is not this session's");
            info = null; // what another session's says is of no account here
        }

        CountHalves(folder + "/" + Layout.SessionFile, id, compact);
        List<ShareRecord> shares = ShareList.Read(
            CheckSmall(folder + "/" + Layout.SharesFile, id, c => ShareList.CanRead(c, id)));
        bool mayReadShares = _core.Disk.Stat(folder + "/" + Layout.SharesFile) is not { IsReadable: false };
        if (mayReadShares)
        {
            CheckSecrets(folder, id, shares);
        }

        foreach (string side in Layout.SideFiles)
        {
            CountHalves(folder + "/" + side, id,
                CheckSmall(folder + "/" + side, id, c => SideFile.CanRead(side, c, id)));
        }

        bool hasLog = CheckSmall(folder + "/" + Layout.LogStateFile, id, c => LogState.CanRead(c, id)) is not null
            || _core.Disk.Stat(folder + "/" + Layout.LogStateFile) is null;
        if (info is null)
        {
            return;
        }

        if (info.Revision > _core.State.Published)
        {
            Add("revision_ahead", "error", id, folder + "/" + Layout.SessionFile, null, null, null, null,
                string.Create(CultureInfo.InvariantCulture,
                    $"revision {info.Revision} is beyond the journal's end {_core.State.Published}"));
        }

        if (info.DeletionLsn != deletion)
        {
            Add("wrong_place", "error", id, folder, null, null, null, null, "session.json speaks of another place");
        }

        CheckBehind(folder, info);
        if (mayReadShares)
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

    private void CheckEvents(string folder, string id, long deletion)
    {
        LogView log;
        SessionInfo info;
        LogState state;
        lock (_core.Rows.Gate)
        {
            if (Find(id) is not { } row || row.DeletionLsn != deletion)
            {
                return; // moved while we looked
            }

            info = _core.Rows.Read(row);
            state = _core.Rows.ReadLog(row);
            if (TryOpen(row) is not { } opened)
            {
                return; // has its own line in the report
            }

            log = opened;
        }

        using (log)
        {
            var reader = new LineReader(log, 0);
            var markers = new MarkerScan();
            long previous = log.SeqBefore, first = state.FirstSeq; // before it, numbers may be missing
            if (log.MissingHistory is { } missing)
            {
                Add("history_missing", "error", id, $"{folder}/{missing}", null, null, null, null,
                    "the link to an ancestor's log is gone");
            }

            while (reader.TryRead(out ReadOnlySpan<byte> line))
            {
                _context.ThrowIfCancelled();
                _bytes += reader.LineLength + 1;
                if (line.IsEmpty)
                {
                    continue;
                }

                bool whole = EventLine.TryRead(line, out long seq, out ReadOnlySpan<byte> unclosed)
                    && reader.IsTerminated;
                (string name, long at) = log.Locate(reader.LineOffset);
                string file = folder + "/" + name;
                whole &= log.MayStand(seq, reader.LineOffset);
                if (whole && seq > info.LastSeq)
                {
                    CheckUncounted(id, file, at, seq, info);
                    break; // or appended since
                }

                _events++;
                if (!whole)
                {
                    // Of a line that is too long to hold there is no copy; the log itself keeps it.
                    string? kept = reader.IsCut || _count == Limits.VerifyIssuesMax ? null
                        : Keeper?.Keep(file, id, "damaged_line", line);
                    Add("damaged_line", "error", id, file, at, reader.LineLength, previous + 1, kept,
                        "a line is not what was written");
                    previous++;
                    continue;
                }

                if (seq != previous + 1 && (seq <= previous || seq > first))
                {
                    Add(seq > previous ? "event_sequence_gap" : "event_sequence_regression", "error", id, file,
                        at, reader.LineLength, seq, null,
                        string.Create(CultureInfo.InvariantCulture, $"number {seq} follows {previous}"));
                }

                previous = Math.Max(seq, previous);
                if (MarkerScan.MayBeMarker(line) && EventView.TryRead(seq, unclosed) is { } marker)
                {
                    markers.Add(marker);
                }
            }

            CheckLogState(folder, id, state, markers);

            // A prune would have left a log.json, which says so.
            string known = folder + "/" + Layout.LogStateFile;
            if (state is { FirstSeq: > 1, History.Count: 0 } && _core.Disk.Stat(known) is null)
            {
                Add("events_missing", "error", id, known, null, null, 1, null,
                    string.Create(CultureInfo.InvariantCulture, $"the log begins with {first}, and nothing says why"));
            }

            if (previous < info.LastSeq)
            {
                Add("events_missing", "error", id, $"{folder}/{Layout.EventsFile}", null, null, previous + 1,
                    null,
                    string.Create(CultureInfo.InvariantCulture, $"the log ends with {previous} of {info.LastSeq}"));
            }
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
