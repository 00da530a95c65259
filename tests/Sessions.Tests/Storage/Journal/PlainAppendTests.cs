using System.Text;
using Sessions.Json;
using Sessions.Storage.Journal;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Journal;

/// <summary>The fast path over appends reads what the plain one reads, and leaves the rest to it.</summary>
public sealed class PlainAppendTests
{
    private static readonly byte[] By =
        """{"pid":1,"client_type":"},\"changes\":[{","instance_id":"i-1"}"""u8.ToArray();

    [Fact]
    public void It_reads_what_the_plain_path_reads()
    {
        var random = new Random(4);
        for (int i = 0; i < 500; i++)
        {
            byte[] payload = Payload(random, random.Next(1, 6));
            Frame plain = ChangeCodec.TryReadAny(i + 1, payload.ToArray())!;
            Frame fast = PlainAppend.TryRead(i + 1, payload)!;
            Assert.Equal((plain.Lsn, plain.At, Text(plain.By)), (fast.Lsn, fast.At, Text(fast.By)));
            Change a = Assert.Single(plain.Changes), b = Assert.Single(fast.Changes);
            Assert.Equal((a.Kind, a.Id, a.Offset, a.Counters), (b.Kind, b.Id, b.Offset, b.Counters));
            Assert.Equal(Text(a.Lines), Text(b.Lines));
        }
    }

    [Fact]
    public void What_is_spelled_otherwise_is_left_as_it_was_for_the_plain_path()
    {
        string whole = Encoding.UTF8.GetString(Payload(new Random(5), 2));
        int sizes = whole.IndexOf("\"sizes\":[", StringComparison.Ordinal) + 9;
        string first = whole[sizes..whole.IndexOf(',', sizes)];
        string[] others =
        [
            whole.Replace(",\"lead\":false", ",\"lead\":true", StringComparison.Ordinal),
            whole.Replace("{\"at\":", "{\"at\": ", StringComparison.Ordinal),
            whole.Replace("\"session_9\"", "\"session\\u005f9\"", StringComparison.Ordinal),
            whole.Replace("\"sizes\":[" + first, "\"sizes\":[" + (first + "0"), StringComparison.Ordinal),
            whole.Replace("\"sizes\":[" + first, "\"sizes\":[" + (int.Parse(first) - 1), StringComparison.Ordinal),
            whole.Replace("\"sizes\":[" + first + ",", "\"sizes\":[", StringComparison.Ordinal),
            whole.Replace("\"sizes\":[" + first, "\"sizes\":[1" + new string('0', 30), StringComparison.Ordinal),
            whole.Replace("\"sizes\":[" + first, "\"sizes\":[", StringComparison.Ordinal),
            whole.Replace("\"sizes\"", "\"size\"", StringComparison.Ordinal),
            whole[..^1] + ",\"more\":1}",
            whole[..^2] + ",{\"shares\":\"session_9\",\"image\":null}]}",
            "", "{", "{\"at\":1", "{\"at\":1,\"by\":", "{\"at\":1,\"by\":{},\"changes\":[",
            "{\"at\":-1,\"by\":{},\"changes\":[]}",
        ];
        foreach (string other in others)
        {
            byte[] payload = Stores.Utf8(other);
            Assert.Null(PlainAppend.TryRead(1, payload));
            Assert.Equal(other, Encoding.UTF8.GetString(payload));
        }

        for (int cut = 0; cut < whole.Length; cut++)
        {
            Assert.Null(PlainAppend.TryRead(1, Stores.Utf8(whole[..cut])));
        }
    }

    private static byte[] Payload(Random random, int lines)
    {
        var text = new Utf8Buffer();
        for (int i = 0; i < lines; i++)
        {
            text.Raw(Stores.Utf8(new RandomJson(random.Next()).Object(3))).Byte('\n');
        }

        var payload = new Utf8Buffer();
        ChangeCodec.Write(random.NextInt64(1L << 50), By,
        [
            new Change
            {
                Kind = ChangeKind.Append,
                Id = "session_9",
                Offset = random.NextInt64(1L << 50),
                Lines = text.ToArray(),
                Counters = new Counters(random.Next(), random.Next(), 3, 4, random.NextInt64(1L << 50)),
            },
        ], payload);
        return payload.ToArray();
    }

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}
