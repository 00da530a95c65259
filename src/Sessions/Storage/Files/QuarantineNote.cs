using Sessions.Json;
using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>What was kept aside: where it is, where it was, why.</summary>
internal sealed record QuarantineEntry(string? SessionId, string File, string Source, string Reason, long At);

/// <summary>The note that stands beside what was kept aside: about.json.</summary>
internal static class QuarantineNote
{
    private const string Name = "about.json";
    private const int BytesMax = 64 * 1024;

    /// <summary>The path of the note in a folder of the quarantine.</summary>
    public static string In(string folder) => folder + "/" + Name;

    /// <summary>The text of a note.</summary>
    public static ReadOnlySpan<byte> Write(QuarantineEntry entry)
    {
        var note = new Utf8Buffer();
        note.Byte('{').Member("session_id", entry.SessionId).Member("file", entry.File).Member("source", entry.Source)
            .Member("reason", entry.Reason).Member("at", entry.At).Byte('}');
        var text = new Utf8Buffer();
        CheckedJson.Write(note.Written, text);
        return text.Written;
    }

    /// <summary>The note in a folder of the quarantine; null where there is none that can be read.</summary>
    public static QuarantineEntry? Read(IDisk disk, string folder)
        => disk.Stat(In(folder)) is { IsFile: true }
            && SmallFile.ReadWhole(disk, In(folder), BytesMax) is { IsWhole: true } read
            && CheckedJson.Read(read.Bytes) is { } compact ? TryRead(folder, compact) : null;

    private static QuarantineEntry? TryRead(string folder, byte[] compact)
    {
        string? session = null, file = null, source = null, reason = null;
        long at = 0;
        try
        {
            foreach (JsonMember m in JsonMembers.Of(compact))
            {
                switch (m.Name)
                {
                    case "session_id": session = m.TextOrNull; break;
                    case "file": file = m.Text; break;
                    case "source": source = m.Text; break;
                    case "reason": reason = m.Text; break;
                    case "at": at = m.Number; break;
                    default: break; // a later version's notes
                }
            }
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            return null; // somebody wrote something else over it; the copy beside it is still kept
        }

        // Both are read from: the copy stands beside the note, and what it is of somewhere in the store.
        return (file is null || (Layout.IsInside(file) && Layout.Parent(file) == folder))
            && (source is null || Layout.IsInside(source))
            ? new QuarantineEntry(session, file ?? In(folder), source ?? "", reason ?? "unknown", at) : null;
    }
}
