using Sessions.Events.Pages;
using Sessions.Json;
using Sessions.Storage.Log;

namespace Sessions.Events.Cursors;

/// <summary>Where a page left its cursor.</summary>
/// <param name="Position">It stands behind this number.</param>
/// <param name="Place">A line that the walk from there may begin with; null: not known.</param>
/// <param name="ShownAt">When the last event shown happened; 0 where it cannot be told.</param>
/// <param name="IsEmpty">There is nothing in the page that a reader would want: no event, no hole.</param>
/// <param name="HasMore">Not all there is in that direction has been looked at.</param>
internal readonly record struct CursorStand(long Position, CursorPlace? Place, long ShownAt, bool IsEmpty,
    bool HasMore);

/// <summary>A line of a log, as a hint: the log may be another one by the time that it is used.</summary>
internal sealed record CursorPlace(long Position, long Seq, long Offset)
{
    /// <summary>True where a walk for that position may still begin there.</summary>
    public bool Holds(LogView log, long position)
    {
        if (position != Position)
        {
            return false;
        }

        byte[] expected = System.Text.Encoding.ASCII.GetBytes($"\n{{\"seq\":{Seq},");
        int skip = Offset == 0 ? 1 : 0; // the first line has no newline before it
        Span<byte> found = stackalloc byte[expected.Length - skip];
        return log.Read(found, Offset - 1 + skip) == found.Length && found.SequenceEqual(expected.AsSpan(skip));
    }
}

/// <summary>The buffers of one cursor, kept from page to page.</summary>
internal sealed class CursorRoom
{
    private const int KeptMax = 4 * 1024 * 1024;

    public LineBuffer Lines { get; private set; } = new();

    public Utf8Buffer Output { get; private set; } = new(16 * 1024);

    public Utf8Buffer Scratch { get; private set; } = new();

    /// <summary>Lets go of what a very large event made of them.</summary>
    public void Shrink()
    {
        if (Lines.Bytes.Length > KeptMax || Output.Capacity > KeptMax || Scratch.Capacity > KeptMax)
        {
            (Lines, Output, Scratch) = (new LineBuffer(), new Utf8Buffer(16 * 1024), new Utf8Buffer());
        }
    }
}

