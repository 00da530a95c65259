using System.Globalization;

namespace Sessions;

/// <summary>Ids: `session_&lt;unix ms&gt;`, or `session_&lt;unix ms&gt;_&lt;n&gt;` with n from 2 on when
/// that is taken. They order by creation.</summary>
internal static class SessionIds
{
    private const string Prefix = "session_";

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
        return TryDigits(bar < 0 ? rest : rest[..bar], out ms) && ms <= 253402300799999
            && (bar < 0 || (TryDigits(rest[(bar + 1)..], out n) && n >= 2));
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

    public static void Require(string id, string argument)
    {
        if (!IsValid(id))
        {
            throw Errors.Argument(argument,
                "An id has 1 to 128 letters, digits, '_', '-' or '.', and no '.' in front.");
        }
    }

    private static bool TryDigits(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        return text.Length is > 0 and <= 18 && (text[0] != '0' || text.Length == 1)
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
