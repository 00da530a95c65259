using System.Text.Json;
using Sessions.Json;

namespace Sessions.Storage.Journal;

/// <summary>A stream as streams.json has it.</summary>
internal readonly record struct SavedStream(OpenStream Stream, ReadOnlyMemory<byte> Text, bool IsEnded, long Seq);

/// <summary>Streams in the journal and in streams.json. docs/FORMAT.md "Streams" is its description;
/// keep both in step.</summary>
internal static class StreamCodec
{
    /// <summary>The members of a change that begins a stream, behind its id.</summary>
    public static void WriteBegin(OpenStream s, Utf8Buffer b)
        => b.Member("session", s.SessionId).Member("type", s.Type).Member("turn_id", s.TurnId).Member("id", s.EventId)
            .Member("timestamp", s.Timestamp).Member("started_at", s.StartedAt).Member("owner", s.Owner);

    public static OpenStream ReadBegin(JsonMember id, List<JsonMember> m) => new()
    {
        Id = id.AsId(),
        SessionId = Find(m, "session").AsId(),
        Type = Find(m, "type").Text,
        TurnId = Find(m, "turn_id").TextOrNull,
        EventId = Find(m, "id").TextOrNull,
        Timestamp = Find(m, "timestamp").Number,
        StartedAt = Find(m, "started_at").Number,
        Owner = Find(m, "owner").Text,
    };

    /// <summary>The compact image of all streams, as the batch under way has them; empty where there is none.</summary>
    public static byte[] WriteImage(IEnumerable<OpenStream> streams)
    {
        var b = new Utf8Buffer(1024);
        foreach (OpenStream s in streams)
        {
            if (s.Working is { IsGone: true })
            {
                continue;
            }

            b.Raw(b.Length == 0 ? "{\"streams\":["u8 : ","u8).Raw("{\"stream_id\":"u8).Text(s.Id);
            WriteBegin(s, b);
            if (s.IsEndedNow)
            {
                b.Member("seq", s.SeqNow);
            }
            else
            {
                b.Name("text").TextOf(s.TextNow().Span);
            }

            b.Byte('}');
        }

        return b.Length == 0 ? [] : b.Raw("]}"u8).ToArray();
    }

    /// <summary>The streams of an image; null where it is none.</summary>
    public static List<SavedStream>? TryReadImage(ReadOnlyMemory<byte> compact)
    {
        try
        {
            var streams = new List<SavedStream>();
            foreach (ReadOnlyMemory<byte> item in JsonMembers.Items(Find(JsonMembers.Of(compact), "streams").Value))
            {
                List<JsonMember> m = JsonMembers.Of(item);
                bool isEnded = m.Exists(x => x.Name == "seq");
                streams.Add(new SavedStream(ReadBegin(Find(m, "stream_id"), m),
                    isEnded ? default : Find(m, "text").Utf8, isEnded, isEnded ? Find(m, "seq").Number : 0));
            }

            return streams.Select(s => s.Stream.Id).ToHashSet().Count == streams.Count ? streams : null;
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or JsonException)
        {
            return null; // the caller's answer to this is the answer: the file is damaged
        }
    }

    private static JsonMember Find(List<JsonMember> members, string name)
    {
        JsonMember found = members.Find(m => m.Name == name);
        return found.Name is null ? throw new FormatException() : found;
    }
}
