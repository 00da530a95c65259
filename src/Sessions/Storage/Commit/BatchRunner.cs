using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Commit;

/// <summary>
/// One commit, under the store lock: catch up, run each request against a working copy, one write
/// of all frames, one sync, apply, publish. The lock covers the sync, so nobody sees or builds on
/// what is not durable, and one batch at most is in doubt after a crash.
/// </summary>
internal sealed partial class BatchRunner(StoreCore core, ITakeover takeover)
{
    // What delete, abort, clear and purge can still use when no new segment can be made.
    private const long ReserveBytes = 128 * 1024;

    // More than this in memory only is synced by whoever commits next, relaxed or not.
    private const long PendingBytesMax = 4 << 20;

    private readonly Action _catchUp = core.RefreshFast;
    private readonly JournalFiles _journal = new(core.Disk, core.Seed, core.InstanceId) { StoreId = core.StoreId };
    private readonly Transaction _transaction = new(core.Rows, core.Environment.FillRandom);
    private readonly Utf8Buffer _buffer = new(64 * 1024);
    private readonly List<Frame> _frames = [];
    private long _segmentSize;
    private long _sizedSegment;
    private long _segmentSince;
    private bool _isWritten;
    private long _written; // the last LSN of what was

    public Applier Applier { get; } = new(core, core.Rows.LogOf)
    {
        AtStep = core.Step,
        BranchesToSync = core.Rows.BranchesToSync,
    };

    public JournalFiles Journal => _journal;

    /// <summary>Told of each commit that leaves something to do for later.</summary>
    public Action? OnCommitted { get; set; }

    // What the holder of the lock publishes before it lets go need not be read while this one holds it.
    public bool TryEnter()
    {
        core.CheckPage();
        return core.Lock!.TryTake(core.State, core.BusyTimeoutMs, _catchUp);
    }

    public void Exit()
    {
        core.Lock!.Release(core.State);
        core.Step(Step.CommitUnlocked);
    }

    /// <summary>Runs a batch; each request has its outcome on return. Returns what the batch failed
    /// with as a whole, null where it did not.</summary>
    public Exception? Run(List<CommitRequest> requests)
    {
        _isWritten = false; // what is said of the batch before counts no more
        try
        {
            core.Step(Step.CommitLocked);
            takeover.Enter(this);
            core.Step(Step.CommitCaughtUp);
            SessionException? lag = CatchUpFiles();
            if (core.State.Health != StoreHealth.Sound)
            {
                throw lag ?? Errors.Poisoned(); // a sync has failed among them
            }

            if (!TryRun(requests, lag))
            {
                TryRun(requests, new SessionException(SessionStatus.NoSpace, "The disk is full."));
            }

            core.State.Holder = 0;
            return null;
        }
        catch (Exception e)
        {
            return End(requests, e);
        }
        finally
        {
            _transaction.End();
            foreach (CommitRequest request in requests)
            {
                if (request.Failure is not null)
                {
                    request.TakeBack();
                }
            }
        }
    }

    /// <summary>Applies pending frames that are on stable storage; what stood in the way, or null.</summary>
    public SessionException? CatchUpFiles()
    {
        Replica replica = core.Replica;
        if (replica.Pending.Count == 0 || replica.Pending[0].Lsn > core.State.Synced)
        {
            return null;
        }

        List<Frame> frames = replica.Pending.FindAll(f => f.Lsn <= core.State.Synced);
        if (TryApply(frames, frames[^1].Lsn) is { } failure)
        {
            return failure;
        }

        lock (core.Rows.Gate)
        {
            replica.DropApplied();
        }

        return null;
    }

