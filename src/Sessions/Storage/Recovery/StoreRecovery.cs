using Sessions.Json;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Recovery;

/// <summary>
/// Brings a store that was not closed in order to the state its journal tells: folds all frames,
/// applies the fold, syncs what it touched, closes the journal. It may crash and start again at any
/// point. Runs alone at an open, or under the store lock beside others whose page was lost.
/// </summary>
internal sealed partial class StoreRecovery(StoreCore core)
{
    private readonly JournalFiles _journal = new(core.Disk, core.Seed, core.InstanceId) { StoreId = core.StoreId };

    /// <summary>At an open, alone: leaves the page and the rows at the end of the journal.</summary>
    public void RunAlone(SharedState state)
    {
        bool isPossible = PageCheck.IsPossible(state, core.Seed)
            && state.BootId == (long)core.Environment.BootId;
        bool wasPoisoned = isPossible && state.Health == StoreHealth.Poisoned;
        long? synced = wasPoisoned ? state.Synced : null, published = wasPoisoned ? state.Published : null;
        long generation = PageCheck.NextGeneration(state.Generation, 0);
        var applier = new Applier(core) { AtStep = core.Step };
        bool isOurs = isPossible && core.Environment.BootId != 0;
        bool isClosed = state.Segment == 0 && state.Published == state.Indexed; // as a close, and a recovery, leave it
        Outcome outcome = Run(applier, synced, published, isAlone: true, witnessed: isOurs ? state.Synced : 0,
            shown: isOurs ? new Shown(state.Published, state.Applied >= state.Published && state.Held == 0, isClosed)
                : default);
        applier.Close();
        if (outcome.Health == StoreHealth.Sound)
        {
            Sweep();
        }

        state.Clear();
        Reset(state, outcome, generation);
    }

    /// <summary>Under the store lock, with others at work on the same store.</summary>
    /// <param name="applier">The caller's.</param>
    /// <param name="known">The LSN that this process knows was published.</param>
    public void RunBesideOthers(Applier applier, long known)
    {
        SharedState state = core.State;
        bool poisoned = core.CanFollow(state) && state.Health == StoreHealth.Poisoned;
        long? synced = poisoned ? state.Synced : null, published = poisoned ? state.Published : null;
        long generation = PageCheck.NextGeneration(Math.Max(state.Generation, core.Replica.Generation), core.Now);
        applier.Forget();
        Reset(state, Run(applier, synced, published, isAlone: false,
            shown: new Shown(known, IsApplied: false, IsClosed: false)), generation);
        state.Announce();
    }

    /// <summary>The LSN that a page showed, whether that is in the files, and whether the journal was closed.</summary>
    private readonly record struct Shown(long Lsn, bool IsApplied, bool IsClosed);

    private sealed record Outcome(long Lsn, long IdMs, long IdN, long Health = StoreHealth.Sound)
    {
        /// <summary>Where the journal stays, since files of a session cannot be written: the segment that takes
        /// frames, and the LSN that the oldest one begins behind; else 0.</summary>
        public long Segment { get; init; }

        public long Indexed { get; init; }

        /// <summary>The last LSN in there that removed text for good.</summary>
        public long Purged { get; init; }
    }

    private Outcome Run(Applier applier, long? synced, long? published, bool isAlone, long witnessed = 0,
        Shown shown = default)
    {
        core.Step(Step.RecoveryStarted);
        core.Corruption = null;
        IndexClosing? index = IndexFile.ReadClosing(core.Disk);
        JournalScan scan = JournalScan.Read(core.Disk, _journal);
        if (scan.Corruption is null && scan.Oldest is { } oldest && index is not null && index.Lsn < oldest.PreviousLsn)
        {
            // Older than the journal: what it knows is not enough, and it is made from the folders.
            core.Disk.Unlink(Layout.IndexFile);
            index = null;
        }

        if (synced < Math.Max(scan.Synced, scan.Newest?.PreviousLsn ?? 0))
        {
            (synced, published) = (null, null); // the frames say that more was synced: the page is forged
        }

        (long ms, long n) = IdFloor(scan, index);
        FindDamage(scan, published, witnessed);
        if (scan.Corruption is { } corruption)
        {
            core.Corruption = corruption;
            LogRing.Add("error", $"The journal is damaged: {corruption}");
            return new Outcome(Math.Max(scan.LastLsn, index?.Lsn ?? 0), ms, n, StoreHealth.Corrupt);
        }

        if (scan.IsClosed)
        {
            return Closed(scan, index, ms, n, shown with { Lsn = Math.Max(witnessed, shown.Lsn) });
        }

        if (published is { } known)
        {
            // Those behind were reported as failed; one that is durable may be half in the files already.
            long kept = Math.Max(known, synced!.Value);
            scan.Frames.RemoveAll(f => f.Lsn > kept);
        }

        if (published > synced)
        {
            scan = SealAt(scan, synced!.Value, published.Value);
        }
        else
        {
            SyncNewest(scan, isAlone);
        }

        if (published is null && shown.Lsn > scan.LastLsn && !shown.IsApplied)
        {
            LogRing.Add("error", $"The journal ends with LSN {scan.LastLsn}, and LSN {shown.Lsn} was in it.");
            core.Recovered = core.Recovered with { IsJournalLost = true };
        }

        long torn = KeepTornTail(scan);
        return Redo(applier, scan, index, torn, (ms, n), isAlone);
    }

