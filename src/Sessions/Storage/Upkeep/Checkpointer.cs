using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Upkeep;

/// <summary>
/// Brings the files and the index up to the journal, so that its old segments can go. Any process
/// may do it at any time, in the background; a lock keeps two from doing it at once.
/// </summary>
internal sealed partial class Checkpointer(StoreCore core, Action<CommitRequest> commit, BatchRunner runner)
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
        if (!TryHeld())
        {
            return false;
        }

        TrySaveStreams();
        core.Step(Step.CheckpointImages);
        if (!TrySwitch(out long switchedAt))
        {
            return false;
        }

        if (switchedAt > 0)
        {
            segment = CurrentSegment();
            Flush();
        }

        return Take(switchedAt) is { } taken && TryWrite(taken) && TryRetire(taken, segment, switchedAt);
    }

    // Files that could not be written may be written now.
    private bool TryHeld()
    {
        if (core.State.Held == 0)
        {
            return true;
        }

        _heldTriedAt = core.Environment.Time.GetTimestamp();
        var held = new HeldRequest(runner);
        commit(held);
        return held.IsDone;
    }

    // What was removed for good stands in segments that are over then; 0 where nothing was.
    private bool TrySwitch(out long switchedAt)
    {
        switchedAt = 0;
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

        return true;
    }

    // Null where the files cannot follow now.
    private Taken? Take(long switchedAt)
    {
        lock (core.Rows.Gate)
        {
            core.Replica.CatchUp();
            long lsn = core.Rows.Lsn;
            if (MustSwitch(switchedAt))
            {
                return null; // something else was just removed, and its text stands in the new segment
            }

            bool erases = core.State.OwesErasure;
            if (core.State.Applied < lsn)
            {
                return null; // somebody's relaxed commit, or a full disk; there will be another time
            }

            Dictionary<string, Row> touched = core.Rows.Touched;
            HashSet<long> takenFrom = core.Rows.TakenFrom;
            core.Rows.Touched = [];
            core.Rows.TakenFrom = [];
            List<IndexRow> rows = [.. touched.Values.Where(r => r.IsGone || r.Info is not null)
                .Select(r => new IndexRow(r.Id, r.IsGone ? default : r.Info!.Json))];
            Dictionary<string, Row> looked = ClosesJournal ? LookedAtAtClose(touched) : touched;
            return new Taken
            {
                Lsn = lsn,
                Erases = erases,
                AreStreamsSaved = core.Rows.Streams.IsSaved,
                Touched = touched,
                TakenFrom = takenFrom,
                Branches = [.. core.Rows.NewBranches],
                Rows = rows,
                Sessions = [.. touched.Values.Select(r => new TouchedSession(r.Id, r.DeletionLsn, r.IsGone))],
                Places = [.. touched.Values.Select(r => (r, r.Moves))],
                Looked = looked,
                Files = [.. looked.Values.Select(WrittenFiles.Of)],
            };
        }
    }

    // On true all of it is on stable storage, and in the index.
    private bool TryWrite(Taken taken)
    {
        try
        {
            // Text came since it was saved. Saved once more it is newer than what goes, which does no harm.
            if (!taken.AreStreamsSaved && !TrySaveStreams())
            {
                Touch(taken);
                return false;
            }

            var mend = new MendRequest(core, runner, taken.Looked,
                taken.Files.FindAll(f => !Applier.HasFiles(core.Disk, f)).ConvertAll(f => f.Row));
            commit(mend);
            if (!mend.IsDone)
            {
                Touch(taken);
                return false;
            }

            Durably.Sync(core.Disk, taken.Sessions, taken.TakenFrom);
            core.Step(Step.CheckpointSynced);
            lock (core.Rows.Gate)
            {
                core.Rows.NewBranches.ExceptWith(taken.Branches);
            }

            IndexClosing? index = IndexFile.ReadClosing(core.Disk);
            index = index?.Lsn < core.State.Indexed ? null : index; // left from before somebody's recovery
            IndexWriter.Write(core.Disk, core.Quarantine, index, taken.Rows, taken.Lsn,
                (core.State.IdMs, core.State.IdN), taken.Erases && taken.Sessions.Exists(s => s.IsPurged),
                id => IsMadeBehind(taken.Lsn, id));
        }
        catch (Exception e) when (e is DiskException or SessionException)
        {
            // The system may have dropped what it could not write; only the journal still has it.
            core.Heed(e as DiskException);
            Touch(taken);
            throw;
        }

        core.Step(Step.CheckpointIndexed);
        return true;
    }

    // The folders have by now what later frames made; the next checkpoint writes a row for each of those.
    private bool IsMadeBehind(long lsn, string id)
    {
        lock (core.Rows.Gate)
        {
            return core.Rows.Known(id) is { MadeAt: var madeAt } && madeAt > lsn;
        }
    }

    private bool TryRetire(Taken taken, long segment, long switchedAt)
    {
        var retire = new RetireRequest(core, runner.Journal, taken.Lsn, segment, taken.Places)
        {
            ErasedUpTo = !taken.Erases ? 0 : ClosesJournal ? taken.Lsn : switchedAt,
        };
        try
        {
            commit(retire);
        }
        catch
        {
            Touch(taken); // the next one writes them once more, wherever its index comes from
            throw;
        }

        if (retire.MovedMeanwhile)
        {
            Touch(taken);
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

    // The next checkpoint sees to it.
    private void Touch(Taken taken)
    {
        lock (core.Rows.Gate)
        {
            foreach ((string id, Row row) in taken.Touched)
            {
                core.Rows.Touched.TryAdd(id, row);
            }

            core.Rows.TakenFrom.UnionWith(taken.TakenFrom);
        }
    }

    // What one checkpoint sees to, as it was at one LSN.
    private sealed class Taken
    {
        public required long Lsn { get; init; }

        /// <summary>True where something that was removed for good is to leave all files.</summary>
        public required bool Erases { get; init; }

        public required bool AreStreamsSaved { get; init; }

        public required Dictionary<string, Row> Touched { get; init; }

        public required HashSet<long> TakenFrom { get; init; }

        public required List<Row> Branches { get; init; }

        /// <summary>For the index.</summary>
        public required List<IndexRow> Rows { get; init; }

        public required List<TouchedSession> Sessions { get; init; }

        /// <summary>How often each had moved: see <see cref="RetireRequest"/>.</summary>
        public required List<(Row Row, int Moves)> Places { get; init; }

        /// <summary>The sessions whose files must have what was written to them.</summary>
        public required Dictionary<string, Row> Looked { get; init; }

        public required List<WrittenFiles> Files { get; init; }
    }
}
