namespace Sessions.Storage;

/// <summary>What an open found undone and did: store info's "recovered".</summary>
internal sealed record RecoveryReport(long RedoneRecords, long TornBytes, IReadOnlyList<string> Reclassified)
{
    public static readonly RecoveryReport Nothing = new(0, 0, []);
}
