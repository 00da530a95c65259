namespace Sessions.Storage;

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

        List<Row>? unclean = null;
        if (!IndexFile.TryLoad(disk, _base, Add))
        {
            FolderScan.Load(disk, quarantine, Add);
        }

        IsComplete = true;
        DropLost();
        _rows.TrimExcess();
        unclean?.ForEach(ReadUnclean);
        return;

        void Add(RowHead head, ReadOnlyMemory<byte> slice)
        {
            _ = _rows.TryGetValue(head.Id, out Row? row);
            if (row is { IsGone: true } || row?.Info is not null)
            {
                return; // the journal knew better
            }

            if (head.IsGone)
            {
                if (row is not null)
                {
                    row.IsGone = true; // an earlier line of the index had it
                    row.Slice = default;
                    Forget(row);
                }

                return;
            }

            row ??= new Row(head.Id);
            _rows[head.Id] = row;
            row.Slice = slice;
            if (HalfPairs.Find(slice.Span) >= 0)
            {
                (unclean ??= []).Add(row);
            }

            Describe(row, row.Pending is { Counters: var counters }
                ? head.With(counters) with { UpdatedAt = UpdatedAt(row, head.UpdatedAt, counters) } : head);
            if (head.ShareExpiresAt != 0 && head.DeletionLsn == 0)
            {
                NoteShareEnd(head.Id, head.ShareExpiresAt);
            }
        }
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
