using Sessions.Events.Pruning;

namespace Sessions.Model;

/// <summary>
/// What the names and numbers may be that are read from bytes: frames, segment headers, the index, the shared page,
/// the JSON of each file. A checksum has no key: it detects damage and authenticates nobody. Each reader asks here
/// before anything is written, moved, removed or added up.
/// </summary>
internal static class Plausible
{
    /// <summary>The highest LSN. The frame behind it is refused, so no sum of LSNs ever overflows.</summary>
    public const long LsnMax = Limits.IntegerMax;

    private const string HexDigits = "0123456789abcdef";

    /// <summary>An LSN, a number of an event, a count, a place in a file, a time.</summary>
    public static bool IsCount(long value) => (ulong)value <= Limits.IntegerMax;

    /// <summary>The last id given out: milliseconds, and a number within them.</summary>
    public static bool AreIds(long ms, long n) => (ulong)ms <= SessionIds.MsMax && (ulong)n <= SessionIds.NMax;

    /// <summary>True for lower-case hexadecimal digits alone.</summary>
    public static bool IsHex(ReadOnlySpan<char> text) => text.IndexOfAnyExcept(HexDigits) < 0;

    /// <summary>The name of the file that a prune puts in the place of a log:
    /// `events-&lt;open store&gt;-&lt;n&gt;.new`, as <see cref="PruneRequest"/> makes it.</summary>
    public static bool IsStagedLog(string name)
    {
        const string before = "events-i-", after = ".new";
        const int instance = 12;
        if (!name.StartsWith(before, StringComparison.Ordinal) || !name.EndsWith(after, StringComparison.Ordinal)
            || name.Length < before.Length + instance + 2 + after.Length)
        {
            return false;
        }

        ReadOnlySpan<char> middle = name.AsSpan(before.Length, name.Length - before.Length - after.Length);
        ReadOnlySpan<char> number = middle[(instance + 1)..];
        return IsHex(middle[..instance]) && middle[instance] == '-'
            && number.Length <= 18 && number[0] != '0' && number.IndexOfAnyExceptInRange('0', '9') < 0;
    }
}
