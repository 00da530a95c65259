using Sessions.Model;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Recovery;

/// <summary>
/// What whoever gets the store lock does first: makes sure that it holds the right lock and page,
/// catches up, and finishes what a holder that died had begun. The lock is never broken, so a
/// holder that is only stopped is still the holder and needs no fencing.
/// </summary>
internal sealed class Takeover(StoreCore core, StoreRecovery recovery) : ITakeover
{
    private bool _hasEntered;

    /// <summary>A gap in the LSNs after damage: no number that a lost frame may have had is used again.</summary>
    public const long Jump = 1 << 20;

    /// <summary>The floor behind such a gap. There is no LSN above the highest: then nothing can be written any
    /// more, and all that is there can be read.</summary>
    public static long Behind(long lsn) => Math.Min(lsn + Jump, Plausible.LsnMax);

    public void Enter(BatchRunner runner)
    {
        if (!core.Lock!.Locks.IsLinked)
        {
            throw new SessionException(SessionStatus.Io,
                $"store.json was moved away under the open store {core.Disk.Root}.");
        }

        SharedState? left = null;
        long publishedBefore = 0;
        if (!core.State.Page.IsLinked)
        {
            left = core.State;
            publishedBefore = Math.Max(core.Rows.Lsn, left.Page.IsWhole ? left.Published : 0);
            Remap();
        }

        SharedState state = core.State;
        StoreLock.Entered(state);
        bool isOlder = core.Replica.IsOlder;
        if (state.Generation == core.Replica.Generation)
        {
            publishedBefore = Math.Max(publishedBefore, core.Rows.Lsn); // it may have been written over in its place
        }

        // It is no page of this store, or an older one that was put back, which knows less of the journal.
        if (!PageCheck.IsPossible(state, core.Seed) || isOlder || state.Published < publishedBefore
            || (!_hasEntered && IsFromBeforeFirstCommit(state, runner)))
        {
            recovery.RunBesideOthers(runner.Applier, Math.Max(publishedBefore, isOlder ? core.Rows.Lsn : 0));
        }

        if (left is { Page: { IsWhole: true, IsLinked: false } })
        {
            left.Leave(); // one that was cut has no more to tell, or is this very page
        }

        core.RequireSound();
        bool died = state.Holder != 0;
        state.Holder = core.Environment.ProcessId;
        lock (core.Rows.Gate)
        {
            core.Replica.CatchUp();
            core.Replica.SeekEnd();
        }

        // Who has just come cannot tell an older page that was put back, but by a frame that stands where the next one
        // would be written.
        if (died || (!_hasEntered && HasMore(runner)))
        {
            Finish(runner);
        }

        _hasEntered = true;
    }

    /// <summary>Ends what this process has written and could not end, as it would for a holder that died: from what the
    /// journal says, whatever became of the rows.</summary>
    public void Resume(BatchRunner runner)
    {
        lock (core.Rows.Gate)
        {
            core.Replica.ResetToOldest();
            core.Replica.CatchUp();
            core.Replica.SeekEnd();
        }

        Finish(runner);
    }

    // Somebody removed the folder of locks. The lock itself is on store.json, so there is still one
    // writer at a time; the page is made anew, by whoever comes first, from the journal.
    private void Remap()
    {
        core.Disk.CreateFolder(Layout.Locks);
        var found = new SharedState(core.Disk.OpenSharedPage(Layout.SharedPage, readOnly: false)!);
        lock (core.Rows.Gate)
        {
            core.Replica.State = found;
        }

        LogRing.Add("warning", "The folder of locks was removed; it is made anew.");
    }

    // Such a page names no segment, though there is one that takes frames. A damaged store's page names none either.
    private static bool IsFromBeforeFirstCommit(SharedState state, BatchRunner runner)
        => state is { Segment: 0, Holder: 0, Health: StoreHealth.Sound }
            && runner.Journal.Segments() is [.., var newest]
            && runner.Journal.ReadHeader(newest)?.Size > SegmentHeader.Length;

    private bool HasMore(BatchRunner runner)
    {
        Replica replica = core.Replica;
        return replica.Segment != 0 && runner.Journal.Open(replica.Segment) is { } file
            && new SegmentReader(file, core.Seed, replica.Offset, file.Length, new byte[FrameFormat.HeaderLength])
                .Next()?.Lsn > core.State.Published;
    }

    // The holder died inside a commit: frames behind the published ones may be whole, and then they
    // are published, or torn, and then nothing is ever appended behind them.
    private void Finish(BatchRunner runner)
    {
        SharedState state = core.State;
        Replica replica = core.Replica;
        bool moved;
        lock (core.Rows.Gate)
        {
            moved = replica.TryNextSegment(); // it may have died between making a segment and using it
        }

        if (moved)
        {
            state.Segment = replica.Segment; // else others would write into the one before
            core.Disk.SyncFolder(Layout.Journal); // or before its name was durable
            core.Disk.SyncFolder("");
        }

        if (replica.Segment != 0 && runner.Journal.Open(replica.Segment) is { } file)
        {
            var reader = new SegmentReader(file, core.Seed, replica.Offset, file.Length);
            var frames = new List<Frame>();
            long start = replica.Offset, last = state.Published;
            while (reader.Next() is { } frame && frame.Lsn > last)
            {
                frames.Add(frame);
                last = frame.Lsn;
            }

            bool torn = reader.FindRest(out _);
            if (frames.Count > 0 || torn)
            {
                // Nobody sees what is not durable; and what is torn is past all doubt once it is synced.
                runner.SyncSegment(last);
            }

            if (frames.Count > 0)
            {
                Erasure.Note(state, frames);
                lock (core.Rows.Gate)
                {
                    replica.Take(frames, reader.Offset - start, areApplied: false);
                    (state.IdMs, state.IdN) = Ids(frames, state.IdMs, state.IdN);
                    state.Published = last;
                }
            }

            runner.SyncAll();
            if (torn)
            {
                state.Floor = Behind(state.Published);
                runner.Switch(0, state.Floor - state.Published);
            }

            state.Announce();
        }
    }

    private static (long Ms, long N) Ids(IEnumerable<Frame> frames, long ms, long n)
    {
        foreach (Frame frame in frames)
        {
            foreach (Change change in frame.Changes)
            {
                if (change.IsNew && SessionIds.TryParse(change.Id, out long idMs, out long idN)
                    && (idMs, idN).CompareTo((ms, n)) > 0)
                {
                    (ms, n) = (idMs, idN);
                }
            }
        }

        return (ms, n);
    }
}
