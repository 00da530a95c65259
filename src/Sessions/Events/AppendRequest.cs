using Sessions.Storage.Commit;
using Sessions.Storage.Rows;

namespace Sessions.Events;

/// <summary>An event as the host hands it in: checked, compact, without a number.</summary>
internal sealed record NewEvent(string Type, ReadOnlyMemory<byte> Data, long Timestamp, string? TurnId, string? Id);

/// <summary>Appends events to one session in one frame: all or none.</summary>
internal sealed class AppendRequest(StoreCore core, Row row, IReadOnlyList<NewEvent> events) : CommitRequest
{
    /// <summary>The number of each event; of a repeat, the first one's.</summary>
    public long[] Seqs { get; } = new long[events.Count];

    /// <summary>Which of them repeated an id and were not written.</summary>
    public List<int> Duplicates { get; } = [];

    public override int SizeHint { get; } = events.Sum(e => e.Data.Length + 256);

    public override void Run(Transaction transaction)
    {
        Duplicates.Clear(); // of a run that was given up
        var log = new LogAppender(core, transaction, row, SizeHint);
        for (int i = 0; i < events.Count; i++)
        {
            Seqs[i] = log.Add(events[i], out bool isRepeat);
            if (isRepeat)
            {
                Duplicates.Add(i);
            }
        }

        log.Commit();
    }
}
