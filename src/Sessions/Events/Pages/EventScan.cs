using Sessions.Storage.Log;

namespace Sessions.Events.Pages;

/// <summary>Goes through the events of a log that a reader may see, from one number to another, and
/// notes the holes between them. Where a bound of bytes is set it stops there, so that a caller who
/// looks for what is rare is not kept waiting.</summary>
internal sealed class EventScan
{
    private readonly LogWalk _walk;
    private readonly Sight _sight;
    private readonly long _first;
    private readonly long _end;
    private readonly long _bytesMax;

    public EventScan(LogWalk walk, Sight sight, long first, long end, long bytesMax = long.MaxValue)
    {
        (_walk, _sight, _first, _end, _bytesMax) = (walk, sight, first, end, bytesMax);
        Next = first;
    }

    /// <summary>The number after the last one that was taken or named as a hole.</summary>
    public long Next { get; private set; }

    public List<Hole> Holes { get; } = [];

    /// <summary>True where it stopped because of the bound.</summary>
    public bool IsCut { get; private set; }

    /// <summary>The last whole line before <see cref="Next"/>; 0 where there was none.</summary>
    public (long Seq, long Offset) LastWhole { get; private set; }

    /// <summary>The head of the event it stands at; of a damaged one only the number.</summary>
    public EventHead Head { get; private set; }

    /// <summary>Stands at the next event. One that is not taken then counts as not seen.</summary>
    public bool TryNext()
    {
        while (Next == _first || _walk.Scanned <= _bytesMax) // one line at least, however long
        {
            if (!_walk.TryNext() || _walk.Seq > _end)
            {
                return false;
            }

            if (_walk.Seq < _first)
            {
                continue;
            }

            if (_sight.Shows(_walk.Seq))
            {
                Head = _walk.Damage is null ? EventLine.Head(_walk.Unclosed.Span)
                    : new EventHead(_walk.Seq, "damaged", 0, null, null);
                return true;
            }

            Pass(_walk.Seq);
            NoteWhole();
        }

        IsCut = Next <= _end;
        return false;
    }

    /// <summary>Goes beyond the event it stands at, shown or left out by the reader's own filter.</summary>
    public void Take()
    {
        Pass(_walk.Seq - 1);
        Next = _walk.Seq + 1;
        NoteWhole();
    }

    /// <summary>Names what is missing up to and with a number.</summary>
    public void Pass(long last)
    {
        if (Next <= last)
        {
            _sight.AddHoles(Next, last, Holes);
            Next = last + 1;
        }
    }

    private void NoteWhole()
    {
        if (_walk.Damage is null)
        {
            LastWhole = (_walk.Seq, _walk.Offset);
        }
    }
}
