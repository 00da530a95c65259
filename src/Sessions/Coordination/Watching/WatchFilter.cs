using Sessions.Model;
using Sessions.Storage.Journal;

namespace Sessions.Coordination.Watching;

/// <summary>What a watch wants to hear of.</summary>
internal sealed class WatchFilter
{
    private readonly string? _sessionId;

    public WatchFilter(string? sessionId, string? kinds)
    {
        if (sessionId is not null)
        {
            SessionIds.Require(sessionId, "session_id");
        }

        _sessionId = sessionId;
        foreach (string word in kinds?.Split(',') ?? [])
        {
            WatchKinds kind = WatchKind.Of(word.AsSpan().Trim(' '));
            Kinds |= kind != WatchKinds.None ? kind
                : throw Errors.Word("kinds", word.Trim(' '), WatchKind.Words);
        }

        Kinds = kinds is null ? WatchKinds.All : Kinds;
    }

    public WatchKinds Kinds { get; }

    /// <summary>Whether it is about that session; "": about the store.</summary>
    public bool Takes(string sessionId) => _sessionId is null || _sessionId == sessionId;
}
