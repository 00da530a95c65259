using System.Buffers;
using Sessions.Coordination.Locks;
using Sessions.Events.Repair;
using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Log;

namespace Sessions;

/// <content>Mending a log by appending to it.</content>
public sealed partial class Session
{
    private const int RepairTries = 16;

    /// <summary>
    /// Reads the whole log, writes what is wrong with it as JSON, and appends, in one commit, a result
    /// for every tool call without one and an end for every turn that never ended. Nothing that is
    /// there is changed, and a second run does nothing. docs/EVENTS.md has the codes. A turn in which somebody else is
    /// at work is left alone, but with force. Busy where others appended whenever it was about to.
    /// </summary>
    public void Repair(RepairFlags flags, IBufferWriter<byte> output)
    {
        Checks.Flags((uint)flags, 3);
        RequireWritable();
        _store.Engine.Jobs.Run(context => Repair(flags, context, output, _right));
    }

    /// <summary>The same as a job, which has no handle of its own: what this store wrote is the caller's.</summary>
    internal void Repair(RepairFlags flags, JobContext context, IBufferWriter<byte> output)
        => Repair(flags, context, output, null);

    private void Repair(RepairFlags flags, JobContext context, IBufferWriter<byte> output, WriterRight? mine)
    {
        var b = new Utf8Buffer(512);
        Repair(flags, context, new RepairScope(mine)).Write(b);
        output.Write(b.Written);
    }

    /// <summary>The same for the library's own use: its safe form, without flags, is what runs when a recorder
    /// goes on with a session.</summary>
    internal RepairReport Repair(RepairFlags flags) => Repair(flags, new JobContext(), new RepairScope(_right));

    /// <summary>Only what a dead process can have left: tool calls without a result. Turns stay open, since a
    /// prompt that waits for whoever locks the session is one.</summary>
    internal RepairReport SettleCalls(string? former) => Repair(RepairFlags.None, new JobContext(),
        new RepairScope(_right, former, OnlyCalls: true));

    private RepairReport Repair(RepairFlags flags, JobContext context, RepairScope scope)
    {
        RequireWritable();
        bool isDry = flags.HasFlag(RepairFlags.DryRun);
        if (Core.IsReadOnly && !isDry)
        {
            throw Errors.ReadOnly();
        }

        if (!isDry)
        {
            RequireRight();
        }

        for (int i = 0; i < RepairTries; i++)
        {
            (RepairReport report, long lastSeq) = _store.Run(() => Scan(flags, context, scope));
            if (isDry || report.Actions.Count == 0)
            {
                return report;
            }

            context.ThrowIfCancelled();
            var request = new RepairRequest(Core, _row, [.. report.Actions.SelectMany(a => a.Events)], lastSeq)
            {
                Former = scope.Former,
                IsForced = flags.HasFlag(RepairFlags.Force),
                Full = _store.IsFull,
                Right = _right,
            };
            Commit(request);
            if (!request.HasMoved)
            {
                report.Appended = request.Seqs;
                return report;
            }
        }

        throw Errors.Busy("The end of the log");
    }

    private (RepairReport Report, long LastSeq) Scan(RepairFlags flags, JobContext context, RepairScope scope)
    {
        SessionInfo info = Current();
        (LogView log, LogState state) = OpenLog(info, context);
        using (log)
        {
            lock (Core.Rows.Gate)
            {
                scope = scope with
                {
                    Running = new RunningTurns(Core, _row, info.UpdatedAt, scope.Mine, scope.Former),
                };
            }

            return (RepairScan.Run(log, state, info, flags, context, scope), info.LastSeq);
        }
    }
}
