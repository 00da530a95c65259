using Sessions.Images;
using Sessions.Json;
using Sessions.Storage.Commit;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Events;

/// <summary>
/// The lines that one request adds to the log of one session, and the streams that end with them.
/// Everything that can fail is done by the time <see cref="Commit"/> is called, which alone changes
/// the transaction.
/// </summary>
internal sealed class LogAppender
{
    private readonly StoreCore _core;
    private readonly Transaction _transaction;
    private readonly Row _row;
    private readonly Utf8Buffer _lines;
    private readonly long _offset;
    private readonly long _lastSeq; // of what was there before this request
    private readonly int _lead;
    private readonly List<(OpenStream Stream, long Seq, bool IsKept)> _ended = [];
    private readonly List<Compaction> _compactions = [];
    private HashSet<OpenStream>? _endedHere; // most appends end no stream and carry no id
    private Dictionary<string, bool>? _owners;
    private Dictionary<string, long>? _added;
    private long _promptSeq;
    private bool _hasButtons;
    private Counters _counters;
    private IReadOnlyList<OpenStream>? _open; // null until it is asked for

    public LogAppender(StoreCore core, Transaction transaction, Row row, int sizeHint = 256)
    {
        _core = core;
        _transaction = transaction;
        _row = row;
        _counters = transaction.Live(row).Counters;
        _offset = row.Working?.LogLength ?? row.LogLength;
        bool lead = false;
        if (_offset < 0)
        {
            LogState state = transaction.Log(row);
            (_offset, lead) = EventLogFile.End(core.Disk, row, state, _counters.LastSeq);
            _counters = _offset == 0 ? _counters : EventLogFile.CountForeign(core.Disk, row, state, _counters);
        }

        _lastSeq = _counters.LastSeq;
        _lines = new Utf8Buffer(sizeHint);
        if (lead)
        {
            _lines.Byte('\n'); // the last line is torn, and nothing is ever glued onto it
        }

        _lead = _lines.Length;
    }

    /// <summary>Adds an event behind the streams that it ends: those of its turn, and those whose
    /// writer is gone. Its number; where it repeats an id, the first one's, and nothing is added.</summary>
    public long Add(NewEvent e, out bool isRepeat)
    {
        long? first = e.Id is null ? null : FindRepeat(e.Id);
        if (first is null && (_open ??= _transaction.Streams(_row.Id)).Count > 0)
        {
            EndBefore(e.TurnId);
            first = e.Id is null ? null : FindRepeat(e.Id); // of what a stream has just become
        }

        isRepeat = first is not null;
        return first ?? Write(e);
    }

    /// <summary>Adds an event, without an id, and leaves all streams as they are, those of its turn too.</summary>
    public long AddBeside(NewEvent e) => Write(e);

    /// <summary>Ends a stream with an event; its number. One that repeats an id leaves none of its own.</summary>
    public long End(OpenStream stream, ReadOnlyMemory<byte> data, bool isInterrupted)
    {
        // An interrupted one leaves its id free, so that a host that tries again can say it all.
        string? id = isInterrupted ? null : stream.EventId;
        long seq = id is not null && FindRepeat(id) is { } first
            ? first : Write(new NewEvent(stream.Type, data, stream.Timestamp, stream.TurnId, id));
        bool isKept = stream.Owner != _core.InstanceId && IsOwnerAlive(stream.Owner);
        _ended.Add((stream, seq, isKept));
        (_endedHere ??= []).Add(stream);
        return seq;
    }

    /// <summary>The number of the event that has the id; null where none has.</summary>
    public long? Find(string id) => FindRepeat(id);

    /// <summary>Ends all streams of the session, or those that are chosen, as interrupted: it goes, or they lost
    /// their right.</summary>
    public void EndAll(Func<OpenStream, bool>? isChosen = null)
    {
        foreach (OpenStream stream in _transaction.Streams(_row.Id))
        {
            if (!stream.IsEndedNow && isChosen?.Invoke(stream) != false)
            {
                End(stream, StreamData.Interrupted(stream.TextNow().Span), isInterrupted: true);
            }
        }
    }

