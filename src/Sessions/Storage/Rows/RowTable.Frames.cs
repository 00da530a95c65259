using System.Runtime.InteropServices;
using Sessions.Images;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Rules;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;

namespace Sessions.Storage.Rows;

/// <summary>What frames do to the rows, and what is told of them.</summary>
internal sealed partial class RowTable
{
    /// <summary>Takes in a frame: the same for what this process committed and what others did.</summary>
    public void Install(Frame frame, bool isApplied)
    {
        bool isOfRows = false; // what lists are made of has not changed where only streams or side files have
        foreach (Change change in frame.Changes)
        {
            if (Told != frame.Lsn && WatchKind.Of(change) != WatchKinds.None)
            {
                Told = frame.Lsn;
            }

            if (Streams.TryInstall(change))
            {
                continue;
            }

            bool isOfSide = change.Small is not null;
            Version += isOfRows || isOfSide ? 0 : 1;
            isOfRows |= !isOfSide;
            if (change.Kind == ChangeKind.Config)
            {
                Config = SoundConfig.Noted(change.Image.ToArray());
                continue;
            }

            if (!_rows.TryGetValue(change.Id, out Row? row))
            {
                _rows.Add(change.Id, row = new Row(change.Id));
            }

            Touched[change.Id] = row;
            if (row.LastSegment != Segment || Segment == 0)
            {
                InJournal.Add(row); // else it is there already
                row.LastSegment = Segment;
            }

            foreach (TouchTracker tracker in Trackers)
            {
                tracker.Note(change);
            }

            if (change.Kind is ChangeKind.Restore or ChangeKind.Purge)
            {
                TakenFrom.Add(change.DeletionLsn);
            }

            Install(row, change, frame, isApplied);
        }

        Lsn = frame.Lsn;
    }

    /// <summary>What this process knows of a session's log.</summary>
    public KnownLog LogOf(string id)
    {
        lock (Gate)
        {
            return _rows.TryGetValue(id, out Row? row) ? new KnownLog(row.Rewrites, row.LogIdentity) : default;
        }
    }

    /// <summary>Segments before that one are gone: what stood in them alone is forgotten. Under the gate.</summary>
    public void DropWrittenBefore(long segment)
    {
        foreach (Row row in (Row[])[.. InJournal])
        {
            row.Written?.DropBefore(segment);
            if (row.LastSegment < segment)
            {
                InJournal.Remove(row);
                row.Written = null;
            }
        }
    }

    /// <summary>The branches whose links may not be durable yet.</summary>
    public List<TouchedSession> BranchesToSync()
    {
        lock (Gate)
        {
            return [.. NewBranches.Where(r => !r.IsGone).Select(r => new TouchedSession(r.Id, r.DeletionLsn, false))];
        }
    }

    /// <summary>The files may have lines of which a damaged journal does not speak any more.</summary>
    public void ForgetLogLengths()
    {
        foreach (Row row in _rows.Values)
        {
            row.LogLength = -1;
        }
    }

    /// <summary>Forgets lines that are in the files now.</summary>
    public void DropTails(IEnumerable<Frame> applied, long lsn)
    {
        foreach (Frame frame in applied)
        {
            foreach (Change change in frame.Changes)
            {
                if (change.Kind == ChangeKind.Rewrite && _rows.TryGetValue(change.Id, out Row? rewritten)
                    && rewritten.Staged?.Lsn <= lsn)
                {
                    rewritten.Staged = null;
                }

                if (change.Kind == ChangeKind.Fork && _rows.TryGetValue(change.Id, out Row? branch))
                {
                    branch.Origin = null;
                }

                if (!change.Entry.IsEmpty && _rows.TryGetValue(change.Id, out Row? added)
                    && added.Sides?[SmallFileKind.Queue.Index] is null)
                {
                    added.Added?.RemoveAll(a => a.Lsn <= lsn); // whoever reads the file finds them there
                    added.Added = added.Added is { Count: > 0 } ? added.Added : null;
                }

                // The first frame of a session drops all that is due; the others find nothing left.
                if (change.Kind == ChangeKind.Append && _rows.TryGetValue(change.Id, out Row? row)
                    && row.Tail is { Count: > 0 } tail && tail[0].Lsn <= lsn)
                {
                    int due = tail.FindIndex(t => t.Lsn > lsn);
                    row.Tail = due < 0 ? null : tail.GetRange(due, tail.Count - due);
                }
            }
        }
    }

    /// <summary>Revision and last number of a session, also of one in the trash; zeros where there is none that
    /// can be read now.</summary>
    public (long Revision, long LastSeq) TryReadNumbers(string id)
    {
        lock (Gate)
        {
            try
            {
                return Find(id) is { } row && Read(row) is { } info ? (info.Revision, info.LastSeq) : default;
            }
            catch (Exception e) when (e is DiskException or SessionException)
            {
                LogRing.Add("debug", $"{id} could not be read for its numbers: {e.Message}");
                return default;
            }
        }
    }

    // This process's own image as it is, since what was made of it is known by it; of a frame that was read, a copy.
    private static byte[] Whole(ReadOnlyMemory<byte> image) => MemoryMarshal.TryGetArray(image,
        out ArraySegment<byte> bytes) && bytes.Array!.Length == image.Length ? bytes.Array : image.ToArray();