    // What no look at one frame tells.
    private void FindDamage(JournalScan scan, long? published, long witnessed)
    {
        if (scan.IsClosed)
        {
            return;
        }

        if (scan.Corruption is null && published is null && witnessed > scan.LastLsn)
        {
            scan.Damage($"{Layout.Journal}: it ends with LSN {scan.LastLsn}, "
                + $"and LSN {witnessed} was on stable storage");
        }

        Fold fold = Fold.Of(scan.Frames);
        if (scan.Corruption is null && LogPlaces.Find(core.Disk, fold, scan.Bytes) is { } unplaced)
        {
            scan.Damage(unplaced);
        }

        if (scan.Corruption is null && published is null && LostFrames.Find(core.Disk, scan, fold) is { } lost)
        {
            scan.Damage(lost);
        }
    }

    private Outcome Closed(JournalScan scan, IndexClosing? index, long ms, long n, Shown shown)
    {
        if (scan.Newest is { } closing)
        {
            bool isEnd = shown.IsClosed || shown.Lsn < closing.FirstLsn;
            if (scan.Segments.Count > 1 || !isEnd)
            {
                _journal.Retire(closing.Number + (isEnd ? 0 : 1));
            }

            if (isEnd)
            {
                return new Outcome(closing.FirstLsn - 1, ms, n);
            }
        }

        if (scan.Newest is null && index is not null && shown.Lsn <= index.Lsn)
        {
            return new Outcome(index.Lsn, ms, n);
        }

        if (!shown.IsClosed && (scan.Newest is not null || index is not null || shown.Lsn > 0))
        {
            LogRing.Add("error", "The journal was removed without a clean close; only what is in the files is left.");
            core.Recovered = RecoveryReport.Nothing with { IsJournalGone = true, IsJournalLost = !shown.IsApplied };
        }

        core.Disk.UnlinkIfThere(Layout.IndexFile); // it knows less than the files

        (long lsn, long folderMs, long folderN) = FolderScan.Floors(core.Disk);
        (ms, n) = (folderMs, folderN).CompareTo((ms, n)) > 0 ? (folderMs, folderN) : (ms, n);
        lsn = Math.Max(lsn, shown.Lsn);
        return new Outcome(lsn == 0 ? 0 : Takeover.Behind(lsn), ms, n);
    }

