using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Journal;

/// <summary>Reads the frames of one segment in order. Stops, and says where, at the first bytes
/// that are not the next frame. Who reads a few frames at a time lends a smaller buffer each time.</summary>
internal sealed class SegmentReader(IDiskFile file, uint seed, long offset, long end, byte[]? buffer = null)
{
    // Most frames are far smaller; looking twice at a larger one costs little beside reading it.
    private const int HeldBytesMax = 8 * 1024 * 1024;

    private byte[] _buffer = buffer ?? new byte[64 * 1024];
    private int _start;
    private int _filled;

    /// <summary>Where the next frame begins, or where reading stopped.</summary>
    public long Offset { get; private set; } = offset;

    /// <summary>The header's word on what was on stable storage; of the last frame read.</summary>
    public long Synced { get; private set; }

    /// <summary>The next frame, or null where none stands; <see cref="Offset"/> is then its place.</summary>
    public Frame? Next()
    {
        if (!Fill(FrameFormat.HeaderLength))
        {
            return null;
        }

        ReadOnlySpan<byte> header = _buffer.AsSpan(_start);
        long room = end - Offset;
        if (!FrameFormat.IsPlausible(header, room))
        {
            return null;
        }

        int payload = FrameFormat.PayloadLength(header);
        if (payload > HeldBytesMax && !FrameCheck.IsSound(file, seed, Offset, payload))
        {
            return null; // told in pieces, before there is room made for what it only says to have
        }

        if (!Fill(FrameFormat.HeaderLength + payload) || !FrameFormat.IsSound(_buffer.AsSpan(_start), seed))
        {
            return null;
        }

        header = _buffer.AsSpan(_start);
        Frame? frame = ChangeCodec.TryRead(FrameFormat.Lsn(header),
            header.Slice(FrameFormat.HeaderLength, payload).ToArray());
        if (frame is null)
        {
            return null;
        }

        Synced = FrameFormat.Synced(header);
        int total = (int)Math.Min(FrameFormat.TotalLength(payload), room);
        _start = Math.Min(_start + total, _filled);
        Offset += total;
        return frame;
    }

    /// <summary>True where a byte other than zero stands between <see cref="Offset"/> and the end;
    /// <paramref name="last"/> is the offset after the last such byte.</summary>
    public bool FindRest(out long last)
    {
        last = FileHoles.EndOfContent(file, Offset, end);
        return last > Offset;
    }

    private bool Fill(int count)
    {
        if (_filled - _start >= count)
        {
            return true;
        }

        if (Offset + count > end)
        {
            return false;
        }

        Buffer.BlockCopy(_buffer, _start, _buffer, 0, _filled - _start);
        _filled -= _start;
        _start = 0;
        if (_buffer.Length < count)
        {
            Array.Resize(ref _buffer, count);
        }

        int wanted = (int)Math.Min(_buffer.Length - _filled, end - Offset - _filled);
        _filled += file.Read(_buffer.AsSpan(_filled, wanted), Offset + _filled);
        return _filled >= count;
    }
}
