using Sessions.Json;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Events.Streams;

/// <summary>Writes open streams as JSON.</summary>
internal static class StreamPage
{
    /// <summary>A stream and its text at one moment.</summary>
    public readonly record struct Seen(OpenStream Stream, ReadOnlyMemory<byte> Text);

    /// <summary>The open streams of a session, or the one with the id. Call under the rows' gate; what
    /// it returns may be read without.</summary>
    public static List<Seen> Look(StreamTable streams, string sessionId, string? streamId)
        => [.. streams.Of(sessionId).Where(s => !s.IsEnded && (streamId is null || s.Id == streamId))
            .Select(s => new Seen(s, s.Text))];

    /// <summary>Writes {"streams":[…]} with the text of each from an offset on: the start of the
    /// character that it lies in, the end of the text where it lies beyond.</summary>
    public static void Write(List<Seen> streams, long fromOffset, Utf8Buffer b)
    {
        b.Raw("{\"streams\":["u8);
        for (int i = 0; i < streams.Count; i++)
        {
            (OpenStream stream, ReadOnlyMemory<byte> memory) = streams[i];
            ReadOnlySpan<byte> text = memory.Span;
            int offset = (int)Math.Min(fromOffset, text.Length);
            while (offset > 0 && offset < text.Length && (text[offset] & 0xc0) == 0x80)
            {
                offset--;
            }

            b.Raw(i == 0 ? "{"u8 : ",{"u8).Member("stream_id", stream.Id).Member("type", stream.Type)
                .Member("turn_id", stream.TurnId).Member("started_at", stream.StartedAt).Member("offset", (long)offset)
                .Name("text").TextOf(text[offset..]).Member("bytes", (long)text.Length).Byte('}');
        }

        b.Raw("]}"u8);
    }
}
