using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Upkeep;

/// <summary>
/// Brings the files and the index up to the journal, so that its old segments can go. Any process
/// may do it at any time, in the background; a lock keeps two from doing it at once.
/// </summary>
internal sealed class Checkpointer(StoreCore core, Action<CommitRequest> commit, BatchRunner runner)
{
    // A frame of images stays well below a batch's size.
    private const int ImagesMax = 256;
    private const long BytesMax = Batch.BytesMax;

    // Segments that one checkpoint begins at most; one more for each removal for good that comes in between.
    private const int SwitchesMax = 4;

    private static readonly TimeSpan HeldRest = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private long? _heldTriedAt; // null: it is to be tried at once

    /// <summary>True where the journal is closed after the checkpoint, and with it every segment goes.</summary>
    public bool ClosesJournal { get; init; }

    /// <summary>Commits the images of sessions whose file is behind, and makes everything durable. Those that fall
    /// behind meanwhile are left to the next one: while others append there would be no end.</summary>
    public void Flush(JobContext? context = null)
    {
        HashSet<Row> behind;
        lock (core.Rows.Gate)
        {
            core.Replica.CatchUp();
            behind = [.. core.Rows.Lagging];
        }

        while (TakeSome(behind) is { Count: > 0 } rows)
        {
            context?.ThrowIfCancelled();
            var images = new ImagesRequest(rows);
            commit(images);
            if (images.Unreadable.Count > 0)
            {
                lock (core.Rows.Gate)
                {
                    core.Rows.Lagging.ExceptWith(images.Unreadable);
                }
            }
        }

        context?.ThrowIfCancelled();
        Sync();
    }

    /// <summary>The same, and on return no file has what was removed for good before the call.</summary>
    public void FlushAndErase(JobContext context)
    {
        Flush(context);
        if (!core.State.OwesErasure)
        {
            return;
        }

        lock (_gate)
        {
            _heldTriedAt = null; // files may have been put right since
        }

        SpinWait.SpinUntil(
            () =>
            {
                context.ThrowIfCancelled();
                return !core.State.OwesErasure || (TryRun() && !core.State.OwesErasure) || core.State.Held != 0;
            },
            TimeSpan.FromMilliseconds(core.BusyTimeoutMs));
        if (core.State.OwesErasure)
        {
            throw core.State.Held == 0 ? Errors.Busy("The checkpoint")
                : Errors.Corrupt("What was removed for good stays in the journal while files of a session may not be "
                    + "written; session_store_verify() names it.", Layout.Journal);
        }
    }

    // As many as one frame of images has room for, and one at least.
    private List<Row> TakeSome(HashSet<Row> behind)
    {
        var rows = new List<Row>();
        lock (core.Rows.Gate)
        {
            core.Replica.CatchUp();
            long bytes = 0;
            foreach (Row row in core.Rows.Lagging.Where(behind.Contains))
            {
                bytes += SizeOf(row);
                if (rows.Count == ImagesMax || (rows.Count > 0 && bytes >= BytesMax))
                {
                    break;
                }

                rows.Add(row);
            }
        }

        behind.ExceptWith(rows);
        return rows;
    }

    private static long SizeOf(Row row)
        => 1024 + (row.Info is { } info ? info.Metadata.Length + info.Facts.Length : 0);

    /// <summary>Makes everything that is published durable, and applies it.</summary>
    public void Sync() => commit(new SyncRequest(runner));

    /// <summary>A whole checkpoint; false where another process is at one, or the files cannot
    /// follow the journal now.</summary>
    public bool TryRun()
    {
        lock (_gate)
        {
            if (!core.Lock!.Locks.TryLock(StoreLock.Checkpoint, exclusive: true))
            {
                return false;
            }

            try
            {
                return Run();
            }
            finally
            {
                core.Lock.Locks.Unlock(StoreLock.Checkpoint);
            }
        }
    }

