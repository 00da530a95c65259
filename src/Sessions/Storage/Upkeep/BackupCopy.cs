using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Upkeep;

/// <summary>
/// Copies a store that is open, while any process works in it, as it is at one moment. The files are copied without a
/// lock, then, again and again, those of the sessions that frames touched meanwhile; the last few under the store
/// lock, where everything published is in the files. So the copy needs no journal: it gets the header of a store that
/// was closed in order. Nothing in it is linked to the store.
/// </summary>
internal sealed class BackupCopy(StoreCore core, Checkpointer checkpointer, Action<CommitRequest> commit, IDisk to,
    JobContext context)
{
    // What is copied under the store lock at one go, so that others wait some milliseconds.
    private const int SliceSessionsMax = 128;
    private const long SliceBytesMax = 4 << 20;

    // So often all that was touched is copied without the lock. Where more is touched meanwhile than is copied, the
    // rest goes by slices, between which there is time for little.
    private const int PassesMax = 4;
    private const int AttemptsMax = 5;

    private readonly TouchTracker _tracker = new();
    private readonly BackupFiles _files = new(core, to, context);
    private Dictionary<string, Touch> _left = [];
    private byte[] _streams = [];
    private SegmentHeader? _closing;
    private Exception? _failure;
    private bool _isLost;
    private bool _isDone;

    /// <summary>The record that the copy is as of.</summary>
    public long Lsn => _closing!.PreviousLsn;

    public long Sessions { get; private set; }

    public BackupFiles Files => _files;

    /// <summary>Fills the disk, which is empty, with a store. All of it is durable on return.</summary>
    public void Run()
    {
        lock (core.Rows.Gate)
        {
            core.Rows.Trackers.Add(_tracker);
        }

        try
        {
            for (int i = 0; !TryCopy(); i++)
            {
                if (i == AttemptsMax)
                {
                    throw Errors.Busy("A moment to copy the store in, which others change faster than it is read,");
                }
            }

            Close();
        }
        catch (DiskException e)
        {
            throw DiskErrors.From(e, _files.At);
        }
        finally
        {
            lock (core.Rows.Gate)
            {
                core.Rows.Trackers.Remove(_tracker);
            }
        }
    }

    // False where this process lost the thread of the journal, and all must be copied anew.
    private bool TryCopy()
    {
        _files.Clear();
        Mark(mayEnd: false, inSlices: false);
        _files.CopyAll(); // as the files are, so what lagged behind the journal then is still left
        for (int pass = 1; !_isLost; pass++)
        {
            bool inSlices = pass > PassesMax;
            Mark(mayEnd: true, inSlices);
            if (_isDone)
            {
                return true;
            }

            Dictionary<string, Touch> before = _left, now = [];
            _left = [];
            foreach ((string id, Touch touch) in before)
            {
                (inSlices && touch.Bytes <= SliceBytesMax ? _left : now)[id] = touch;
            }

            _files.Copy(now);
            _files.CopyRest();
        }

        _left = [];
        return false;
    }

    // Takes note of a moment: all that frames did before is in the files, and what they do from here on is counted.
    private void Mark(bool mayEnd, bool inSlices)
    {
        context.ThrowIfCancelled();
        checkpointer.Flush(context); // the images of counters, so that few sessions are behind
        commit(new MarkRequest(this, mayEnd, inSlices));
        switch (_failure)
        {
            case DiskException e:
                throw DiskErrors.From(e, _files.At);
            case SessionException e:
                throw e.Again();
            default:
                break;
        }
    }

    private void MarkNow(bool mayEnd, bool inSlices)
    {
        lock (core.Rows.Gate)
        {
            _isLost = _tracker.IsBroken && mayEnd;
            Dictionary<string, Touch> touched = _tracker.Take();
            foreach (Row row in core.Rows.Lagging)
            {
                touched.TryAdd(row.Id, new Touch());
            }

            foreach ((string id, Touch earlier) in _left)
            {
                if (!touched.TryAdd(id, earlier))
                {
                    touched[id].Add(earlier);
                }
            }

            foreach ((string id, Touch touch) in touched)
            {
                long length = Math.Max(0, core.Rows.Known(id)?.LogLength ?? 0);
                touch.Bytes = touch.IsRewritten || touch.Places.Count > 0
                    ? length : Math.Max(0, length - touch.LogFrom);
            }

            _left = touched;
        }

        if (mayEnd && !_isLost)
        {
            CopySlice(inSlices);
        }
    }

    // Under the store lock. All that is left where that is little; else, when it is time for it, a part.
    private void CopySlice(bool inSlices)
    {
        var slice = new Dictionary<string, Touch>(StringComparer.Ordinal);
        long bytes = 0;
        foreach ((string id, Touch touch) in _left)
        {
            if (slice.Count == SliceSessionsMax)
            {
                break;
            }

            if (bytes + touch.Bytes <= SliceBytesMax)
            {
                slice.Add(id, touch);
                bytes += touch.Bytes;
            }
        }

        bool isAll = slice.Count == _left.Count;
        if (isAll || inSlices)
        {
            _files.Copy(slice);
            foreach (string id in slice.Keys)
            {
                _left.Remove(id);
            }
        }

        if (isAll)
        {
            End();
        }
    }

    // Under the store lock, with all that was published in the files.
    private void End()
    {
        _files.CopyRest();
        lock (core.Rows.Gate)
        {
            long lsn = core.State.Published;
            _streams = core.Rows.Streams.Image();
            _closing = new SegmentHeader
            {
                Number = 1,
                Size = SegmentHeader.Length,
                FirstLsn = lsn + 1,
                PreviousEnd = 0,
                PreviousLsn = lsn,
                FirstNeeded = 1,
                IdMs = core.State.IdMs,
                IdN = core.State.IdN,
                Told = core.Rows.Told,
            };
        }

        _isDone = true;
    }

    private void Close()
    {
        if (_streams.Length > 0)
        {
            _files.WriteSmall(Layout.StreamsFile, _streams);
        }

        Sessions = FolderScan.Folders(to).ToList().Count;
        _files.At = to;
        using (var journal = new JournalFiles(to, core.Seed, core.InstanceId) { StoreId = core.StoreId })
        {
            journal.CreateClosing(_closing!);
        }

        _files.CopyFile(Layout.StoreFile); // the last, since it makes a store of the folder
        _files.Sync();
    }

    // Alone in its batch, and prepared under the store lock.
    private sealed class MarkRequest(BackupCopy copy, bool mayEnd, bool inSlices) : CommitRequest
    {
        public override bool IsAlone => true;

        public override void Prepare(BatchRunner runner)
        {
            bool isWhole = runner.TryApplyHeld();
            try
            {
                copy._failure = isWhole ? null : Errors.Corrupt("Files of a session may not be written, and the copy "
                    + "would lack what the journal has of it; session_store_verify() names it.", Layout.Journal);
                if (isWhole)
                {
                    copy.MarkNow(mayEnd, inSlices);
                }
            }
            catch (Exception e) when (e is DiskException or SessionException)
            {
                copy._failure = e; // the copy's, and no failure of a commit
            }
        }

        public override void Run(Transaction transaction)
        {
        }
    }
}
