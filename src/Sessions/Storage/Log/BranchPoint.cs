namespace Sessions.Storage.Log;

/// <summary>What a branch takes along of its parent: the parts of logs that it sees, and its counters.</summary>
internal sealed record BranchPoint(LogState State, Counters Counters)
{
    /// <summary>All that the parent has now. Reads nothing; needs the length of the parent's own log.</summary>
    public static BranchPoint AtEnd(string parentId, SessionInfo parent, LogState state, long ownLength)
    {
        List<HistoryPart> history = [.. state.History];
        if (ownLength > 0)
        {
            history.Add(new HistoryPart(parentId, state.FirstOwn, parent.LastSeq, ownLength));
        }

        return new BranchPoint(state with { History = history }, parent.Counters);
    }

    /// <summary>The parent up to an event. Reads from that event to the nearer end of the log, to count
    /// the messages.</summary>
    public static BranchPoint At(string parentId, SessionInfo parent, LogView log, LogState state, long seq)
    {
        long cut = EndOf(log, seq);
        var history = new List<HistoryPart>();
        foreach ((HistoryPart part, long start, long end) in log.History)
        {
            if (cut > start)
            {
                history.Add(part with
                {
                    LastSeq = Math.Min(part.LastSeq, seq),
                    Bytes = cut >= end ? part.Bytes : Math.Min(part.Bytes, cut - start),
                });
            }
        }

        if (cut > log.OwnStart)
        {
            history.Add(new HistoryPart(parentId, state.FirstOwn, seq, cut - log.OwnStart));
        }

        (long messages, long lastAt) = Count(log, state.FirstSeq, seq, parent, cut);
        var known = new LogState
        {
            FirstSeq = Math.Min(state.FirstSeq, seq + 1),
            History = history,
            Rewinds = [.. state.Rewinds.Where(r => r.Seq <= seq)],
            Compactions = [.. state.Compactions.Where(c => c.Seq <= seq)],
        };
        long events = Math.Max(0, parent.EventCount - (parent.LastSeq - seq));
        return new BranchPoint(known, new Counters(seq, events, messages, parent.UpdatedAt, lastAt));
    }

    /// <summary>Where the first line of a later event begins; the end of the log where there is none. What
    /// cannot be read before that belongs to what stands before it.</summary>
    public static long EndOf(LogView log, long seq)
    {
        var reader = new LineReader(log, LogSearch.After(log, seq));
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (EventLine.TryRead(line, out long found, out _) && found > seq
                && log.MayStand(found, reader.LineOffset))
            {
                return reader.LineOffset;
            }
        }

        return log.Length;
    }

    private static (long Messages, long LastAt) Count(LogView log, long first, long seq, SessionInfo parent,
        long cut)
    {
        bool fromStart = seq - log.SeqBefore < parent.LastSeq - seq;
        long messages = 0, lastAt = 0, found = 0;
        var reader = fromStart ? new LineReader(log, 0, end: cut) : new LineReader(log, cut);
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (EventLine.TryRead(line, out found, out _) && found >= first && found <= parent.LastSeq
                && fromStart == (found <= seq))
            {
                messages += EventLine.IsMessage(EventLine.Head(line).Type) ? 1 : 0;
            }
        }

        reader = new LineReader(log, LogSearch.After(log, seq - 1), end: cut);
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (EventLine.TryRead(line, out found, out _) && found <= seq)
            {
                lastAt = EventLine.Head(line).Timestamp;
            }
        }

        return (fromStart ? messages : Math.Max(0, parent.MessageCount - messages), lastAt);
    }
}
