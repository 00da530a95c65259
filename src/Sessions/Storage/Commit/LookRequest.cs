namespace Sessions.Storage.Commit;

/// <summary>Looks at files under the store lock, where nobody moves them, and changes nothing.</summary>
internal sealed class LookRequest(Action look) : CommitRequest
{
    public override bool MayUseReserve => true;

    public override void Run(Transaction transaction) => look();
}
