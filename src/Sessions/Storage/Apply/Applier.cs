using Sessions.Images;
using Sessions.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Apply;

/// <summary>
/// Brings the files to what a fold says. The one function that commits, takeovers and recoveries
/// share; doing it twice, or going on after a half, ends in the same files. Its caller holds the
/// store lock and has every frame of the fold on stable storage: the one rule of the design.
/// </summary>
internal sealed partial class Applier
{
    // More things than this in the way of one session are put there while it is written.
    private const int ObstaclesMax = 16;

    private readonly StoreCore _core;
    private readonly IDisk _disk;
    private readonly Quarantine _quarantine;
    private readonly FilePool _pool;
    private readonly LogFiles _logs;
    private readonly LogMender _mender;
    private readonly HistoryLinks _history;
    private readonly LogRewriter _rewriter;
    private readonly Trees _trees;
    private readonly Utf8Buffer _text = new(2048);
    private readonly HashSet<string> _folders = [];
    private HashSet<string>? _forkedFrom; // the parents of the branches that the fold makes; null: not asked yet
    private bool _exchange;

    public Applier(StoreCore core, Func<string, KnownLog>? logOf = null)
    {
        _core = core;
        _disk = core.Disk;
        _quarantine = core.Quarantine;
        _pool = new FilePool(_disk, core.Environment.Time, core.InstanceId, core.NextScratch, _quarantine);
        _mender = new LogMender(core);
        _logs = new LogFiles(core, _mender, logOf ?? (_ => default));
        _history = new HistoryLinks(_disk);
        _rewriter = new LogRewriter(_disk);
        _trees = new Trees(_disk, core.InstanceId);
        _exchange = _disk.Capabilities.AtomicExchange;
    }

    /// <summary>Set in a recovery: places are looked at rather than known, and what stands behind
    /// the last line of a log is cut and handed to this.</summary>
    public Action<string, IDiskFile, long>? OnExcess { get; set; }

    /// <summary>False in a salvage, which redoes frames one by one: a session that is not in its place may be
    /// in another, and is let be, and so is a link of a branch.</summary>
    public bool MakesLostFolders { get; init; } = true;

    /// <summary>The branches whose links may not be durable yet, those of the fold apart.</summary>
    public Func<IEnumerable<TouchedSession>>? BranchesToSync { get; init; }

    /// <summary>Told of the steps of a purge.</summary>
    public Action<Step>? AtStep { get; init; }

    /// <summary>The sessions of the last fold whose files this user may not write, and why. That harms nobody else: all
    /// others are written, and these keep their frames.</summary>
    public Dictionary<string, DiskException> Held { get; } = [];

    public void Apply(Fold fold)
    {
        Held.Clear();
        _quarantine.Settle(); // before any file is touched
        if (fold.Config is { } config)
        {
            Replace(Layout.ConfigFile, config.Span);
        }

        _forkedFrom = null;
        foreach (FoldedSession session in fold.Sessions.Values)
        {
            Holding(session.Id, () => Clearing(() => Apply(session, fold)));
        }

        // What is gone for good goes last, once its branches have their names for what they see of it.
        if (fold.Sessions.Values.Any(s => s.IsPurged))
        {
            SyncBranches(fold);
            foreach (FoldedSession session in fold.Sessions.Values.Where(s => s.IsPurged))
            {
                Holding(session.Id, () => Purge(session));
            }

            PrunedLogs.Remove(_disk, [.. fold.Sessions.Values.Where(s => s.IsPurged).Select(s => s.Id)]);
        }

        if (fold.Streams is { } streams)
        {
            Clearing(() => WriteOrRemove(Layout.StreamsFile, streams, fold.AreStreamsCompleted));
        }
    }

    /// <summary>Has the memory that it takes to bring so many bytes of frames to the files.</summary>
    public void Reserve(int bytes)
    {
        _text.Clear();
        _text.GetSpan(bytes);
    }

    /// <summary>Lets go of the logs that it keeps open.</summary>
    public void LetGo() => _logs.Dispose();

    /// <summary>Forgets which folders it has seen; others may have removed some.</summary>
    public void Forget() => _folders.Clear();

    public void Close()
    {
        _logs.Dispose();
        _pool.Empty();
    }

    /// <summary>Swaps a small file in; it need not exist yet. Where no frame has its content, that must be on stable
    /// storage before it takes the place of the old one: a power cut would leave neither.</summary>
    public void Replace(string path, ReadOnlySpan<byte> compact, bool isWithoutFrame = false)
    {
        _text.Clear();
        CheckedJson.Write(compact, _text);
        Swap(_pool.Write(_text.Written, isDurable: isWithoutFrame), path);
    }

