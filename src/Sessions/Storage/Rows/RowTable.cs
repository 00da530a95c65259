using Sessions.Images;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Rules;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Log;

namespace Sessions.Storage.Rows;

/// <summary>
/// All sessions as this process knows them at one LSN. A session is read when it is asked for, all
/// of them from the index when a list is. <see cref="Gate"/> guards everything; what holds it does no
/// more than read files.
/// </summary>
internal sealed partial class RowTable(IDisk disk, Quarantine quarantine, string owner = "")
{
    // A session may be moved away and back between a look at its file and one at its folder.
    private const int MovesMax = 8;

    private readonly Dictionary<string, Row> _rows = [];
    private readonly IndexLookup _index = new(disk);
    private Row[]? _sorted;
    private ListOrder _sortedOrder;
    private long _sortedVersion;
    private Dictionary<string, string>? _byKey;
    private long _base; // what the files and the index together were at when the rows were started
    private Dictionary<string, string>? _byShare;
    private long _lsn;

    public object Gate { get; } = new();

    /// <summary>The LSN this table is at. It may be asked without the gate: who sees it sees what the frames up to
    /// it have made of the rows.</summary>
    public long Lsn { get => Volatile.Read(ref _lsn); set => Volatile.Write(ref _lsn, value); }

    /// <summary>The last LSN of which a watch has anything to tell; the one that the rows started at where none
    /// came since.</summary>
    public long Told { get; private set; }

    /// <summary>True once every session of the index has a row.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>config.json, compact; empty: none; null: not read yet.</summary>
    public byte[]? Config { get; set; }

    /// <summary>The open streams of all processes.</summary>
    public StreamTable Streams { get; } = new(disk, quarantine, owner);

    /// <summary>Sessions touched since the last checkpoint that this process saw the end of.</summary>
    public Dictionary<string, Row> Touched { get; set; } = [];

    /// <summary>Sessions that frames touch which the journal may still have.</summary>
    public HashSet<Row> InJournal { get; } = [];

    /// <summary>What the files and the index were at when the rows were started.</summary>
    public long Base => _base;

    /// <summary>Deletes that sessions were taken back from since then.</summary>
    public HashSet<long> TakenFrom { get; set; } = [];

    /// <summary>Branches made since a checkpoint that this process made and finished.</summary>
    public HashSet<Row> NewBranches { get; } = [];

    /// <summary>Of these the ones whose session.json is behind.</summary>
    public HashSet<Row> Lagging { get; set; } = [];

    /// <summary>The segment that the frames which are taken in stand in; 0: not known.</summary>
    public long Segment { get; set; }

    /// <summary>Goes up with every change of any row; what caches compare.</summary>
    public long Version { get; private set; }

    public IEnumerable<Row> Rows => _rows.Values;

    /// <summary>Those who want to know which sessions frames touch.</summary>
    public List<TouchTracker> Trackers { get; } = [];

    /// <summary>The row of a session where there is one yet; nothing is read.</summary>
    public Row? Known(string id) => _rows.GetValueOrDefault(id);

    /// <summary>All rows, gone ones included, in an order; sorted again only after a change.</summary>
    public Row[] InOrder(RowOrder order)
    {
        if (_sorted is null || _sortedOrder != order.By || _sortedVersion != Version || _sorted.Length != _rows.Count)
        {
            _sorted = order.Sort(_rows.Values);
            (_sortedOrder, _sortedVersion) = (order.By, Version);
        }

        return _sorted;
    }

    /// <summary>Forgets everything but the rows themselves, which handles hold.</summary>
    public void Reset(long lsn)
    {
        Streams.Load(); // first of all, since it may fail
        DropAllGone();
        Lsn = lsn;
        Told = lsn;
        _base = lsn;
        IsComplete = false;
        Config = null;
        _byKey = null;
        _byShare = null;
        Touched = [];
        TakenFrom = [];
        InJournal.Clear();
        NewBranches.Clear();
        Lagging = [];
        WithOwners.Clear();
        Trackers.ForEach(t => t.IsBroken = true);
        Version++;
        foreach (Row row in _rows.Values)
        {
            row.Info = null;
            row.Slice = default;
            row.Pending = null;
            row.LogLength = -1;
            row.Tail = null;
            row.Shares = null;
            row.Log = null;
            row.Sides = null;
            row.Added = null;
            row.QueueSegment = 0; // recovered since, perhaps, by one who knew that segment otherwise
            row.Staged = null;
            row.Written = null;
            row.LastSegment = 0;
            row.Origin = null;
            row.Rewrites++; // perhaps; whoever works with offsets looks again
            row.EventIds = null;
            row.Writers = null; // others may have written since
            row.IsGone = false;
            row.DeletionLsn = 0;
        }
    }

