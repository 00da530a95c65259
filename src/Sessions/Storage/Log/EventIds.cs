using System.Runtime.InteropServices;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Log;

/// <summary>
/// The first number of each event of a log that carries an id, so that a repeat can be told. A program that runs all
/// day appends many, so of each id there are 64 bits of a hash and no text: two ids may share one, and what is found is
/// held against the event itself (<see cref="EventLogFile.FirstWith"/>).
/// </summary>
internal sealed class EventIds
{
    private readonly Dictionary<ulong, long> _first = [];

    /// <summary>The number of the first event whose id has this one's hash; null: no event has this id.</summary>
    public long? Find(string id) => _first.TryGetValue(HashOf(id), out long seq) ? seq : null;

    /// <summary>Adds the ids of some lines that were appended.</summary>
    public void AddLines(ReadOnlySpan<byte> lines)
    {
        while (!lines.IsEmpty)
        {
            int end = lines.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? lines : lines[..end];
            lines = end < 0 ? default : lines[(end + 1)..];
            Add(line, seq: null);
        }
    }

    /// <summary>Adds the id of an event, whose line may still be without its closing brace. Its number is the
    /// line's, where it is not said.</summary>
    public void Add(ReadOnlySpan<byte> line, long? seq)
    {
        // Most lines carry none; those that might are looked at closely.
        if (line.IndexOf("\"id\":"u8) < 0)
        {
            return;
        }

        EventHead head = EventLine.Head(line);
        if (head.Id is not null && (seq ?? head.Seq) is > 0 and var number)
        {
            _first.TryAdd(HashOf(head.Id), number);
        }
    }

    // Two hashes of 32 bits, each with a seed of this process: nobody can choose ids that meet.
    private static ulong HashOf(string id)
    {
        var second = new HashCode();
        second.AddBytes(MemoryMarshal.AsBytes(id.AsSpan()));
        return ((ulong)(uint)id.GetHashCode(StringComparison.Ordinal) << 32) | (uint)second.ToHashCode();
    }
}
