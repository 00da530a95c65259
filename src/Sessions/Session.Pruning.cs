using System.Buffers;
using Sessions.Events.Files;
using Sessions.Events.Pruning;
using Sessions.Images;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions;

/// <summary>Taking the beginning of a conversation away.</summary>
public sealed partial class Session
{
    /// <summary>
    /// Prunes the conversation from its beginning until it keeps the limits of the options: `max_events`,
    /// `max_bytes` (of the log), `max_age_ms`, at least one of them; `dry_run` (false), `trash` (true: the log as it
    /// was stays in the trash until a purge). Whole turns go, never the last one; numbers stay. Writes a report:
    /// what went, and the first event that is left. Reads the log once; others can write meanwhile.
    /// </summary>
    public void Prune(ReadOnlySpan<byte> optionsJson, IBufferWriter<byte> output)
    {
        PruneOptions options = PruneOptions.Read(optionsJson);
        RequireWritable();
        _store.Engine.Jobs.Run(context => Prune(options, context, output));
    }

    internal void Prune(PruneOptions options, JobContext context, IBufferWriter<byte> output)
    {
        RequireWritable();
        if (!options.DryRun)
        {
            RequireRight();
        }

        while (_store.Run(() => !TryPrune(options, context, output)))
        {
            LogRing.Add("debug", $"Another change of {Id} came before a prune; once more.");
        }
    }

    // False where something came in between, and it must be planned anew.
    private bool TryPrune(PruneOptions options, JobContext context, IBufferWriter<byte> output)
    {
        SessionInfo info = Current();
        int rewrites = _row.Rewrites;
        (LogView log, LogState state) = OpenLog(info, context);
        using (log)
        {
            PrunePlan? plan = PrunePlan.Make(log, state, info.LastSeq, options, Core.Now, context);
            if (plan is not null && !options.DryRun)
            {
                Core.RequireSound(); // before the first sync: none is tried again
                KeepDamage(log, plan);
                var request = new PruneRequest(Core, _row, plan, state, rewrites, options.Trash)
                {
                    Right = _right,
                };
                try
                {
                    request.Stage(log, context);
                    context.ThrowIfCancelled();
                    Commit(request);
                }
                catch (DiskException e) when (e.Error == DiskError.NotFound && !_row.IsLive)
                {
                    return false; // deleted meanwhile: the next look says so
                }
                finally
                {
                    request.Abandon();
                }

                if (request.IsStale)
                {
                    return false;
                }
            }

            long freed = options.DryRun ? 0 : TryRemoveOrphans(context);
            var b = new Utf8Buffer(192);
            output.Write(b.Byte('{').Member("dry_run", options.DryRun).Member("pruned_events", plan?.Events ?? 0)
                .Member("pruned_messages", plan?.Messages ?? 0).Member("pruned_bytes", plan?.Bytes ?? 0)
                .Member("first_seq", plan?.FirstSeq ?? state.FirstSeq).Member("last_seq", info.LastSeq)
                .Member("removed_file_bytes", freed).Byte('}').Written);
            return true;
        }
    }

    // The prune is done: that the files are behind the journal, on a full disk, is no failure of it.
    private long TryRemoveOrphans(JobContext context)
    {
        try
        {
            return RemoveOrphans(context);
        }
        catch (SessionException e) when (e.Status == SessionStatus.NoSpace)
        {
            LogRing.Add("info", $"Files of {Id} that nothing refers to stay for its next prune: {e.Message}");
            return 0;
        }
    }

    // Files that nothing refers to any more. The log is read without a lock, what came since under it. The
    // prune is done by then: whoever stops it now leaves the files to the next one.
    private long RemoveOrphans(JobContext context)
    {
        if (Core.Disk.Stat($"{_row.Folder}/{Layout.FilesFolder}") is null)
        {
            return 0;
        }

        SessionInfo info = Current();
        var ids = new HashSet<string>();
        (LogView log, LogState state) = OpenLog(info); // stopping it is no failure
        using (log)
        {
            if (!FileReferences.TryAdd(log, state, 0, ids, context))
            {
                return 0;
            }
        }

        long freed = 0;
        Commit(new LookRequest(() =>
        {
            lock (Core.Rows.Gate)
            {
                if (!_row.IsLive)
                {
                    return;
                }

                FileReferences.Add(Core.Rows.ReadSide(_row, SmallFileKind.Queue), ids); // of prompts still to come
                state = Core.Rows.ReadLog(_row);
                log = RowLog.Open(Core.Disk, _row, state);
            }

            using (log)
            {
                FileReferences.TryAdd(log, state, info.LastSeq, ids);
            }

            try
            {
                freed = SessionFiles.RemoveOrphans(Core.Disk, _row.Folder, ids, Core.Now);
            }
            catch (DiskException e) when (Obstacle.HidesContent(e))
            {
                LogRing.Add("warning", $"Files of {Id} may not be looked at, and stay: {e.Message}");
            }
        })
        {
            Right = _right,
        });
        return freed;
    }

    // What cannot be read is never thrown away.
    private void KeepDamage(LogView log, PrunePlan plan)
    {
        for (int i = 0, next; i < plan.Damage.Count; i = next)
        {
            // Lines that follow one another are one copy, of which there may be as many as there are events.
            long from = plan.Damage[i].Offset, end = from + plan.Damage[i].Length;
            (string file, long at) = log.Locate(from);
            for (next = i + 1; next < plan.Damage.Count && plan.Damage[next].Offset == end + 1
                && log.Locate(end + 1) == (file, at + end + 1 - from); next++)
            {
                end += 1 + plan.Damage[next].Length;
            }

            log.Keep(Core.Quarantine, $"{_row.Folder}/{file}", Id, "damaged_line", from, end - from);
        }

        Core.Quarantine.Settle();
    }
}
