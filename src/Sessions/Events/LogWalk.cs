namespace Sessions.Events;

/// <summary>
/// Walks a log and gives every line its number. Whole lines bear theirs; lines between two whole ones
/// that cannot be read have the places that are free there. Where damage made more pieces than there
/// are places (a flipped bit can be a newline), the last place takes all that is left, so that no
/// piece ever pushes a whole line out of its own place. A whole line whose number is not above the one
/// before, or that is followed by lower numbers which were still to come, is out of place.
/// </summary>
internal sealed class LogWalk(LogView log, long from, long lastSeq, LineBuffer? room = null)
{
    /// <summary>Damaged lines in a row of which each has a place of its own: what is held of a log that is
    /// damaged all over has a bound.</summary>
    public const int PiecesMax = 256 * 1024;

    private readonly LineReader _reader = new(log, from, room: room);
    private readonly Queue<Piece> _pieces = new();
    private List<Piece> _run = []; // what cannot be read since the last whole line
    private WholeLine _whole;
    private WholeLine _ahead; // was read to judge the one before it
    private long _last = from == 0 ? log.SeqBefore : 0;

    // From the middle of a log, nobody knows the numbers before the first whole line.
    private bool _knowsPlace = from == 0;
    private bool _isOver;

    /// <summary>Told of every line that is no event where it stands, also of one without a place.</summary>
    public Action<Piece>? OnOdd { get; init; }

    /// <summary>The number of the line.</summary>
    public long Seq { get; private set; }

    /// <summary>Where the line begins.</summary>
    public long Offset { get; private set; }

    /// <summary>Where an event's line ends, before its newline.</summary>
    public long End { get; private set; }

    /// <summary>How far the log has been read, in bytes from where the walk began.</summary>
    public long Scanned => _reader.Offset - from;

    /// <summary>The event, still without its closing brace; empty where the line is damaged.</summary>
    public ReadOnlyMemory<byte> Unclosed { get; private set; }

    /// <summary>What is wrong with the line; null where nothing is.</summary>
    public Piece? Damage { get; private set; }

    /// <summary>The event's line as damage, for a reader that finds it is no JSON.</summary>
    public Piece Unread => new(Offset, End - Offset, "invalid_json", Seq);

    /// <summary>True once the walk is over where the last line lacks its newline.</summary>
    public bool EndsTorn { get; private set; }

    public bool TryNext()
    {
        if (_pieces.Count == 0 && _whole.Seq == 0 && !_isOver)
        {
            Gather();
        }

        if (_pieces.TryDequeue(out Piece? piece))
        {
            (Seq, Offset, Unclosed, Damage) = (_last = _last + 1, piece.Offset, default, piece);
            return true;
        }

        if (_whole.Seq == 0)
        {
            return false;
        }

        (Seq, Offset, Unclosed, Damage) = (_last = _whole.Seq, _whole.Offset, _whole.Unclosed, null);
        End = _whole.Offset + _whole.Length;
        _whole = default;
        _knowsPlace = true;
        return true;
    }

    // Reads up to the next whole line and finds places for what stands before it.
    private void Gather()
    {
        if (!TryWhole(0, out WholeLine next))
        {
            _isOver = true;
            Place(_run, lastSeq + 1);
            return;
        }

        // A number further on than what was damaged explains is held against the next one.
        List<Piece> behind = [];
        while (_knowsPlace && next.Seq > _last + 1 + _run.Count)
        {
            next = next with { Unclosed = next.Unclosed.ToArray() };
            List<Piece> before = _run;
            _run = [];
            bool isLast = !TryWhole(next.Seq, out WholeLine second);
            if (isLast || second.Seq > next.Seq)
            {
                (behind, _run, _ahead) = (_run, before, second);
                break;
            }

            Add(before, new Piece(next.Offset, next.Length, "sequence", next.Seq));
            AddAll(before, _run);
            (_run, next) = (before, second);
        }

        _whole = next;
        Place(_run, next.Seq);
        _run = behind;
    }

    // The next whole line with a number that may come here; what is passed on the way goes to the run.
    private bool TryWhole(long except, out WholeLine found)
    {
        (found, _ahead) = (_ahead, default);
        if (found.Seq != 0)
        {
            return true;
        }

        List<Piece>? beyond = null; // is not published yet, unless something that is comes behind it
        while (_reader.TryRead(out ReadOnlySpan<byte> line))
        {
            EndsTorn = !_reader.IsTerminated;
            if (line.IsEmpty)
            {
                continue; // closes a line that was torn
            }

            int at = 0;
            bool whole = EventLine.TryRead(line, out long seq, out ReadOnlySpan<byte> unclosed)
                || EventLine.TryReadGlued(line, out at, out seq, out unclosed);
            if (whole && at > 0)
            {
                Add(beyond ?? _run, new Piece(_reader.LineOffset, at, "glued"));
            }

            if (whole && seq > _last && seq <= lastSeq && seq != except)
            {
                AddAll(_run, beyond ?? []);
                found = new WholeLine(seq, _reader.Line.Slice(at, unclosed.Length), _reader.LineOffset + at,
                    _reader.LineLength - at);
                return true;
            }

            string reason = whole ? "sequence" : !_reader.IsTerminated ? "torn"
                : _reader.LineLength > LineReader.LineBytesMax ? "too_long" : "invalid_json";
            at = whole ? at : 0;
            beyond ??= whole && seq > lastSeq ? [] : null;
            Add(beyond ?? _run,
                new Piece(_reader.LineOffset + at, _reader.LineLength - at, reason, whole ? seq : 0));
        }

        return false;
    }

    // Beyond the bound the last piece grows over all further lines.
    private static void Add(List<Piece> run, Piece piece)
    {
        if (run.Count < PiecesMax)
        {
            run.Add(piece);
        }
        else
        {
            run[^1] = run[^1] with { Length = piece.Offset + piece.Length - run[^1].Offset };
        }
    }

    private static void AddAll(List<Piece> run, List<Piece> more)
    {
        foreach (Piece piece in more)
        {
            Add(run, piece);
        }
    }

    private void Place(List<Piece> run, long next)
    {
        if (OnOdd is { } tell)
        {
            run.ForEach(tell);
        }

        long places = next - _last - 1;
        if (places <= 0 || !_knowsPlace)
        {
            return;
        }

        for (int i = 0; i < Math.Min(run.Count, places); i++)
        {
            bool takesRest = i == places - 1;
            _pieces.Enqueue(takesRest
                ? run[i] with { Length = run[^1].Offset + run[^1].Length - run[i].Offset } : run[i]);
        }
    }

    /// <summary>A line that can be read; its bytes are the reader's.</summary>
    private readonly record struct WholeLine(long Seq, ReadOnlyMemory<byte> Unclosed, long Offset, long Length);
}

/// <summary>Bytes of a log that are no event where they stand.</summary>
/// <param name="Offset">Where they begin.</param>
/// <param name="Length">How many.</param>
/// <param name="Reason">invalid_json, torn, glued, too_long or sequence.</param>
/// <param name="Seq">The number that a whole line bears; 0 where it cannot be read.</param>
internal sealed record Piece(long Offset, long Length, string Reason, long Seq = 0);
