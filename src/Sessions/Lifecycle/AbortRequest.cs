using Sessions.Storage;

namespace Sessions.Lifecycle;

/// <summary>Records an abort of a session, and of its descendants where asked.</summary>
internal sealed class AbortRequest(Row row, string? reason, bool tree) : CommitRequest
{
    public override bool MayUseReserve => true;

    public int Count { get; private set; }

    public override void Run(Transaction transaction)
    {
        Count = 0;
        transaction.Live(row);
        List<Row> family = tree ? Family.Of(transaction.LiveRows(), row) : [row];
        foreach ((Row member, SessionInfo info) in family.ConvertAll(r => (r, transaction.Live(r))))
        {
            transaction.Put(member,
                info with { IsAborted = true, AbortReason = reason, AbortCount = info.AbortCount + 1 });
            Count++;
        }
    }
}
