using Sessions.Storage;

namespace Sessions.Events;

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
        if (walk.Damage is { } damage)
        {
            var where = new Utf8Buffer();
            WriteDamage(log, damage, where);
            output.Byte('{').Member("seq", walk.Seq).Member("type", "damaged").Raw(",\"timestamp\":null,\"data\":"u8);
            WriteData(where.Written, output, asText is not null);
        }
        else if (asText is null)
        {
            output.Raw(walk.Unclosed.Span);
        }
        else
        {
            asText.Clear();
            asText.Raw(walk.Unclosed.Span).Byte('}');
            output.Byte('{');
            bool isFirst = true;
            foreach (JsonMember member in JsonMembers.Of(asText.WrittenMemory))
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
