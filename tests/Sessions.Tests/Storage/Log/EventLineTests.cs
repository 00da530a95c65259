using System.Text;
using Sessions.Json;
using Sessions.Storage.Log;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Log;

/// <summary>A line of the log is handed out as it was written, or named as damaged.</summary>
public sealed class EventLineTests
{
    [Fact]
    public void Every_event_comes_back_token_for_token()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            string data = new RandomJson(seed).Value(4);
            byte[] line = Line(seed + 1, "note", seed % 2 == 0 ? "t\"1" : null, seed % 3 == 0 ? "k-é" : null, data);
            Assert.True(EventLine.TryRead(line, out long seq, out ReadOnlySpan<byte> unclosed));
            Assert.Equal(seed + 1, seq);
            Assert.EndsWith($",\"data\":{data}", Encoding.UTF8.GetString(unclosed), StringComparison.Ordinal);
            EventHead head = EventLine.Head(line);
            Assert.Equal((seed + 1, "note", 1795158388123, seed % 3 == 0 ? "k-é" : null),
                (head.Seq, head.Type, head.Timestamp, head.Id));
        }
    }

    [Fact]
    public void Every_flipped_bit_and_every_cut_is_seen_or_harmless()
    {
        byte[] line = Line(12, "user_prompt", "t-1", "k-1", """{"text":"Jump *over* it","n":9007199254740993}""");
        Assert.True(EventLine.TryRead(line, out _, out ReadOnlySpan<byte> whole));
        string expected = Encoding.UTF8.GetString(whole);
        for (int bit = 0; bit < line.Length * 8; bit++)
        {
            byte[] flipped = [.. line];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            if (EventLine.TryRead(flipped, out long seq, out ReadOnlySpan<byte> unclosed))
            {
                Assert.Equal(12, seq);
                Assert.Equal(expected, Encoding.UTF8.GetString(unclosed));
            }
        }

        for (int length = 0; length < line.Length; length++)
        {
            Assert.False(EventLine.TryRead(line.AsSpan(0, length), out _, out _), $"cut at {length}");
        }
    }

    [Theory]
    [InlineData("""{"seq":7,"type":"x","timestamp":1,"data":{}}""", true)]
    [InlineData("""{"seq":7,"type":"x","timestamp":1,"data":{"src":"01234567"}}""", true)]
    [InlineData("""{"seq":7,"type":"x","timestamp":1,"data":{},"src":"01234567"}""", true)]
    [InlineData("""{"seq":7,"type":"x","timestamp":1,"data":{}""", false)]
    [InlineData("""{"seq":0,"type":"x","timestamp":1,"data":{}}""", false)]
    [InlineData("""{"seq":-7,"type":"x","timestamp":1,"data":{}}""", false)]
    [InlineData("""{"type":"x","seq":7,"timestamp":1,"data":{}}""", false)]
    [InlineData("""{"seq":7,"type":"x","timestamp":1,"data":{},"crc":"01234567"}""", false)]
    public void A_line_of_another_tool_counts_where_it_is_json(string line, bool counts)
        => Assert.Equal(counts, EventLine.TryRead(Stores.Utf8(line), out _, out _));

    [Theory]
    [InlineData("""{"seq":7,"type":5,"timestamp":"now","id":[1],"data":{}}""")]
    [InlineData("""{"seq":7,"type":null,"timestamp":1.5,"x":{"type":"y"},"data":{}}""")]
    [InlineData("""{"seq":7,"\ud800":1,"type":"\ud800","timestamp":1e400,"data":{}}""")]
    [InlineData("""{"seq":7}           """)]
    public void The_head_of_an_odd_line_can_be_read(string line)
        => Assert.Equal(7, EventLine.Head(Stores.Utf8(line)).Seq);

    private static byte[] Line(long seq, string type, string? turn, string? id, string data)
    {
        var output = new Utf8Buffer();
        EventLine.Write(output, seq, type, 1795158388123, turn, id, Stores.Utf8(data));
        return output.Written[..^1].ToArray();
    }
}
