using System.Buffers;
using System.Globalization;
using Sessions.Json;

namespace Sessions;

/// <summary>Ids: `session_&lt;unix ms&gt;`, or `session_&lt;unix ms&gt;_&lt;n&gt;` with n from 2 on when
/// that is taken. They order by creation.</summary>
internal static class SessionIds
{
    /// <summary>The milliseconds of the last id there can be: the end of the year 9999.</summary>
    public const long MsMax = 253_402_300_799_999;

    /// <summary>The highest number within one millisecond.</summary>
    public const long NMax = Limits.IntegerMax;

    private const string Prefix = "session_";

    private static readonly SearchValues<byte> Letters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."u8);

    public static string Format(long ms, long n)
        => n <= 1 ? string.Create(CultureInfo.InvariantCulture, $"{Prefix}{ms}")
            : string.Create(CultureInfo.InvariantCulture, $"{Prefix}{ms}_{n}");

    /// <summary>The parts of an id that this library made; false for any other.</summary>
    public static bool TryParse(string id, out long ms, out long n)
    {
        ms = 0;
        n = 1;
        if (!id.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        ReadOnlySpan<char> rest = id.AsSpan(Prefix.Length);
        int bar = rest.IndexOf('_');
        return TryDigits(bar < 0 ? rest : rest[..bar], out ms) && ms <= MsMax
            && (bar < 0 || (TryDigits(rest[(bar + 1)..], out n) && n is >= 2 and <= NMax));
    }

    /// <summary>Ids come from outside: letters, digits, '_', '-' and '.', not first; 1 to 128 of them.
    /// So none can leave its folder.</summary>
    public static bool IsValid(string id)
    {
        if (id.Length is 0 or > Limits.IdBytesMax || id[0] == '.')
        {
            return false;
        }

        foreach (char c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.'))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The same check on the bytes of an id, as a frame has it; it makes no string.</summary>
    public static bool IsValid(ReadOnlySpan<byte> id)
        => id.Length is > 0 and <= Limits.IdBytesMax && id[0] != '.' && id.IndexOfAnyExcept(Letters) < 0;

    public static void Require(string id, string argument)
    {
        if (!IsValid(id))
        {
            throw Errors.Argument(argument,
                $"{argument} must have 1 to 128 letters, digits, '_', '-' or '.', and no '.' in front.");
        }
    }

    private static bool TryDigits(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        return text.Length is > 0 and <= 18 && (text[0] != '0' || text.Length == 1)
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>The value of a member as an id that may name a folder; FormatException where it is none.</summary>
    public static string AsId(this JsonMember member)
        => member.Text is var id && IsValid(id) ? id : throw new FormatException();
}