    public void EnsureFolder(string path)
    {
        if (path.Length == 0 || _folders.Contains(path))
        {
            return;
        }

        EnsureFolder(Layout.Parent(path));
        _disk.CreateFolder(path);
        if (_folders.Count > 1024)
        {
            _folders.Clear();
        }

        _folders.Add(path);
    }

    private void Holding(string id, Action apply)
    {
        try
        {
            apply();
        }
        catch (DiskException e) when (HeldSessions.IsOfOneSession(e))
        {
            LogRing.Add("warning", $"Files of {id} may not be written; the journal keeps what belongs there: "
                + e.Message);
            Held[id] = e;
        }
    }

    // The frames are on stable storage, so what stands in their way is moved out of it, and they go on.
    private void Clearing(Action apply)
    {
        for (int i = 0; ; i++)
        {
            try
            {
                apply();
                return;
            }
            catch (DiskException e) when (i < ObstaclesMax && Obstacle.IsOne(e))
            {
                if (Obstacle.Find(_disk, e) is not { } path)
                {
                    throw;
                }

                _quarantine.PutAside(path);
                _folders.Clear(); // a log that is open stays so: what it has is what goes into its place
            }
        }
    }

    private void Apply(FoldedSession session, Fold fold)
    {
        if (session.IsPurged)
        {
            WriteForBranches(session, fold);
            return;
        }

        if (session.Place is { } place)
        {
            Move(session, place);
        }

        // Nothing but a move touches a session in the trash, so one that was not moved is live.
        string folder = Layout.Folder(session.Id, session.Place ?? 0);
        try
        {
            Write(folder, session, fold);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound && MakesLostFolders)
        {
            // Somebody removed it. What is left of the session is no reason to stop all others.
            LogRing.Add("warning", $"The folder of {session.Id} was removed; it is made anew.");
            _folders.Clear();
            EnsureFolder(folder);
            Write(folder, session, fold); // the log that is open has all events, whatever became of its name
        }
    }

    // Lines that a branch sees, of a session that will be gone. After a power cut its folder may be gone
    // already without the branch's links being durable: then the journal has all of its lines, and it is
    // made once more to link from.
    private void WriteForBranches(FoldedSession session, Fold fold)
    {
        if (session.Lines.Count == 0 || !(_forkedFrom ??= ParentsIn(fold)).Contains(session.Id))
        {
            return;
        }

        string? folder = session.Sources.Select(s => Layout.Folder(session.Id, s))
            .FirstOrDefault(f => _disk.Stat(f) is not null);
        if (folder is null)
        {
            if (session.Rewrite is not null || session.Lines[0].Offset != 0)
            {
                return; // made durable for its branches before its log was replaced, or before a checkpoint
            }

            folder = Layout.Folder(session.Id, session.Sources[^1]);
            _folders.Clear();
            EnsureFolder(folder);
        }

        WriteLines(folder, session);
    }

    private static HashSet<string> ParentsIn(Fold fold)
        => fold.Sessions.Values.Where(s => s.ForkedFrom is not null).Select(s => s.ForkedFrom!).ToHashSet();

    // A branch's links must outlast what they were made from, so they are durable before that goes.
    private void SyncBranches(Fold fold)
    {
        List<TouchedSession> branches =
        [
            .. BranchesToSync?.Invoke() ?? [],
            .. fold.Sessions.Values.Where(s => s is { ForkedFrom: not null, IsPurged: false })
                .Select(s => new TouchedSession(s.Id, s.Place ?? 0, false)),
        ];
        if (branches.Count > 0)
        {
            Durably.Sync(_disk, branches, []);
        }
    }

    private void Write(string folder, FoldedSession session, Fold fold)
    {
        // Lines come before the image that counts them: who reads between the two finds what it is told of.
        bool hasMore = session.Lines.Count > 0 || session.HasLog || session.ForkedFrom is not null;
        string place = session.Image is not null && hasMore && _disk.Stat(folder) is null
            ? MakeStaged(session.Id) : folder;
        if (session.ForkedFrom is not null)
        {
            LinkHistory(place, session, fold);
        }

        if (session.Rewrite is { } rewrite)
        {
            _logs.Forget(session.Id);
            _rewriter.Replace(place, rewrite, session.HasLog ? LogState.Read(session.Log).FirstOwn : 0);
        }

        if (session.HasLog)
        {
            WriteOrRemove(place + "/" + Layout.LogStateFile, session.Log);
            _history.Drop(place, session.Log);
        }

        if (session.Lines.Count > 0)
        {
            WriteLines(place, session);
        }

        if (session.Image is { } image)
        {
            WriteImage(folder, image, session.IsCompleted);
        }

        if (session.HasShares)
        {
            WriteShares(folder, session.Shares);
        }

        AddedEntries.Complete(_core, folder, session);
        for (int i = 0; i < session.Sides?.Length; i++)
        {
            if (session.Sides[i] is { } side)
            {
                bool isWithoutFrame = i == SmallFileKind.Queue.Index && session.IsQueueCompleted;
                WriteOrRemove(folder + "/" + SmallFileKind.All[i].FileName, side, isWithoutFrame);
            }
        }
    }

