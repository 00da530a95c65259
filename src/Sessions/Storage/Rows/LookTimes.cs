namespace Sessions.Storage.Rows;

/// <summary>When the name of an open file was looked at: the time, and how often anybody had opened one.</summary>
internal readonly record struct Look(long At, long Opened);

/// <summary>
/// When to look again whether a name still stands for the file that is open. A call of the system at each commit would
/// cost more than all else that a small append does beside the sync. So it is asked ten times a second, and at once
/// where another process has opened a log or a segment by its name: it may have found another file there, and nobody
/// goes on with the old one beside it. Nothing rests on the time: a checkpoint looks before the journal goes, and what
/// went into a file without a name is in the journal and in that file.
/// </summary>
internal sealed class LookTimes(StoreCore core)
{
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(100);

    public Look Now => new(core.Environment.Time.GetTimestamp(), Opened);

    private long Opened => core.Replica.State is { } page ? page.Opened : 0;

    public bool IsDue(Look last) => last.Opened != Opened
        || core.Environment.Time.GetElapsedTime(last.At) >= Rest;

    /// <summary>Has all others look at their next use; who calls it has opened a file by its name.</summary>
    public void TellOthers()
    {
        if (core.Replica.State is { } page)
        {
            page.Opened++;
        }
    }
}
