using System.Buffers.Binary;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;

namespace Sessions.Storage.Journal;

/// <summary>
/// The 32 bytes in front of each payload of the journal, little-endian: CRC-32C of the store id and
/// all that follows, payload length, LSN, the LSN known to be on stable storage when this was
/// written, type, zeros. A frame begins at a multiple of 8 and zeros fill it up to the next.
/// </summary>
internal static class FrameFormat
{
    public const int HeaderLength = 32;
    public const int TypeChanges = 1;

    /// <summary>Bytes of a payload that fits an array along with its header.</summary>
    public static int PayloadBytesMax => Array.MaxLength - HeaderLength - 8;

    public static int TotalLength(int payloadLength) => (HeaderLength + payloadLength + 7) & ~7;

    /// <summary>Closes a frame whose payload stands at <paramref name="start"/> + 32 to the end of the
    /// buffer.</summary>
    public static void Close(Utf8Buffer buffer, int start, long lsn, long synced, uint seed)
    {
        int length = buffer.Length - start - HeaderLength;
        buffer.Zeros(TotalLength(length) - HeaderLength - length);
        Span<byte> frame = buffer.Writable[start..];
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], length);
        BinaryPrimitives.WriteInt64LittleEndian(frame[8..], lsn);
        BinaryPrimitives.WriteInt64LittleEndian(frame[16..], synced);
        BinaryPrimitives.WriteInt32LittleEndian(frame[24..], TypeChanges);
        BinaryPrimitives.WriteInt32LittleEndian(frame[28..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Crc32C.Compute(frame[4..(HeaderLength + length)], seed));
    }

    public static int PayloadLength(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadInt32LittleEndian(header[4..]);

    public static long Lsn(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadInt64LittleEndian(header[8..]);

    public static long Synced(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadInt64LittleEndian(header[16..]);

    /// <summary>True where the header's own fields can be those of a frame that fits so many bytes.</summary>
    public static bool IsPlausible(ReadOnlySpan<byte> header, long room)
    {
        int length = PayloadLength(header);
        long lsn = Lsn(header);
        return length > 0 && length <= PayloadBytesMax && HeaderLength + (long)length <= room
            && lsn is > 0 and <= Plausible.LsnMax && (ulong)Synced(header) < (ulong)lsn
            && BinaryPrimitives.ReadInt32LittleEndian(header[24..]) == TypeChanges
            && BinaryPrimitives.ReadInt32LittleEndian(header[28..]) == 0;
    }

    public static bool IsSound(ReadOnlySpan<byte> frame, uint seed)
        => Crc32C.Compute(frame[4..(HeaderLength + PayloadLength(frame))], seed)
            == BinaryPrimitives.ReadUInt32LittleEndian(frame);
}
