using Sessions.Platform;
using Sessions.Storage.Journal;

namespace Sessions.Storage.Log;

/// <summary>
/// Tells whether a file is the log that it should be by what is known of that: how long it is, which numbers its lines
/// bear, and what frames say that stands in it. A line does not name its session.
/// </summary>
internal static class LogWitness
{
    private const int LookBytes = 4096;

    /// <summary>Whether lines may stand behind what a file has up to their place: it is the line with the number before
    /// theirs. Of one that is damaged, or longer than what is read, it is enough that it ends there.</summary>
    public static bool MayFollow(IDiskFile file, LogLines lines)
    {
        if (lines.FirstSeq is > 0 and var first && LastSeq(file, lines.Start) is { } last)
        {
            return last == first - 1;
        }

        Span<byte> before = stackalloc byte[1];
        return lines.BeginsWithNewline || (file.Read(before, lines.Start - 1) == 1 && before[0] == '\n');
    }

    /// <summary>Whether the file may be what lines of the journal were written to.</summary>
    public static bool IsOurs(IDiskFile file, LogLines lines)
    {
        byte[] piece = [];
        foreach ((long offset, ReadOnlyMemory<byte> bytes) in lines.All)
        {
            Array.Resize(ref piece, Math.Max(piece.Length, bytes.Length));
            if (offset + bytes.Length <= file.Length && file.Read(piece.AsSpan(0, bytes.Length), offset) == bytes.Length
                && bytes.Span.SequenceEqual(piece.AsSpan(0, bytes.Length)))
            {
                return true; // no other log has this very line at this very place
            }
        }

        long end = Math.Min(file.Length, lines.Start), first = lines.FirstSeq;
        return first == 0 || LastSeq(file, end) is not { } last
            || (end == lines.Start ? last == first - 1 : last < first);
    }

    /// <summary>True where whole lines stand where these belong, or with their numbers before that, and are others: the
    /// file is newer than they are, or another. What is torn, blank, damaged or not there says nothing.</summary>
    public static bool HasOthers(IDisk disk, string path, IDiskFile file, LogLines lines)
    {
        if (lines.IsEmpty || Holds(file, lines))
        {
            return false;
        }

        // These numbers may stand before their places already. Lines that are further behind than a journal can lead
        // are none of this log (LogPlaces).
        if (lines.FirstSeq is > 0 and var first && lines.End - file.Length <= JournalFiles.SegmentBytesMax
            && LastSeq(file, Math.Min(file.Length, lines.Start)) >= first)
        {
            return true;
        }

        if (file.Length <= lines.Start)
        {
            return false;
        }

        byte[] piece = [];
        using LogView log = LogView.OpenFile(disk, path);
        var reader = new LineReader(log, LogSearch.Back(log, lines.Start, 1, LineReader.LineBytesMax));
        while (reader.Offset < lines.End && reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (reader.Offset <= lines.Start || !EventLine.TryRead(line, out _, out _))
            {
                continue;
            }

            // The journal's own lines stand at their places, to the byte.
            Array.Resize(ref piece, Math.Max(piece.Length, line.Length));
            Span<byte> same = piece.AsSpan(0, line.Length);
            same.Clear();
            lines.LayOver(same, reader.LineOffset);
            if (!same.SequenceEqual(line))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Holds(IDiskFile file, LogLines lines)
    {
        byte[] piece = [];
        foreach ((long offset, ReadOnlyMemory<byte> bytes) in lines.All)
        {
            Array.Resize(ref piece, Math.Max(piece.Length, bytes.Length));
            if (file.Read(piece.AsSpan(0, bytes.Length), offset) < bytes.Length
                || !bytes.Span.SequenceEqual(piece.AsSpan(0, bytes.Length)))
            {
                return false;
            }
        }

        return true;
    }

    // The number of the last line before an offset; null where it bears none, or is not all in what is read.
    private static long? LastSeq(IDiskFile file, long end)
    {
        byte[] held = new byte[(int)Math.Min(LookBytes, end)];
        Span<byte> read = held.AsSpan(0, file.Read(held, end - held.Length)).TrimEnd((byte)'\n');
        int before = read.LastIndexOf((byte)'\n');
        bool isAll = before >= 0 || held.Length == end;
        return isAll && EventLine.TryRead(read[(before + 1)..], out long seq, out _) ? seq : null;
    }
}
