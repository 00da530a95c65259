using Sessions.Json;

namespace Sessions.Events.Pages;

/// <summary>What every page of a log ends with.</summary>
internal static class PageEnd
{
    /// <summary>The holes, where to go on in either direction, the last number, and the closing brace.</summary>
    public static void Write(Utf8Buffer output, List<Hole> holes, long last, long first, long lastSeq, bool hasMore)
    {
        output.Raw(",\"skipped\":["u8);
        for (int i = 0; i < holes.Count; i++)
        {
            output.Raw(i == 0 ? "{"u8 : ",{"u8).Member("first_seq", holes[i].First).Member("last_seq", holes[i].Last)
                .Member("reason", holes[i].Reason).Byte('}');
        }

        output.Raw("],\"next_after_seq\":"u8).Number(Math.Max(last, 0)).Raw(",\"previous_before_seq\":"u8)
            .Number(first).Raw(",\"last_seq\":"u8).Number(Math.Max(lastSeq, 0)).Raw(",\"has_more\":"u8).Bool(hasMore)
            .Byte('}');
    }
}
