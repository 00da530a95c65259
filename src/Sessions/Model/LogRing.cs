using System.Buffers;

namespace Sessions;

/// <summary>The newest 1,000 notes of this process about its own doings; hosts pull them.</summary>
internal static class LogRing
{
    private static readonly NoteRing s_ring = new(1000);

    /// <summary>Notes something. Levels: "info", "warning", "error".</summary>
    internal static void Add(string level, string message) =>
        s_ring.Add(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), level, message);

    /// <summary>Writes the notes after a number (limit 0: all that are kept) as JSON.</summary>
    internal static void Write(ulong after, uint limit, IBufferWriter<byte> output) =>
        s_ring.Write(after, limit, output);
}
