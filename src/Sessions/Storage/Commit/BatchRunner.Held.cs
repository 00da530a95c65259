using Sessions.Storage.Apply;
using Sessions.Storage.Journal;

namespace Sessions.Storage.Commit;

/// <content>Sessions whose files cannot be written.</content>
internal sealed partial class BatchRunner
{
    /// <summary>Applies all frames of the journal once more, where some are not in files that could not be written.
    /// True where all of them are in the files now.</summary>
    public bool TryApplyHeld()
    {
        SyncAll();
        if (core.State.Held == 0)
        {
            return true;
        }

        lock (core.Rows.Gate)
        {
            List<Frame> frames = JournalScan.Read(core.Disk, _journal).Frames;
            frames.RemoveAll(f => f.Lsn > core.State.Applied);
            Fold fold = Fold.Of(frames);
            foreach (FoldedSession session in fold.Sessions.Values)
            {
                bool isLive = !session.IsPurged && session.Image is null && session.Counters is not null;
                session.Image = isLive ? core.Rows.TryReadInfo(session.Id) : session.Image;
            }

            fold.Streams = null; // newer than that
            Applier.Apply(fold);
            core.Rows.Held.Set(Applier.Held);
            core.State.Held = Applier.Held.Count;
        }

        return core.State.Held == 0;
    }

    /// <summary>Takes note of the sessions whose files could not be written.</summary>
    public void Hold()
    {
        if (Applier.Held.Count > 0)
        {
            lock (core.Rows.Gate)
            {
                core.Rows.Held.Add(Applier.Held);
            }

            core.State.Held = 1;
        }
    }
}

/// <summary>Tries to bring what was held to its files.</summary>
internal sealed class HeldRequest(BatchRunner runner) : CommitRequest
{
    public override bool MayUseReserve => true;

    public override bool IsAlone => true;

    /// <summary>True where nothing is held any more.</summary>
    public bool IsDone { get; private set; }

    public override void Prepare(BatchRunner batch) => IsDone = runner.TryApplyHeld();

    public override void Run(Transaction transaction)
    {
    }
}
