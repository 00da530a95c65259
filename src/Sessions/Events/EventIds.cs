namespace Sessions.Events;

/// <summary>The first number of each event that carries an id, so that a repeat can be told.</summary>
internal static class EventIds
{
    /// <summary>Adds the ids of some lines that were appended.</summary>
    public static void AddLines(Dictionary<string, long> ids, ReadOnlySpan<byte> lines)
    {
        while (!lines.IsEmpty)
        {
            int end = lines.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? lines : lines[..end];
            lines = end < 0 ? default : lines[(end + 1)..];
            Add(ids, line, seq: null);
        }
    }

    /// <summary>Adds the id of an event, whose line may still be without its closing brace. Its number is the
    /// line's, where it is not said.</summary>
    public static void Add(Dictionary<string, long> ids, ReadOnlySpan<byte> line, long? seq)
    {
        // Most lines carry none; those that might are looked at closely.
        if (line.IndexOf("\"id\":"u8) < 0)
        {
            return;
        }

        EventHead head = EventLine.Head(line);
        if (head.Id is not null && (seq ?? head.Seq) is > 0 and var number)
        {
            ids.TryAdd(head.Id, number);
        }
    }
}
