using Sessions.Model;
using Sessions.Platform;

namespace Sessions.Storage.Files;

/// <summary>Bytes that are to be kept aside.</summary>
internal interface IToKeep
{
    long Length { get; }

    /// <summary>True where a file of the same length has just these bytes.</summary>
    bool IsIn(IDiskFile file);

    /// <summary>Writes them into an empty file.</summary>
    void WriteTo(IDiskFile file);
}

/// <summary>Bytes that are in memory.</summary>
internal sealed class BytesToKeep(byte[] bytes) : IToKeep
{
    private const int PieceBytes = 256 * 1024;

    public long Length => bytes.Length;

    public bool IsIn(IDiskFile file)
    {
        byte[] piece = new byte[Math.Min(PieceBytes, bytes.Length)];
        for (int at = 0; at < bytes.Length;)
        {
            int read = file.Read(piece.AsSpan(0, Math.Min(piece.Length, bytes.Length - at)), at);
            if (read == 0 || !bytes.AsSpan(at, read).SequenceEqual(piece.AsSpan(0, read)))
            {
                return false;
            }

            at += read;
        }

        return true;
    }

    public void WriteTo(IDiskFile file) => file.Write(bytes, 0);
}

/// <summary>
/// A part of a file, of which no more than a piece is in memory at any time. Holes are skipped, and are holes in
/// the copy too; so the work is that of the bytes that are there, and so is the room that the copy takes.
/// </summary>
internal sealed class PartToKeep(IDiskFile source, long from, long to, JobContext? context) : IToKeep
{
    private const int PieceBytes = 1024 * 1024;

    private readonly byte[] _piece = new byte[(int)Math.Min(PieceBytes, Math.Max(1, to - from))];

    public long Length => Math.Max(0, to - from);

    /// <summary>Tells parts from one another, along with their length: a checksum of the pieces that are not
    /// all zeros, and of where they stand.</summary>
    public uint Digest()
    {
        uint crc = 0;
        Span<byte> place = stackalloc byte[sizeof(long)];
        for (long at = from; Next(ref at, out int length); at += length)
        {
            if (_piece.AsSpan(0, length).ContainsAnyExcept((byte)0))
            {
                System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(place, at - from);
                crc = Crc32C.Compute(_piece.AsSpan(0, length), Crc32C.Compute(place, crc));
            }
        }

        return crc;
    }

    public bool IsIn(IDiskFile file)
    {
        byte[] other = new byte[_piece.Length];
        long done = from;
        for (long at = from; Next(ref at, out int length); done = at += length)
        {
            int read = file.Read(other.AsSpan(0, length), at - from);
            if (!IsHole(file, done, at) || !_piece.AsSpan(0, length).SequenceEqual(other.AsSpan(0, read)))
            {
                return false;
            }
        }

        return IsHole(file, done, to);
    }

    public void WriteTo(IDiskFile file)
    {
        for (long at = from; Next(ref at, out int length); at += length)
        {
            if (_piece.AsSpan(0, length).ContainsAnyExcept((byte)0))
            {
                file.Write(_piece.AsSpan(0, length), at - from);
            }
        }

        file.SetLength(Length);
    }

    // Where the part has a hole its copy must have one, or zeros in its place.
    private bool IsHole(IDiskFile file, long begin, long end)
    {
        byte[] zeros = new byte[Math.Min(_piece.Length, 4096)];
        while (begin < end && from + file.NextData(begin - from) is var next && next < end)
        {
            int read = file.Read(zeros.AsSpan(0, (int)Math.Min(zeros.Length, end - next)), next - from);
            if (read == 0 || zeros.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                return false;
            }

            begin = next + read;
        }

        return true;
    }

    // Reads the next piece at or behind an offset; pieces begin at whole multiples of their size, so that
    // two walks over the same bytes meet the same pieces wherever the system says that data begins.
    private bool Next(ref long at, out int length)
    {
        context?.ThrowIfCancelled();
        length = 0;
        long next = at < to ? source.NextData(at) : to;
        if (next >= to)
        {
            return false;
        }

        at = Math.Max(at, from + ((next - from) / _piece.Length * _piece.Length));
        length = source.Read(_piece.AsSpan(0, (int)Math.Min(_piece.Length, to - at)), at);
        return length > 0;
    }
}
