using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Page;
using Sessions.Storage.Recovery;
using Sessions.Storage.Rows;

namespace Sessions.Events.Pruning;

/// <summary>
/// Takes the beginning of a conversation away. What stays was copied to a new file beside the log
/// before the lock was asked for; under it comes what was appended since, then a sync, then the frame.
/// </summary>
internal sealed class PruneRequest(StoreCore core, Row row, PrunePlan plan, LogState planned, int rewrites,
    bool trash) : CommitRequest
{
    private const int CopyBytes = 1 << 20;

    private LogState _state = LogState.Plain;
    private string? _file;
    private string? _mark;
    private bool _isStaged;
    private long _ownCut;
    private long _copied;

    public override bool IsAlone => true;

    /// <summary>True where something else changed what the log is made of, and nothing was done.</summary>
    public bool IsStale { get; private set; }

    /// <summary>Copies what is there now. Without any lock: up to here the log only grows.</summary>
    public void Stage(LogView log, JobContext context)
    {
        if (plan.Offset < log.OwnStart)
        {
            return; // the own log stays whole
        }

        _ownCut = plan.Offset - log.OwnStart;
        _file = $"events-{core.InstanceId}-{core.NextScratch()}.new";
        if (core.Disk.Stat(row.Folder) is null)
        {
            return; // still in the journal alone; under the lock it will be there
        }

        _mark = StagedMark.Make(core, row.Id, _file);
        using IDiskFile fresh = core.Disk.Open(Fresh, OpenMode.CreateNew);
        _isStaged = true;
        Copy(log, fresh, context);
        fresh.SyncStaged();
    }

    /// <summary>Takes the copy away where no frame speaks of it. Where one may, it stays until that frame is carried
    /// out: the files may be behind the journal, and a frame whose sync failed counts if a recovery finds it.</summary>
    public void Abandon()
    {
        if (!IsWritten && _file is not null && core.Disk.Stat(Fresh) is not null)
        {
            core.Disk.Unlink(Fresh);
        }

        if (_mark is not null && (core.State.Health == StoreHealth.Sound || core.Disk.Stat(Fresh) is null))
        {
            StagedMark.Remove(core.Disk, _mark);
        }
    }

    public override void Prepare(BatchRunner runner)
    {
        runner.Settle();
        LogView log;
        lock (core.Rows.Gate)
        {
            if (IsStale = !row.IsLive || row.Rewrites != rewrites)
            {
                return;
            }

            // A rewind or a compaction since then is taken along; other parts of the log are not what was copied.
            _state = core.Rows.ReadLog(row);
            if (IsStale = !_state.HasPartsOf(planned))
            {
                return;
            }

            log = RowLog.Open(core.Disk, row, _state);
        }

        using (log)
        {
            RemoveRemains();
            IsStale = _file is not null && !TryFinish(log);
        }
    }

    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        if (IsStale)
        {
            return;
        }

        if (_file is not null)
        {
            transaction.Rewrite(row, _file, _copied,
                trash ? Layout.Pruned(transaction.Now, transaction.Lsn, row.Id) : "");
        }

        transaction.PutLog(row, _state with
        {
            FirstSeq = plan.FirstSeq,
            History = [.. _state.History.Where(p => p.LastSeq >= plan.FirstSeq)],
            Rewinds = [.. _state.Rewinds.Where(r => r.LastSeq >= plan.FirstSeq)],
            Compactions = [.. _state.Compactions.Where(c => c.Seq >= plan.FirstSeq)],
        });
        transaction.Put(row, info with
        {
            EventCount = Math.Max(0, info.EventCount - plan.Events),
            MessageCount = Math.Max(0, info.MessageCount - plan.Messages),
        });
    }

    private string Fresh => row.Folder + "/" + _file;

    private void Copy(LogView log, IDiskFile fresh, JobContext? context = null)
    {
        byte[] buffer = new byte[CopyBytes];
        long from = log.OwnStart + _ownCut;
        while (log.Read(buffer, from + _copied) is var read && read > 0)
        {
            fresh.Write(buffer.AsSpan(0, read), _copied);
            _copied += read;
            context?.ThrowIfCancelled();
            context?.Report(log.Length + from + _copied, 2 * log.Length);
        }
    }

    // False where another process, about to prune the same session, took the copy for remains.
    private bool TryFinish(LogView log)
    {
        if (_isStaged && core.Disk.Stat(Fresh) is null)
        {
            return false;
        }

        using (IDiskFile fresh = core.Disk.Open(Fresh, OpenMode.OpenOrCreate))
        {
            Copy(log, fresh);
            fresh.SyncStaged();
        }

        // Its name, and those of the folders it is in: the frame relies on all of it.
        Durably.Sync(core.Disk, [new TouchedSession(row.Id, 0, IsPurged: false)], []);
        return true;
    }

    // What a killed one left: no frame speaks of it, since all that there are have been applied.
    private void RemoveRemains()
    {
        foreach (DiskName name in core.Disk.List(row.Folder))
        {
            if (LogRewriter.IsOurs(name.Name) && name.Name != _file)
            {
                core.Disk.Unlink(row.Folder + "/" + name.Name);
            }
        }
    }
}
