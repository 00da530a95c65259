using System.Buffers;
using System.Text;

namespace Sessions.Events.Transcript;

/// <summary>
/// An address that a page may link to: http, https or mailto, of which everybody who reads it sees the same host.
/// One with white space, control characters, a backslash, or a host that is more than ASCII letters, digits, dots,
/// hyphens, "_", an IPv6 address in brackets and a port is none, since browsers make something else of it than what
/// it looks like.
/// </summary>
internal readonly ref struct WebAddress
{
    private static readonly SearchValues<byte> HostBytes = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]"u8);

    private static readonly SearchValues<byte> Refused = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
        30, 31, 32, 127, (byte)'\\']);

    /// <summary>Where it leads: the host, with its port, or the mail address.</summary>
    public ReadOnlySpan<byte> Host { get; private init; }

    /// <summary>False where the address itself hides where it leads, behind the name of a user.</summary>
    public bool SaysHost { get; private init; }

    public static bool TryRead(ReadOnlySpan<byte> url, out WebAddress address)
    {
        address = default;
        if (url.ContainsAny(Refused) || Bidi.Next(url) >= 0)
        {
            return false;
        }

        if (StartsWith(url, "mailto:"u8))
        {
            ReadOnlySpan<byte> to = UpTo(url["mailto:"u8.Length..], "?#"u8);
            address = new WebAddress { Host = to, SaysHost = true };
            return !to.IsEmpty && Ascii.IsValid(to) && !to.Contains((byte)'%');
        }

        int scheme = StartsWith(url, "https://"u8) ? 8 : StartsWith(url, "http://"u8) ? 7 : 0;
        ReadOnlySpan<byte> authority = UpTo(url[scheme..], "/?#"u8);
        int user = authority.LastIndexOf((byte)'@');
        ReadOnlySpan<byte> host = authority[(user + 1)..];
        address = new WebAddress { Host = host, SaysHost = user < 0 };
        return scheme > 0 && !host.IsEmpty && !host.ContainsAnyExcept(HostBytes);
    }

    private static bool StartsWith(ReadOnlySpan<byte> url, ReadOnlySpan<byte> scheme)
        => url.Length >= scheme.Length && Ascii.EqualsIgnoreCase(url[..scheme.Length], scheme);

    private static ReadOnlySpan<byte> UpTo(ReadOnlySpan<byte> text, ReadOnlySpan<byte> ends)
    {
        int end = text.IndexOfAny(ends);
        return end < 0 ? text : text[..end];
    }
}
