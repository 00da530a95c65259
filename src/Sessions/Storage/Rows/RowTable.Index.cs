using System.Runtime.InteropServices;
using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Index;

namespace Sessions.Storage.Rows;

/// <content>Rows that the index alone tells of: each has a slice of it until the session is read.</content>
internal sealed partial class RowTable
{
    /// <summary>Gives every session of the index a row.</summary>
    public void Complete()
    {
        if (IsComplete)
        {
            return;
        }

        // What the index has no row for can only be one of these.
        Row[] known = [.. _rows.Values];
        List<Row>? unclean = null;
        if (IndexFile.TryRead(disk, _base, Make, expect: n => _rows.EnsureCapacity(_rows.Count + n)) is { } rows)
        {
            Array.ForEach(rows, Add);
        }
        else
        {
            FolderScan.Load(disk, quarantine, (head, slice) => Add(Make(head, slice)));
        }

        IsComplete = true;
        DropLost(known);
        _rows.TrimExcess();
        unclean?.ForEach(ReadUnclean);
        return;

        void Add(Row read)
        {
            if (Join(read) is { } row && HalfPairs.Find(row.Slice.Span) >= 0)
            {
                (unclean ??= []).Add(row);
            }
        }
    }

    private static Row Make(RowHead head, ReadOnlyMemory<byte> slice)
    {
        var row = new Row(head.Id) { IsGone = head.IsGone, Slice = slice };
        Describe(row, head);
        return row;
    }

    // The row of the table that now has what was read; null where it has not, since the journal knew better or the
    // session is gone.
    private Row? Join(Row read)
    {
        if (read.IsGone)
        {
            if (_rows.TryGetValue(read.Id, out Row? gone) && gone is { IsGone: false, Info: null })
            {
                gone.IsGone = true; // an earlier line of the index had it
                gone.Slice = default;
                Forget(gone);
            }

            return null;
        }

        ref Row? row = ref CollectionsMarshal.GetValueRefOrAddDefault(_rows, read.Id, out bool isKnown);
        if (!isKnown)
        {
            row = read;
        }
        else if (row!.IsGone || row.Info is not null)
        {
            return null;
        }
        else
        {
            RowHead head = RowHead.TryRead(read.Slice.Span) ?? new RowHead(InfoCodec.TryRead(read.Slice)!);
            row.Slice = read.Slice;
            Describe(row, row.Pending is { Counters: var counters }
                ? head.With(counters) with { UpdatedAt = UpdatedAt(row, head.UpdatedAt, counters) } : head);
        }

        if (read.ShareExpiresAt != 0 && read.DeletionLsn == 0)
        {
            NoteShareEnd(read.Id, read.ShareExpiresAt);
        }

        return row;
    }

    // A slice is handed out as it stands. What must be shown otherwise than it is kept is read.
    private void ReadUnclean(Row row)
    {
        if (row.Info is null && InfoCodec.TryRead(row.Slice) is { } info && info.Id == row.Id)
        {
            Settle(row, info);
        }
        else if (!row.Slice.IsEmpty)
        {
            row.Slice = HalfPairs.Replace(row.Slice.ToArray());
        }
    }

    // Of a row that is still a slice of the index, which may know more or less than the counters.
    private static long UpdatedAt(Row row, long known, in Counters counters)
        => counters.UpdatedAt >= known || row.Slice.IsEmpty || InfoCodec.TryRead(row.Slice) is not { } info
            ? counters.UpdatedAt : info.With(counters).UpdatedAt;
}
