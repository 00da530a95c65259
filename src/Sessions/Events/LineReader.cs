namespace Sessions.Events;

/// <summary>Walks the lines of a log forwards from an offset up to an end. A line is valid until the
/// next call.</summary>
internal sealed class LineReader(LogView log, long offset, int bufferLength = 64 * 1024, long end = long.MaxValue)
{
    private byte[] _buffer = new byte[bufferLength];
    private int _start;
    private int _filled;
    private bool _isAtEnd;

    /// <summary>Where the line that was read begins.</summary>
    public long LineOffset { get; private set; }

    /// <summary>Where the next one begins.</summary>
    public long Offset { get; private set; } = offset;

    /// <summary>False when the line that was read lacks its newline: the end of a torn log.</summary>
    public bool IsTerminated { get; private set; }

    /// <summary>The line that was read.</summary>
    public ReadOnlyMemory<byte> Line { get; private set; }

    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        int scanned = 0;
        while (true)
        {
            ReadOnlySpan<byte> rest = _buffer.AsSpan(_start, _filled - _start);
            int newline = rest[scanned..].IndexOf((byte)'\n');
            if (newline >= 0)
            {
                line = rest[..(scanned + newline)];
                IsTerminated = true;
                Advance(line.Length, 1);
                return true;
            }

            scanned = rest.Length;
            if (_isAtEnd || !Fill())
            {
                line = _buffer.AsSpan(_start, _filled - _start);
                IsTerminated = false;
                Advance(line.Length, 0);
                return line.Length > 0;
            }
        }
    }

    private void Advance(int length, int newline)
    {
        Line = _buffer.AsMemory(_start, length);
        LineOffset = Offset;
        Offset += length + newline;
        _start += length + newline;
    }

    private bool Fill()
    {
        if (_start > 0)
        {
            Buffer.BlockCopy(_buffer, _start, _buffer, 0, _filled - _start);
            _filled -= _start;
            _start = 0;
        }

        if (_filled == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int wanted = (int)Math.Min(_buffer.Length - _filled, Math.Max(0, end - Offset - _filled));
        int read = log.Read(_buffer.AsSpan(_filled, wanted), Offset + _filled);
        _filled += read;
        _isAtEnd = read == 0;
        return read > 0;
    }
}
