using Sessions.Storage;

namespace Sessions.Events;

/// <summary>Writes the JSON of one page: its events, and behind them the name of each hole.</summary>
internal sealed class PageWriter
{
    private const int DamagedBytes = 160;

    private readonly Utf8Buffer _output;
    private readonly LogView _log;
    private readonly LogState _state;
    private readonly long _first;
    private readonly List<(long First, long Last)> _holes = [];
    private long _shownFirst;
    private long _bytes;
    private uint _count;

    public PageWriter(Utf8Buffer output, LogView log, LogState state, long first)
    {
        (_output, _log, _state, _first, Next) = (output, log, state, first, first);
        output.Raw("{\"events\":["u8);
    }

    /// <summary>The number after the last one that was shown or named as a hole.</summary>
    public long Next { get; private set; }

    public static long SizeOf(LogWalk walk) => walk.Damage is null ? walk.Unclosed.Length + 2 : DamagedBytes;

    /// <summary>False where the page is full without it.</summary>
    public bool TryAdd(LogWalk walk, uint limit)
    {
        if ((limit > 0 && _count >= limit) || (_count > 0 && _bytes + SizeOf(walk) > Limits.PageBytes))
        {
            return false;
        }

        Add(walk);
        return true;
    }

    public void Add(LogWalk walk)
    {
        Skip(walk.Seq - 1);
        if (_count++ > 0)
        {
            _output.Byte(',');
        }

        if (walk.Damage is { } damage)
        {
            WriteDamaged(_output, _log, walk.Seq, damage);
            _output.Byte('}');
        }
        else
        {
            _output.Raw(walk.Unclosed.Span).Byte('}');
        }

        _shownFirst = _shownFirst == 0 ? walk.Seq : _shownFirst;
        _bytes += SizeOf(walk);
        Next = walk.Seq + 1;
    }

    /// <summary>The event that keeps a damaged line's place, without its closing brace.</summary>
    public static void WriteDamaged(Utf8Buffer output, LogView log, long seq, Piece damage)
    {
        (string file, long offset) = log.Locate(damage.Offset);
        output.Byte('{').Member("seq", seq).Member("type", "damaged").Name("timestamp").Raw("null"u8)
            .Name("data").Byte('{').Member("file", file).Member("offset", offset)
            .Member("length", damage.Length).Member("reason", damage.Reason).Byte('}');
    }

    /// <summary>Names what is missing up to and with a number.</summary>
    public void Skip(long last)
    {
        if (Next <= last)
        {
            _holes.Add((Next, last));
            Next = last + 1;
        }
    }

    /// <summary>Closes a page; what lies from <paramref name="from"/> on before the range is outside it.</summary>
    public void Close(long from, long rangeFirst, long lastSeq, bool hasMore)
    {
        _output.Raw("],\"skipped\":["u8);
        bool isFirst = true;
        if (from < rangeFirst)
        {
            Hole(Math.Max(from, 1), rangeFirst - 1, "outside_share", ref isFirst);
        }

        foreach ((long first, long last, string reason) in Holes.Of(_state, _holes))
        {
            Hole(first, last, reason, ref isFirst);
        }

        _output.Raw("],\"next_after_seq\":"u8).Number(Next - 1).Raw(",\"previous_before_seq\":"u8)
            .Number(_shownFirst == 0 ? _first : _shownFirst).Raw(",\"last_seq\":"u8).Number(Math.Max(lastSeq, 0))
            .Raw(",\"has_more\":"u8).Bool(hasMore).Byte('}');
    }

    private void Hole(long from, long to, string reason, ref bool isFirst)
    {
        _output.Raw(isFirst ? "{"u8 : ",{"u8).Member("first_seq", from).Member("last_seq", to)
            .Member("reason", reason).Byte('}');
        isFirst = false;
    }
}

/// <summary>Why numbers are not shown.</summary>
internal static class Holes
{
    /// <summary>Runs of missing numbers, parted where the reason changes.</summary>
    public static IEnumerable<(long First, long Last, string Reason)> Of(LogState state,
        IEnumerable<(long First, long Last)> runs)
    {
        foreach ((long begin, long end) in runs)
        {
            for (long at = begin; at <= end;)
            {
                long last = Math.Min(end, state.SameUntil(at, out string reason));
                yield return (at, last, reason);
                at = last + 1;
            }
        }
    }
}
