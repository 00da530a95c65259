namespace Sessions.Model;

/// <summary>The ids of shares: `sh_` and 12 hexadecimal digits. One names a file.</summary>
internal static class ShareIds
{
    public const string Prefix = "sh_";

    private const int Length = 15;

    /// <summary>The id; FormatException where the text is none.</summary>
    public static string Require(string id) => IsValid(id) ? id : throw new FormatException();

    public static bool IsValid(string id) => id.Length == Length && id.StartsWith(Prefix, StringComparison.Ordinal)
        && Plausible.IsHex(id.AsSpan(Prefix.Length));
}