    /// <summary>Makes the changes. Throws, before any, where the numbers are at their end.</summary>
    public void Commit()
    {
        if (_counters.LastSeq > Limits.IntegerMax)
        {
            throw Errors.Limit("last_seq", Limits.IntegerMax, _counters.LastSeq);
        }

        if (_lines.Length > _lead)
        {
            _transaction.Append(_row, _lines.ToArray(), _offset, _counters);
            foreach ((string id, long seq) in _added ?? [])
            {
                (_row.Working!.EventIds ??= [])[id] = seq;
            }

            if (_promptSeq != 0)
            {
                _row.Working!.PromptSeq = _promptSeq;
            }

            if (_hasButtons)
            {
                _transaction.PutSide(_row, SmallFileKind.Buttons, [], "cleared", ActionButtons.None.Detail());
            }
        }

        if (_compactions.Count > 0)
        {
            // Where the context starts is kept beside the log, so that nobody has to look for it.
            LogState state = _transaction.Log(_row);
            _transaction.PutLog(_row, state with
            {
                Compactions = [.. state.Compactions.Concat(_compactions).TakeLast(Compaction.KeptMax)],
            });
        }

        foreach ((OpenStream stream, long seq, bool isKept) in _ended)
        {
            _transaction.EndStream(stream, seq, isKept);
        }
    }

    private void EndBefore(string? turnId)
    {
        foreach (OpenStream stream in _open!)
        {
            if (stream.IsEndedNow || _endedHere?.Contains(stream) == true)
            {
                continue;
            }

            bool isLeft = stream.IsAbandoned || !IsOwnerAlive(stream.Owner);
            if (isLeft || (turnId is not null && stream.TurnId == turnId))
            {
                ReadOnlySpan<byte> text = stream.TextNow().Span;
                End(stream, isLeft ? StreamData.Interrupted(text) : StreamData.Of(text), isLeft);
            }
        }
    }

    // Asked of the system once a request, however many streams and events it has.
    private bool IsOwnerAlive(string owner)
    {
        _owners ??= [];
        if (!_owners.TryGetValue(owner, out bool isAlive))
        {
            _owners.Add(owner, isAlive = _core.IsOwnerAlive(owner));
        }

        return isAlive;
    }

    private long Write(NewEvent e)
    {
        Counters c = _counters;
        long at = e.Timestamp == 0 ? _transaction.Now : e.Timestamp;
        _counters = new Counters(c.LastSeq + 1, Limits.Next(c.EventCount),
            EventLine.IsMessage(e.Type) ? Limits.Next(c.MessageCount) : c.MessageCount,
            RealTime.After(c.UpdatedAt, _transaction.Now),
            Math.Max(c.LastEventAt, at)); // the events' own times, which hosts set
        EventLine.Write(_lines, _counters.LastSeq, e.Type, at, e.TurnId, e.Id, e.Data.Span);
        if (e.Id is not null)
        {
            (_added ??= new Dictionary<string, long>(StringComparer.Ordinal)).TryAdd(e.Id, _counters.LastSeq);
        }

        if (e.Type == EventLine.Prompt)
        {
            _promptSeq = _counters.LastSeq;
            _hasButtons = _hasButtons || _transaction.Side(_row, SmallFileKind.Buttons).Length > 0;
        }

        if (e.Type == Compaction.Type && Compaction.Read(_counters.LastSeq, e.Data) is { } compaction)
        {
            _compactions.Add(compaction);
        }

        return _counters.LastSeq;
    }

    private long? FindRepeat(string id)
    {
        if (_added is { } added && added.TryGetValue(id, out long here))
        {
            return here;
        }

        if (_row.Working?.EventIds is { } working && working.TryGetValue(id, out long inBatch))
        {
            return inBatch;
        }

        _row.EventIds ??= EventLogFile.ReadIds(_core.Disk, _row, _transaction.Log(_row), _lastSeq);
        return _row.EventIds.Find(id) is { } likely
            ? EventLogFile.FirstWith(_core.Disk, _row, _transaction.Log(_row), _lastSeq, id, likely) : null;
    }
}

/// <summary>The data of the events that streams end in.</summary>
internal static class StreamData
{
    /// <summary>What comes around the text of an interrupted one, at most.</summary>
    public const int FrameBytes = 64;

    public static byte[] Of(ReadOnlySpan<byte> text)
        => new Utf8Buffer(text.Length + FrameBytes).Raw("{\"text\":"u8).TextOf(text).Byte('}').ToArray();

    public static byte[] Interrupted(ReadOnlySpan<byte> text)
        => new Utf8Buffer(text.Length + FrameBytes).Raw("{\"text\":"u8).TextOf(text)
            .Raw(",\"interrupted\":true}"u8).ToArray();
}
