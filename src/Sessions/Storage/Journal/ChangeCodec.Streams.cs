using Sessions.Json;
using Sessions.Model;

namespace Sessions.Storage.Journal;

/// <content>What a frame tells of streams.</content>
internal static partial class ChangeCodec
{
    private static void WriteOfStreams(Change c, Utf8Buffer b)
    {
        switch (c.Kind)
        {
            case ChangeKind.StreamBegin:
                b.Raw("{\"stream_begin\":"u8).Text(c.Stream!.Id);
                StreamCodec.WriteBegin(c.Stream, b);
                break;
            case ChangeKind.StreamText:
                b.Raw("{\"stream_text\":"u8).Text(c.StreamId).Member("session", c.Id)
                    .Member("offset", c.Offset).Raw(",\"text\":"u8).TextOf(c.Lines.Span);
                break;
            case ChangeKind.StreamEnd:
                b.Raw("{\"stream_end\":"u8).Text(c.StreamId).Member("session", c.Id).Member("seq", c.Seq);
                if (c.IsKept)
                {
                    b.Raw(",\"kept\":true"u8);
                }

                break;
            case ChangeKind.Streams:
                b.Raw("{\"streams\":"u8).Raw(ImageOrNull(c));
                break;
            default:
                throw new InvalidOperationException();
        }
    }

    private static Change ReadStreamBegin(JsonMember head, List<JsonMember> m)
    {
        OpenStream stream = StreamCodec.ReadBegin(head, m);
        return new Change { Kind = ChangeKind.StreamBegin, Id = stream.SessionId, Stream = stream };
    }

    private static Change ReadStreamText(string streamId, List<JsonMember> m)
    {
        byte[] text = Find(m, "text").Utf8;
        long offset = Find(m, "offset").Number;
        return new Change
        {
            Kind = ChangeKind.StreamText,
            Id = Find(m, "session").AsId(),
            StreamId = streamId,
            Offset = Plausible.IsCount(offset + text.Length) ? offset : throw new FormatException(),
            Lines = text,
        };
    }

    private static Change ReadStreamEnd(string streamId, List<JsonMember> m) => new()
    {
        Kind = ChangeKind.StreamEnd,
        Id = Find(m, "session").AsId(),
        StreamId = streamId,
        Seq = Find(m, "seq").Number,
        IsKept = m.Exists(x => x.Name == "kept"),
    };

    private static Change ReadStreams(JsonMember head)
        => head.IsNull ? new Change { Kind = ChangeKind.Streams }
            : StreamCodec.TryReadImage(head.Value) is not null
                ? new Change { Kind = ChangeKind.Streams, Image = Image(head) } : throw new FormatException();
}
