using Sessions.Json;
using Sessions.Storage.Log;

namespace Sessions.Events.Pages;

/// <summary>Writes the JSON of one page: its events, and behind them the name of each hole.</summary>
internal sealed class PageWriter
{
    private readonly Utf8Buffer _output;
    private readonly LogView _log;
    private readonly Sight _sight;
    private readonly long _first;
    private readonly List<Hole> _holes = [];
    private long _shownFirst;
    private long _bytes;
    private uint _count;

    public PageWriter(Utf8Buffer output, LogView log, Sight sight, long first)
    {
        (_output, _log, _sight, _first, Next) = (output, log, sight, first, first);
        output.Raw("{\"events\":["u8);
    }

    /// <summary>The number after the last one that was shown or named as a hole.</summary>
    public long Next { get; private set; }

    /// <summary>False where the page is full without it.</summary>
    public bool TryAdd(LogWalk walk, uint limit)
    {
        if ((limit > 0 && _count >= limit) || (_count > 0 && _bytes + EventText.SizeOf(walk) > Limits.PageBytes))
        {
            return false;
        }

        Add(walk);
        return true;
    }

    public void Add(LogWalk walk)
    {
        Skip(walk.Seq - 1);
        _output.Raw(_count++ > 0 ? ","u8 : ""u8);
        EventText.WriteUnclosed(_log, walk, _output);
        _output.Byte('}');
        _shownFirst = _shownFirst == 0 ? walk.Seq : _shownFirst;
        _bytes += EventText.SizeOf(walk);
        Next = walk.Seq + 1;
    }

    /// <summary>Names what is missing up to and with a number.</summary>
    public void Skip(long last)
    {
        if (Next <= last)
        {
            _sight.AddHoles(Next, last, _holes);
            Next = last + 1;
        }
    }

    /// <summary>Closes a page; what lies from <paramref name="from"/> on before the range is outside it.</summary>
    public void Close(long from, long end, bool hasMore)
    {
        if (from < _sight.Range.First)
        {
            _holes.Insert(0, new Hole(Math.Max(from, 1), _sight.Range.First - 1, "outside_share"));
        }

        PageEnd.Write(_output.Byte(']'), _holes, Next - 1, _shownFirst == 0 ? _first : _shownFirst, end, hasMore);
    }
}
