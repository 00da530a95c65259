namespace Sessions.Json;

/// <summary>
/// Half of a surrogate pair as an escape (`\ud83d` with no `\ude00` behind it): JSON by its grammar, but no Unicode
/// text, so that strict parsers refuse all of the text it stands in. All of this takes JSON, or the inside of one of
/// its strings; there a backslash is an escape and nothing else.
/// </summary>
internal static class HalfPairs
{
    private const int EscapeLength = 6;
    private const int High = 1;
    private const int Low = 2;

    /// <summary>Where the first half stands; -1 where there is none.</summary>
    public static int Find(ReadOnlySpan<byte> json)
    {
        int at = 0;
        return Next(json, ref at) ? at : -1;
    }

    /// <summary>How many there are.</summary>
    public static long Count(ReadOnlySpan<byte> json)
    {
        long count = 0;
        for (int at = 0; Next(json, ref at); at += EscapeLength)
        {
            count++;
        }

        return count;
    }

    /// <summary>The text with U+FFFD for each half, as long as it was; the given one where there is none.</summary>
    public static byte[] Replace(byte[] json)
    {
        if (Find(json) < 0)
        {
            return json;
        }

        byte[] whole = [.. json];
        ReplaceIn(whole);
        return whole;
    }

    /// <summary>The same in place.</summary>
    public static void ReplaceIn(Span<byte> json)
    {
        for (int at = 0; Next(json, ref at); at += EscapeLength)
        {
            "\\ufffd"u8.CopyTo(json[at..]);
        }
    }

    // Goes on to the next half.
    private static bool Next(ReadOnlySpan<byte> json, ref int at)
    {
        // Most texts have escapes, but hardly one like these: one search for two bytes tells.
        if (json[at..].IndexOf("\\u"u8) < 0)
        {
            return false;
        }

        while (at < json.Length && json[at..].IndexOf((byte)'\\') is >= 0 and var found)
        {
            at += found;
            int kind = Kind(json[at..]);
            if (kind == 0)
            {
                at += 2; // what is escaped begins no escape itself
            }
            else if (kind == High && Kind(json[(at + EscapeLength)..]) == Low)
            {
                at += 2 * EscapeLength;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    // 0 where the text does not begin with the escape of a surrogate.
    private static int Kind(ReadOnlySpan<byte> text)
    {
        if (text.Length < EscapeLength || text[0] != '\\' || text[1] != 'u' || (text[2] | 0x20) != 'd')
        {
            return 0;
        }

        int digit = text[3] | 0x20;
        return digit is '8' or '9' or 'a' or 'b' ? High : digit is 'c' or 'd' or 'e' or 'f' ? Low : 0;
    }
}
