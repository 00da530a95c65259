using Sessions.Model;
using Sessions.Storage.Journal;

namespace Sessions.Coordination.Watching;

/// <summary>Walks the records of a frame that a filter lets through, one at a time, so that a page may end
/// between any two of them.</summary>
internal sealed class FrameRecords(WatchFilter filter)
{
    private int _next;
    private WatchKinds _kinds;
    private ReadOnlyMemory<byte> _lines;

    public Frame Frame { get; private set; } = null!;

    /// <summary>What the record is of.</summary>
    public Change Change { get; private set; } = null!;

    /// <summary>Its one kind.</summary>
    public WatchKinds Kind { get; private set; }

    /// <summary>The event's line, of one that was appended.</summary>
    public ReadOnlyMemory<byte> Line { get; private set; }

    /// <summary>Begins with another frame.</summary>
    public void Open(Frame frame)
    {
        (Frame, _next, _kinds, _lines) = (frame, 0, WatchKinds.None, default);
    }

    /// <summary>Lets go of the frame: its event may be large.</summary>
    public void Close()
    {
        (Frame, Change, Line) = (null!, null!, default);
    }

    /// <summary>The next record; false behind the last.</summary>
    public bool TryNext()
    {
        while (true)
        {
            if (!_lines.IsEmpty)
            {
                int end = _lines.Span.IndexOf((byte)'\n');
                (Line, _lines) = (_lines[..end], _lines[(end + 1)..]);
                Kind = WatchKinds.EventAppended;
                return true;
            }

            if (_kinds != WatchKinds.None)
            {
                Kind = WatchKind.First(_kinds);
                _kinds &= ~Kind;
                return true;
            }

            if (_next == Frame.Changes.Length)
            {
                return false;
            }

            Take(Frame.Changes[_next++]);
        }
    }

    private void Take(Change change)
    {
        WatchKinds kinds = WatchKind.Of(change) & filter.Kinds;
        if (kinds == WatchKinds.None || !filter.Takes(change.Id))
        {
            return;
        }

        Change = change;
        if (change.Kind == ChangeKind.Append)
        {
            _lines = change.Lines.Span[0] == '\n' ? change.Lines[1..] : change.Lines;
        }
        else
        {
            _kinds = kinds;
        }
    }
}