    private Outcome Redo(Applier applier, JournalScan scan, IndexClosing? index, long torn, (long Ms, long N) ids,
        bool isAlone)
    {
        Fold fold = Fold.Of(scan.Frames);
        core.Step(Step.RecoveryFolded);
        core.Disk.CreateFolder(Layout.Temporary);
        CompleteImages(fold);
        FoldStreams(fold, scan.Frames);
        applier.OnExcess = KeepExcess;
        applier.Apply(fold);
        applier.OnExcess = null;
        core.Step(Step.RecoveryApplied);
        Durably.Sync(core.Disk, fold.Sessions.Values.Select(s => new TouchedSession(s.Id, s.Place ?? 0, s.IsPurged)),
            fold.Sessions.Values.SelectMany(s => s.Sources).Distinct());
        core.Step(Step.RecoverySynced);
        long floor = Takeover.Behind(Math.Max(scan.LastLsn, index?.Lsn ?? 0));
        core.Recovered = new RecoveryReport(scan.Frames.Count, torn, [])
        {
            IsJournalGone = core.Recovered.IsJournalGone,
            IsJournalLost = core.Recovered.IsJournalLost,
        };
        lock (core.Rows.Gate)
        {
            core.Rows.Held.Set(applier.Held);
        }

        if (applier.Held.Count > 0)
        {
            return KeepJournal(scan, ids);
        }

        WriteIndex(fold, index, floor, ids, isAlone);
        core.Step(Step.RecoveryIndexed);
        _journal.CreateClosing(new SegmentHeader
        {
            Number = scan.Newest!.Number + 1,
            Size = SegmentHeader.Length,
            FirstLsn = floor + 1,
            PreviousEnd = scan.End,
            PreviousLsn = floor,
            FirstNeeded = scan.Newest.Number + 1,
            IdMs = ids.Ms,
            IdN = ids.N,
        });
        core.Step(Step.RecoverySealed);
        _journal.Retire(scan.Newest.Number + 1);
        core.Disk.SyncFolder(Layout.Journal);
        if (!isAlone)
        {
            Erasure.RemoveScratch(core.Disk); // alone, the sweep takes all of tmp/
        }

        LogRing.Add("info", $"Recovered {scan.Frames.Count} records of the journal; {torn} torn bytes kept aside.");
        return new Outcome(floor, ids.Ms, ids.N);
    }

    private void WriteIndex(Fold fold, IndexClosing? index, long floor, (long Ms, long N) ids, bool isAlone)
    {
        if (isAlone)
        {
            IndexWriter.Write(core.Disk, core.Quarantine, index,
                [.. fold.Sessions.Values.Where(s => s.IsPurged || s.Image is not null)
                    .Select(s => new IndexRow(s.Id, s.IsPurged ? default : s.Image!.Json))],
                floor, ids, isWhole: fold.Sessions.Values.Any(s => s.IsPurged));
        }
        else if (core.Disk.Stat(Layout.IndexFile) is not null)
        {
            // Somebody may be at a checkpoint, which writes the index without the store lock. What it
            // knows ends before this recovery, and readers tell by its LSN.
            core.Quarantine.Vacate(Layout.IndexFile);
            core.Disk.SyncFolder("");
        }
    }

    // What cannot be written into its files stays where it is, and so does all of the journal: the next segment goes on
    // behind it. One that was begun and has no frame yet does for that.
    private Outcome KeepJournal(JournalScan scan, (long Ms, long N) ids)
    {
        _journal.Retire(scan.Oldest!.Number); // what a checkpoint that was cut short left
        SegmentHeader newest = scan.Newest!;
        bool isFresh = scan.Ends.Count == 0 && scan.RestEnd <= scan.End && newest.FirstLsn > scan.LastLsn
            && scan.Segments.Count > 1;
        long number = isFresh ? newest.Number : newest.Number + 1;
        if (!isFresh)
        {
            core.Disk.CreateFolder(Layout.Temporary);
            _journal.Create(new SegmentHeader
            {
                Number = number,
                Size = JournalFiles.SegmentBytesMin,
                FirstLsn = Takeover.Behind(scan.LastLsn) + 1,
                PreviousEnd = scan.End,
                PreviousLsn = scan.LastLsn,
                FirstNeeded = scan.Oldest.Number,
                IdMs = ids.Ms,
                IdN = ids.N,
            });
        }

        LogRing.Add("warning", "The journal is kept, for files of a session cannot be written.");
        return new Outcome(scan.LastLsn, ids.Ms, ids.N)
        {
            Segment = number,
            Indexed = scan.Oldest.PreviousLsn,
            Purged = scan.Frames.FindLast(Erasure.IsOwedFor)?.Lsn ?? 0,
        };
    }

    private void Reset(SharedState state, Outcome outcome, long generation)
    {
        state.Segment = outcome.Segment;
        state.Published = outcome.Lsn;
        state.Synced = outcome.Lsn;
        state.Applied = outcome.Lsn;
        state.Purged = outcome.Purged; // where the journal is closed, nothing of what is gone is left in it
        state.Erased = 0;
        state.Indexed = outcome.Segment == 0 ? outcome.Lsn : outcome.Indexed;
        state.Held = outcome.Segment == 0 ? 0 : 1;
        state.IdMs = outcome.IdMs;
        state.IdN = outcome.IdN;
        state.Floor = outcome.Segment == 0 ? 0 : Takeover.Behind(outcome.Lsn);
        state.Holder = 0;
        state.Health = outcome.Health;
        state.BootId = (long)core.Environment.BootId;
        state.StoreHash = core.Seed;
        state.Generation = generation;
        state.Layout = SharedState.Magic;
    }

