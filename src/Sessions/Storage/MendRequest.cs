namespace Sessions.Storage;

/// <summary>
/// Before a checkpoint syncs files by their names and lets the journal go: the files that were written to are those
/// under the names, and have all of it. What somebody removed, cut or replaced is made anew, as long as the journal
/// and the open files know how.
/// </summary>
internal sealed class MendRequest(StoreCore core, BatchRunner runner, Dictionary<string, Row> touched,
    IEnumerable<Row> doubtful) : CommitRequest
{
    public override bool MayUseReserve => true;

    public override void Run(Transaction transaction)
    {
        runner.CheckSegment();
        foreach (Row row in doubtful)
        {
            runner.Applier.Mend(row, core.State.Applied);
        }

        foreach (string id in (string[])[.. runner.Applier.OpenLogs])
        {
            if (touched.TryGetValue(id, out Row? row))
            {
                runner.Applier.Mend(row, core.State.Applied);
            }
        }
    }
}
