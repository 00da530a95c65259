using Sessions.Storage.Commit;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Upkeep;

/// <summary>
/// Before a checkpoint syncs files by their names and lets the journal go: the files that were written to are those
/// under the names, and have all of it. What somebody removed, cut or replaced is made anew, as long as the journal
/// and the open files know how.
/// </summary>
internal sealed class MendRequest(StoreCore core, BatchRunner runner, IReadOnlyDictionary<string, Row> looked,
    IEnumerable<Row> doubtful) : CommitRequest
{
    public override bool MayUseReserve => true;

    public override bool IsAlone => true;

    /// <summary>False where nothing was looked at, since the files are behind the journal, or where files of a session
    /// may not be written: then the journal stays.</summary>
    public bool IsDone { get; private set; }

    // First of all everything that is published comes into the files: a session that is about to be moved, or made, is
    // not where its row says.
    public override void Prepare(BatchRunner batch)
    {
        runner.SyncAll();
        runner.CheckSegment();
        lock (core.Rows.Gate)
        {
            foreach (Row row in doubtful)
            {
                Mend(row);
            }

            foreach (string id in (string[])[.. runner.Applier.OpenLogs])
            {
                if (looked.TryGetValue(id, out Row? row))
                {
                    Mend(row);
                }
            }
        }

        IsDone = core.State.Held == 0;
    }

    public override void Run(Transaction transaction)
    {
    }

    // Rows that started over since, because the page was lost, are other objects: the old ones do not say where their
    // sessions are now, and the recovery that began anew has seen to their files.
    private void Mend(Row row)
    {
        if (ReferenceEquals(core.Rows.Find(row.Id), row))
        {
            runner.Applier.Mend(row, core.State.Applied);
            runner.Hold();
        }
    }
}