    /// <summary>The row of a session that is live or in the trash, else null.</summary>
    public Row? Find(string id)
    {
        if (_rows.TryGetValue(id, out Row? row))
        {
            if (row.IsGone)
            {
                return null;
            }

            if (row.Info is null && row.Slice.IsEmpty && !TryRead(row))
            {
                return null;
            }

            return row;
        }

        if (IsComplete && disk.Stat(Layout.LiveFolder(id)) is null)
        {
            return null; // where there is a folder, its file may be damaged, and that is another answer
        }

        row = new Row(id);
        if (!TryRead(row))
        {
            return null;
        }

        _rows[id] = row;
        return row;
    }

    /// <summary>The info of a row that is not gone.</summary>
    public SessionInfo Read(Row row)
    {
        if (row.Info is { } known)
        {
            return known;
        }

        if (row.IsGone || (row.Slice.IsEmpty && !TryRead(row)))
        {
            throw Errors.Deleted(row.Id);
        }

        if (row.Info is { } read)
        {
            return read;
        }

        if (InfoCodec.TryRead(row.Slice) is { } info && info.Id == row.Id)
        {
            return Settle(row, info);
        }

        // The index is disposable: what is no session's info there may stand in the session's own file.
        row.Slice = default;
        return TryRead(row) && row.Info is { } own ? own
            : throw Errors.Corrupt("A row of the index is no session.", Layout.IndexFile, row.Id);
    }

    /// <summary>The live session that was made with the key; null where there is none.</summary>
    public Row? FindByKey(string key)
    {
        Complete();
        if (_byKey is null)
        {
            _byKey = [];
            foreach (Row row in _rows.Values)
            {
                if (row.IsLive && CanRead(row) && Read(row).IdempotencyKey is { } k)
                {
                    _byKey[k] = row.Id;
                }
            }
        }

        return _byKey.TryGetValue(key, out string? id) && Find(id) is { IsLive: true } found ? found : null;
    }

    /// <summary>Every live session with its parent, as published.</summary>
    public IEnumerable<(Row Row, string? ParentId)> LiveRows()
    {
        Complete();
        return _rows.Values.Where(r => r.IsLive).Select(r => (r, r.ParentId));
    }

    /// <summary>What log.json of a row says. Without the store lock (not <paramref name="isSettled"/>) a folder that is
    /// missing is NotFound.</summary>
    public LogState ReadLog(Row row, bool isSettled = true)
    {
        if (row.Log is { } known)
        {
            return known;
        }

        byte[]? image = ReadSmall(row, Layout.LogStateFile, c => LogState.CanRead(c, row.Id), isSettled,
            Rebuilt);
        if (image is null
            && ((CanRead(row) && row.Info?.ForkSeq is > 0)
                || disk.Glance(row.Folder + "/" + Layout.HistoryFolder) is not null))
        {
            image = Rebuilt(); // somebody removed it
        }

        return row.Log = LogState.Read(image ?? []);

        byte[] Rebuilt() => LogStateRebuild.Of(disk, row.Folder, Read(row)).Write(row.Id);
    }

    /// <summary>A side file of a row, compact; empty where there is none, with the same rule. Of a damaged one,
    /// which is kept aside, nothing is left.</summary>
    public byte[] ReadSide(Row row, SmallFileKind kind, bool isSettled = true)
    {
        ref byte[]? side = ref (row.Sides ??= new byte[]?[SmallFileKind.All.Count])[kind.Index];
        string name = kind.FileName;
        bool isAddedTo = kind == SmallFileKind.Queue && row.Added is not null;
        if (side is null)
        {
            if (isAddedTo && !isSettled)
            {
                // The file may be further than the rows, and have lost again what was added.
                throw new DiskException(DiskError.NotFound, "open", row.Folder + "/" + name, 0);
            }

            side = ReadSmall(row, name, c => kind.CanRead(c, row.Id), isSettled, () => []) ?? [];
            NoteOwners(row);
        }

        if (isAddedTo)
        {
            RowQueue.TakeIn(row); // replaces it
        }

        return side;
    }

