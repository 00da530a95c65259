namespace Sessions.Storage.Log;

/// <summary>
/// Walks the lines of a log forwards from an offset up to an end. A line is valid until the next call.
/// A carriage return at the end of a line and a byte order mark at its beginning, which editors leave,
/// are no part of it. A line that is too long to hold and can be no event is passed over, not held.
/// </summary>
internal sealed class LineReader(LogView log, long offset, int bufferLength = LineBuffer.FirstBytes,
    long end = long.MaxValue, LineBuffer? room = null)
{
    /// <summary>Bytes of a line that a log can have from elsewhere; a longer one is damage. Four times
    /// what an event of ours may have, and a power of two, since the buffer doubles.</summary>
    public const int LineBytesMax = 256 * 1024 * 1024;

    private static ReadOnlySpan<byte> Mark => "\uFEFF"u8;

    private readonly LineBuffer _room = room ?? new LineBuffer(bufferLength);
    private int _start;
    private int _filled;
    private long _readAt = offset;
    private bool _isAtEnd;

    /// <summary>Where the line that was read begins.</summary>
    public long LineOffset { get; private set; }

    /// <summary>Its length in the log without the newline.</summary>
    public long LineLength { get; private set; }

    /// <summary>Where the next one begins.</summary>
    public long Offset { get; private set; } = offset;

    /// <summary>False when the line that was read lacks its newline: the end of a torn log.</summary>
    public bool IsTerminated { get; private set; }

    /// <summary>True for a line that was passed over; only its first byte is there.</summary>
    public bool IsCut { get; private set; }

    /// <summary>The line that was read.</summary>
    public ReadOnlyMemory<byte> Line { get; private set; }

    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        int scanned = 0;
        IsCut = false;
        while (true)
        {
            ReadOnlySpan<byte> rest = _room.Bytes.AsSpan(_start, _filled - _start);
            int newline = rest[scanned..].IndexOf((byte)'\n');
            if (newline >= 0)
            {
                IsTerminated = true;
                line = Advance(scanned + newline, 1);
                return true;
            }

            scanned = rest.Length;
            if (_isAtEnd || !Fill(ref scanned))
            {
                IsTerminated = false;
                line = Advance(_filled - _start, 0);
                return LineLength > 0;
            }
        }
    }

    // The bytes of the line that are held end at its last byte, also where some before were passed over.
    private ReadOnlySpan<byte> Advance(int held, int newline)
    {
        LineOffset = Offset;
        Offset = _readAt - (_filled - _start - held - newline);
        LineLength = Offset - LineOffset - newline;
        ReadOnlyMemory<byte> line = _room.Bytes.AsMemory(_start, IsCut ? 1 : held);
        _start += held + newline;
        if (!IsCut && line.Span is [.., (byte)'\r'])
        {
            line = line[..^1];
        }

        Line = line.Span.StartsWith(Mark) ? line[Mark.Length..] : line;
        return Line.Span;
    }

    private bool Fill(ref int scanned)
    {
        if (_start > 0)
        {
            Buffer.BlockCopy(_room.Bytes, _start, _room.Bytes, 0, _filled - _start);
            _filled -= _start;
            _start = 0;
        }

        if (_filled == _room.Bytes.Length)
        {
            if (IsCut || CanBeNoEvent())
            {
                IsCut = true;
                scanned = _filled = 1;
            }
            else
            {
                Array.Resize(ref _room.Bytes, _room.Bytes.Length * 2);
            }
        }

        if (IsCut)
        {
            _readAt = Math.Max(_readAt, Math.Min(end, log.NextData(_readAt))); // no line ends in a hole
        }

        int wanted = (int)Math.Min(_room.Bytes.Length - _filled, Math.Max(0, end - _readAt));
        int read = log.Read(_room.Bytes.AsSpan(_filled, wanted), _readAt);
        _filled += read;
        _readAt += read;
        _isAtEnd = read == 0;
        return read > 0;
    }

    // No zero byte is ever JSON, so holes in a file and zeroed pages are told before they are all read.
    private bool CanBeNoEvent()
    {
        ReadOnlySpan<byte> held = _room.Bytes;
        return held.Length >= LineBytesMax || held[(held.Length / 2)..].Contains((byte)0)
            || !(held.StartsWith(Mark) ? held[Mark.Length..] : held).StartsWith(EventLine.Beginning);
    }
}

/// <summary>Room for lines. Who reads a log page by page keeps one, so that reading much of it leaves
/// no buffers behind to be collected.</summary>
internal sealed class LineBuffer(int bytes = LineBuffer.FirstBytes)
{
    public const int FirstBytes = 64 * 1024;

    public byte[] Bytes = new byte[bytes];
}
