using Sessions.Platform;
using Sessions.Storage;

namespace Sessions.Events;

/// <summary>
/// The bytes of one session's conversation as published: for a branch first the parts it sees of its
/// ancestors' logs, then its own file, and behind that the lines that are in the journal but perhaps not in the
/// file yet. Offsets go through all of it as if it were one file; <see cref="Locate"/> tells whose they are.
/// </summary>
internal sealed class LogView : IDisposable
{
    private readonly List<Part> _history = [];
    private readonly IDiskFile? _file;
    private readonly List<TailLines>? _tail;

    private LogView(IDiskFile? file, List<TailLines>? tail, long ownLength)
    {
        _file = file;
        _tail = tail;
        Length = tail is { Count: > 0 } ? Math.Max(ownLength, tail[^1].Offset + tail[^1].Bytes.Length) : ownLength;
    }

    /// <summary>Bytes in all.</summary>
    public long Length { get; private set; }

    /// <summary>Where the session's own log begins.</summary>
    public long OwnStart { get; private set; }

    /// <summary>True for a reader who is not told in which file a damaged line stands: a share hides the
    /// ancestors whose ids these files bear.</summary>
    public bool HidesPlaces { get; set; }

    /// <summary>The number before the first one that may stand here.</summary>
    public long SeqBefore { get; private init; }

    /// <summary>The ancestors' parts, with the offsets that they begin at.</summary>
    public IEnumerable<(HistoryPart Part, long Start)> History => _history.Select(p => (p.What, p.Start));

    /// <summary>The first link of the history that is not there, relative to the session's folder.</summary>
    public string? MissingHistory => _history.Find(p => p.File is null) is { } part
        ? $"{Layout.HistoryFolder}/{part.What.SessionId}.jsonl" : null;

    /// <summary>Call under the rows' gate. A file that is not there is NotFound where it must exist and
    /// the journal's lines do not stand for all of it; otherwise it is empty.</summary>
    public static LogView Open(IDisk disk, Row row, LogState state, bool mustExist = false)
    {
        List<TailLines>? tail = row.Tail is { } lines ? [.. lines] : null; // the row's own goes on growing
        LogView view = OpenOwn(disk, row, tail, state, mustExist);
        try
        {
            foreach (HistoryPart part in state.History)
            {
                view.Add(part, OpenPart(disk, Layout.History(row.Folder, part.SessionId)));
            }

            return view;
        }
        catch
        {
            view.Dispose();
            throw;
        }
    }

    /// <summary>One log as its file has it, without history and journal.</summary>
    public static LogView OpenFile(IDisk disk, string path)
    {
        IDiskFile file = disk.Open(path, OpenMode.Read, mayBeLinked: true);
        return new LogView(file, null, file.Length);
    }

    /// <summary>The file, relative to the session's folder, and the place in it of an offset.</summary>
    public (string File, long Offset) Locate(long offset)
    {
        foreach (Part part in _history)
        {
            if (offset < part.Start + part.Length)
            {
                return ($"{Layout.HistoryFolder}/{part.What.SessionId}.jsonl", offset - part.Start);
            }
        }

        return (Layout.EventsFile, offset - OwnStart);
    }

    /// <summary>Fills the buffer from the offset; fewer bytes only at the end.</summary>
    public int Read(Span<byte> buffer, long offset)
    {
        int done = 0;
        foreach (Part part in _history)
        {
            long at = offset + done - part.Start;
            if (at >= 0 && at < part.Length && done < buffer.Length)
            {
                int count = (int)Math.Min(buffer.Length - done, part.Length - at);
                part.Read(buffer.Slice(done, count), at);
                done += count;
            }
        }

        return done == buffer.Length ? done : done + ReadOwn(buffer[done..], offset + done - OwnStart);
    }

    public void Dispose()
    {
        _file?.Dispose();
        foreach (Part part in _history)
        {
            part.File?.Dispose();
        }
    }

    private static LogView OpenOwn(IDisk disk, Row row, List<TailLines>? tail, LogState state, bool mustExist)
    {
        long before = (state.History.Count == 0 ? state.FirstSeq : state.History[0].FirstSeq) - 1;
        if (OpenNewest(disk, row, mustExist && tail is not [{ Offset: 0 }, ..]) is not { } file)
        {
            // No event yet, or none in the file.
            return new LogView(null, tail, Math.Max(row.LogLength, 0)) { SeqBefore = before };
        }

        long length = file.Length;
        if (mustExist && length < (tail is null ? row.LogLength : tail[0].Offset))
        {
            file.Dispose(); // replaced by a shorter one since this process looked
            throw new DiskException(DiskError.NotFound, "open", row.Folder + "/" + Layout.EventsFile, 0);
        }

        return new LogView(file, tail, row.LogLength >= 0 ? row.LogLength : length) { SeqBefore = before };
    }

    private static IDiskFile? OpenNewest(IDisk disk, Row row, bool mustExist)
    {
        if (row.Staged is { } staged && OpenPart(disk, row.Folder + "/" + staged.File) is { } fresh)
        {
            return fresh;
        }

        return mustExist ? disk.Open(row.Folder + "/" + Layout.EventsFile, OpenMode.Read, mayBeLinked: true)
            : OpenPart(disk, row.Folder + "/" + Layout.EventsFile);
    }

    private static IDiskFile? OpenPart(IDisk disk, string path)
    {
        try
        {
            return disk.Open(path, OpenMode.Read, mayBeLinked: true);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return null; // somebody removed it: its events are missing, and all others are not
        }
    }

    private void Add(HistoryPart what, IDiskFile? file)
    {
        var part = new Part(what, file, OwnStart);
        _history.Add(part);
        OwnStart += part.Length;
        Length += part.Length;
    }

    private int ReadOwn(Span<byte> buffer, long offset)
    {
        int wanted = (int)Math.Min(buffer.Length, Math.Max(0, Length - OwnStart - offset)), done = 0;
        for (int i = 0; done < wanted; i++)
        {
            TailLines? lines = i < (_tail?.Count ?? 0) ? _tail![i] : null;
            if (lines is not { } next || offset + done < next.Offset)
            {
                // Before the next lines of the journal stands what the file has.
                int gap =
                    (int)Math.Min(wanted - done, lines is null ? long.MaxValue : lines.Value.Offset - offset - done);
                int read = _file?.Read(buffer.Slice(done, gap), offset + done) ?? 0;
                done += read;
                if (read < gap)
                {
                    return done; // the file is shorter than it should be
                }
            }

            if (lines is { } tail && offset + done - tail.Offset is >= 0 and var skip && skip < tail.Bytes.Length)
            {
                int count = (int)Math.Min(wanted - done, tail.Bytes.Length - skip);
                tail.Bytes.Span.Slice((int)skip, count).CopyTo(buffer[done..]);
                done += count;
            }
        }

        return done;
    }

    // A newline stands behind each part whatever its last byte is: where that belongs to a torn line, the
    // next part's first line must not be glued onto it. Empty lines mean nothing.
    private sealed record Part(HistoryPart What, IDiskFile? File, long Start)
    {
        public long Length => What.Bytes + 1;

        public void Read(Span<byte> buffer, long offset)
        {
            int read = File?.Read(buffer[..(int)Math.Clamp(What.Bytes - offset, 0, buffer.Length)], offset) ?? 0;
            buffer[read..].Fill((byte)'\n');
        }
    }
}
