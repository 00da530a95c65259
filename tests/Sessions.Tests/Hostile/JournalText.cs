using System.Buffers.Binary;
using Sessions.Json;
using Sessions.Storage.Journal;

namespace Sessions.Tests.Hostile;

/// <summary>A frame as it stands in a segment, header and payload.</summary>
internal sealed record FrameText(long Lsn, long Synced, byte[] Payload);

/// <summary>A segment taken apart, and put together again with right checksums.</summary>
internal sealed class JournalText
{
    private readonly byte[] _segment;
    private readonly uint _seed;

    public JournalText(string segment, string storeFile)
    {
        _segment = File.ReadAllBytes(segment);
        _seed = Forge.Seed(storeFile);
        for (int at = SegmentHeader.Length; at + FrameFormat.HeaderLength < _segment.Length;)
        {
            ReadOnlySpan<byte> frame = _segment.AsSpan(at);
            if (!FrameFormat.IsPlausible(frame, frame.Length) || !FrameFormat.IsSound(frame, _seed))
            {
                break;
            }

            int length = FrameFormat.PayloadLength(frame);
            Frames.Add(new FrameText(FrameFormat.Lsn(frame), FrameFormat.Synced(frame),
                frame.Slice(FrameFormat.HeaderLength, length).ToArray()));
            at += FrameFormat.TotalLength(length);
        }
    }

    public List<FrameText> Frames { get; } = [];

    public Span<byte> Header => _segment.AsSpan(0, SegmentHeader.Length);

    /// <summary>The segment with these frames, in a file at least as long as it was.</summary>
    public byte[] With(IEnumerable<FrameText> frames)
    {
        var buffer = new Utf8Buffer(_segment.Length);
        foreach (FrameText frame in frames)
        {
            int start = buffer.Length;
            buffer.Zeros(FrameFormat.HeaderLength);
            buffer.Raw(frame.Payload);
            FrameFormat.Close(buffer, start, frame.Lsn, frame.Synced, _seed);
        }

        byte[] segment = new byte[Math.Max(_segment.Length, SegmentHeader.Length + buffer.Length)];
        Header.CopyTo(segment);
        buffer.Written.CopyTo(segment.AsSpan(SegmentHeader.Length));
        if (segment.Length > _segment.Length)
        {
            BinaryPrimitives.WriteInt64LittleEndian(segment.AsSpan(24), segment.Length);
            Forge.CloseHeader(segment, _seed);
        }

        return segment;
    }

    /// <summary>The segment with one field of its header changed.</summary>
    public byte[] WithField(int offset, long value)
    {
        byte[] segment = [.. _segment];
        BinaryPrimitives.WriteInt64LittleEndian(segment.AsSpan(offset), value);
        Forge.CloseHeader(segment, _seed);
        return segment;
    }
}
