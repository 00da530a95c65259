using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>Reads a user's prompt: its text, and what is attached to it.</summary>
internal static class Prompt
{
    public static void Read(Message message, in EventSlice e, Arena arena)
    {
        var members = new MemberScan(e.Data);
        bool hasText = e.Data is [(byte)'"', ..];
        if (hasText)
        {
            AddText(message, e.Data[1..^1], arena);
        }

        while (members.Next())
        {
            if (members.Name.SequenceEqual("text"u8) && members.IsText)
            {
                AddText(message, members.RawText, arena);
                hasText = true;
            }
        }

        bool hasFiles = ReadFiles(message, e, "images"u8, "image/*"u8, arena)
            | ReadFiles(message, e, "files"u8, "application/octet-stream"u8, arena);
        if (!hasText && !hasFiles)
        {
            // Not what a prompt should be. It is shown all the same: a message without parts is none.
            message.Parts.Add(new Part(PartKind.Data, message, e.Seq)
            {
                Type = arena.Add(e.Type),
                Data = arena.Add(e.Data),
            });
        }
    }

    private static void AddText(Message message, ReadOnlySpan<byte> text, Arena arena)
    {
        message.Parts.Clear(); // of two members with one name the last counts
        var part = new Part(PartKind.Text, message, message.Seq);
        part.Text.Add(arena, text);
        message.Parts.Add(part);
    }

    private static bool ReadFiles(Message message, in EventSlice e, ReadOnlySpan<byte> member,
        ReadOnlySpan<byte> mediaType, Arena arena)
    {
        bool any = false;
        var items = new ItemScan(TranscriptBuilder.Member(e.Data, member));
        while (items.Next())
        {
            any = true;
            bool hasAddress = TranscriptBuilder.Member(items.Value, "url"u8) is [(byte)'"', _, _, ..];
            message.Parts.Add(new Part(hasAddress ? PartKind.File : PartKind.Data, message, e.Seq)
            {
                Type = arena.Add(hasAddress ? mediaType : "file"u8),
                Data = arena.Add(items.Value),
            });
        }

        return any;
    }
}
