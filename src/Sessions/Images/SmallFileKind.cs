using Sessions.Json;
using Sessions.Model;

namespace Sessions.Images;

/// <summary>
/// The small files beside a session's log that programs work together by: who has the conversation, what waits
/// for it, what it suggests. Each is in the journal as a whole image, is there only while it says something, and
/// is no part of what a branch takes along. A new one is a line in this table, and what its feature makes of it.
/// </summary>
internal sealed class SmallFileKind
{
    public static readonly SmallFileKind Lock = new(0, "lock.json", "lock", WatchKinds.Lock, static _ => true);

    public static readonly SmallFileKind Queue = new(1, "queue.json", "queue", WatchKinds.Queue, QueueCodec.CanRead);

    public static readonly SmallFileKind Buttons = new(2, "action_buttons.json", "buttons", WatchKinds.Buttons,
        ActionButtons.CanRead);

    /// <summary>All of them, in the order of their indexes.</summary>
    public static readonly IReadOnlyList<SmallFileKind> All = [Lock, Queue, Buttons];

    private readonly Func<ReadOnlyMemory<byte>, bool> _canRead;

    private SmallFileKind(int index, string fileName, string word, WatchKinds news,
        Func<ReadOnlyMemory<byte>, bool> canRead)
        => (Index, FileName, Word, News, _canRead) = (index, fileName, word, news, canRead);

    /// <summary>Its place in what has one for each kind.</summary>
    public int Index { get; }

    /// <summary>Its name in a session's folder.</summary>
    public string FileName { get; }

    /// <summary>The member of a frame that tells it.</summary>
    public string Word { get; }

    /// <summary>The kind of news that a watch tells of a change of the file.</summary>
    public WatchKinds News { get; }

    /// <summary>The kind that a frame's member tells; null where it tells none of these.</summary>
    public static SmallFileKind? OfWord(string word)
    {
        foreach (SmallFileKind kind in All)
        {
            if (kind.Word == word)
            {
                return kind;
            }
        }

        return null;
    }

    /// <summary>The images of a session that has none of these files.</summary>
    public static byte[]?[] NoImages()
    {
        byte[]?[] images = new byte[]?[All.Count];
        Array.Fill(images, []);
        return images;
    }

    /// <summary>Whether this is such a file, and that session's: a reader that slept with a file open may find that
    /// another session's was written into it.</summary>
    public bool CanRead(ReadOnlyMemory<byte> compact, string sessionId)
    {
        try
        {
            return JsonMembers.Of(compact).Find(m => m.Name == "session_id") is { Name: not null } id
                && id.Text == sessionId && _canRead(compact);
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
