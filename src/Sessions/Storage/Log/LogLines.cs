namespace Sessions.Storage.Log;

/// <summary>Lines of one session's log as frames have them: bytes at offsets, in the order of the frames.</summary>
internal sealed class LogLines(IReadOnlyList<(long Offset, ReadOnlyMemory<byte> Bytes)> all)
{
    /// <summary>Where the first one begins.</summary>
    public long Start { get; } = all.Count == 0 ? 0 : all[0].Offset;

    /// <summary>Where the last one ends.</summary>
    public long End { get; } = all.Count == 0 ? 0 : all[^1].Offset + all[^1].Bytes.Length;

    public bool IsEmpty => all.Count == 0;

    /// <summary>True where the log ended in a torn line, which the first one closes.</summary>
    public bool BeginsWithNewline => all.Count > 0 && all[0].Bytes.Span.StartsWith("\n"u8);

    /// <summary>The number of the first event; 0 where the first line bears none.</summary>
    public long FirstSeq
        => all.Count > 0 && EventLine.TryRead(FirstOf(all[0].Bytes.Span), out long seq, out _) ? seq : 0;

    /// <summary>Puts those that lie in a piece of the log, which begins at an offset, into it.</summary>
    public void LayOver(Span<byte> piece, long at)
    {
        foreach ((long offset, ReadOnlyMemory<byte> bytes) in all)
        {
            long from = Math.Max(at, offset), to = Math.Min(at + piece.Length, offset + bytes.Length);
            if (from < to)
            {
                bytes.Span[(int)(from - offset)..(int)(to - offset)].CopyTo(piece[(int)(from - at)..]);
            }
        }
    }

    /// <summary>Ends, in a piece of the log, the line before each of them that has lost its end: nothing is ever glued
    /// onto it.</summary>
    public void CloseBefore(Span<byte> piece, long at)
    {
        foreach ((long offset, ReadOnlyMemory<byte> bytes) in all)
        {
            if (!bytes.Span.StartsWith("\n"u8))
            {
                Close(piece, offset - at - 1);
            }
        }
    }

    /// <summary>Puts a newline where nothing stands.</summary>
    public static void Close(Span<byte> piece, long place)
    {
        if (place >= 0 && place < piece.Length && piece[(int)place] == 0)
        {
            piece[(int)place] = (byte)'\n';
        }
    }

    /// <summary>The same lines so many bytes further on.</summary>
    public LogLines Shifted(long by)
        => new([.. all.Select(l => (l.Offset + by, l.Bytes))]);

    /// <summary>All of them.</summary>
    public IReadOnlyList<(long Offset, ReadOnlyMemory<byte> Bytes)> All => all;

    // One that begins with a newline closes a line that was torn.
    private static ReadOnlySpan<byte> FirstOf(ReadOnlySpan<byte> lines)
    {
        lines = lines.TrimStart((byte)'\n');
        int end = lines.IndexOf((byte)'\n');
        return end < 0 ? lines : lines[..end];
    }
}