    // A killed process may have left frames in the system's cache alone. Where they cannot be synced the next open
    // writes them anew: what is durable is no more than what they say of themselves.
    private void SyncNewest(JournalScan scan, bool isAlone)
    {
        using IDiskFile newest = core.Disk.OpenOwn(Layout.Segment(scan.Newest!.Number), OpenMode.ReadWrite);
        try
        {
            newest.Sync();
        }
        catch (DiskException e) when (e.IsFailedSync && isAlone)
        {
            long synced = Math.Max(scan.Synced, scan.Newest.PreviousLsn);
            Reset(core.State, new Outcome(Math.Max(synced, scan.LastLsn), scan.Newest.IdMs, scan.Newest.IdN),
                PageCheck.NextGeneration(core.State.Generation, core.Now));
            (core.State.Indexed, core.State.Applied, core.State.Synced) = (0, 0, synced);
            core.Heed(e);
            throw;
        }
    }

    // A poisoned journal: up to `synced` it can be trusted. What was published behind that is in the
    // system's cache, and is written again elsewhere before any file is changed for it.
    private JournalScan SealAt(JournalScan scan, long synced, long published)
    {
        var kept = scan.Frames.FindAll(f => f.Lsn > synced && f.Lsn <= published);
        long end = SegmentHeader.Length;
        foreach ((long lsn, long frameEnd) in scan.Ends)
        {
            end = lsn <= synced ? frameEnd : end;
        }

        var buffer = new Utf8Buffer(64 * 1024);
        foreach (Frame frame in kept)
        {
            int start = buffer.Length;
            buffer.Zeros(FrameFormat.HeaderLength);
            ChangeCodec.Write(frame.At, frame.By.IsEmpty ? core.By : frame.By.Span, frame.Changes, buffer);
            FrameFormat.Close(buffer, start, frame.Lsn, synced, core.Seed);
        }

        SegmentHeader newest = scan.Newest!;
        core.Disk.CreateFolder(Layout.Temporary);
        _journal.Create(new SegmentHeader
        {
            Number = newest.Number + 1,
            Size = Math.Max(JournalFiles.SegmentBytesMin, SegmentHeader.Length + buffer.Length),
            FirstLsn = synced + 1,
            PreviousEnd = end,
            PreviousLsn = synced,
            FirstNeeded = scan.Oldest!.Number,
            IdMs = newest.IdMs,
            IdN = newest.IdN,
        }, buffer.Written); // its name ends what counts of the segment before, so it has all from the start

        try
        {
            using IDiskFile old = core.Disk.OpenOwn(Layout.Segment(newest.Number), OpenMode.ReadWrite);
            old.Sync();
        }
        catch (DiskException e)
        {
            // Nothing behind `synced` in it is relied on any more, so that it fails again is no news.
            LogRing.Add("info", $"The poisoned segment stays as it is: {e.Message}");
        }

        return JournalScan.Read(core.Disk, _journal);
    }

    private long KeepTornTail(JournalScan scan)
    {
        if (scan.RestEnd <= scan.End)
        {
            return 0;
        }

        string path = Layout.Segment(scan.Newest!.Number);
        using IDiskFile file = core.Disk.OpenOwn(path, OpenMode.Read);
        core.Quarantine.KeepPart(path, null, "torn_tail", file, scan.End, scan.RestEnd);
        return scan.RestEnd - scan.End;
    }

    private void KeepExcess(string path, IDiskFile file, long end)
    {
        core.Quarantine.KeepPart(path, Layout.Name(Layout.Parent(path)), "excess", file, end, file.Length);
        core.Quarantine.Settle();
    }

    private (long Ms, long N) IdFloor(JournalScan scan, IndexClosing? index)
    {
        (long Ms, long N) floor = (index?.IdMs ?? 0, index?.IdN ?? 0);
        if (scan.Newest is { } header && (header.IdMs, header.IdN).CompareTo(floor) > 0)
        {
            floor = (header.IdMs, header.IdN);
        }

        foreach (Frame frame in scan.Frames)
        {
            foreach (Change change in frame.Changes)
            {
                if (change.IsNew && SessionIds.TryParse(change.Id, out long ms, out long n)
                    && (ms, n).CompareTo(floor) > 0)
                {
                    floor = (ms, n);
                }
            }
        }

        return floor;
    }
}
