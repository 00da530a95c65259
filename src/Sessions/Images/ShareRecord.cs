namespace Sessions.Images;

/// <summary>One share of a session, as shares.json keeps it. The secret is not in here: it lies in
/// a file of its own beside it, and its digest is the share's id.</summary>
internal sealed record ShareRecord
{
    public required string ShareId { get; init; }
    public required long CreatedAt { get; init; }

    /// <summary>The first event that can be seen.</summary>
    public required long FirstSeq { get; init; }

    /// <summary>The last one; of no account in a live share.</summary>
    public required long LastSeq { get; init; }
    public required bool Live { get; init; }

    /// <summary>0: never.</summary>
    public long ExpiresAt { get; init; }

    /// <summary>0: no limit.</summary>
    public long MaxUses { get; init; }
    public long Uses { get; init; }
    public long LastUsedAt { get; init; }
    public long RevokedAt { get; init; }

    /// <summary>When it expired or was used up, once a commit has met it so: its secret is gone then. 0: not met, or
    /// revoked.</summary>
    public long EndedAt { get; init; }

    /// <summary>True where its secret is of no more use.</summary>
    public bool IsOver => RevokedAt != 0 || EndedAt != 0;

    /// <summary>The range as it was asked for, zeros included: what a rotation knows the old share by.</summary>
    public required long AskedFirst { get; init; }
    public required long AskedLast { get; init; }

    /// <summary>True while the secret opens it.</summary>
    public bool CanBeResolved(long now) => EndedAt == 0 && CanBeSeen(now) && (MaxUses == 0 || Uses < MaxUses);

    /// <summary>True while a handle that was resolved may look.</summary>
    public bool CanBeSeen(long now) => RevokedAt == 0 && (ExpiresAt == 0 || now < ExpiresAt);
}
