namespace Sessions.Storage.Rows;

/// <summary>An order of sessions: by a time, and of two with the same time by the number of the id, not its
/// letters.</summary>
internal sealed class RowOrder(ListOrder by) : IComparer<Row>
{
    private readonly bool _isAscending = by is ListOrder.UpdatedAscending or ListOrder.CreatedAscending;

    public ListOrder By => by;

    public long Key(Row row) => by switch
    {
        ListOrder.UpdatedAscending or ListOrder.UpdatedDescending => row.UpdatedAt,
        ListOrder.ActiveDescending when row.LastEventAt != 0 => row.LastEventAt,
        _ => row.CreatedAt,
    };

    public int Compare(Row? x, Row? y) => Compare(Key(x!), x!, Key(y!), y!);

    public int Compare(long xKey, Row x, long yKey, Row y)
    {
        int order = xKey.CompareTo(yKey);
        order = order != 0 ? order : x.Number.CompareTo(y.Number);
        order = order != 0 ? order : string.CompareOrdinal(x.Id, y.Id);
        return _isAscending ? order : -order;
    }

    /// <summary>The rows in this order.</summary>
    public Row[] Sort(ICollection<Row> rows)
    {
        // The times are sorted as numbers beside each other: a comparison that asks two rows somewhere in memory takes
        // most of its time for that.
        var sorted = new Row[rows.Count];
        long[] keys = new long[rows.Count];
        rows.CopyTo(sorted, 0);
        for (int i = 0; i < keys.Length; i++)
        {
            long key = Key(sorted[i]);
            keys[i] = _isAscending ? key : ~key; // turns the order round, without overflow
        }

        Array.Sort(keys, sorted);
        for (int first = 0, next; first < keys.Length; first = next)
        {
            next = first + 1;
            while (next < keys.Length && keys[next] == keys[first])
            {
                next++;
            }

            if (next - first > 1)
            {
                Array.Sort(sorted, first, next - first, this);
            }
        }

        return sorted;
    }
}
