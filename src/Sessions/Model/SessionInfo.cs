using Sessions.Json;
using Sessions.Model;

namespace Sessions;

/// <summary>The newest live share of a session, as far as anyone may know of it.</summary>
internal sealed record ShareSummary(string ShareId, long CreatedAt, long ExpiresAt);

/// <summary>All that is known of a session but its events, as of one revision. Immutable.</summary>
internal sealed record SessionInfo
{
    public const string DefaultTitle = "New Session";
    public static readonly ReadOnlyMemory<byte> EmptyObject = "{}"u8.ToArray();

    public required string Id { get; init; }
    public string? ParentId { get; init; }
    public long? ForkSeq { get; init; }
    public string Title { get; init; } = DefaultTitle;
    public string TitleSource { get; init; } = "default";
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }

    /// <summary>0: no event yet.</summary>
    public long LastEventAt { get; init; }
    public long MessageCount { get; init; }
    public long EventCount { get; init; }
    public long LastSeq { get; init; }

    /// <summary>LSN of the last change of facts; events do not raise it.</summary>
    public long Revision { get; init; }
    public string State { get; init; } = "created";
    public bool Archived { get; init; }
    public bool IsAborted { get; init; }
    public string? AbortReason { get; init; }
    public long AbortCount { get; init; }
    public ShareSummary? Share { get; init; }
    public ReadOnlyMemory<byte> Metadata { get; init; } = EmptyObject;
    public ReadOnlyMemory<byte> Facts { get; init; } = EmptyObject;
    public string? IdempotencyKey { get; init; }

    /// <summary>0 unless in the trash.</summary>
    public long DeletedAt { get; init; }

    /// <summary>The LSN of the delete that took it; 0 unless in the trash.</summary>
    public long DeletionLsn { get; init; }

    /// <summary>Members that a later version wrote: `"a":1,"b":2`, byte for byte; empty: none.</summary>
    public ReadOnlyMemory<byte> Unknown { get; init; }

    public Counters Counters => new(LastSeq, EventCount, MessageCount, UpdatedAt, LastEventAt);

    /// <summary>With the counters, unless these are older. Those of a later event also say when the session was
    /// changed last, perhaps earlier than it said before (<see cref="RealTime"/>).</summary>
    public SessionInfo With(in Counters c) => c.LastSeq < LastSeq ? this : this with
    {
        LastSeq = c.LastSeq,
        EventCount = c.EventCount,
        MessageCount = c.MessageCount,
        UpdatedAt = c.LastSeq > LastSeq ? c.UpdatedAt : Math.Max(UpdatedAt, c.UpdatedAt),
        LastEventAt = c.LastEventAt,
    };

    private byte[]? _json;
    private byte[]? _shown;

    // A copy made by `with` must not take the text of the original along.
    private SessionInfo(SessionInfo original)
    {
        Id = original.Id;
        ParentId = original.ParentId;
        ForkSeq = original.ForkSeq;
        Title = original.Title;
        TitleSource = original.TitleSource;
        CreatedAt = original.CreatedAt;
        UpdatedAt = original.UpdatedAt;
        LastEventAt = original.LastEventAt;
        MessageCount = original.MessageCount;
        EventCount = original.EventCount;
        LastSeq = original.LastSeq;
        Revision = original.Revision;
        State = original.State;
        Archived = original.Archived;
        IsAborted = original.IsAborted;
        AbortReason = original.AbortReason;
        AbortCount = original.AbortCount;
        Share = original.Share;
        Metadata = original.Metadata;
        Facts = original.Facts;
        IdempotencyKey = original.IdempotencyKey;
        DeletedAt = original.DeletedAt;
        DeletionLsn = original.DeletionLsn;
        Unknown = original.Unknown;
    }

    public SessionInfo()
    {
    }

    /// <summary>The compact JSON, made once.</summary>
    public byte[] Json => _json ??= InfoCodec.Write(this);

    /// <summary>The same for hosts: text that an earlier version took and strict parsers refuse is replaced.</summary>
    public byte[] Shown => _shown ??= HalfPairs.Replace(Json);
}

/// <summary>What an append changes of a session's info.</summary>
internal readonly record struct Counters(long LastSeq, long EventCount, long MessageCount, long UpdatedAt,
    long LastEventAt);
