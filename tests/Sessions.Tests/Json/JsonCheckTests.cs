using System.Text;
using System.Text.Json;
using Sessions.Json;
using Sessions.Tests.Support;

namespace Sessions.Tests.Json;

/// <summary>It says of every text what the framework's reader says by an exception.</summary>
public sealed class JsonCheckTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData(" \t\r\n{ } \n")]
    [InlineData("""{"a":[],"b":{},"c":[{}]}""")]
    [InlineData("""{"a":-0,"b":0.5,"c":1e5,"d":1E+5,"e":-1.25e-7,"f":12345678901234567890123}""")]
    [InlineData("""{"a":"\"\\\/\b\f\n\r\t\u00e9\ud800"}""")]
    [InlineData("""{"a":true,"b":false,"c":null}""")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("{")]
    [InlineData("}")]
    [InlineData("{}}")]
    [InlineData("{}{}")]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("\"\"")]
    [InlineData("""{"a"}""")]
    [InlineData("""{"a":}""")]
    [InlineData("""{"a":1,}""")]
    [InlineData("""{,"a":1}""")]
    [InlineData("""{"a":1 "b":2}""")]
    [InlineData("""{a:1}""")]
    [InlineData("""{"a":[1,]}""")]
    [InlineData("""{"a":[1 2]}""")]
    [InlineData("""{"a":[}""")]
    [InlineData("""{"a":[1}}""")]
    [InlineData("""{"a":01}""")]
    [InlineData("""{"a":1.}""")]
    [InlineData("""{"a":.5}""")]
    [InlineData("""{"a":-}""")]
    [InlineData("""{"a":+1}""")]
    [InlineData("""{"a":1e}""")]
    [InlineData("""{"a":1e+}""")]
    [InlineData("""{"a":tru}""")]
    [InlineData("""{"a":trueish}""")]
    [InlineData("""{"a":nul""")]
    [InlineData("""{"a":"\x"}""")]
    [InlineData("""{"a":"\u12g4"}""")]
    [InlineData("""{"a":"\u12""")]
    [InlineData("""{"a":"\""")]
    [InlineData("{\"a\":\"\u0001\"}")]
    [InlineData("{\"a\u0001\":1}")]
    [InlineData("{\"a\":1}\0")]
    [InlineData("\uFEFF{}")]
    [InlineData("""{"a":1}//""")]
    [InlineData("""{"a":/*x*/1}""")]
    public void It_agrees_on(string json) => Agrees(Encoding.UTF8.GetBytes(json));

    [Fact]
    public void It_agrees_on_bytes_that_are_no_text()
    {
        Agrees([(byte)'{', (byte)'"', 0xff, (byte)'"', (byte)':', (byte)'1', (byte)'}']);
        Agrees([(byte)'{', (byte)'"', 0xc3, (byte)'"', (byte)':', (byte)'1', (byte)'}']);
    }

    [Fact]
    public void It_agrees_on_how_deep_is_too_deep()
    {
        for (int depth = Limits.JsonDepthMax; depth < Limits.JsonDepthMax + 12; depth++)
        {
            Agrees(Encoding.UTF8.GetBytes("{\"a\":" + new string('[', depth) + new string(']', depth) + "}"));
            Agrees(Encoding.UTF8.GetBytes("{\"a\":" + string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1"
                + new string('}', depth) + "}"));
        }
    }

    [Fact]
    public void It_agrees_on_random_objects_and_on_what_is_left_of_them_after_damage()
    {
        for (int seed = 0; seed < 4000; seed++)
        {
            var random = new Random(seed);
            byte[] json = Encoding.UTF8.GetBytes(new RandomJson(seed).Object(4));
            Agrees(json);
            for (int i = 0; i < 4; i++)
            {
                byte[] damaged = [.. json];
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                Agrees(damaged);
                Agrees(damaged.AsSpan(0, random.Next(damaged.Length)));
                int at = random.Next(json.Length), other = random.Next(json.Length);
                (damaged[at], damaged[other]) = (damaged[other], damaged[at]);
                Agrees(damaged);
            }
        }
    }

    // A million lines that are no JSON cost tens of seconds when each of them was an exception.
    [Fact]
    public void What_is_no_json_is_told_without_allocating_anything()
    {
        byte[] line = """{"seq":12,"type":"user_prompt","data":{"text":"torn}"""u8.ToArray();
        Assert.InRange(Allocations.LeastOf(() =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                Assert.False(JsonCheck.IsObject(line));
            }
        }), 0, 4096);
    }

    private static void Agrees(ReadOnlySpan<byte> json)
        => Assert.True(IsObject(json) == JsonCheck.IsObject(json), Convert.ToHexString(json));

    private static bool IsObject(ReadOnlySpan<byte> json)
    {
        if (!System.Text.Unicode.Utf8.IsValid(json))
        {
            return false;
        }

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = JsonText.OwnDepthMax });
        try
        {
            bool isObject = reader.Read() && reader.TokenType == JsonTokenType.StartObject;
            while (reader.Read())
            {
                // to the end
            }

            return isObject;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
