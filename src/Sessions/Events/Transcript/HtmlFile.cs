using System.Buffers;
using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>Something attached to a prompt: shown where it is a picture in the page itself, a link where
/// it is on the web, else a name; beside it where it leads.</summary>
internal static class HtmlFile
{
    private const int ShownMax = 1024; // an address that is no link; data: may have megabytes

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

        b.Raw("<div class=\"n\"><span class=\"s\">\u00b7</span><span class=\"x\" dir=\"auto\">"u8);
        bool isLink = WebAddress.TryRead(url, out WebAddress address), isAddress = name.SequenceEqual(url);
        if (isLink)
        {
            b.Raw("<a rel=\"noopener noreferrer nofollow\" href=\""u8);
            HtmlText.Escape(b, url);
            b.Raw("\">"u8);
        }

        HtmlText.Escape(b, name);
        b.Raw(isLink ? "</a></span>"u8 : "</span>"u8);

        // What a name says and where it leads are two things, so where it leads is said as well.
        ReadOnlySpan<byte> where = isLink && (!isAddress || !address.SaysHost) ? address.Host
            : !isLink && !isAddress && url.Length <= ShownMax ? url : default;
        if (!where.IsEmpty)
        {
            b.Raw("<span class=\"k\" dir=\"auto\">"u8);
            HtmlText.Escape(b, where);
            b.Raw("</span>"u8);
        }

        b.Raw("</div>\n"u8);
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
}
