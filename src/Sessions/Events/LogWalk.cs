namespace Sessions.Events;

/// <summary>
/// Walks a log and gives every line its number. Whole lines bear theirs; lines between two whole ones
/// that cannot be read have the places that are free there. Where damage made more pieces than there
/// are places (a flipped bit can be a newline), the last place takes all that is left, so that no
/// piece ever pushes a whole line out of its own place.
/// </summary>
internal sealed class LogWalk(LogView log, long from, long lastSeq)
{
    private readonly LineReader _reader = new(log, from);
    private readonly Queue<Piece> _pieces = new();
    private ReadOnlyMemory<byte> _whole;
    private long _wholeSeq;
    private long _wholeOffset;
    private long _last = from == 0 ? log.SeqBefore : 0;

    // From the middle of a log, nobody knows the numbers before the first whole line.
    private bool _knowsPlace = from == 0;
    private bool _isOver;

    /// <summary>The number of the line.</summary>
    public long Seq { get; private set; }

    /// <summary>Where the line begins.</summary>
    public long Offset { get; private set; }

    /// <summary>The event, still without its closing brace; empty where the line is damaged.</summary>
    public ReadOnlyMemory<byte> Unclosed { get; private set; }

    /// <summary>What is wrong with the line; null where nothing is.</summary>
    public Piece? Damage { get; private set; }

    public bool TryNext()
    {
        if (_pieces.Count == 0 && _wholeSeq == 0 && !_isOver)
        {
            Gather();
        }

        if (_pieces.TryDequeue(out Piece? piece))
        {
            (Seq, Offset, Unclosed, Damage) = (_last = _last + 1, piece.Offset, default, piece);
            return true;
        }

        if (_wholeSeq == 0)
        {
            return false;
        }

        (Seq, Offset, Unclosed, Damage) = (_last = _wholeSeq, _wholeOffset, _whole, null);
        _wholeSeq = 0;
        _knowsPlace = true;
        return true;
    }

    // Reads up to the next whole line and finds places for what stands before it.
    private void Gather()
    {
        List<Piece>? run = null;
        while (_reader.TryRead(out ReadOnlySpan<byte> line))
        {
            if (line.IsEmpty || line is [(byte)'\r'])
            {
                continue; // closes a line that was torn
            }

            bool whole = EventLine.TryRead(line, out long seq, out ReadOnlySpan<byte> unclosed);
            if (whole && seq > lastSeq)
            {
                break; // not published yet
            }

            if (whole && seq > _last)
            {
                (_wholeSeq, _wholeOffset) = (seq, _reader.LineOffset);
                _whole = _reader.Line[..unclosed.Length];
                Place(run, seq);
                return;
            }

            string reason = whole ? "sequence" : _reader.IsTerminated ? "invalid_json" : "torn";
            (run ??= []).Add(new Piece(_reader.LineOffset, line.Length, reason));
        }

        _isOver = true;
        Place(run, lastSeq + 1);
    }

    private void Place(List<Piece>? run, long next)
    {
        long places = next - _last - 1;
        if (run is null || places <= 0 || !_knowsPlace)
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
}

/// <summary>Bytes of a log that are no event.</summary>
internal sealed record Piece(long Offset, long Length, string Reason);
