namespace Sessions.Storage.Log;

/// <summary>Finds places in a log without reading it all: numbers rise from line to line, so a line
/// is found by halving, in as many reads as the length has bits.</summary>
internal static class LogSearch
{
    private const int Probe = 4096;

    /// <summary>An offset at or before the first line whose number is above <paramref name="seq"/>, not
    /// far before it: 0, or that of a whole line whose number is not above it.</summary>
    public static long After(LogView log, long seq)
    {
        long low = 0, high = log.Length;
        while (high - low > Probe)
        {
            long middle = low + ((high - low) / 2);
            (long offset, long found) = NextNumber(log, middle, high);
            if (found == 0 || found > seq)
            {
                high = middle; // the line that spans the middle may still be the one
            }
            else
            {
                low = offset;
            }
        }

        return low;
    }

    /// <summary>The offset from which on there are at least so many lines before <paramref name="end"/>, or as
    /// many bytes as are enough (which then may begin inside a line). Holes are skipped and count for
    /// nothing.</summary>
    public static long Back(LogView log, long end, long lines, long bytesMax = long.MaxValue)
    {
        byte[] buffer = new byte[64 * 1024];
        long at = end, seen = 0, scanned = 0;
        while (at > 0)
        {
            if (scanned >= bytesMax)
            {
                return at;
            }

            int length = (int)Math.Min(buffer.Length, at);
            int read = log.Read(buffer.AsSpan(0, length), at - length);
            ReadOnlySpan<byte> bytes = buffer.AsSpan(0, read);
            scanned += length;
            if (!bytes.ContainsAnyExcept((byte)0))
            {
                at = log.DataBefore(at - length);
                continue;
            }

            int newline;
            while ((newline = bytes.LastIndexOf((byte)'\n')) >= 0)
            {
                // The newline at the very end closes the last line and begins none.
                long begins = at - length + newline + 1;
                if (begins < end && ++seen >= lines)
                {
                    return begins;
                }

                bytes = bytes[..newline];
            }

            at -= length;
        }

        return 0;
    }

    /// <summary>The first whole line behind an offset: where, and its number; 0 where none is before
    /// <paramref name="end"/>. A line that is not whole may bear a number that was never its own.</summary>
    private static (long Offset, long Seq) NextNumber(LogView log, long from, long end)
    {
        var reader = new LineReader(log, from, Probe, end);
        reader.TryRead(out _); // most likely the rest of a line
        while (reader.Offset < end && reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (EventLine.TryRead(line, out long seq, out _) && log.MayStand(seq, reader.LineOffset))
            {
                return (reader.LineOffset, seq);
            }
        }

        return (end, 0);
    }
}
