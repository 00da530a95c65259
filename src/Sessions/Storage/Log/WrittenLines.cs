using Sessions.Platform;

namespace Sessions.Storage.Log;

/// <summary>
/// What frames that the journal still has say that stands in a log, as places and checksums: enough to see, before the
/// journal goes, whether the file has it, at the cost of one read. By segment, so that what has left the journal is
/// forgotten. Under the rows' gate.
/// </summary>
internal sealed class WrittenLines
{
    private List<WrittenPart> _parts = [];

    /// <summary>What there is now; it does not change any more.</summary>
    public IReadOnlyList<WrittenPart> Parts => [.. _parts];

    /// <summary>Takes in the lines of a frame.</summary>
    public void Add(long segment, long offset, ReadOnlySpan<byte> lines)
    {
        if (_parts is [.., var last] && last.Segment == segment && last.End == offset)
        {
            _parts[^1] = last with { End = offset + lines.Length, Crc = Crc32C.Compute(lines, last.Crc) };
            return;
        }

        bool endsLine = offset > 0 && !lines.StartsWith("\n"u8);
        _parts.Add(new WrittenPart(segment, offset, offset + lines.Length, Crc32C.Compute(lines), endsLine));
    }

    /// <summary>Forgets what stands in segments before that one.</summary>
    public void DropBefore(long segment) => _parts = _parts.FindAll(p => p.Segment >= segment);
}

/// <summary>Lines that stand in a log one behind the other.</summary>
/// <param name="Segment">The segment of their frames.</param>
/// <param name="Start">Where the first one begins.</param>
/// <param name="End">Where the last one ends.</param>
/// <param name="Crc">Their checksum.</param>
/// <param name="FollowsLine">True where a newline stands before the first one.</param>
internal readonly record struct WrittenPart(long Segment, long Start, long End, uint Crc, bool FollowsLine)
{
    private const int PieceBytes = 64 * 1024;

    /// <summary>True where a file has them.</summary>
    public bool IsIn(IDiskFile file)
    {
        byte[] piece = new byte[(int)Math.Min(PieceBytes, Math.Max(1, End - Start))];
        if (FollowsLine && (file.Read(piece.AsSpan(0, 1), Start - 1) < 1 || piece[0] != (byte)'\n'))
        {
            return false;
        }

        uint crc = 0;
        for (long at = Start; at < End;)
        {
            int read = file.Read(piece.AsSpan(0, (int)Math.Min(piece.Length, End - at)), at);
            if (read == 0)
            {
                return false;
            }

            crc = Crc32C.Compute(piece.AsSpan(0, read), crc);
            at += read;
        }

        return crc == Crc;
    }
}
