using Sessions.Platform;
using Sessions.Storage;

namespace Sessions.Events;

/// <summary>An event as the host hands it in: checked, compact, without a number.</summary>
internal sealed record NewEvent(string Type, ReadOnlyMemory<byte> Data, long Timestamp, string? TurnId, string? Id);

/// <summary>Appends events to one session in one frame: all or none.</summary>
internal sealed class AppendRequest(StoreCore core, Row row, IReadOnlyList<NewEvent> events) : CommitRequest
{
    /// <summary>The number of each event; of a repeat, the first one's.</summary>
    public long[] Seqs { get; } = new long[events.Count];

    /// <summary>Which of them repeated an id and were not written.</summary>
    public List<int> Duplicates { get; } = [];

    public override int SizeHint { get; } = events.Sum(e => e.Data.Length + 256);

    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        long offset = row.Working?.LogLength ?? row.LogLength;
        bool lead = false;
        if (offset < 0)
        {
            (offset, lead) = EventLogFile.End(core.Disk, row);
        }

        var lines = new Utf8Buffer(SizeHint);
        if (lead)
        {
            lines.Byte('\n'); // the last line is torn, and nothing is ever glued onto it
        }

        Counters c = info.Counters;
        List<(string Id, long Seq)>? added = null;
        for (int i = 0; i < events.Count; i++)
        {
            NewEvent e = events[i];
            if (e.Id is not null && FindRepeat(transaction, e.Id, added) is { } first)
            {
                Seqs[i] = first;
                Duplicates.Add(i);
                continue;
            }

            long at = e.Timestamp == 0 ? transaction.Now : e.Timestamp;
            Seqs[i] = c.LastSeq + 1;
            c = new Counters(Seqs[i], c.EventCount + 1, c.MessageCount + (EventLine.IsMessage(e.Type) ? 1 : 0),
                Math.Max(c.UpdatedAt, transaction.Now), Math.Max(c.LastEventAt, at));
            EventLine.Write(lines, Seqs[i], e.Type, at, e.TurnId, e.Id, e.Data.Span);
            if (e.Id is not null)
            {
                (added ??= []).Add((e.Id, Seqs[i]));
            }
        }

        if (Duplicates.Count == events.Count)
        {
            return;
        }

        if (c.LastSeq > Limits.IntegerMax)
        {
            throw Errors.Limit("last_seq", Limits.IntegerMax, c.LastSeq);
        }

        transaction.Append(row, lines.ToArray(), offset, c);
        NoteCompactions(transaction);
        foreach ((string id, long seq) in added ?? [])
        {
            (row.Working!.EventIds ??= [])[id] = seq;
        }
    }

    // Where the context starts is kept beside the log, so that nobody has to look for it.
    private void NoteCompactions(Transaction transaction)
    {
        for (int i = 0; i < events.Count; i++)
        {
            if (events[i].Type == Compaction.Type && !Duplicates.Contains(i)
                && Compaction.Read(Seqs[i], events[i].Data) is { } compaction)
            {
                LogState state = transaction.Log(row);
                transaction.PutLog(row, state with
                {
                    Compactions = [.. state.Compactions.TakeLast(Compaction.KeptMax - 1), compaction],
                });
            }
        }
    }

    private long? FindRepeat(Transaction transaction, string id, List<(string Id, long Seq)>? added)
    {
        foreach ((string known, long seq) in added ?? [])
        {
            if (known == id)
            {
                return seq;
            }
        }

        if (row.Working?.EventIds is { } working && working.TryGetValue(id, out long inBatch))
        {
            return inBatch;
        }

        row.EventIds ??= EventLogFile.ReadIds(core.Disk, row, transaction.Log(row));
        return row.EventIds.TryGetValue(id, out long first) ? first : null;
    }
}

/// <summary>What the writer needs of a log that it has not written to yet.</summary>
internal static class EventLogFile
{
    /// <summary>Where the log ends, and whether its last line lacks a newline. Under the store lock.</summary>
    public static (long Length, bool IsTorn) End(IDisk disk, Row row)
    {
        try
        {
            using IDiskFile file = disk.Open(row.Folder + "/" + Layout.EventsFile, OpenMode.Read);
            long length = file.Length;
            Span<byte> last = stackalloc byte[1];
            return (length, length > 0 && (file.Read(last, length - 1) != 1 || last[0] != '\n'));
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return (0, false);
        }
    }

    public static Dictionary<string, long> ReadIds(IDisk disk, Row row, LogState state)
    {
        var ids = new Dictionary<string, long>();
        using LogView log = LogView.Open(disk, row, state);
        var reader = new LineReader(log, 0);
        while (reader.TryRead(out ReadOnlySpan<byte> line))
        {
            EventIds.Add(ids, line);
        }

        return ids;
    }
}
