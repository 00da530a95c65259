using Sessions.Json;

namespace Sessions.Rules;

/// <summary>What holds for a queue. It is the store's or a workspace's to say, never one session's.</summary>
internal readonly record struct QueueRules()
{
    /// <summary>False: nothing is added and nothing claimed.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>How long after a delivery the next one may begin.</summary>
    public long DelayMs { get; init; }

    /// <summary>How many entries may wait, be claimed or be interrupted.</summary>
    public long SizeMax { get; init; } = 10;

    /// <summary>Whether entries without a title want one.</summary>
    public bool WantsTitles { get; init; } = true;

    /// <summary>With what a compact object says; as they are where it is empty or null.</summary>
    public QueueRules With(ReadOnlyMemory<byte> queue)
    {
        QueueRules rules = this;
        if (queue.IsEmpty || queue.Span[0] != '{')
        {
            return rules;
        }

        foreach (JsonMember m in JsonMembers.Of(queue))
        {
            rules = m.Name switch
            {
                _ when m.IsNull => rules,
                "enabled" => rules with { IsEnabled = m.Flag },
                "delay_ms" => rules with { DelayMs = m.Number },
                "max_size" => rules with { SizeMax = m.Number },
                "auto_generate_titles" => rules with { WantsTitles = m.Flag },
                _ => rules,
            };
        }

        return rules;
    }
}