    private bool Run()
    {
        core.Step(Step.CheckpointStarted);
        if (core.State.Held != 0 && !ClosesJournal && _heldTriedAt is { } at
            && core.Environment.Time.GetElapsedTime(at) < HeldRest)
        {
            return false; // the journal stays until it can be written, which is not asked all the time
        }

        long segment = CurrentSegment(); // what is counted by no image yet stands in it, or behind it
        Flush();
        if (core.State.Held != 0)
        {
            _heldTriedAt = core.Environment.Time.GetTimestamp();
            var held = new HeldRequest(runner);
            commit(held);
            if (!held.IsDone)
            {
                return false;
            }
        }

        TrySaveStreams();
        core.Step(Step.CheckpointImages);
        long lsn, switchedAt = 0;
        bool isSaved, erases, areAll;
        Dictionary<string, Row> touched;
        HashSet<long> takenFrom;
        List<(Row Row, int Moves)> places;
        List<IndexRow> rows;
        List<TouchedSession> sessions;
        List<Row> branches;
        Dictionary<string, Row> looked;
        List<WrittenFiles> files;
        for (int i = 0; MustSwitch(switchedAt); i++)
        {
            var next = new SwitchRequest(core);
            commit(next);
            switchedAt = next.Lsn;
            if (i == SwitchesMax || switchedAt == 0)
            {
                return false;
            }
        }

        if (switchedAt > 0)
        {
            segment = CurrentSegment();
            Flush();
        }

        lock (core.Rows.Gate)
        {
            core.Replica.CatchUp();
            lsn = core.Rows.Lsn;
            if (MustSwitch(switchedAt))
            {
                return false; // something else was just removed, and its text stands in the new segment
            }

            erases = core.State.OwesErasure;
            if (core.State.Applied < lsn)
            {
                return false; // somebody's relaxed commit, or a full disk; there will be another time
            }

            isSaved = core.Rows.Streams.IsSaved;
            branches = [.. core.Rows.NewBranches];
            touched = core.Rows.Touched;
            core.Rows.Touched = [];
            takenFrom = core.Rows.TakenFrom;
            core.Rows.TakenFrom = [];
            rows = [.. touched.Values.Where(r => r.IsGone || r.Info is not null)
                .Select(r => new IndexRow(r.Id, r.IsGone ? default : r.Info!.Json))];
            sessions = [.. touched.Values.Select(r => new TouchedSession(r.Id, r.DeletionLsn, r.IsGone))];
            // Of a new store every session stands in the journal. Its folders need not be read, which by now have
            // sessions of later frames too.
            areAll = core.State.Indexed == 0 && core.Rows.Base == 0 && rows.Count == touched.Count;
            places = [.. touched.Values.Select(r => (r, r.Moves))];
            looked = ClosesJournal ? LookedAtAtClose(touched) : touched;
            files = [.. looked.Values.Select(WrittenFiles.Of)];
        }

        try
        {
            // Text came since it was saved. Saved once more it is newer than what goes, which does no harm.
            if (!isSaved && !TrySaveStreams())
            {
                Touch(touched, takenFrom);
                return false;
            }

            var mend = new MendRequest(core, runner, looked,
                files.FindAll(f => !Applier.HasFiles(core.Disk, f)).ConvertAll(f => f.Row));
            commit(mend);
            if (!mend.IsDone)
            {
                Touch(touched, takenFrom);
                return false;
            }

            Durably.Sync(core.Disk, sessions, takenFrom);
            core.Step(Step.CheckpointSynced);
            lock (core.Rows.Gate)
            {
                core.Rows.NewBranches.ExceptWith(branches);
            }

            IndexClosing? index = IndexFile.ReadClosing(core.Disk);
            index = index?.Lsn < core.State.Indexed ? null : index; // left from before somebody's recovery
            IndexWriter.Write(core.Disk, core.Quarantine, index, rows, lsn, (core.State.IdMs, core.State.IdN),
                erases && sessions.Exists(s => s.IsPurged), areAll && index is null);
        }
        catch (Exception e) when (e is DiskException or SessionException)
        {
            // The system may have dropped what it could not write; only the journal still has it.
            core.Heed(e as DiskException);
            Touch(touched, takenFrom);
            throw;
        }

        core.Step(Step.CheckpointIndexed);
        var retire = new RetireRequest(core, runner.Journal, lsn, segment, places)
        {
            ErasedUpTo = !erases ? 0 : ClosesJournal ? lsn : switchedAt,
        };
        commit(retire);
        if (retire.MovedMeanwhile)
        {
            Touch(touched, takenFrom);
            return false;
        }

        lock (core.Rows.Gate)
        {
            core.Rows.DropGone(core.State.Indexed);
            core.Rows.DropWrittenBefore(segment);
        }

        core.Step(Step.CheckpointRetired);
        return true;
    }