    /// <summary>The info of a session as it is known; null where there is none that can be read.</summary>
    public SessionInfo? TryReadInfo(string id)
    {
        lock (Gate)
        {
            return Find(id) is { } row && CanRead(row) ? Read(row) : null;
        }
    }

    private void InstallQueue(Row row, Change change)
    {
        if (change.Small != SmallFileKind.Queue)
        {
            return;
        }

        row.Added = null;
        if (change.Entry.IsEmpty)
        {
            row.QueueSegment = Segment;
        }
        else
        {
            change.Image = default; // the row has it; who keeps the frame does not keep mebibytes with it
        }
    }

    private void Install(Row row, Change change, Frame frame, bool isApplied)
    {
        long lsn = frame.Lsn;
        switch (change.Kind)
        {
            case ChangeKind.Append:
                InstallAppend(row, change, frame, isApplied);
                break;
            case ChangeKind.Put:
            case ChangeKind.Trash:
            case ChangeKind.Restore:
                InstallInfo(row, change, lsn);
                break;
            case ChangeKind.Shares:
                Install(row, change.Image.ToArray());
                break;
            case ChangeKind.Log:
                long first = row.Log?.FirstSeq ?? 0;
                row.Log = LogState.Read(change.Image);
                row.EventIds = row.Log.FirstSeq == first ? row.EventIds : null; // a prune took some away
                break;
            case ChangeKind.Small when change.IsAddedEntry:
                if (!isApplied || row.Sides?[SmallFileKind.Queue.Index] is not null)
                {
                    (row.Added ??= []).Add(new AddedEntry(lsn, change.Entry));
                }

                break;
            case ChangeKind.Small:
                InstallSide(row, change);
                break;
            case ChangeKind.Rewrite:
                row.Rewrites++;
                row.LogLength = change.Bytes;
                row.Tail = null;
                row.Written = null;
                row.EventIds = null;
                row.Staged = isApplied ? null : (lsn, change.File);
                break;
            case ChangeKind.Fork:
                NewBranches.Add(row);
                row.Origin = isApplied ? null : _rows.GetValueOrDefault(change.ParentId) ?? new Row(change.ParentId);
                break; // its log.json and its links are all there is to it
            case ChangeKind.Purge:
                Purge(row, lsn);
                break;
            default:
                throw new InvalidOperationException();
        }
    }

    private void InstallAppend(Row row, Change change, Frame frame, bool isApplied)
    {
        if (row.Info is { } info)
        {
            row.Info = info.With(change.Counters);
            change.Revision = info.Revision;
            (row.UpdatedAt, row.LastEventAt) = (row.Info.UpdatedAt, row.Info.LastEventAt);
        }
        else
        {
            row.Pending = new PendingCounters(change.Counters);
            row.UpdatedAt = UpdatedAt(row, row.UpdatedAt, change.Counters);
            row.LastEventAt = change.Counters.LastEventAt;
        }

        row.LogLength = change.Offset + change.Lines.Length;
        (row.Written ??= new WrittenLines()).Add(Segment, change.Offset, change.Lines.Span);
        if (isApplied && row.Tail is [{ Lsn: 0 }, ..])
        {
            row.Tail = null; // what the log had not when it was last looked at: it is looked at again
        }

        if (!isApplied)
        {
            (row.Tail ??= []).Add(new TailLines(frame.Lsn, change.Offset, change.Lines));
        }

        row.EventIds?.AddLines(change.Lines.Span);
        (row.Writers ??= new LastWriters()).Add(frame, change);
        Lagging.Add(row);
    }

    private void InstallInfo(Row row, Change change, long lsn)
    {
        row.IsGone = false;
        row.DeletionLsn = change.Kind == ChangeKind.Trash ? change.DeletionLsn : 0;
        row.Moves += change.Kind == ChangeKind.Put ? 0 : 1;
        _byShare = change.Kind == ChangeKind.Restore ? null : _byShare; // it has those of live sessions
        row.Slice = default;
        row.Pending = null;
        row.Info = change.Info!;
        row.Abort?.Learn(row.Info, lsn); // behind it: who reads without the gate asks in this order
        row.MadeAt = change.IsNew ? lsn : row.MadeAt;
        row.Log ??= change.IsNew ? LogState.Plain : null;
        row.Sides ??= change.IsNew ? SmallFileKind.NoImages() : null;
        Describe(row, new RowHead(change.Info!));
        Lagging.Remove(row);
        if (_byKey is not null && change.Info!.IdempotencyKey is { } key && row.IsLive)
        {
            _byKey[key] = row.Id;
        }
    }

    private void InstallSide(Row row, Change change)
    {
        (row.Sides ??= new byte[]?[SmallFileKind.All.Count])[change.Small!.Index] = Whole(change.Image);
        InstallQueue(row, change);
        NoteOwners(row);
        // What one that is gone left open, nobody has settled.
        row.IsLogSettled &= !LockNews.IsOfGone(change.What, change.Detail.Span);
    }
}
