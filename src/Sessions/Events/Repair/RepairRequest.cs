using Sessions.Storage;

namespace Sessions.Events;

/// <summary>Appends what a repair decided on, unless the log has grown since it looked.</summary>
internal sealed class RepairRequest(StoreCore core, Row row, IReadOnlyList<NewEvent> events, long lastSeq)
    : CommitRequest
{
    private readonly AppendRequest _append = new(core, row, events);

    public override int SizeHint => _append.SizeHint;

    /// <summary>True where it has, and nothing was appended.</summary>
    public bool HasMoved { get; private set; }

    public long[] Seqs => _append.Seqs;

    public override void Run(Transaction transaction)
    {
        HasMoved = transaction.Live(row).LastSeq != lastSeq;
        if (!HasMoved)
        {
            _append.Run(transaction);
        }
    }
}
