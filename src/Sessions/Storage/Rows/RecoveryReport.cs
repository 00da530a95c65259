namespace Sessions.Storage.Rows;

/// <summary>What an open found undone and did: store info's "recovered".</summary>
internal sealed record RecoveryReport(long RedoneRecords, long TornBytes, IReadOnlyList<string> Reclassified)
{
    public static readonly RecoveryReport Nothing = new(0, 0, []);

    /// <summary>True where the journal of a store that was not closed was gone.</summary>
    public bool IsJournalGone { get; init; }

    /// <summary>True where it had frames besides that were not in the files.</summary>
    public bool IsJournalLost { get; init; }
}
