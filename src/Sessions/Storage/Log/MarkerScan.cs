using Sessions.Events;
using Sessions.Json;

namespace Sessions.Storage.Log;

/// <summary>What the markers of a log say, taken in in the order of their numbers.</summary>
internal sealed class MarkerScan
{
    // Where the type stands in a line of ours.
    private const int HeadBytes = 64;

    public List<Rewind> Rewinds { get; } = [];

    public List<Compaction> Compactions { get; } = [];

    /// <summary>True for a line of ours that may be a marker; most are told without reading them.</summary>
    public static bool MayBeMarker(ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> head = line[..Math.Min(line.Length, HeadBytes)];
        return head.IndexOf("\"type\":\"rewind"u8) >= 0 || head.IndexOf("\"type\":\"compaction\""u8) >= 0;
    }

    public static bool IsMarker(string type) => type is Marker.Rewind or Marker.Undone or Compaction.Type;

    public void Add(EventView view)
    {
        if (view.Type == Marker.Rewind && Number(view, "to_seq") is { } to && to < view.Seq)
        {
            Rewinds.Add(new Rewind(view.Seq, to + 1, view.Seq - 1));
        }
        else if (view.Type == Marker.Undone && Rewinds.Count > 0)
        {
            Rewinds.RemoveAt(Rewinds.Count - 1);
        }
        else if (view.Type == Compaction.Type && Compaction.Read(view.Seq, view.Data) is { } compaction)
        {
            Compactions.Add(compaction);
        }
    }

    private static long? Number(EventView view, string name)
        => view.Data.Span[0] == '{' && JsonMembers.Of(view.Data).Find(m => m.Name == name) is { Name: not null } m
            && System.Buffers.Text.Utf8Parser.TryParse(m.Value.Span, out long value, out int used)
            && used == m.Value.Length && value >= 0 ? value : null;
}
