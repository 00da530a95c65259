using System.Buffers.Text;
using Sessions.Json;
using Sessions.Platform;

namespace Sessions.Storage.Files;

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
        JsonText.Indent(compact, output);
        output.Truncate(output.Length - 2); // the brace, on a line of its own
        output.Raw(",\n  \"crc\": \""u8);
        AppendDigits(output, Crc32C.Compute(compact));
        output.Raw("\"\n}\n"u8);
    }

    /// <summary>The compact object of a file, or null where the file is damaged. A file without a
    /// checksum is taken as it is, since no damage to one byte can take a checksum away unseen.</summary>
    public static byte[]? Read(ReadOnlySpan<byte> file)
    {
        if (JsonText.TryCompactObject(file) is not { } compact)
        {
            return null;
        }

        switch (Check(compact, out int bodyLength))
        {
            case Checksum.Good:
                compact[bodyLength] = (byte)'}';
                return compact[..(bodyLength + 1)];
            case Checksum.None:
                return compact;
            default:
                return null;
        }
    }

    /// <summary>
    /// Holds a compact object against the checksum that is its last member. Damage to one byte of
    /// the member itself leaves an object that is whole with a member that nobody wrote; the rest of
    /// it still bears the object out, and it counts as good.
    /// </summary>
    public static Checksum Check(ReadOnlySpan<byte> compact, out int bodyLength)
    {
        ReadOnlySpan<byte> unclosed = compact[..^1];
        bodyLength = unclosed.Length - SuffixLength;
        if (bodyLength <= 0 || unclosed[bodyLength] != ',' || unclosed[^1] != '"')
        {
            return Checksum.None;
        }

        uint crc = Crc32C.Compute("}"u8, Crc32C.Compute(unclosed[..bodyLength]));
        if (TrySplit(unclosed, out _, out uint stored) && stored == crc)
        {
            return Checksum.Good;
        }

        var expected = new Utf8Buffer(SuffixLength);
        AppendChecksum(expected, crc);
        int wrong = 0;
        for (int i = 0; i < SuffixLength; i++)
        {
            wrong += expected.Written[i] == unclosed[bodyLength + i] ? 0 : 1;
        }

        return wrong <= 1 ? Checksum.Good : TrySplit(unclosed, out _, out _) ? Checksum.Bad : Checksum.None;
    }

    /// <summary>Appends `,"crc":"…"`.</summary>
    public static void AppendChecksum(Utf8Buffer output, uint crc)
    {
        output.Raw(",\"crc\":\""u8);
        AppendDigits(output, crc);
        output.Byte('"');
    }

    private static void AppendDigits(Utf8Buffer output, uint crc)
    {
        Utf8Formatter.TryFormat(crc, output.GetSpan(8), out int written, new System.Buffers.StandardFormat('x', 8));
        output.Advance(written);
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

/// <summary>What a checksum says of the object it closes.</summary>
internal enum Checksum
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>The object is as it was written.</summary>
    Good,

    /// <summary>The object or its checksum is damaged.</summary>
    Bad,
}
