using System.Text.Json;
using Sessions.Json;
using Sessions.Storage.Log;

namespace Sessions.Events.Pages;

/// <summary>Writes one event as readers of a page get it.</summary>
internal static class EventText
{
    private const int DamagedBytes = 160;

    /// <summary>About how many bytes an event takes in a page.</summary>
    public static long SizeOf(LogWalk walk) => walk.Damage is null ? walk.Unclosed.Length + 2 : DamagedBytes;

    /// <summary>The event as it stands in the log, without its closing brace; a damaged one as an event
    /// that says where it is. With a scratch buffer its data becomes a string of the JSON.</summary>
    public static void WriteUnclosed(LogView log, LogWalk walk, Utf8Buffer output, Utf8Buffer? asText = null)
    {
        List<JsonMember>? members = asText is null || walk.Damage is not null ? null : TryMembers(walk, asText);
        if ((walk.Damage ?? (asText is null || members is not null ? null : walk.Unread)) is { } damage)
        {
            var where = new Utf8Buffer();
            WriteDamage(log, damage, where);
            output.Byte('{').Member("seq", walk.Seq).Member("type", "damaged").Raw(",\"timestamp\":null,\"data\":"u8);
            WriteData(where.Written, output, asText is not null);
        }
        else if (members is null)
        {
            output.Raw(walk.Unclosed.Span);
        }
        else
        {
            output.Byte('{');
            bool isFirst = true;
            foreach (JsonMember member in members)
            {
                output.Raw(isFirst ? ""u8 : ","u8).Raw(member.RawName.Span).Byte(':');
                WriteData(member.Value.Span, output, member.Name == "data");
                isFirst = false;
            }
        }
    }

    /// <summary>What a reader is told of a line that cannot be read.</summary>
    public static void WriteDamage(LogView log, Piece damage, Utf8Buffer output)
    {
        (string File, long Offset)? place = log.HidesPlaces ? null : log.Locate(damage.Offset);
        output.Byte('{').Member("file", place?.File).Member("offset", place?.Offset)
            .Member("length", damage.Length).Member("reason", damage.Reason).Byte('}');
    }

    // Null where the line has the checksum of what it is, and is no JSON.
    private static List<JsonMember>? TryMembers(LogWalk walk, Utf8Buffer scratch)
    {
        scratch.Clear();
        scratch.Raw(walk.Unclosed.Span).Byte('}');
        try
        {
            return JsonMembers.Of(scratch.WrittenMemory);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void WriteData(ReadOnlySpan<byte> json, Utf8Buffer output, bool asText)
    {
        if (asText)
        {
            output.Quoted(json);
        }
        else
        {
            output.Raw(json);
        }
    }
}
