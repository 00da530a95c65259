namespace Sessions;

/// <summary>What the name of a file may be, and what its extension promises of the content.</summary>
internal static class FileNames
{
    private const int BytesMax = 255;

    // Where an extension stands for one kind of content: the media type it stands for, and where that
    // is not what the content says of itself, what it says.
    private static readonly Dictionary<string, (string Mime, string[] Contents)> Strict =
        new(StringComparer.Ordinal)
    {
        ["png"] = ("image/png", []),
        ["jpg"] = ("image/jpeg", []),
        ["jpeg"] = ("image/jpeg", []),
        ["gif"] = ("image/gif", []),
        ["webp"] = ("image/webp", []),
        ["bmp"] = ("image/bmp", []),
        ["tif"] = ("image/tiff", []),
        ["tiff"] = ("image/tiff", []),
        ["ico"] = ("image/x-icon", []),
        ["avif"] = ("image/avif", ["image/heic"]),
        ["heic"] = ("image/heic", []),
        ["svg"] = ("image/svg+xml", []),
        ["pdf"] = ("application/pdf", []),
        ["zip"] = ("application/zip", []),
        ["docx"] = ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ["application/zip"]),
        ["xlsx"] = ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ["application/zip"]),
        ["pptx"] = ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ["application/zip"]),
        ["odt"] = ("application/vnd.oasis.opendocument.text", ["application/zip"]),
        ["ods"] = ("application/vnd.oasis.opendocument.spreadsheet", ["application/zip"]),
        ["odp"] = ("application/vnd.oasis.opendocument.presentation", ["application/zip"]),
        ["epub"] = ("application/epub+zip", ["application/zip"]),
        ["jar"] = ("application/java-archive", ["application/zip"]),
        ["gz"] = ("application/gzip", []),
        ["tgz"] = ("application/gzip", []),
        ["bz2"] = ("application/x-bzip2", []),
        ["xz"] = ("application/x-xz", []),
        ["zst"] = ("application/zstd", []),
        ["7z"] = ("application/x-7z-compressed", []),
        ["tar"] = ("application/x-tar", []),
        ["wasm"] = ("application/wasm", []),
        ["mp3"] = ("audio/mpeg", []),
        ["wav"] = ("audio/wav", []),
        ["ogg"] = ("audio/ogg", []),
        ["flac"] = ("audio/flac", []),
        ["m4a"] = ("audio/mp4", ["video/mp4"]),
        ["mp4"] = ("video/mp4", ["audio/mp4", "video/quicktime"]),
        ["mov"] = ("video/quicktime", ["video/mp4"]),
        ["webm"] = ("video/webm", []),
        ["mkv"] = ("video/x-matroska", ["video/webm"]),
        ["avi"] = ("video/x-msvideo", []),
    };

    // Extensions of text: any text will do, whatever else it may be taken for.
    private static readonly Dictionary<string, string> OfText = new(StringComparer.Ordinal)
    {
        ["txt"] = "text/plain",
        ["log"] = "text/plain",
        ["md"] = "text/markdown",
        ["csv"] = "text/csv",
        ["tsv"] = "text/tab-separated-values",
        ["html"] = "text/html",
        ["htm"] = "text/html",
        ["css"] = "text/css",
        ["js"] = "text/javascript",
        ["json"] = "application/json",
        ["jsonl"] = "application/jsonl",
        ["xml"] = "application/xml",
        ["yaml"] = "application/yaml",
        ["yml"] = "application/yaml",
        ["toml"] = "application/toml",
    };

    /// <summary>Refuses a name that is none, or that could lead out of a folder.</summary>
    public static void Check(string name)
    {
        int bytes = Checks.Bytes(name, "name");
        if (bytes is 0 or > BytesMax || name is "." or ".." || name.AsSpan().IndexOfAny('/', '\\') >= 0
            || name.AsSpan().ContainsAnyInRange('\0', '\x1f') || name.AsSpan().ContainsAnyInRange('\x7f', '\x9f'))
        {
            throw Errors.Argument("name",
                "The name of a file must have 1 to 255 bytes, no separators and no control characters.");
        }
    }

    /// <summary>The media type of a file: what its extension says where that fits what its content says,
    /// which is refused where it does not.</summary>
    public static string Mime(string name, FileKind content)
    {
        int dot = name.LastIndexOf('.');
        string extension = dot > 0 ? name[(dot + 1)..].ToLowerInvariant() : "";
        if (Strict.TryGetValue(extension, out (string Mime, string[] Contents) kind))
        {
            return content.Mime == kind.Mime || kind.Contents.Contains(content.Mime)
                ? kind.Mime : throw Mismatch(extension, kind.Mime, content.Mime);
        }

        if (OfText.TryGetValue(extension, out string? text))
        {
            return content.IsText ? text : throw Mismatch(extension, text, content.Mime);
        }

        return content.Mime;
    }

    private static SessionException Mismatch(string extension, string expected, string actual)
        => new(SessionStatus.InvalidArgument,
            $"A file with the extension {extension} must be {expected}; this is {actual}.",
            Errors.Details(b => b.Member("argument", "name").Member("extension", extension)
                .Member("expected", expected).Member("actual", actual)));
}