    // Where its parent may not be entered a branch whose links are there is whole, but perhaps for files of its
    // parent: it is the parent that waits, and the journal stays for both.
    private void LinkHistory(string place, FoldedSession branch, Fold fold)
    {
        try
        {
            RequireLog(branch);
            _history.Link(place, branch, fold, relinks: MakesLostFolders);
        }
        catch (DiskException e) when (HeldSessions.IsOfOneSession(e) && Layout.SessionOf(e.Path) == branch.ForkedFrom
            && _history.IsLinked(place, branch))
        {
            Held[branch.ForkedFrom!] = e;
        }
    }

    private void Purge(FoldedSession session)
    {
        _logs.Forget(session.Id);
        string removed = $"{Layout.Temporary}/purged-{session.Id}";
        _trees.Remove(removed); // what a killed process left of it
        foreach (long source in session.Sources)
        {
            string folder = Layout.Folder(session.Id, source);
            if (_disk.Stat(folder) is null)
            {
                continue;
            }

            _disk.Rename(folder, removed);
            AtStep?.Invoke(Step.PurgeMoved);
            _trees.Remove(removed);
            AtStep?.Invoke(Step.PurgeRemoved);
        }
    }

    private void Move(FoldedSession session, long place)
    {
        string target = Layout.Folder(session.Id, place);
        if (_disk.Stat(target) is not null)
        {
            return;
        }

        foreach (long source in session.Sources)
        {
            string from = Layout.Folder(session.Id, source);
            if (source != place && _disk.Stat(from) is not null)
            {
                EnsureFolder(Layout.Parent(target));
                _disk.Rename(from, target);
                return; // a folder that is empty now goes once the new name is durable
            }
        }
    }

    private void WriteImage(string folder, SessionInfo image, bool isWithoutFrame)
    {
        _text.Clear();
        CheckedJson.Write(image.Json, _text);
        string scratch = _pool.Write(_text.Written, isDurable: isWithoutFrame);
        try
        {
            Swap(scratch, folder + "/" + Layout.SessionFile);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            // A new session: its folder appears whole, with the file in it.
            string staged = MakeStaged(image.Id);
            _disk.Rename(scratch, staged + "/" + Layout.SessionFile);
            EnsureFolder(Layout.Parent(folder));
            _disk.Rename(staged, folder);
        }
    }

    private string MakeStaged(string id)
    {
        string staged = $"{Layout.Temporary}/new-{id}";
        _disk.CreateFolder(staged);
        return staged;
    }

    private void WriteShares(string folder, ReadOnlyMemory<byte> shares)
    {
        // The secrets go first: once the file is replaced, nothing names those of which it does not speak any more.
        string path = folder + "/" + Layout.SharesFile, sessionId = Layout.Name(folder);
        byte[]? older = SmallFile.TryRead(_disk, path, c => ShareList.CanRead(c, sessionId), out _);
        foreach (string id in ShareList.OverIds(shares, older))
        {
            string secret = Layout.Secret(folder, id);
            if (_disk.Stat(secret) is not null)
            {
                _disk.Unlink(secret);
            }
        }

        WriteOrRemove(path, shares);
    }

    private void WriteOrRemove(string path, ReadOnlyMemory<byte> image, bool isWithoutFrame = false)
    {
        if (!image.IsEmpty)
        {
            Replace(path, image.Span, isWithoutFrame);
        }
        else
        {
            _quarantine.Vacate(path);
        }
    }

    private void Swap(string scratch, string path)
    {
        bool couldExchange = _exchange;
        if (_exchange)
        {
            try
            {
                _disk.Exchange(scratch, path);
                _pool.Return(scratch, path);
                return;
            }
            catch (DiskException e) when (e.Error is DiskError.NotFound or DiskError.Unsupported)
            {
                _exchange = e.Error == DiskError.NotFound;
            }
        }

        try
        {
            _disk.Rename(scratch, path); // also the first time a file appears
        }
        catch (DiskException e) when (e.Error == DiskError.AccessDenied)
        {
            _exchange = couldExchange; // it is the place where this user may not write, and not the call
            throw;
        }
    }
}
