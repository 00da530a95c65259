using Sessions.Json;
using Sessions.Model;

namespace Sessions.Events.Pruning;

/// <summary>What a prune keeps: whole turns from the end, as many as all given limits allow, and always
/// the last one.</summary>
internal sealed record PruneOptions
{
    /// <summary>At most so many events; 0: any number.</summary>
    public long MaxEvents { get; init; }

    /// <summary>At most so many bytes of log; 0: any number.</summary>
    public long MaxBytes { get; init; }

    /// <summary>Nothing whose turn ended longer ago; 0: of any age.</summary>
    public long MaxAgeMs { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Whether what goes is kept in the trash until a purge.</summary>
    public bool Trash { get; init; } = true;

    /// <summary>Reads the argument of a prune.</summary>
    public static PruneOptions Read(ReadOnlySpan<byte> json)
    {
        const string argument = "options_json";
        var options = new PruneOptions();
        foreach (JsonMember m in JsonMembers.Of(JsonArgument.Compact(json, argument, isObject: true)))
        {
            options = m.Name switch
            {
                "max_events" => options with { MaxEvents = Limit(m) },
                "max_bytes" => options with { MaxBytes = Limit(m) },
                "max_age_ms" => options with { MaxAgeMs = Limit(m) },
                "dry_run" => options with { DryRun = Flag(m) },
                "trash" => options with { Trash = Flag(m) },
                _ => throw Errors.Word(argument, m.Name,
                    "max_events", "max_bytes", "max_age_ms", "dry_run", "trash"),
            };
        }

        return options is { MaxEvents: 0, MaxBytes: 0, MaxAgeMs: 0 }
            ? throw Errors.Argument(argument, "A prune must have max_events, max_bytes or max_age_ms.") : options;
    }

    /// <summary>A positive integer.</summary>
    public static long Limit(JsonMember m)
        => System.Buffers.Text.Utf8Parser.TryParse(m.Value.Span, out long value, out int used)
            && used == m.Value.Length && value is > 0 and <= Limits.IntegerMax
            ? value : throw Errors.Argument("options_json", $"{m.Name} must be an integer above 0.");

    public static bool Flag(JsonMember m) => m.Value.Span[0] is (byte)'t' or (byte)'f'
        ? m.Flag : throw Errors.Argument("options_json", $"{m.Name} must be true or false.");
}
