using Sessions.Storage.Commit;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Upkeep;

/// <content>What a checkpoint commits.</content>
internal sealed partial class Checkpointer
{
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
