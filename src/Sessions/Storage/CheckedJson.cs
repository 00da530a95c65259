using System.Buffers.Text;

namespace Sessions.Storage;

/// <summary>
/// The small JSON files as they stand on disk: an indented object whose last member is "crc", the
/// CRC-32C of the compact object before it, as eight hexadecimal digits. So any damage to a file is
/// told from an edit that is whole, and a reader that knows nothing of it sees one more key.
/// </summary>
internal static class CheckedJson
{
    private const int SuffixLength = 17; // ,"crc":"01234567"

    /// <summary>The file's bytes for a compact object with at least one member.</summary>
    public static void Write(ReadOnlySpan<byte> compact, Utf8Buffer output)
    {
        var sealedObject = new Utf8Buffer(compact.Length + SuffixLength);
        sealedObject.Raw(compact[..^1]);
        AppendChecksum(sealedObject, Crc32C.Compute(compact));
        sealedObject.Byte('}');
        JsonText.Indent(sealedObject.Written, output);
        output.Byte('\n');
    }

    /// <summary>The compact object of a file, or null where the file is damaged. A file without a
    /// checksum is taken as it is, since no damage to one byte can take a checksum away unseen.</summary>
    public static byte[]? Read(ReadOnlySpan<byte> file)
    {
        byte[]? compact = JsonText.TryCompactObject(file);
        if (compact is null || !TrySplit(compact.AsSpan(0, compact.Length - 1), out int bodyLength, out uint crc))
        {
            return compact;
        }

        compact[bodyLength] = (byte)'}';
        ReadOnlySpan<byte> body = compact.AsSpan(0, bodyLength + 1);
        return Crc32C.Compute(body) == crc ? body.ToArray() : null;
    }

    /// <summary>Appends `,"crc":"…"`.</summary>
    public static void AppendChecksum(Utf8Buffer output, uint crc)
    {
        output.Raw(",\"crc\":\""u8);
        Utf8Formatter.TryFormat(crc, output.GetSpan(8), out int written, new System.Buffers.StandardFormat('x', 8));
        output.Advance(written);
        output.Byte('"');
    }

    /// <summary>Finds the checksum at the end of a text that has lost its closing brace.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> text, out int bodyLength, out uint crc)
    {
        bodyLength = text.Length - SuffixLength;
        crc = 0;
        return bodyLength > 0 && text[bodyLength..].StartsWith(",\"crc\":\""u8) && text[^1] == '"'
            && Utf8Parser.TryParse(text.Slice(bodyLength + 8, 8), out crc, out int used, 'x') && used == 8;
    }
}
