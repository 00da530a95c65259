using System.Text;
using Sessions.Json;

namespace Sessions.Tests.Events.Transcript;

/// <summary>The end of a JSON string is found in blocks: it may stand anywhere in one.</summary>
public sealed class StringLengthTests
{
    private const int LengthMax = 70; // a few blocks and a rest

    [Fact]
    public void A_string_ends_at_its_quote_wherever_that_stands()
    {
        for (int length = 0; length < LengthMax; length++)
        {
            byte[] json = Encoding.UTF8.GetBytes("\"" + new string('x', length) + "\"");
            Assert.Equal(json.Length, JsonScan.StringLength(json));
            Assert.Equal(json.Length, JsonScan.StringLength([.. json, .. ",\"more\":\"\\\"\"}"u8]));
            Assert.Equal(0, JsonScan.StringLength(json.AsSpan(0, json.Length - 1)));
        }
    }

    [Fact]
    public void What_is_escaped_ends_nothing_wherever_it_stands()
    {
        foreach (string escape in (string[])["\\\"", "\\\\", "\\\\\\\"", "\\n", "\\u0022"])
        {
            for (int at = 0; at < LengthMax; at++)
            {
                byte[] json = Encoding.UTF8.GetBytes(
                    "\"" + new string('x', at) + escape + new string('y', LengthMax - at) + "\"");
                Assert.Equal(json.Length, JsonScan.StringLength(json));
                Assert.Equal(0, JsonScan.StringLength(json.AsSpan(0, at + 2))); // cut behind the backslash
                Assert.Equal(0, JsonScan.StringLength(json.AsSpan(0, at + 1 + escape.Length)));
            }
        }
    }

    [Fact]
    public void Any_text_is_measured_as_by_a_walk_from_byte_to_byte()
    {
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] json = new byte[1 + random.Next(200)];
            foreach (ref byte b in json.AsSpan())
            {
                b = (byte)(random.Next(40) switch { 0 => '"', < 4 => '\\', _ => random.Next(256) });
            }

            json[0] = (byte)'"';
            Assert.Equal(Walked(json), JsonScan.StringLength(json));
        }
    }

    private static int Walked(ReadOnlySpan<byte> json)
    {
        for (int at = 1; at < json.Length; at++)
        {
            if (json[at] == '"')
            {
                return at + 1;
            }

            at += json[at] == '\\' ? 1 : 0;
        }

        return 0;
    }
}
