using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Commit;

/// <content>The file of the current segment, which must be the one under its name.</content>
internal sealed partial class BatchRunner
{
    private readonly LookTimes _times = new(core);
    private IDiskFile? _checked; // was seen to be what this process has read the segment from
    private Look _look;

    /// <summary>Sees that the current segment is under its name, whenever that was last looked at.</summary>
    public void CheckSegment()
    {
        _look = default;
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
        if (file is not null && file == _checked && !_times.IsDue(_look))
        {
            return file;
        }

        if (file is null || !_journal.IsInPlace || (file != _checked && !IsWhatWasRead(file)))
        {
            lock (core.Rows.Gate)
            {
                file = Restore(file);
            }
        }

        if (file != _checked)
        {
            _times.TellOthers();
        }

        (_checked, _look) = (file, _times.Now);
        return file;
    }

    private bool IsWhatWasRead(IDiskFile file)
    {
        lock (core.Rows.Gate)
        {
            if (core.Replica.SegmentFile?.Identity == file.Identity)
            {
                return true;
            }

            bool reaches = Reaches(file);
            if (reaches)
            {
                core.Replica.ReopenSegment(); // so that it reads on in this one
            }

            return reaches;
        }
    }

    private IDiskFile Restore(IDiskFile? known)
    {
        long number = core.Replica.Segment;
        string path = Layout.Segment(number);
        using (IDiskFile? now = TryOpen(path, out bool isObstacle))
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

                if (isObstacle)
                {
                    core.Quarantine.PutAside(path);
                }
                else if (now is not null)
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

    private IDiskFile? TryOpen(string path, out bool isObstacle)
    {
        isObstacle = false;
        try
        {
            return core.Disk.OpenOwn(path, OpenMode.ReadWrite);
        }
        catch (DiskException e) when (Obstacle.Find(core.Disk, e) == path)
        {
            isObstacle = true;
            return null;
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
