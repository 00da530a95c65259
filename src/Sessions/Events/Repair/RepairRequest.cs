using Sessions.Storage.Commit;
using Sessions.Storage.Rows;

namespace Sessions.Events.Repair;

/// <summary>Appends what a repair decided on, unless the log has grown since it looked.</summary>
internal sealed class RepairRequest(StoreCore core, Row row, IReadOnlyList<NewEvent> events, long lastSeq)
    : CommitRequest
{
    private readonly AppendRequest _append = new(core, row, events);

    /// <summary>An open store that has lost its right to write; null: none.</summary>
    public string? Former { get; init; }

    /// <summary>True where turns are ended though somebody is at work in them.</summary>
    public bool IsForced { get; init; }

    public override int SizeHint => _append.SizeHint;

    /// <summary>True where it has, and nothing was appended.</summary>
    public bool HasMoved { get; private set; }

    public long[] Seqs => _append.Seqs;

    public override void Run(Transaction transaction)
    {
        HasMoved = transaction.Live(row).LastSeq != lastSeq
            || (!IsForced && RunningTurns.HasStreams(core, transaction.Streams(row.Id), events, Former));
        if (!HasMoved)
        {
            _append.Run(transaction);
        }
    }
}
