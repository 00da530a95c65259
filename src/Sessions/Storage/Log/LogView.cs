using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Log;

/// <summary>
/// The bytes of one session's conversation as published: for a branch first the parts it sees of its
/// ancestors' logs, then its own file, and behind that the lines that are in the journal but perhaps not in the
/// file yet. Offsets go through all of it as if it were one file; <see cref="Locate"/> tells whose they are.
/// </summary>
internal sealed class LogView : IDisposable
{
    private const int PartsOpenMax = 64;

    private readonly List<Part> _history = [];
    private Part? _late; // the one part that was opened when it was read
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

    /// <summary>The ancestors' parts, with the offsets that they begin and end at.</summary>
    public IEnumerable<(HistoryPart Part, long Start, long End)> History
        => _history.Select(p => (p.What, p.Start, p.Start + p.Length));

    /// <summary>Stops the reading: each read from a file asks it first. Null: nothing does.</summary>
    public JobContext? Context { get; init; }

    /// <summary>The first link of the history that is not there, relative to the session's folder.</summary>
    public string? MissingHistory => _history.Find(p => !p.Exists) is { } part
        ? $"{Layout.HistoryFolder}/{part.What.SessionId}.jsonl" : null;

    /// <summary>A file that is not there is NotFound where it must exist and the journal's lines do not stand for all
    /// of it; otherwise it is empty.</summary>
    public static LogView Open(IDisk disk, LogPlace place, LogState state, bool mustExist = false,
        JobContext? context = null)
    {
        LogView view = OpenOwn(disk, place, state, mustExist, context);
        try
        {
            foreach (HistoryPart part in state.History)
            {
                (string path, List<TailLines>? pending) = Find(disk, place, part);
                view.Add(disk, part, path, pending);
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
    public static LogView OpenFile(IDisk disk, string path, JobContext? context = null)
    {
        IDiskFile file = disk.Open(path, OpenMode.Read, mayBeLinked: true);
        return new LogView(file, null, file.Length) { Context = context };
    }

    /// <summary>The file, relative to the session's folder, and the place in it of an offset.</summary>
    public (string File, long Offset) Locate(long offset)
    {
        int at = PartAt(offset);
        return at < _history.Count
            ? ($"{Layout.HistoryFolder}/{_history[at].What.SessionId}.jsonl", offset - _history[at].Start)
            : (Layout.EventsFile, offset - OwnStart);
    }

    /// <summary>False for a line that bears a number behind the last one of the ancestor's part that it stands in: the
    /// ancestor's log was cut, and went on in the place of what a branch sees of it.</summary>
    public bool MayStand(long seq, long offset)
        => offset >= OwnStart || PartAt(offset) is var at && (at == _history.Count || seq <= _history[at].What.LastSeq);

    /// <summary>Fills the buffer from the offset; fewer bytes only at the end.</summary>
    public int Read(Span<byte> buffer, long offset)
    {
        Context?.ThrowIfCancelled();
        int done = 0;
        for (int i = PartAt(offset); i < _history.Count && done < buffer.Length; i++)
        {
            Part part = _history[i];
            long at = offset + done - part.Start;
            int count = (int)Math.Min(buffer.Length - done, part.Length - at);
            part.Read(FileOf(part), buffer.Slice(done, count), at);
            done += count;
        }

        return done == buffer.Length ? done : done + ReadOwn(buffer[done..], offset + done - OwnStart);
    }

    /// <summary>The first offset, from this one on, that may hold a byte other than zero; at most the end. What
    /// is between the two is a hole of a file, and no line ends in there.</summary>
    public long NextData(long offset)
    {
        if (offset < OwnStart)
        {
            Part part = _history[PartAt(offset)];
            return part.Start + Math.Min(FileOf(part)?.NextData(offset - part.Start) ?? 0, part.Length - 1);
        }

        long at = offset - OwnStart, next = _file?.NextData(at) ?? at;
        int tail = TailAt(at);
        if (tail < (_tail?.Count ?? 0))
        {
            next = Math.Min(next, Math.Max(at, _tail![tail].Offset));
        }

        return Math.Max(offset, Math.Min(OwnStart + next, Length));
    }

    /// <summary>The offset, up to this one, behind which there is nothing but holes up to it. Found by halving:
    /// the further on one asks for the next data, the further on that is.</summary>
    public long DataBefore(long offset)
    {
        long low = 0, high = offset;
        while (low < high)
        {
            long middle = low + ((high - low) / 2), next = NextData(middle);
            (low, high) = next >= offset ? (low, middle) : (next + 1, high);
        }

        return low;
    }

    /// <summary>Keeps some bytes aside, in pieces where they are one file's.</summary>
    public void Keep(Quarantine quarantine, string source, string? sessionId, string reason, long offset, long length)
    {
        int part = PartAt(offset);
        (IDiskFile? file, long start, long end) = part < _history.Count
            ? (FileOf(_history[part]), _history[part].Start, _history[part].Start + _history[part].Length - 1)
            : (_file, OwnStart, OwnStart + (_tail is { Count: > 0 } ? _tail[0].Offset : long.MaxValue - OwnStart));
        if (file is not null && offset + length <= end)
        {
            quarantine.KeepPart(source, sessionId, reason, file, offset - start, offset - start + length, Context);
            return;
        }

        byte[] bytes = new byte[Math.Min(length, LineReader.LineBytesMax)];
        quarantine.Keep(source, sessionId, reason, bytes.AsSpan(0, Read(bytes, offset)));
    }

    public void Dispose()
    {
        _file?.Dispose();
        foreach (Part part in _history)
        {
            part.File?.Dispose();
        }
    }

    private static LogView OpenOwn(IDisk disk, LogPlace place, LogState state, bool mustExist, JobContext? context)
    {
        List<TailLines>? tail = place.Tail;
        long before = (state.History.Count == 0 ? state.FirstSeq : state.History[0].FirstSeq) - 1;
        if (OpenNewest(disk, place, mustExist && tail is not [{ Offset: 0 }, ..]) is not { } file)
        {
            // No event yet, or none in the file.
            return new LogView(null, tail, Math.Max(place.Length, 0)) { SeqBefore = before, Context = context };
        }

        long length = file.Length;
        if (mustExist && length < (tail is null ? place.Length : tail[0].Offset))
        {
            file.Dispose(); // replaced by a shorter one since this process looked
            throw new DiskException(DiskError.NotFound, "open", place.Folder + "/" + Layout.EventsFile, 0);
        }

        return new LogView(file, tail, place.Length >= 0 ? place.Length : length)
        {
            SeqBefore = before,
            Context = context,
        };
    }

    private static IDiskFile? OpenNewest(IDisk disk, LogPlace place, bool mustExist)
    {
        if (place.StagedFile is { } staged && OpenPart(disk, place.Folder + "/" + staged) is { } fresh)
        {
            return fresh;
        }

        return mustExist ? disk.Open(place.Folder + "/" + Layout.EventsFile, OpenMode.Read, mayBeLinked: true)
            : OpenPart(disk, place.Folder + "/" + Layout.EventsFile);
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

    // What stands in the place of a link and is none hides what it was of, as if it were gone; the branch's own events
    // are not harmed.
    private static IDiskFile? OpenLink(IDisk disk, string path)
    {
        try
        {
            return OpenPart(disk, path);
        }
        catch (DiskException e) when (Obstacle.IsOne(e) && !e.IsOfOthers)
        {
            return null;
        }
    }

    // Mostly it is in the branch's own folder. While the frame that made the branch is in the journal alone, it is what
    // the link is to be made from, and lines of that may be in the journal alone, too.
    private static (string Path, List<TailLines>? Lines) Find(IDisk disk, LogPlace place, HistoryPart part)
    {
        string link = Layout.History(place.Folder, part.SessionId);
        for (LogPlace? origin = place.Origin; origin is not null && disk.Stat(link) is null; origin = origin.Origin)
        {
            if (origin.Id == part.SessionId)
            {
                return (origin.Folder + "/" + Layout.EventsFile, origin.Tail);
            }

            link = Layout.History(origin.Folder, part.SessionId);
        }

        return (link, null);
    }

    // The first part that ends behind an offset; as many as there are parts for one in the own log.
    private int PartAt(long offset)
    {
        int low = 0, high = offset < OwnStart ? _history.Count : 0;
        if (high == 0)
        {
            return _history.Count;
        }

        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            Part part = _history[middle];
            (low, high) = offset < part.Start + part.Length ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    // Of a file that is shorter than it should be, what is not there takes no room: a number in a file is no
    // reason to read so many bytes that nobody wrote. A branch of branches may have more parts than a process may
    // have files: those beyond the first ones are opened when they are read.
    private void Add(IDisk disk, HistoryPart what, string path, List<TailLines>? lines)
    {
        IDiskFile? file = null;
        long? length;
        if (_history.Count < PartsOpenMax || lines is not null)
        {
            file = OpenLink(disk, path);
            length = file?.Length;
        }
        else
        {
            length = disk.Stat(path) is { IsFile: true } link ? link.Length : null;
        }

        if (lines is { Count: > 0 })
        {
            length = Math.Max(length ?? 0, lines[^1].Offset + lines[^1].Bytes.Length);
        }

        var part = new Part(what, OwnStart, Math.Min(what.Bytes, length ?? 0), length is not null)
        {
            File = file,
            Lines = lines,
            OpenLate = length is null || file is not null || lines is not null
                ? null : () => disk.Open(path, OpenMode.Read, mayBeLinked: true),
        };
        _history.Add(part);
        OwnStart += part.Length;
        Length += part.Length;
    }

    private IDiskFile? FileOf(Part part)
    {
        if (part.File is null && part.OpenLate is { } open)
        {
            if (_late is { File: { } before } other)
            {
                before.Dispose(); // parts are mostly read one after the other
                other.File = null;
            }

            part.File = open();
            _late = part;
        }

        return part.File;
    }

    private int ReadOwn(Span<byte> buffer, long offset)
    {
        int wanted = (int)Math.Min(buffer.Length, Math.Max(0, Length - OwnStart - offset)), done = 0;
        for (int i = TailAt(offset); done < wanted; i++)
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

    // The first lines of the journal that end behind an offset.
    private int TailAt(long offset)
    {
        int low = 0, high = _tail?.Count ?? 0;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            TailLines lines = _tail![middle];
            (low, high) = offset < lines.Offset + lines.Bytes.Length ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    // A newline stands behind each part whatever its last byte is: where that belongs to a torn line, the
    // next part's first line must not be glued onto it. Empty lines mean nothing.
    private sealed class Part(HistoryPart what, long start, long bytes, bool exists)
    {
        public HistoryPart What => what;

        public long Start => start;

        public long Bytes => bytes;

        public bool Exists => exists;

        public IDiskFile? File { get; set; }

        /// <summary>Lines of it that may not be in the file yet; null: all are.</summary>
        public List<TailLines>? Lines { get; init; }

        /// <summary>Opens the file, where it is not kept open; null: it is, or is not there.</summary>
        public Func<IDiskFile>? OpenLate { get; init; }

        public long Length => bytes + 1;

        public void Read(IDiskFile? file, Span<byte> buffer, long offset)
        {
            int read = file?.Read(buffer[..(int)Math.Clamp(bytes - offset, 0, buffer.Length)], offset) ?? 0;
            buffer[read..].Fill((byte)'\n');
            foreach (TailLines lines in Lines ?? [])
            {
                long from = Math.Max(offset, lines.Offset);
                long to = Math.Min(Math.Min(offset + buffer.Length, bytes), lines.Offset + lines.Bytes.Length);
                if (from < to)
                {
                    lines.Bytes.Span[(int)(from - lines.Offset)..(int)(to - lines.Offset)]
                        .CopyTo(buffer[(int)(from - offset)..]);
                }
            }
        }
    }
}
