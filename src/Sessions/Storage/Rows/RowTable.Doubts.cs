using Sessions.Platform;

namespace Sessions.Storage.Rows;

/// <content>What is doubtful while the journal is damaged.</content>
internal sealed partial class RowTable
{
    private readonly Dictionary<string, string> _doubts = [];
    private bool _countsByLogs;

    /// <summary>What is doubtful of a session's events, in a sentence for a person; null: nothing.</summary>
    public string? DoubtOf(string id) => _doubts.GetValueOrDefault(id);

    /// <summary>Takes note of a session whose log has other lines than the journal.</summary>
    public void Doubt(string id)
        => _doubts[id] = "the log has other lines than the damaged journal; they are shown, and the journal's are not";

    /// <summary>From now on the logs say how many events there are: of a damaged journal the last frames are lost, and
    /// their lines are whole in the files.</summary>
    public void CountByLogs()
    {
        _countsByLogs = true;
        foreach (Row row in (Row[])[.. _rows.Values])
        {
            if (row.Info is { } info && !row.IsGone)
            {
                CountByLog(row, info);
            }
        }
    }

    private SessionInfo CountByLog(Row row, SessionInfo info)
    {
        try
        {
            Counters counters = EventLogFile.CountForeign(disk, row, ReadLog(row), info.Counters, takesGaps: true);
            if (counters.LastSeq > info.LastSeq)
            {
                _doubts[row.Id] = $"the log goes on from event {info.LastSeq + 1} to {counters.LastSeq}, of which no "
                    + "record that is left of the journal speaks; they are shown, and more may be missing";
                row.Info = info = info.With(counters);
            }
        }
        catch (Exception e) when (e is DiskException || e is SessionException { Status: SessionStatus.Corrupt })
        {
            LogRing.Add("warning", $"The log of {row.Id} cannot be counted: {e.Message}");
        }

        return info;
    }
}
