using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Sessions;

/// <summary>What a file is by its content: its media type, and the extension it is kept under.</summary>
internal readonly record struct FileKind(string Mime, string Extension)
{
    public static readonly FileKind Unknown = new("application/octet-stream", "bin");
    public static readonly FileKind Text = new("text/plain", "txt");

    public bool IsImage => Mime.StartsWith("image/", StringComparison.Ordinal);

    /// <summary>True for what people can read in an editor.</summary>
    public bool IsText => Mime.StartsWith("text/", StringComparison.Ordinal)
        || Mime is "application/json" or "application/xml" or "image/svg+xml";
}

/// <summary>Tells what a file is by its first bytes, and text by all of them.</summary>
internal static class FileSniffer
{
    private const int TarMagicAt = 257;
    private const int HeadBytes = 4096;

    private static readonly (byte[] Magic, FileKind Kind)[] Magics =
    [
        ([0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n'], new("image/png", "png")),
        ([0xFF, 0xD8, 0xFF], new("image/jpeg", "jpg")),
        ([.. "GIF87a"u8], new("image/gif", "gif")),
        ([.. "GIF89a"u8], new("image/gif", "gif")),
        ([(byte)'I', (byte)'I', 0x2A, 0], new("image/tiff", "tif")),
        ([(byte)'M', (byte)'M', 0, 0x2A], new("image/tiff", "tif")),
        ([0, 0, 1, 0], new("image/x-icon", "ico")),
        ([.. "%PDF-"u8], new("application/pdf", "pdf")),
        ([.. "PK"u8, 3, 4], new("application/zip", "zip")),
        ([.. "PK"u8, 5, 6], new("application/zip", "zip")),
        ([0x1F, 0x8B], new("application/gzip", "gz")),
        ([.. "BZh"u8], new("application/x-bzip2", "bz2")),
        ([0xFD, .. "7zXZ"u8, 0], new("application/x-xz", "xz")),
        ([0x28, 0xB5, 0x2F, 0xFD], new("application/zstd", "zst")),
        ([.. "7z"u8, 0xBC, 0xAF, 0x27, 0x1C], new("application/x-7z-compressed", "7z")),
        ([.. "ID3"u8], new("audio/mpeg", "mp3")),
        ([.. "OggS"u8], new("audio/ogg", "ogg")),
        ([.. "fLaC"u8], new("audio/flac", "flac")),
        ([0, .. "asm"u8], new("application/wasm", "wasm")),
    ];

    public static FileKind Sniff(ReadOnlySpan<byte> data)
    {
        foreach ((byte[] magic, FileKind kind) in Magics)
        {
            if (data.StartsWith(magic))
            {
                return kind;
            }
        }

        return Container(data) ?? (IsText(data) ? Text(data) : FileKind.Unknown);
    }

    // Formats whose first bytes alone do not tell.
    private static FileKind? Container(ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<byte> second = data.Length >= 12 ? data[8..12] : default;
        if (data.StartsWith("RIFF"u8))
        {
            return second.SequenceEqual("WEBP"u8) ? new("image/webp", "webp")
                : second.SequenceEqual("WAVE"u8) ? new("audio/wav", "wav")
                : second.SequenceEqual("AVI "u8) ? new("video/x-msvideo", "avi") : null;
        }

        if (!second.IsEmpty && data[4..8].SequenceEqual("ftyp"u8))
        {
            return Encoding.ASCII.GetString(second) switch
            {
                "avif" or "avis" => new("image/avif", "avif"),
                "heic" or "heix" or "mif1" or "msf1" => new("image/heic", "heic"),
                "M4A " or "M4B " => new("audio/mp4", "m4a"),
                "qt  " => new("video/quicktime", "mov"),
                _ => new("video/mp4", "mp4"),
            };
        }

        if (data.StartsWith((ReadOnlySpan<byte>)[0x1A, 0x45, 0xDF, 0xA3]))
        {
            return data[..Math.Min(data.Length, 64)].IndexOf("webm"u8) >= 0
                ? new("video/webm", "webm") : new("video/x-matroska", "mkv");
        }

        if (data.StartsWith("BM"u8) && data.Length >= 26 && data[6..10].SequenceEqual("\0\0\0\0"u8))
        {
            return new("image/bmp", "bmp");
        }

        if (data.Length > TarMagicAt + 5 && data.Slice(TarMagicAt, 5).SequenceEqual("ustar"u8))
        {
            return new("application/x-tar", "tar");
        }

        // The start of an MPEG frame of layer III.
        bool isFrame = data is [0xFF, >= 0xE0, ..] && (data[1] & 6) == 2 && data.Length > 4;
        return isFrame ? new("audio/mpeg", "mp3") : null;
    }

    private static bool IsText(ReadOnlySpan<byte> data)
    {
        bool isUtf16 = data is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..];
        return isUtf16 || (data.IndexOfAnyInRange((byte)0, (byte)7) < 0
            && data.IndexOfAnyInRange((byte)14, (byte)26) < 0 && Utf8.IsValid(data));
    }

    private static FileKind Text(ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<byte> text = data.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? data[3..] : data;
        text = text.TrimStart(" \t\r\n"u8);
        if (text is [(byte)'{' or (byte)'[', ..] && IsJson(text))
        {
            return new("application/json", "json");
        }

        if (text is not [(byte)'<', ..])
        {
            return FileKind.Text;
        }

        string head = Encoding.UTF8.GetString(text[..Math.Min(text.Length, HeadBytes)]).ToLowerInvariant();
        return head.StartsWith("<!doctype html", StringComparison.Ordinal) || head.StartsWith("<html",
                StringComparison.Ordinal) ? new("text/html", "html")
            : head.Contains("<svg", StringComparison.Ordinal) ? new("image/svg+xml", "svg")
            : head.StartsWith("<?xml", StringComparison.Ordinal) ? new("application/xml", "xml") : FileKind.Text;
    }

    private static bool IsJson(ReadOnlySpan<byte> text)
    {
        try
        {
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = Limits.JsonDepthMax });
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false; // text that only begins like it
        }
    }
}
