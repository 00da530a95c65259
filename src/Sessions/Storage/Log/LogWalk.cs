namespace Sessions.Storage.Log;

/// <summary>
/// Walks a log and gives every line its number. Whole lines bear theirs; lines between two whole ones
/// that cannot be read have the places that are free there. Where damage made more pieces than there
/// are places (a flipped bit can be a newline), the last place takes all that is left, so that no
/// piece ever pushes a whole line out of its own place. A whole line whose number is not above the one
/// before, or that is followed by more lines with lower numbers which were still to come than with higher ones, is out
/// of place.
/// </summary>
internal sealed class LogWalk(LogView log, long from, long lastSeq, LineBuffer? room = null)
{
    /// <summary>Damaged lines in a row of which each has a place of its own: what is held of a log that is
    /// damaged all over has a bound.</summary>
    public const int PiecesMax = 256 * 1024;

    // Lines, and bytes of them, that are read ahead to judge a number.
    private const int AheadMax = 32;
    private const int AheadBytesMax = 1 << 20;

    private readonly LineReader _reader = new(log, from, room: room);
    private readonly Queue<Piece> _pieces = new();
    private readonly List<Ahead> _ahead = []; // whole lines that were read to judge the one before them
    private List<Piece> _run = []; // what cannot be read since the last whole line
    private List<Piece> _rest = []; // the same since the last one that was read ahead
    private WholeLine _whole;
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
        if (_ahead.Count == 0 && TryWhole(out WholeLine found))
        {
            if (found.Seq == _last + 1 && _rest.Count == 0 && _run.Count == 0)
            {
                _whole = found; // as nearly all are
                return;
            }

            TakeAhead(found);
        }

        while (TryAhead(0, out Ahead next))
        {
            bool fits = next.Line.Seq > _last && (!_knowsPlace
                || next.Line.Seq <= _last + 1 + _run.Count + next.Before.Count || IsInOrder());
            next = _ahead[0]; // a copy, where the reader went on
            if (fits)
            {
                _ahead.RemoveAt(0);
                AddAll(_run, next.Before);
                _whole = next.Line;
                Place(_run, _whole.Seq);
                _run.Clear();
                return;
            }

            _ahead.RemoveAt(0);
            AddAll(_run, next.Before);
            Add(_run, new Piece(next.Line.Offset, next.Line.Length, "sequence", next.Line.Seq));
        }

        _isOver = true;
        AddAll(_run, _rest);
        Place(_run, lastSeq + 1);
    }

    // A number further on than what was damaged explains is held against the lines behind it: it is in order where it
    // begins the longest run of rising numbers among them; of several such runs the lowest is meant.
    private bool IsInOrder()
    {
        int count = 1;
        for (long bytes = 0; count < AheadMax && bytes < AheadBytesMax && TryAhead(count, out Ahead line); count++)
        {
            bytes += line.Line.Length;
        }

        Span<int> runs = stackalloc int[AheadMax];
        int best = 0;
        for (int i = count - 1; i >= 0; i--)
        {
            runs[i] = 1;
            for (int j = i + 1; j < count; j++)
            {
                runs[i] = _ahead[j].Line.Seq > _ahead[i].Line.Seq ? Math.Max(runs[i], runs[j] + 1) : runs[i];
            }

            if (i == count - 1 || runs[i] > runs[best]
                || (runs[i] == runs[best] && _ahead[i].Line.Seq <= _ahead[best].Line.Seq))
            {
                best = i;
            }
        }

        return best == 0;
    }

    // The whole line at a place among those that were read ahead. All but the first are copies.
    private bool TryAhead(int at, out Ahead line)
    {
        while (_ahead.Count <= at)
        {
            if (_ahead is [{ IsCopy: false } first])
            {
                _ahead[0] = first with
                {
                    Line = first.Line with { Unclosed = first.Line.Unclosed.ToArray() },
                    IsCopy = true,
                };
            }

            if (!TryWhole(out WholeLine found))
            {
                line = default;
                return false;
            }

            TakeAhead(found);
        }

        line = _ahead[at];
        return true;
    }

    private void TakeAhead(in WholeLine found)
    {
        bool isCopy = _ahead.Count > 0;
        _ahead.Add(new Ahead(_rest, isCopy ? found with { Unclosed = found.Unclosed.ToArray() } : found, isCopy));
        _rest = [];
    }

    // The next whole line with a number that may come here; what is passed on the way goes to the rest.
    private bool TryWhole(out WholeLine found)
    {
        found = default;
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
                Add(beyond ?? _rest, new Piece(_reader.LineOffset, at, "glued"));
            }

            if (whole && seq > _last && seq <= lastSeq && log.MayStand(seq, _reader.LineOffset))
            {
                AddAll(_rest, beyond ?? []);
                found = new WholeLine(seq, _reader.Line.Slice(at, unclosed.Length), _reader.LineOffset + at,
                    _reader.LineLength - at);
                return true;
            }

            string reason = whole ? "sequence" : !_reader.IsTerminated ? "torn"
                : _reader.LineLength > LineReader.LineBytesMax ? "too_long" : "invalid_json";
            at = whole ? at : 0;
            beyond ??= whole && seq > lastSeq ? [] : null;
            Add(beyond ?? _rest,
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

    /// <summary>One that was read ahead, and what cannot be read before it.</summary>
    private readonly record struct Ahead(List<Piece> Before, WholeLine Line, bool IsCopy);
}

/// <summary>Bytes of a log that are no event where they stand.</summary>
/// <param name="Offset">Where they begin.</param>
/// <param name="Length">How many.</param>
/// <param name="Reason">invalid_json, torn, glued, too_long or sequence.</param>
/// <param name="Seq">The number that a whole line bears; 0 where it cannot be read.</param>
internal sealed record Piece(long Offset, long Length, string Reason, long Seq = 0);
