using Sessions.Events.Cursors;
using Sessions.Json;
using Sessions.Storage.Log;

namespace Sessions.Events.Pages;

/// <summary>
/// Writes a page of turns: the events of a run of numbers, grouped by their turn in the order in which
/// the turns first appear. Events without a turn, and damaged ones, are groups of their own, one for each
/// run of them. A page ends before a turn that has no room in it; only a turn that would not fit a page
/// of its own is cut, and goes on in the next one under the same id.
/// </summary>
internal sealed class TurnPage(LogView log, Sight sight)
{
    private const int GroupBytes = 128;

    private readonly Utf8Buffer _texts = new(16 * 1024);
    private readonly List<Group> _groups = [];
    private readonly Dictionary<string, Group> _byTurn = new(StringComparer.Ordinal);

    public Utf8Buffer Write(long after, uint limit)
    {
        long end = sight.End, first = Math.Max(after + 1, sight.Floor);
        var walk = new LogWalk(log, first <= 1 ? 0 : LogSearch.After(log, first - 1), sight.LastSeq);
        var scan = new EventScan(walk, sight, first, end, CursorPage.ScanBytesMax);
        long stop = 0; // the number that does not belong to the page any more; 0: none
        while (stop == 0 && scan.TryNext())
        {
            Group? group = Find(scan.Head.TurnId);
            bool isFull = _groups.Count > 0
                && _texts.Length + (_groups.Count * GroupBytes) + EventText.SizeOf(walk) > Limits.PageBytes;
            if (isFull || (group is null && limit > 0 && _groups.Count >= limit))
            {
                stop = group is not null && group.First > _groups[0].First ? group.First : walk.Seq;
                continue;
            }

            scan.Take();
            Add(group ?? Begin(walk.Seq, scan.Head.TurnId), walk, scan.Head);
        }

        if (stop == 0 && !scan.IsCut)
        {
            scan.Pass(end);
        }

        long last = stop == 0 ? scan.Next - 1 : Math.Min(stop, scan.Next) - 1;
        return Text(after, first, last, scan.Holes);
    }

    // Without a turn an event belongs to the group before it, if that has none either.
    private Group? Find(string? turnId)
        => turnId is not null ? _byTurn.GetValueOrDefault(turnId)
            : _groups is [.., { TurnId: null } last] ? last : null;

    private Group Begin(long seq, string? turnId)
    {
        var group = new Group(turnId, seq);
        _groups.Add(group);
        if (turnId is not null)
        {
            _byTurn.Add(turnId, group);
        }

        return group;
    }

    private void Add(Group group, LogWalk walk, in EventHead head)
    {
        int start = _texts.Length;
        EventText.WriteUnclosed(log, walk, _texts);
        _texts.Byte('}');
        group.Events.Add(new Event(walk.Seq, head.Timestamp, start, _texts.Length - start));
    }

    private Utf8Buffer Text(long after, long first, long last, List<Hole> holes)
    {
        var b = new Utf8Buffer(_texts.Length + 1024);
        b.Raw("{\"turns\":["u8);
        bool isFirst = true;
        foreach (Group group in _groups)
        {
            group.Events.RemoveAll(e => e.Seq > last);
            if (group.Events.Count > 0)
            {
                b.Raw(isFirst ? ""u8 : ","u8);
                Write(group, b);
                isFirst = false;
            }
        }

        holes.RemoveAll(h => h.First > last);
        if (holes.Count > 0 && holes[^1].Last > last)
        {
            holes[^1] = holes[^1] with { Last = last };
        }

        if (after + 1 < sight.Range.First)
        {
            holes.Insert(0, new Hole(after + 1, sight.Range.First - 1, "outside_share"));
        }

        long shown = isFirst ? first : _groups[0].First;
        PageEnd.Write(b.Byte(']'), holes, last, shown, sight.End, last < sight.End);
        return b;
    }

    private void Write(Group group, Utf8Buffer b)
    {
        b.Byte('{').Member("turn_id", group.TurnId).Member("first_seq", group.First)
            .Member("last_seq", group.Events[^1].Seq)
            .TimeMember("started_at", group.Events.Find(e => e.Timestamp > 0).Timestamp)
            .TimeMember("ended_at", group.Events.FindLast(e => e.Timestamp > 0).Timestamp)
            .Member("event_count", group.Events.Count).Raw(",\"events\":["u8);
        for (int i = 0; i < group.Events.Count; i++)
        {
            Event e = group.Events[i];
            b.Raw(i == 0 ? ""u8 : ","u8).Raw(_texts.Written.Slice(e.Start, e.Length));
        }

        b.Raw("]}"u8);
    }

    private sealed record Group(string? TurnId, long First)
    {
        public List<Event> Events { get; } = [];
    }

    private readonly record struct Event(long Seq, long Timestamp, int Start, int Length);
}
