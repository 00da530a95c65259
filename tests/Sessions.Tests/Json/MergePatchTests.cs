using System.Text;
using System.Text.Json.Nodes;
using Sessions.Json;
using Sessions.Tests.Support;

namespace Sessions.Tests.Json;

/// <summary>RFC 7396, and every token that the patch does not touch as it was.</summary>
public sealed class MergePatchTests
{
    // The cases of RFC 7396, appendix A, where target and patch are objects.
    [Theory]
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"a":null}""", """{}""")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"c"}""", """{"a":["b"]}""", """{"a":["b"]}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("""{}""", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    // What else can happen to tokens.
    [InlineData("""{"a":1.0,"b":9007199254740993}""", """{"c":1e2}""", """{"a":1.0,"b":9007199254740993,"c":1e2}""")]
    [InlineData("""{"\u0061":1,"b":2}""", """{"a":3}""", """{"\u0061":3,"b":2}""")]
    [InlineData("""{"a":1,"a":2,"b":3}""", """{"b":4}""", """{"a":1,"a":2,"b":4}""")]
    [InlineData("""{"a":1,"a":2}""", """{"a":3}""", """{"a":3}""")]
    [InlineData("""{"a":1,"a":2}""", """{"a":null}""", """{}""")]
    [InlineData("""{"a":1}""", """{"a":2,"a":3}""", """{"a":3}""")]
    [InlineData("""{}""", """{"a":2,"a":3}""", """{"a":3}""")]
    [InlineData("""{}""", """{"a":2,"b":1,"a":null}""", """{"b":1}""")]
    [InlineData("""{"a":5}""", """{"a":{"b":null,"c":1}}""", """{"a":{"c":1}}""")]
    [InlineData("""{"\ud800":1}""", """{"\ud801":2}""", """{"\ud800":1,"\ud801":2}""")]
    [InlineData("""{"\ud800":1}""", """{"\ud800":null}""", """{}""")]
    public void A_patch_comes_to(string target, string patch, string expected)
        => Assert.Equal(expected, Apply(target, patch));

    [Fact]
    public void Any_patch_comes_to_what_the_plain_algorithm_says()
    {
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new RandomJson(seed);
            string target = random.Object(3), patch = random.Object(3);
            string merged = Apply(target, patch);
            Assert.True(JsonNode.DeepEquals(Merge(Plain(target), Plain(patch)), Plain(merged)),
                $"seed {seed}: {target} + {patch} = {merged}");
            Assert.Equal(merged, Apply(merged, "{}"));
        }
    }

    [Fact]
    public void A_patch_that_is_applied_again_changes_nothing_more()
    {
        for (int seed = 0; seed < 1000; seed++)
        {
            var random = new RandomJson(seed);
            string patch = random.Object(3), once = Apply(random.Object(3), patch);
            Assert.True(once == Apply(once, patch), $"seed {seed}");
        }
    }

    private static string Apply(string target, string patch)
        => Encoding.UTF8.GetString(MergePatch.Apply(Stores.Utf8(target), Stores.Utf8(patch)));

    // MergePatch of RFC 7396 section 2, on values.
    private static JsonNode? Merge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
        {
            return patch?.DeepClone();
        }

        JsonObject result = target is JsonObject known ? (JsonObject)known.DeepClone() : [];
        foreach ((string name, JsonNode? value) in changes)
        {
            if (value is null)
            {
                result.Remove(name);
            }
            else
            {
                result[name] = Merge(result[name], value);
            }
        }

        return result;
    }

    // Without repeats (the last one counts) and with names and strings that the platform's parser takes.
    private static JsonNode? Plain(string json)
    {
        JsonNode? Build(ReadOnlyMemory<byte> value)
        {
            if (value.Span[0] == '{')
            {
                var result = new JsonObject();
                foreach (JsonMember m in JsonMembers.Of(value))
                {
                    result[m.Name] = Build(m.Value);
                }

                return result;
            }

            return value.Span.SequenceEqual("null"u8) ? null : JsonValue.Create(Encoding.UTF8.GetString(value.Span));
        }

        return Build(Stores.Utf8(json));
    }
}
