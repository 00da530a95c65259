using System.Diagnostics;

namespace Sessions.Storage.Journal;

/// <summary>Holds what is about to be written against what is read: readers take no frame that says what cannot be,
/// and what was acknowledged must never be one of those. In debug builds alone, so in all tests.</summary>
internal static class WrittenFrame
{
    [Conditional("DEBUG")]
    public static void AssertReadable(ReadOnlySpan<byte> frame, long lsn)
    {
        int length = FrameFormat.PayloadLength(frame);
        Debug.Assert(FrameFormat.IsPlausible(frame, frame.Length)
            && ChangeCodec.TryRead(lsn, frame.Slice(FrameFormat.HeaderLength, length).ToArray()) is not null);
    }
}
