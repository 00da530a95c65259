using System.Numerics;
using Sessions.Model;

namespace Sessions.Storage.Journal;

/// <summary>The words of the kinds of news, and which of them a change is.</summary>
internal static class WatchKind
{
    /// <summary>All of them, in the order of the kinds.</summary>
    public static readonly string[] Words =
    [
        "created", "updated", "renamed", "deleted", "restored", "event_appended", "stream_text", "stream_ended",
        "lock", "queue", "buttons", "abort", "share", "state", "decision", "job", "notice", "gap",
    ];

    /// <summary>The word of one kind.</summary>
    public static string Word(WatchKinds kind) => Words[BitOperations.TrailingZeroCount((int)kind)];

    /// <summary>The first kind of a set.</summary>
    public static WatchKinds First(WatchKinds kinds) => kinds & (WatchKinds)(-(int)kinds);

    /// <summary>The kind of a word; none where there is no such word.</summary>
    public static WatchKinds Of(ReadOnlySpan<char> word)
    {
        for (int i = 0; i < Words.Length; i++)
        {
            if (word.SequenceEqual(Words[i]))
            {
                return (WatchKinds)(1 << i);
            }
        }

        return WatchKinds.None;
    }

    /// <summary>What a change is to whoever watches; of an append, each line is one.</summary>
    public static WatchKinds Of(Change change) => change.Kind switch
    {
        ChangeKind.Put => OfWords(change.What),
        ChangeKind.Append => WatchKinds.EventAppended,
        ChangeKind.Shares => WatchKinds.Share,
        ChangeKind.Small => change.What.Length > 0 ? change.Small!.News : 0,
        ChangeKind.Rewrite => WatchKinds.Updated,
        ChangeKind.Trash or ChangeKind.Purge => WatchKinds.Deleted,
        ChangeKind.Restore => WatchKinds.Restored,
        ChangeKind.Config => WatchKinds.Notice,
        ChangeKind.StreamBegin or ChangeKind.StreamText => WatchKinds.StreamText,

        // One that left no event went with its session, or was told before and is only forgotten now.
        ChangeKind.StreamEnd => change.Seq > 0 ? WatchKinds.StreamEnded : 0,
        _ => WatchKinds.None,
    };

    // A frame's words may be those of a later version; what nobody here knows is not told.
    private static WatchKinds OfWords(ReadOnlySpan<char> words)
    {
        WatchKinds kinds = WatchKinds.None;
        foreach (Range range in words.Split(','))
        {
            kinds |= Of(words[range]);
        }

        return kinds;
    }
}