/// <summary>Writes the pages of a cursor: what its filter lets through, forwards or backwards, with
/// every hole named. A call looks at a bounded number of bytes, however rare what it looks for is.</summary>
internal sealed class CursorPage(LogView log, Sight sight, EventFilter filter, CursorRoom room, uint limit,
    long pageBytes)
{
    /// <summary>Bytes of the log after which a page is given out as it is, unless it has nothing yet to
    /// go on from.</summary>
    public const long ScanBytesMax = 32 * 1024 * 1024;

    /// <summary>The same, for tests that would rather not make so much.</summary>
    public long ScanBytes { get; init; } = ScanBytesMax;

    private readonly Utf8Buffer _output = room.Output;
    private long _bytes;
    private uint _count;
    private long _shownFirst;
    private long _shownAt;

    /// <summary>The events after a position.</summary>
    /// <param name="after">The cursor stands behind this number.</param>
    /// <param name="place">Where that is in the log, as the last page left it.</param>
    /// <param name="shownAt">When the event happened that was shown last, so that the pause after it can be
    /// told; 0: none was.</param>
    public CursorStand WriteAfter(long after, CursorPlace? place, long shownAt)
    {
        long end = sight.End, first = Math.Max(after + 1, sight.Floor);
        _shownAt = shownAt;
        LogWalk walk = Walk(first <= 1 ? 0 : place is not null && place.Holds(log, after) ? place.Offset
            : LogSearch.After(log, first - 1));
        var scan = new EventScan(walk, sight, first, end, ScanBytes);
        bool isFull = false;
        Open();
        while (!isFull && scan.TryNext())
        {
            if (!filter.Matches(scan.Head, walk.Damage is not null))
            {
                scan.Take();
                continue;
            }

            isFull = IsFull(EventText.SizeOf(walk), _count, _bytes);
            if (!isFull)
            {
                scan.Take();
                Add(walk, scan.Head);
            }
        }

        if (!isFull && !scan.IsCut)
        {
            scan.Pass(end); // the log is over before its numbers are
        }

        bool hasMore = scan.Next <= end;
        int holes = Close(Math.Max(after + 1, sight.From), scan.Holes, scan.Next - 1, first, hasMore);
        long position = Math.Max(after, scan.Next - 1);
        return new CursorStand(position, PlaceOf(position, scan.LastWhole), _shownAt, _count == 0 && holes == 0,
            hasMore);
    }

    /// <summary>The events before a position, oldest first.</summary>
    public CursorStand WriteBefore(long position, CursorPlace? place)
    {
        long end = Math.Min(position, sight.End);
        var choice = new CursorChoice(log, sight, filter, room.Lines, ScanBytes);
        choice.Run(end, place is not null && place.Holds(log, position) ? place.Offset : -1,
            IsFull);
        LogWalk walk = Walk(choice.From);
        var scan = new EventScan(walk, sight, choice.First, end);
        CursorPlace? begin = null;
        Open();
        while (choice.First <= end && scan.TryNext())
        {
            scan.Take();
            if (walk.Seq == choice.First && walk.Damage is null)
            {
                begin = new CursorPlace(choice.First - 1, walk.Seq, walk.Offset);
            }

            if (filter.Matches(scan.Head, walk.Damage is not null))
            {
                Add(walk, scan.Head);
            }
        }

        scan.Pass(end);
        long from = choice.HasMore ? choice.First : Math.Min(sight.From, end + 1);
        int holes = Close(from, scan.Holes, end, choice.First, choice.HasMore);
        return new CursorStand(Math.Max(0, Math.Min(position, choice.First - 1)), begin, 0, _count == 0 && holes == 0,
            choice.HasMore);
    }

    private LogWalk Walk(long from) => new(log, from, sight.LastSeq, room.Lines);

    private static CursorPlace? PlaceOf(long position, (long Seq, long Offset) whole)
        => whole.Seq == 0 ? null : new CursorPlace(position, whole.Seq, whole.Offset);

    private bool IsFull(long size, long count, long bytes)
        => (limit > 0 && count >= limit) || (count > 0 && bytes + size > pageBytes);

    private void Open()
    {
        _output.Clear();
        _output.Raw("{\"events\":["u8);
    }

    private void Add(LogWalk walk, in EventHead head)
    {
        _bytes += EventText.SizeOf(walk);
        _output.Raw(_count++ > 0 ? ","u8 : ""u8);
        EventText.WriteUnclosed(log, walk, _output, sight.Flags.HasFlag(ReadFlags.DataAsText) ? room.Scratch : null);
        if (sight.State.IsHidden(walk.Seq))
        {
            _output.Raw(",\"hidden\":true"u8);
        }

        if (_shownAt > 0 && head.Timestamp > _shownAt)
        {
            _output.Raw(",\"pause_ms\":"u8).Number(head.Timestamp - _shownAt);
        }

        _output.Byte('}');
        _shownAt = head.Timestamp > 0 ? head.Timestamp : _shownAt;
        _shownFirst = _shownFirst == 0 ? walk.Seq : _shownFirst;
    }

    // What lies from a number on before the range of the handle is outside it.
    private int Close(long from, List<Hole> holes, long last, long first, bool hasMore)
    {
        if (from < sight.Range.First)
        {
            holes.Insert(0, new Hole(Math.Max(from, 1), sight.Range.First - 1, "outside_share"));
        }

        _output.Byte(']');
        PageEnd.Write(_output, holes, last, _shownFirst == 0 ? first : _shownFirst, sight.End, hasMore);
        return holes.Count;
    }
}
