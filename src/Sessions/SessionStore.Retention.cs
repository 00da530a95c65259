using System.Buffers;
using Sessions.Json;
using Sessions.Lifecycle;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Rows;

namespace Sessions;

/// <summary>Keeping a store small.</summary>
public sealed partial class SessionStore
{
    /// <summary>
    /// Takes sessions to the trash until the store keeps a policy: `max_sessions`, `max_bytes` (of their logs),
    /// `max_age_ms` (since the last change), at least one of them. The oldest changes go first; `min_sessions`
    /// always stay, and so does what was changed within `idle_ms` (one hour) or is being worked on.
    /// `archived_only` and `dry_run` are false by default. Children of what goes stay, without a parent. Writes
    /// the list of what went, or would go.
    /// </summary>
    public void Retain(ReadOnlySpan<byte> policyJson, IBufferWriter<byte> output)
    {
        RetentionPolicy policy = RetentionPolicy.Read(policyJson);
        ThrowIfClosed();
        Engine.Jobs.Run(context => Retain(policy, context, output));
    }

    internal void Retain(RetentionPolicy policy, JobContext context, IBufferWriter<byte> output)
    {
        if (Core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }

        Groups<Row> children = new([]);
        List<(Row Row, string Reason, long Bytes)> chosen = Run(() =>
        {
            lock (Core.Rows.Gate)
            {
                Core.Refresh();
                children = new Groups<Row>(Core.Rows.LiveRows().Select(r => (r.ParentId, r.Row)));
                return policy.Choose(Core.Rows.LiveRows().Select(r => r.Row).ToList(), IsAtWork, BytesOf, Core.Now);
            }
        });
        if (!policy.DryRun)
        {
            int asked = 0;
            chosen.RemoveAll(c =>
            {
                context.ThrowIfCancelled();
                context.Report(asked++, chosen.Count);
                var request = new RetainRequest(c.Row, children[c.Row.Id], Core.Now - policy.IdleMs, IsAtWork);
                Commit(request);
                return !request.IsTaken;
            });
        }

        var b = new Utf8Buffer(256);
        b.Byte('{').Member("dry_run", policy.DryRun).Raw(",\"sessions\":["u8);
        long count = 0, bytes = 0;
        foreach ((Row row, string reason, long size) in chosen)
        {
            b.Raw(count++ == 0 ? "{"u8 : ",{"u8).Member("id", row.Id).Member("reason", reason)
                .Member("updated_at", row.UpdatedAt).Member("bytes", size).Byte('}');
            bytes += size;
        }

        output.Write(b.Raw("],\"count\":"u8).Number(count).Member("bytes", bytes).Byte('}').Written);
    }

    // Somebody would notice if it went.
    private bool IsAtWork(Row row) => Core.Rows.Streams.Of(row.Id).Count > 0 || Engine.Locks.IsHeld(row);

    private long BytesOf(Row row)
        => row.LogLength >= 0 ? row.LogLength : Core.Disk.Stat(row.Folder + "/" + Layout.EventsFile)?.Length ?? 0;

    private void PurgePruned(long before, JobContext context) => Run(() =>
    {
        if (Core.Disk.Stat(Layout.PrunedFolder) is not { IsFolder: true })
        {
            return;
        }

        List<DiskName> old = [.. Core.Disk.List(Layout.PrunedFolder)
            .Where(n => Layout.TryPrunedAt(n.Name, out long at) && at < before)];
        if (old.Count == 0)
        {
            return;
        }

        // No frame says so, and the journal may still have the lines. It is noted first: a kill in between leaves
        // files that the next purge removes.
        Commit(new LookRequest(() => Core.State.Purged = Core.State.Published) { Full = false });
        foreach (DiskName name in old)
        {
            context.ThrowIfCancelled();
            Core.Disk.Unlink(Layout.PrunedFolder + "/" + name.Name);
        }
    });
}