    private byte[]? ReadSmall(Row row, string name, Func<byte[], bool> isValid, bool isSettled,
        Func<byte[]?>? fallback = null)
    {
        string path = row.Folder + "/" + name;
        bool wasThere = disk.Glance(row.Folder) is not null;
        byte[]? read = SmallFile.Read(disk, quarantine, path, row.Id, isValid, fallback);
        if (read is not null || isSettled || (wasThere && disk.Glance(row.Folder) is not null))
        {
            return read;
        }

        // The folder is on its way between here and the trash: that says nothing of what is in it.
        throw new DiskException(DiskError.NotFound, "open", path, 0);
    }

    /// <summary>config.json, compact, without rules that are damaged; empty where there is none.</summary>
    public byte[] ReadConfig()
        => Config ??= SoundConfig.Noted(SmallFile.Read(disk, quarantine, Layout.ConfigFile, null) ?? []);

    /// <summary>The same for who goes by the rules: damaged ones are the defaults.</summary>
    public byte[] ReadRules()
    {
        try
        {
            return ReadConfig();
        }
        catch (SessionException e) when (e.Status == SessionStatus.Corrupt)
        {
            return [];
        }
    }

    /// <summary>False for a session whose file is damaged and that no index knows.</summary>
    public bool CanRead(Row row)
    {
        try
        {
            Read(row);
            return true;
        }
        catch (SessionException e) when (e.Status is SessionStatus.Corrupt or SessionStatus.Deleted
            or SessionStatus.AccessDenied)
        {
            return false; // the file is kept aside and the others do not suffer from it
        }
    }

    private bool TryRead(Row row)
    {
        // Live at its folder, which follows from the id; in the trash only the index or a scan knows where.
        string folder = row.Folder, path = folder + "/" + Layout.SessionFile;
        SessionInfo? info = null;
        byte[]? compact = null;
        for (int i = 0; compact is null; i++)
        {
            compact = SmallFile.Read(disk, quarantine, path, row.Id, IsMine, Fallback);
            if (compact is null && disk.Stat(folder) is null)
            {
                break;
            }

            if (compact is null && i == MovesMax)
            {
                quarantine.Keep(path, row.Id, "missing", default);
                compact = Fallback()
                    ?? throw Errors.Corrupt("A session's file is missing; the rest of the store is usable.",
                        path, row.Id);
            }
        }

        if (compact is not null && (info ?? InfoCodec.TryRead(compact)) is { } read)
        {
            Settle(row, read);
            return true;
        }

        return !IsComplete && TryList(row);

        bool IsMine(byte[] json) => (info = InfoCodec.TryRead(json)) is not null && info.Id == row.Id;

        // A damaged file: the index has a row as good as the file was, and the next checkpoint writes it.
        byte[]? Fallback()
        {
            info = null;
            byte[]? found = _index.Find(_base, row.Id);
            found = found is not null && InfoCodec.TryRead(found)?.Id == row.Id ? found : null;
            if (found is not null && row.DeletionLsn == 0)
            {
                Touched[row.Id] = row;
                Lagging.Add(row);
            }

            return found;
        }
    }

    private SessionInfo Settle(Row row, SessionInfo info)
    {
        info = row.Pending is { Counters: var counters } ? info.With(counters) : info;
        row.Pending = null;
        row.Slice = default;
        Describe(row, new RowHead(info));
        row.Info = info;
        row.Abort?.Learn(info, info.Revision);
        return _countsByLogs ? CountByLog(row, info) : info;
    }

    // What only the index, or a scan of the folders, knows of.
    private bool TryList(Row row)
    {
        Complete();
        if (!_rows.TryGetValue(row.Id, out Row? listed) || listed.IsGone
            || (listed.Info is null && listed.Slice.IsEmpty))
        {
            return false;
        }

        if (!ReferenceEquals(listed, row))
        {
            row.Slice = listed.Slice;
            row.DeletionLsn = listed.DeletionLsn;
            row.Info = listed.Info;
            Describe(row, listed.Info is { } known ? new RowHead(known) : RowHead.TryRead(listed.Slice.Span)!.Value);
        }

        return true;
    }

    private static void Describe(Row row, in RowHead head)
    {
        row.ParentId = head.ParentId;
        row.CreatedAt = head.CreatedAt;
        row.UpdatedAt = head.UpdatedAt;
        row.LastEventAt = head.LastEventAt;
        row.Archived = head.Archived;
        row.DeletionLsn = head.DeletionLsn;
        row.ShareExpiresAt = head.ShareExpiresAt;
    }
}
