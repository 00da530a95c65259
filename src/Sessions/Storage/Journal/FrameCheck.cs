using System.Buffers.Binary;
using Sessions.Platform;

namespace Sessions.Storage.Journal;

/// <summary>Verifies the checksum of a frame in pieces. Its length is untrusted, and no reason to allocate two
/// gigabytes.</summary>
internal static class FrameCheck
{
    private const int PieceBytes = 64 * 1024;

    /// <summary>True where the frame at an offset is whole. A zero byte, which no payload has, ends it at
    /// once.</summary>
    public static bool IsSound(IDiskFile file, uint seed, long offset, int payload)
    {
        byte[] piece = new byte[PieceBytes];
        long at = offset, end = offset + FrameFormat.HeaderLength + payload;
        uint expected = 0, crc = seed;
        while (at < end)
        {
            Span<byte> bytes = piece.AsSpan(0, (int)Math.Min(piece.Length, end - at));
            if (file.Read(bytes, at) < bytes.Length)
            {
                return false;
            }

            bool isFirst = at == offset;
            expected = isFirst ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : expected;
            if (bytes[(isFirst ? FrameFormat.HeaderLength : 0)..].Contains((byte)0))
            {
                return false;
            }

            crc = Crc32C.Compute(bytes[(isFirst ? sizeof(uint) : 0)..], crc);
            at += bytes.Length;
        }

        return crc == expected;
    }
}