    /// <summary>Ends the current segment and makes the next one; the caller has caught up.</summary>
    public void Switch(long bytes, long jump)
    {
        Replica replica = core.Replica;
        SharedState state = core.State;
        if (replica.Segment != 0 && state.Published > state.Synced)
        {
            Sync(OpenSegment(), state.Published);
        }

        long number = replica.Segment + 1;
        List<long> existing = _journal.Segments();
        if (replica.Segment == 0 && existing.Count > 0)
        {
            number = existing[^1] + 1;
        }

        // A segment that filled within two seconds wants a larger one after it.
        double seconds = core.Environment.Time.GetElapsedTime(_segmentSince).TotalSeconds;
        long size = _segmentSize == 0 ? JournalFiles.SegmentBytesMin
            : seconds < 2 ? Math.Min(_segmentSize * 2, JournalFiles.SegmentBytesMax) : JournalFiles.SegmentBytesMin;
        _segmentSince = core.Environment.Time.GetTimestamp();
        SegmentHeader header = _journal.Create(new SegmentHeader
        {
            Number = number,
            Size = Math.Max(size, SegmentHeader.Length + bytes + ReserveBytes),
            FirstLsn = state.Published + jump + 1,
            PreviousEnd = replica.Segment == 0 ? SegmentHeader.Length : replica.Offset,
            PreviousLsn = state.Published,
            FirstNeeded = existing.Count == 0 || replica.Segment == 0 ? number : existing[0],
            IdMs = state.IdMs,
            IdN = state.IdN,
        });
        core.Step(Step.SegmentMade);
        _segmentSize = header.Size;
        _sizedSegment = number;
        lock (core.Rows.Gate)
        {
            replica.MoveTo(number);
        }

        state.Segment = number;
        core.Step(Step.SegmentSwitched);
    }

    /// <summary>Makes the next segment when half of this one is used, so that no commit waits for it.</summary>
    public void MakeSpareAhead()
    {
        long size = Volatile.Read(ref _segmentSize);
        if (core.Replica.Offset * 2 > size && size > 0 && !_journal.HasSpare)
        {
            long spare = Math.Min(size * 2, JournalFiles.SegmentBytesMax);
            new JournalFiles(core.Disk, core.Seed, core.InstanceId).MakeSpare(spare);
        }
    }

    /// <summary>Makes the current segment durable, up to an LSN that stands in it.</summary>
    public void SyncSegment(long lsn) => Sync(OpenSegment(), lsn);

    /// <summary>Makes durable and applies everything that is published, and the names and contents of what
    /// branches made lately have links to: then a log can be replaced.</summary>
    public void Settle()
    {
        SyncAll();
        Durably.Sync(core.Disk, core.Rows.BranchesToSync(), []);
    }

    /// <summary>Makes durable and applies everything that is published.</summary>
    public void SyncAll()
    {
        SharedState state = core.State;
        if (state.Published > state.Synced && core.Replica.Segment != 0)
        {
            Sync(OpenSegment(), state.Published);
        }

        if (CatchUpFiles() is { } failure)
        {
            throw failure;
        }
    }

    // False where the disk is full and only what may use the reserve can go on.
    private bool TryRun(List<CommitRequest> requests, SessionException? onlyReserve)
    {
        Replica replica = core.Replica;
        SharedState state = core.State;
        _isWritten = false;
        if (onlyReserve is null && requests is [{ IsAlone: true } alone])
        {
            alone.Prepare(this);
        }

        bool full = Prepare(requests, onlyReserve, replica.Segment, out long lsn);
        if (_transaction.RestsOnSegment && !HasRoom())
        {
            _transaction.End();
            full = Prepare(requests, onlyReserve, 0, out lsn); // for the next segment, with all that it needs
        }

        if (_frames.Count == 0)
        {
            if (full && state.Published > state.Synced)
            {
                SyncAll();
            }

            return true;
        }

        SyncBranchesOfPurged();
        full |= core.HasNoThread || replica.PendingBytes + _buffer.Length > PendingBytesMax;
        if (!TryMakeRoom(requests, onlyReserve is not null))
        {
            _transaction.End();
            return false;
        }

        IDiskFile file = OpenSegment();
        Write(file, requests, lsn);
        bool applied = false;
        if (full)
        {
            Sync(file, lsn);
            core.Step(Step.CommitSynced);
            List<Frame> frames = replica.Pending.Count == 0 ? _frames : [.. replica.Pending, .. _frames];
            applied = TryApply(frames, lsn) is null;
            core.Step(Step.CommitApplied);
        }

        Publish(lsn, applied);
        core.Step(Step.CommitPublished);
        _isWritten = false;
        return true;
    }

    // What brings the frames to the files is there before they are written.
    private void Write(IDiskFile file, List<CommitRequest> requests, long lsn)
    {
        Applier.Reserve(_buffer.Length);
        _reserve.Fill();
        (_isWritten, _written) = (true, lsn);
        requests.ForEach(static r => r.IsWritten |= r.Failure is null);
        try
        {
            file.Write(_buffer.Written, core.Replica.Offset);
        }
        catch (DiskException e)
        {
            core.Poison(e.Message);
            throw;
        }

        core.Step(Step.CommitWritten);
    }

