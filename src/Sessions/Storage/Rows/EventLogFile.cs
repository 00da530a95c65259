using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Log;

namespace Sessions.Storage.Rows;

/// <summary>What the writer needs of a log that it has not written to yet.</summary>
internal static class EventLogFile
{
    // Some may be blank or torn.
    private const long LinesAtEnd = 8;

    /// <summary>Where the log ends, and whether its last line lacks a newline. Under the store lock. One that has
    /// events and is not there is refused: a new one would begin where these were, and whoever puts them back would
    /// have two logs for one place. Where the whole folder is gone, it is made anew.</summary>
    public static (long Length, bool IsTorn) End(IDisk disk, Row row, LogState state, long lastSeq)
    {
        string path = row.Folder + "/" + Layout.EventsFile;
        try
        {
            using IDiskFile file = disk.Open(path, OpenMode.Read, mayBeLinked: true);
            LinkedLog.Require(file, path, mayBeBlank: false);
            if (disk.Stat(path) is { IsWritable: false })
            {
                throw Errors.Corrupt("The log may not be written to; the rest of the store is usable.", path, row.Id);
            }

            row.LogIdentity = file.Identity;
            long length = file.Length;
            Span<byte> last = stackalloc byte[1];
            return (length, length > 0 && (file.Read(last, length - 1) != 1 || last[0] != '\n'));
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            if (state.FirstOwn > lastSeq || disk.Stat(row.Folder) is null)
            {
                return (0, false);
            }

            throw Errors.Corrupt("The log of the session is gone. Put it back, or let a salvage begin a new one; "
                + "the rest of the store is usable.", path, row.Id);
        }
    }

    /// <summary>Where the last event ends in the session's own log. What another program may have added
    /// behind it is not part of it. Under the store lock and the rows' gate; remembers it.</summary>
    public static long OwnLength(IDisk disk, Row row, LogState state, long lastSeq)
    {
        (long end, bool isTorn) = End(disk, row, state, lastSeq);
        using LogView log = RowLog.Open(disk, row, state);
        if (!isTorn && LastSeq(log) <= lastSeq)
        {
            return row.LogLength = end;
        }

        return Math.Max(0, BranchPoint.EndOf(log, lastSeq) - log.OwnStart);
    }

    private static long LastSeq(LogView log)
    {
        var reader = new LineReader(log, LogSearch.Back(log, log.Length, LinesAtEnd, LineReader.LineBytesMax));
        long last = 0;
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            last = EventLine.TryRead(line, out long seq, out _) ? Math.Max(last, seq) : last;
        }

        return last;
    }

    /// <summary>Counts in what another program added while nobody had the store open, as far as its numbers
    /// follow: an event of ours with such a number would never be seen. Under the store lock.</summary>
    /// <param name="disk">The store's disk.</param>
    /// <param name="row">The session.</param>
    /// <param name="state">What its log.json says.</param>
    /// <param name="c">What is known of its log.</param>
    /// <param name="takesGaps">True to count all that has a higher number, whatever is missing before it.</param>
    public static Counters CountForeign(IDisk disk, Row row, LogState state, Counters c, bool takesGaps = false)
    {
        using LogView log = RowLog.Open(disk, row, state);
        if (LastSeq(log) <= c.LastSeq)
        {
            return c; // as good as always
        }

        var walk = new LogWalk(log, c.LastSeq == 0 ? 0 : LogSearch.After(log, c.LastSeq), Limits.IntegerMax);
        while (walk.TryNext())
        {
            if (walk.Damage is null && (takesGaps ? walk.Seq > c.LastSeq : walk.Seq == c.LastSeq + 1))
            {
                EventHead head = EventLine.Head(walk.Unclosed.Span);
                c = new Counters(walk.Seq, Limits.Next(c.EventCount),
                    EventLine.IsMessage(head.Type) ? Limits.Next(c.MessageCount) : c.MessageCount, c.UpdatedAt,
                    Math.Max(c.LastEventAt, head.Timestamp));
            }
        }

        return c;
    }

    /// <summary>The ids of the events that the session has: not of lines that a prune left in an ancestor's log,
    /// nor of those that readers see as damage.</summary>
    public static EventIds ReadIds(IDisk disk, Row row, LogState state, long lastSeq)
    {
        var ids = new EventIds();
        using LogView log = RowLog.Open(disk, row, state);
        var walk = new LogWalk(log, state.FirstSeq <= 1 ? 0 : LogSearch.After(log, state.FirstSeq - 1), lastSeq);
        while (walk.TryNext())
        {
            if (walk.Damage is null && walk.Seq >= state.FirstSeq)
            {
                ids.Add(walk.Unclosed.Span, walk.Seq);
            }
        }

        return ids;
    }

    /// <summary>The number of the first event that has an id; null where none has.</summary>
    /// <param name="disk">The store's disk.</param>
    /// <param name="row">The session.</param>
    /// <param name="state">What its log.json says.</param>
    /// <param name="lastSeq">The last event that is looked at.</param>
    /// <param name="id">The id.</param>
    /// <param name="likely">The event that has it unless another id has the same hash.</param>
    public static long? FirstWith(IDisk disk, Row row, LogState state, long lastSeq, string id, long likely)
    {
        using LogView log = RowLog.Open(disk, row, state);
        return HasId(log, likely, likely, id) ?? HasId(log, Math.Max(1, state.FirstSeq), lastSeq, id);
    }

    private static long? HasId(LogView log, long first, long last, string id)
    {
        var walk = new LogWalk(log, first <= 1 ? 0 : LogSearch.After(log, first - 1), last);
        while (walk.TryNext())
        {
            if (walk.Damage is null && walk.Seq >= first && EventLine.Head(walk.Unclosed.Span).Id == id)
            {
                return walk.Seq;
            }
        }

        return null;
    }
}
