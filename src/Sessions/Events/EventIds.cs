namespace Sessions.Events;

/// <summary>The first number of each event that carries an id, so that a repeat can be told.</summary>
internal static class EventIds
{
    /// <summary>Adds the ids of some lines.</summary>
    public static void Add(Dictionary<string, long> ids, ReadOnlySpan<byte> lines)
    {
        while (!lines.IsEmpty)
        {
            int end = lines.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? lines : lines[..end];
            lines = end < 0 ? default : lines[(end + 1)..];
            // Most lines carry none; those that might are looked at closely.
            if (line.IndexOf("\"id\":"u8) >= 0)
            {
                if (!EventLine.TryRead(line, out _, out _))
                {
                    if (!EventLine.TryReadGlued(line, out int at, out _, out _))
                    {
                        continue;
                    }

                    line = line[at..];
                }

                EventHead head = EventLine.Head(line);
                if (head.Id is not null)
                {
                    ids.TryAdd(head.Id, head.Seq);
                }
            }
        }
    }
}
