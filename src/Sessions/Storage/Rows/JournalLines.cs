using Sessions.Storage.Journal;

namespace Sessions.Storage.Rows;

/// <summary>What the journal still has of logs: all lines since the last checkpoint. Read where a log is not what it
/// should be, which is seldom.</summary>
internal static class JournalLines
{
    /// <summary>The lines of a session, from its last rewritten log on, of the frames up to an LSN, which must be on
    /// stable storage. Under the store lock.</summary>
    public static List<(long Offset, ReadOnlyMemory<byte> Bytes)> Of(StoreCore core, string id, long upTo)
    {
        var lines = new List<(long Offset, ReadOnlyMemory<byte> Bytes)>();
        using var journal = new JournalFiles(core.Disk, core.Seed, core.InstanceId);
        foreach (Frame frame in JournalScan.Read(core.Disk, journal).Frames)
        {
            foreach (Change change in frame.Lsn <= upTo ? frame.Changes : [])
            {
                if (change.Id != id)
                {
                    continue;
                }

                if (change.Kind is ChangeKind.Rewrite or ChangeKind.Purge)
                {
                    lines.Clear();
                }
                else if (change.Kind == ChangeKind.Append)
                {
                    lines.Add((change.Offset, change.Lines));
                }
            }
        }

        return lines;
    }
}
