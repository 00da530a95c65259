using Sessions.Images;
using Sessions.Json;
using Sessions.Storage.Files;

namespace Sessions.Storage.Journal;

/// <summary>
/// The small files beside a session's log that programs work together by: who has the conversation, what waits
/// for it, what it suggests. Each is in the journal as a whole image, is there only while it says something, and
/// is no part of what a branch takes along.
/// </summary>
internal static class SideFile
{
    private static readonly string[] FrameNames = ["lock", "queue", "buttons"];

    public static int Count => Layout.SideFiles.Count;

    /// <summary>Which of them a change is of; negative where it is of none.</summary>
    public static int IndexOf(ChangeKind kind)
        => kind is ChangeKind.Lock or ChangeKind.Queue or ChangeKind.Buttons ? kind - ChangeKind.Lock : -1;

    /// <summary>Its name in a session's folder.</summary>
    public static string NameOf(ChangeKind kind) => Layout.SideFiles[IndexOf(kind)];

    /// <summary>The member of a frame that tells it.</summary>
    public static string WordOf(ChangeKind kind) => FrameNames[IndexOf(kind)];

    /// <summary>The kind that a frame's member tells; null where it tells none of these.</summary>
    public static ChangeKind? KindOf(string word)
        => Array.IndexOf(FrameNames, word) is >= 0 and int i ? ChangeKind.Lock + i : null;

    /// <summary>Whether this is such a file, and that session's: a reader that slept with a file open may find that
    /// another session's was written into it.</summary>
    public static bool CanRead(string name, ReadOnlyMemory<byte> compact, string sessionId)
    {
        try
        {
            return JsonMembers.Of(compact).Find(m => m.Name == "session_id") is { Name: not null } id
                && id.Text == sessionId && name switch
                {
                    Layout.QueueFile => QueueCodec.CanRead(compact),
                    Layout.ButtonsFile => ActionButtons.CanRead(compact),
                    _ => true,
                };
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
