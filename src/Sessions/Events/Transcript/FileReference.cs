namespace Sessions.Events.Transcript;

/// <summary>Something attached to a prompt that has an address. All are insides of JSON strings.</summary>
internal readonly ref struct FileReference
{
    public ReadOnlySpan<byte> Url { get; init; }

    public ReadOnlySpan<byte> MediaType { get; init; }

    /// <summary>Empty where it has none.</summary>
    public ReadOnlySpan<byte> Name { get; init; }

    public static FileReference Of(Part part)
    {
        ReadOnlySpan<byte> data = part.Data.Span;
        ReadOnlySpan<byte> url = Text(data, "url"u8), type = Text(data, "media_type"u8);
        if (type.IsEmpty)
        {
            type = Text(data, "mime_type"u8);
        }

        if (type.IsEmpty && url.StartsWith("data:"u8))
        {
            int end = url.IndexOfAny((byte)';', (byte)',');
            type = end > 5 ? url[5..end] : default;
        }

        return new FileReference
        {
            Url = url,
            MediaType = type.IsEmpty ? part.Type.Span : type,
            Name = Text(data, "name"u8),
        };
    }

    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
        => TranscriptBuilder.Member(data, name) is [(byte)'"', .. var inside, (byte)'"'] ? inside : default;
}
