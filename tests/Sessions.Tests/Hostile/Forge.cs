using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;

namespace Sessions.Tests.Hostile;

/// <summary>Gives what was changed the checksums that it must have to be believed. They have no key.</summary>
internal static class Forge
{
    private static readonly byte[] s_suffix = ",\"crc\":\"00000000\"}"u8.ToArray();

    /// <summary>An object in a file, without its checksum.</summary>
    public static byte[] OpenFile(byte[] file)
        => CheckedJson.Read(file) ?? throw new InvalidDataException("The seed has a file that is damaged.");

    /// <summary>A file for an object. One that is no object any more stays as it is.</summary>
    public static byte[] CloseFile(byte[] body)
        => body[^1] == '}' ? [.. CloseLine(body), (byte)'\n'] : [.. body, (byte)'\n'];

    /// <summary>A line of a log, without its checksum.</summary>
    public static byte[] OpenLine(byte[] line) => [.. line[..^s_suffix.Length], (byte)'}'];

    /// <summary>A line for an object.</summary>
    public static byte[] CloseLine(byte[] body)
        => [.. body[..^1], .. Checksum(Crc32C.Compute(body)), (byte)'}'];

    /// <summary>The closing line of an index, whose checksum is that of the line up to it.</summary>
    public static byte[] CloseIndex(byte[] body)
        => [.. body[..^1], .. Checksum(Crc32C.Compute(body.AsSpan(..^1))), (byte)'}'];

    /// <summary>An index of one chunk with these rows and this closing object, whose checksum of rows it makes
    /// right.</summary>
    public static byte[] Index(IEnumerable<byte[]> rows, byte[] closing)
    {
        byte[] bytes = [.. rows.SelectMany(r => r.Append((byte)'\n'))];
        string text = Encoding.UTF8.GetString(closing);
        string right = Crc32C.Compute(bytes).ToString(CultureInfo.InvariantCulture);
        using var document = JsonDocument.Parse(closing);
        string old = document.RootElement.GetProperty("closing").GetProperty("rows_crc").GetRawText();
        text = text.Replace($"\"rows_crc\":{old}", $"\"rows_crc\":{right}", StringComparison.Ordinal);
        return [.. bytes, .. CloseIndex(Encoding.UTF8.GetBytes(text)), (byte)'\n'];
    }

    /// <summary>The seed of a journal's checksums.</summary>
    public static uint Seed(string storeFile)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(storeFile));
        return Crc32C.Compute(Encoding.UTF8.GetBytes(document.RootElement.GetProperty("store_id").GetString()!));
    }

    /// <summary>Makes the checksum of a segment's header right.</summary>
    public static void CloseHeader(Span<byte> segment, uint seed)
        => BinaryPrimitives.WriteUInt32LittleEndian(segment[8..],
            Crc32C.Compute(segment[16..SegmentHeader.Length], seed));

    private static byte[] Checksum(uint crc)
        => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $",\"crc\":\"{crc:x8}\""));
}