    private bool Prepare(List<CommitRequest> requests, SessionException? onlyReserve, long segment, out long lsn)
    {
        bool full = false;
        _frames.Clear();
        _buffer.Clear();
        SharedState state = core.State;
        lock (core.Rows.Gate)
        {
            _transaction.Begin(core.Now, state.IdMs, state.IdN, segment);
            _transaction.WorkingConfig = null;
            lsn = Math.Max(state.Published, state.Floor);
            foreach (CommitRequest request in requests)
            {
                request.TakeBack(); // of a run that was given up
                if (onlyReserve is not null && !request.MayUseReserve)
                {
                    request.Failure = onlyReserve;
                    continue;
                }

                request.Failure = null; // of that too
                _transaction.BeginRequest(lsn + 1, request.Right);
                try
                {
                    request.Right?.Check(_transaction);
                    request.Run(_transaction);
                }
                catch (SessionException e)
                {
                    request.Failure = e;
                    continue;
                }
                catch (DiskException e) when (!e.IsFailedSync)
                {
                    request.Failure = DiskErrors.From(e, core.Disk);
                    continue;
                }

                full |= request.Full;
                if (_transaction.Changes.Count > 0 && lsn >= Plausible.LsnMax)
                {
                    request.Failure = Errors.Limit("lsn", Plausible.LsnMax, lsn); // nobody would read the frame
                }
                else if (_transaction.Changes.Count > 0)
                {
                    lsn++;
                    Encode(lsn);
                }
            }
        }

        return full;
    }

    // Before the frame: where a link of a branch cannot be made durable, nothing is purged, and that is told. What the
    // applier syncs once more are those that this very batch makes.
    private void SyncBranchesOfPurged()
    {
        if (_frames.Exists(static f => Array.Exists(f.Changes, static c => c.Kind == ChangeKind.Purge))
            && core.Rows.BranchesToSync() is { Count: > 0 } branches)
        {
            Durably.Sync(core.Disk, branches, []);
        }
    }

    private void Encode(long lsn)
    {
        int start = _buffer.Length;
        _buffer.Zeros(FrameFormat.HeaderLength);
        ChangeCodec.Write(_transaction.Now, core.By, _transaction.Changes, _buffer);
        FrameFormat.Close(_buffer, start, lsn, core.State.Synced, core.Seed);
        WrittenFrame.AssertReadable(_buffer.Written[start..], lsn);
        _frames.Add(new Frame { Lsn = lsn, At = _transaction.Now, Changes = [.. _transaction.Changes], By = core.By });
    }

    private bool TryMakeRoom(List<CommitRequest> requests, bool onlyReserve)
    {
        if (HasRoom())
        {
            return true;
        }

        Replica replica = core.Replica;
        long size = replica.Segment == 0 ? 0 : SizeOf(replica.Segment);

        try
        {
            Switch(_buffer.Length, Math.Max(0, core.State.Floor - core.State.Published));
            return true;
        }
        catch (DiskException e) when (e is { Error: DiskError.NoSpace, IsFailedSync: false }
            && core.State.Health == StoreHealth.Sound)
        {
            bool fits = replica.Segment != 0 && replica.Offset + _buffer.Length <= size;
            if (fits && requests.TrueForAll(r => r.MayUseReserve || r.Failure is not null))
            {
                return true;
            }

            if (onlyReserve)
            {
                throw;
            }

            return false;
        }
    }

    private bool HasRoom() => core.Replica.Segment is not 0 and var segment
        && core.Replica.Offset + _buffer.Length + ReserveBytes <= SizeOf(segment);

    private long SizeOf(long segment)
    {
        if (_sizedSegment != segment)
        {
            _segmentSize = _journal.Open(segment)?.Length ?? 0;
            _sizedSegment = segment;
        }

        return _segmentSize;
    }

    private void Sync(IDiskFile file, long lsn)
    {
        file.Sync();
        core.State.Synced = lsn;
    }

    private void Publish(long lsn, bool applied)
    {
        SharedState state = core.State;
        state.IdMs = _transaction.IdMs;
        state.IdN = _transaction.IdN;
        Erasure.Note(state, _frames);
        lock (core.Rows.Gate)
        {
            core.Replica.Take(_frames, _buffer.Length, applied);
            core.Replica.DropApplied();
            state.Published = lsn;
        }

        state.Announce();
        OnCommitted?.Invoke();
    }
}
