using Sessions.Platform;

namespace Sessions.Storage;

/// <content>The file of the current segment, which must be the one under its name.</content>
internal sealed partial class BatchRunner
{
    private IDiskFile? _checked; // was seen to be what this process has read the segment from

    /// <summary>Sees that the current segment is under its name, as each commit does.</summary>
    public void CheckSegment()
    {
        if (core.Replica.Segment != 0)
        {
            OpenSegment();
        }
    }

    // One that somebody replaced (an editor, a sync tool, a copy moved over it) takes no frame: nobody would ever read
    // it. Either the file that is there now has all frames, or one is made that has.
    private IDiskFile OpenSegment()
    {
        IDiskFile? file = _journal.Open(core.Replica.Segment);
        if (file is not null && _journal.IsInPlace && (file == _checked || IsWhatWasRead(file)))
        {
            return _checked = file;
        }

        lock (core.Rows.Gate)
        {
            return _checked = Restore(file);
        }
    }

    private bool IsWhatWasRead(IDiskFile file)
    {
        lock (core.Rows.Gate)
        {
            return core.Replica.SegmentFile is { } read && (read.Identity == file.Identity || Reaches(file));
        }
    }

    private IDiskFile Restore(IDiskFile? known)
    {
        long number = core.Replica.Segment;
        string path = Layout.Segment(number);
        using (IDiskFile? now = TryOpen(path))
        {
            if (now is null || !Reaches(now))
            {
                LogRing.Add("error", $"{path} is not the file that was written to; it is made anew.");
                IDiskFile? whole = known is not null && Reaches(known) ? known
                    : core.Replica.SegmentFile is { } read && Reaches(read) ? read : null;
                if (whole is null)
                {
                    throw Errors.Corrupt("The current segment of the journal is gone.", path);
                }

                if (now is not null)
                {
                    core.Quarantine.KeepPart(path, null, LogMender.Reason, now, 0, now.Length);
                    core.Quarantine.Settle();
                }

                _journal.Replace(number, whole);
            }
        }

        _journal.Dispose();
        core.Replica.ReopenSegment();
        return _journal.Open(number) ?? throw Errors.Corrupt("The current segment of the journal is gone.", path);
    }

    private IDiskFile? TryOpen(string path)
    {
        try
        {
            return core.Disk.OpenOwn(path, OpenMode.ReadWrite);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return null;
        }
    }

    // True where the frames stand one behind the other up to where the next one goes.
    private bool Reaches(IDiskFile file)
    {
        long end = core.Replica.Offset;
        if (_journal.ReadHeader(file) is not { } header || header.Number != core.Replica.Segment || file.Length < end)
        {
            return false;
        }

        var reader = new SegmentReader(file, core.Seed, SegmentHeader.Length, file.Length);
        while (reader.Offset < end && reader.Next() is not null)
        {
        }

        return reader.Offset == end;
    }
}
