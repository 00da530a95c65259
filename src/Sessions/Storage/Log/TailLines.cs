namespace Sessions.Storage.Log;

/// <summary>Lines of one frame, at their place in the log.</summary>
internal readonly record struct TailLines(long Lsn, long Offset, ReadOnlyMemory<byte> Bytes);
