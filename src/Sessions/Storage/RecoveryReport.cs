namespace Sessions.Storage;

/// <summary>What an open found undone and did: store info's "recovered".</summary>
internal sealed record RecoveryReport(long RedoneRecords, long TornBytes, IReadOnlyList<string> Reclassified)
{
    public static readonly RecoveryReport Nothing = new(0, 0, []);

    /// <summary>True where the journal was gone though it had frames that the files may not have.</summary>
    public bool IsJournalLost { get; init; }
}
