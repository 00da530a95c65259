using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Commit;
using Sessions.Storage.Rows;

namespace Sessions.Lifecycle;

/// <summary>Which sessions a store keeps: all that the given limits allow, the newest changes first.</summary>
internal sealed record RetentionPolicy
{
    private const long DefaultIdleMs = 3_600_000;

    /// <summary>At most so many live sessions; 0: any number.</summary>
    public long MaxSessions { get; init; }

    /// <summary>At most so many bytes of logs; 0: any number.</summary>
    public long MaxBytes { get; init; }

    /// <summary>None whose last change is longer ago; 0: of any age.</summary>
    public long MaxAgeMs { get; init; }

    /// <summary>Never fewer than so many, whatever the limits say.</summary>
    public long MinSessions { get; init; }

    /// <summary>A session that was changed within this time counts as live and stays.</summary>
    public long IdleMs { get; init; } = DefaultIdleMs;

    /// <summary>Only archived ones go.</summary>
    public bool ArchivedOnly { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Reads the argument of a retain.</summary>
    public static RetentionPolicy Read(ReadOnlySpan<byte> json)
    {
        const string argument = "policy_json";
        var policy = new RetentionPolicy();
        foreach (JsonMember m in JsonMembers.Of(JsonArgument.Compact(json, argument, isObject: true)))
        {
            policy = m.Name switch
            {
                "max_sessions" => policy with { MaxSessions = Number(m, 1) },
                "max_bytes" => policy with { MaxBytes = Number(m, 1) },
                "max_age_ms" => policy with { MaxAgeMs = Number(m, 1) },
                "min_sessions" => policy with { MinSessions = Number(m, 0) },
                "idle_ms" => policy with { IdleMs = Number(m, 0) },
                "archived_only" => policy with { ArchivedOnly = Flag(m) },
                "dry_run" => policy with { DryRun = Flag(m) },
                _ => throw Errors.Word(argument, m.Name, "max_sessions", "max_bytes", "max_age_ms", "min_sessions",
                    "idle_ms", "archived_only", "dry_run"),
            };
        }

        return policy is { MaxSessions: 0, MaxBytes: 0, MaxAgeMs: 0 }
            ? throw Errors.Argument(argument, "A policy must have max_sessions, max_bytes or max_age_ms.") : policy;
    }

    /// <summary>What is to go: oldest changes first, each with the reason.</summary>
    /// <param name="sessions">The live sessions.</param>
    /// <param name="isLive">Whether somebody is at work on one.</param>
    /// <param name="bytesOf">The length of a session's log.</param>
    /// <param name="now">Unix ms.</param>
    public List<(Row Row, string Reason, long Bytes)> Choose(IEnumerable<Row> sessions, Func<Row, bool> isLive,
        Func<Row, long> bytesOf, long now)
    {
        List<Row> all = [.. sessions.OrderBy(r => r.UpdatedAt).ThenBy(r => r.Number)
            .ThenBy(r => r.Id, StringComparer.Ordinal)];
        var sizes = MaxBytes > 0 ? all.ToDictionary(r => r, bytesOf) : null;
        long count = all.Count, bytes = sizes?.Values.Sum(size => size) ?? 0;
        var chosen = new List<(Row, string, long)>();
        foreach (Row row in all)
        {
            string? reason = MaxAgeMs > 0 && row.UpdatedAt < now - MaxAgeMs ? "max_age_ms"
                : MaxSessions > 0 && count > MaxSessions ? "max_sessions"
                : MaxBytes > 0 && bytes > MaxBytes ? "max_bytes" : null;
            if (reason is null || count <= MinSessions)
            {
                break;
            }

            if (row.UpdatedAt > now - IdleMs || (ArchivedOnly && !row.Archived) || isLive(row))
            {
                continue;
            }

            long size = sizes?[row] ?? bytesOf(row);
            chosen.Add((row, reason, size));
            count--;
            bytes -= size;
        }

        return chosen;
    }

    private static long Number(JsonMember m, long least)
        => System.Buffers.Text.Utf8Parser.TryParse(m.Value.Span, out long value, out int used)
            && used == m.Value.Length && value >= least && value <= Limits.IntegerMax
            ? value : throw Errors.Argument("policy_json", $"{m.Name} must be an integer from {least} on.");

    private static bool Flag(JsonMember m) => m.Value.Span[0] is (byte)'t' or (byte)'f'
        ? m.Flag : throw Errors.Argument("policy_json", $"{m.Name} must be true or false.");
}

/// <summary>Takes a session to the trash that was chosen, unless it was changed since then. A delete of
/// its own, so that it can be restored by itself; its children stay, without a parent.</summary>
internal sealed class RetainRequest(Row row, IEnumerable<Row> children, long idleSince, Func<Row, bool> isLive)
    : CommitRequest
{
    public override bool MayUseReserve => true;

    /// <summary>Whether it went.</summary>
    public bool IsTaken { get; private set; }

    public override void Run(Transaction transaction)
    {
        IsTaken = false;
        if (!Transaction.IsLive(row) || transaction.Live(row) is not { } info || info.UpdatedAt > idleSince
            || isLive(row))
        {
            return;
        }

        List<(Row Row, SessionInfo Info)> orphans = [.. children.Where(Transaction.IsLive)
            .Select(c => (c, transaction.Live(c))).Where(c => c.Item2.ParentId == row.Id)];
        foreach ((Row child, SessionInfo of) in orphans)
        {
            transaction.Put(child, of with { ParentId = null }); // its history is its own
        }

        transaction.Trash(row, transaction.Lsn, info);
        IsTaken = true;
    }
}
