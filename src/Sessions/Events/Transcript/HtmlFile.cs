using System.Buffers;
using Sessions.Storage;

namespace Sessions.Events.Transcript;

/// <summary>Something attached to a prompt: shown where it is a picture in the page itself, a link where
/// it is on the web, else a name.</summary>
internal static class HtmlFile
{
    private static readonly SearchValues<byte> Base64 = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="u8);

    public static void Write(Utf8Buffer b, FileReference file)
    {
        ReadOnlySpan<byte> url = Unescape.Utf8(file.Url);
        ReadOnlySpan<byte> name = Unescape.Utf8(file.Name.IsEmpty ? file.MediaType : file.Name);
        if (IsPicture(url))
        {
            b.Raw("<img alt=\""u8);
            HtmlText.Escape(b, name);
            b.Raw("\" src=\""u8).Raw(url).Raw("\">\n"u8);
            return;
        }

        bool isLink = IsWeb(url);
        b.Raw("<div class=\"n\"><span class=\"s\">\u00b7</span><span class=\"x\" dir=\"auto\">"u8);
        if (isLink)
        {
            b.Raw("<a rel=\"noopener noreferrer nofollow\" href=\""u8);
            HtmlText.Escape(b, url);
            b.Raw("\">"u8);
        }

        HtmlText.Escape(b, name);
        b.Raw(isLink ? "</a></span></div>\n"u8 : "</span></div>\n"u8);
    }

    // Pictures that cannot hold a script, and nothing but their bytes.
    private static bool IsPicture(ReadOnlySpan<byte> url)
    {
        int comma = url.IndexOf((byte)',');
        return comma > 0 && !url[(comma + 1)..].ContainsAnyExcept(Base64)
            && (url[..comma].SequenceEqual("data:image/png;base64"u8)
                || url[..comma].SequenceEqual("data:image/jpeg;base64"u8)
                || url[..comma].SequenceEqual("data:image/gif;base64"u8)
                || url[..comma].SequenceEqual("data:image/webp;base64"u8));
    }

    private static bool IsWeb(ReadOnlySpan<byte> url)
        => System.Text.Ascii.EqualsIgnoreCase(url[..Math.Min(url.Length, 7)], "http://"u8)
        || System.Text.Ascii.EqualsIgnoreCase(url[..Math.Min(url.Length, 8)], "https://"u8);
}
