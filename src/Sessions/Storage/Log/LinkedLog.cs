using Sessions.Platform;

namespace Sessions.Storage.Log;

/// <summary>
/// Tells a log with several names from another file of the user that an attacker linked into the store. A log has
/// more names where branches see a part of it; nothing is written to another file through such a name.
/// </summary>
internal static class LinkedLog
{
    /// <summary>Throws Misplaced where the open file has several names and does not begin with an event.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="path">Its path.</param>
    /// <param name="mayBeBlank">True for lines that the journal has: a power cut may have left nothing or zeros of what
    /// stood before them.</param>
    public static void Require(IDiskFile file, string path, bool mayBeBlank)
    {
        if (!file.IsLinked)
        {
            return;
        }

        Span<byte> start = stackalloc byte[64];
        start = start[..file.Read(start, 0)];
        if (!start.TrimStart((byte)'\n').StartsWith(EventLine.Beginning)
            && (!mayBeBlank || start.ContainsAnyExcept((byte)0)))
        {
            throw new DiskException(DiskError.Misplaced, "open", path, 0);
        }
    }
}
