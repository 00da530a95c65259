using Sessions.Platform;

namespace Sessions.Storage.Journal;

/// <summary>
/// Looks for whole frames behind damage, at every place where one may begin. It holds one piece of the segment
/// and one frame, skips holes, and its work is linear: frames do not overlap, so it gives up after more
/// false beginnings than could stand side by side.
/// </summary>
internal sealed class FrameSearch(IDiskFile file, uint seed, long from, long to)
{
    /// <summary>Frames begin at multiples of it.</summary>
    public const int Step = 8;

    private const int PieceBytes = 64 * 1024;
    private const int UnknownMax = 256;

    // What a crash tears are parts of frames that were side by side.
    private readonly long _claimedMax = (2 * Math.Max(0, to - from)) + PieceBytes;
    private readonly byte[] _piece = new byte[PieceBytes];
    private long _at = from;
    private long _pieceAt;
    private int _filled;
    private long _claimed;
    private int _unknown;

    /// <summary>The LSN of the frame that was found.</summary>
    public long Lsn { get; private set; }

    /// <summary>The highest `synced` of the frames that were found.</summary>
    public long Synced { get; private set; }

    /// <summary>True where it stopped because there is more than can be frames.</summary>
    public bool IsOverfull { get; private set; }

    /// <summary>The payload of the next whole frame; null where there is none.</summary>
    public byte[]? Next()
    {
        while (!IsOverfull && TryHeader(out ReadOnlySpan<byte> header))
        {
            if (!FrameFormat.IsPlausible(header, to - _at))
            {
                _at += Step;
                continue;
            }

            int payload = FrameFormat.PayloadLength(header);
            if (!IsSound(payload))
            {
                _at += Step;
                IsOverfull = (_claimed += payload) > _claimedMax;
                continue;
            }

            (Lsn, Synced) = (FrameFormat.Lsn(header), Math.Max(Synced, FrameFormat.Synced(header)));
            byte[] bytes = new byte[payload];
            file.Read(bytes, _at + FrameFormat.HeaderLength);
            _at += FrameFormat.TotalLength(payload);
            return bytes;
        }

        return null;
    }

    /// <summary>Goes on behind a frame that is whole and that nobody can read; false where there were too
    /// many.</summary>
    public bool TryPassUnknown() => !(IsOverfull = ++_unknown > UnknownMax);

    // The next place that is not zeros, with room for a header.
    private bool TryHeader(out ReadOnlySpan<byte> header)
    {
        while (_at + FrameFormat.HeaderLength <= to)
        {
            int start = (int)(_at - _pieceAt);
            if (_at < _pieceAt || start + FrameFormat.HeaderLength > _filled)
            {
                _at = Math.Max(_at, file.NextData(_at) / Step * Step);
                _pieceAt = _at;
                _filled = _at < to ? file.Read(_piece.AsSpan(0, (int)Math.Min(PieceBytes, to - _at)), _at) : 0;
                if (_filled < FrameFormat.HeaderLength)
                {
                    break;
                }

                start = 0;
            }

            int content = _piece.AsSpan(start, _filled - start).IndexOfAnyExcept((byte)0);
            int skipped = content < 0 ? (_filled - start) / Step * Step : content / Step * Step;
            if (skipped == 0)
            {
                header = _piece.AsSpan(start, FrameFormat.HeaderLength);
                return true;
            }

            _at += skipped;
        }

        header = default;
        return false;
    }

    private bool IsSound(int payload)
    {
        ReadOnlySpan<byte> held = _piece.AsSpan((int)(_at - _pieceAt), _filled - (int)(_at - _pieceAt));
        return FrameFormat.HeaderLength + payload <= held.Length
            ? FrameFormat.IsSound(held, seed) : FrameCheck.IsSound(file, seed, _at, payload);
    }
}