    private long CurrentSegment()
    {
        lock (core.Rows.Gate)
        {
            core.Replica.CatchUp();
            return core.Replica.Segment;
        }
    }

    // All segments go, and with them what they have of sessions that the last checkpoint has seen to.
    private Dictionary<string, Row> LookedAtAtClose(Dictionary<string, Row> touched)
    {
        var looked = new Dictionary<string, Row>(touched);
        foreach (Row row in core.Rows.InJournal)
        {
            looked.TryAdd(row.Id, row);
        }

        return looked;
    }

    private bool MustSwitch(long switchedAt) => core.State.OwesErasure && !ClosesJournal
        && Math.Min(core.State.Purged, core.State.Published) > switchedAt;

    /// <summary>Brings streams.json up to the open streams; false where the file could not follow.</summary>
    private bool TrySaveStreams()
    {
        lock (core.Rows.Gate)
        {
            if (core.Rows.Streams.IsSaved)
            {
                return true;
            }
        }

        var save = new StreamsRequest();
        commit(save);
        return core.State.Applied >= save.Lsn;
    }

    private void Touch(Dictionary<string, Row> touched, HashSet<long> takenFrom)
    {
        lock (core.Rows.Gate)
        {
            foreach ((string id, Row row) in touched)
            {
                core.Rows.Touched.TryAdd(id, row);
            }

            core.Rows.TakenFrom.UnionWith(takenFrom);
        }
    }

    private sealed class ImagesRequest(List<Row> rows) : CommitRequest
    {
        public override int SizeHint => rows.Count * 1024;

        /// <summary>Sessions whose file is damaged: there is no image to write, and a salvage counts anew.</summary>
        public List<Row> Unreadable { get; } = [];

        public override void Run(Transaction transaction)
        {
            foreach (Row row in rows)
            {
                if (!Transaction.IsLive(row) || !transaction.Rows.CanWrite(row))
                {
                    Unreadable.Add(row);
                }
                else
                {
                    transaction.PutImage(row);
                }
            }
        }
    }

    private sealed class StreamsRequest : CommitRequest
    {
        public override bool MayUseReserve => true;

        /// <summary>The LSN of the image; 0 where there is none to be made.</summary>
        public long Lsn { get; private set; }

        public override void Run(Transaction transaction)
        {
            transaction.PutStreams();
            Lsn = transaction.Changes.Count > 0 ? transaction.Lsn : 0;
        }
    }

    private sealed class SyncRequest(BatchRunner runner) : CommitRequest
    {
        public override bool MayUseReserve => true;

        public override void Run(Transaction transaction)
        {
            if (runner.CatchUpFiles() is { } failure)
            {
                throw failure;
            }
        }
    }

    // Files are synced by their path, without the store lock. A session that somebody moved meanwhile
    // may have been missed, so the journal keeps what it has of it until the next checkpoint; so is one that could
    // not be written meanwhile.
    private sealed class RetireRequest(StoreCore core, JournalFiles journal, long lsn, long segment,
        List<(Row Row, int Moves)> places) : CommitRequest
    {
        public override bool MayUseReserve => true;

        public bool MovedMeanwhile { get; private set; }

        /// <summary>What frames up to this one removed for good stands neither in the segments that stay nor in
        /// the index; 0: there is nothing to erase.</summary>
        public long ErasedUpTo { get; init; }

        public override void Run(Transaction transaction)
        {
            MovedMeanwhile = core.State.Held != 0 || places.Exists(p => p.Row.Moves != p.Moves);
            if (MovedMeanwhile)
            {
                return;
            }

            core.State.Indexed = Math.Max(core.State.Indexed, lsn);
            if (segment > 0)
            {
                journal.Retire(segment);
            }

            if (ErasedUpTo > 0)
            {
                Erasure.RemoveScratch(core.Disk);
                core.State.Erased = Math.Max(core.State.Erased, ErasedUpTo);
            }
        }
    }
}
