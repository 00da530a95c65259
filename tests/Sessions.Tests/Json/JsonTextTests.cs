using System.Text;
using Sessions.Json;
using Sessions.Model;
using Sessions.Tests.Support;

namespace Sessions.Tests.Json;

/// <summary>Host JSON stays what it was, but for white space; what is none is told with its place.</summary>
public sealed class JsonTextTests
{
    [Fact]
    public void Only_white_space_goes()
    {
        for (int seed = 0; seed < 2000; seed++)
        {
            var random = new RandomJson(seed);
            string compact = random.Value(4);
            byte[] result = JsonArgument.Compact(Stores.Utf8(random.Spaced(compact)), "data_json", isObject: false);
            Assert.True(compact == Encoding.UTF8.GetString(result), $"seed {seed}: {compact}");
        }
    }

    [Fact]
    public void Indented_text_is_the_same_when_compact_again()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            byte[] compact = Stores.Utf8(new RandomJson(seed).Object(4));
            var indented = new Utf8Buffer();
            JsonText.Indent(compact, indented);
            Assert.Equal(compact, JsonText.TryCompactObject(indented.Written));
        }
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("   ", 3)]
    [InlineData("{", 1)]
    [InlineData("{\"a\":1,}", 7)]
    [InlineData("[1 2]", 3)]
    [InlineData("{\"a\" 1}", 5)]
    [InlineData("{\n \"a\": x}", 8)]
    [InlineData("01", 1)]
    [InlineData("\"\\x\"", 2)]
    [InlineData("{} {}", 3)]
    [InlineData("// no\n1", 0)]
    [InlineData("NaN", 0)]
    public void What_is_not_json_is_refused_with_its_place(string json, int offset)
    {
        SessionException e = Stores.Fails(SessionStatus.InvalidJson,
            () => JsonArgument.Compact(Stores.Utf8(json), "data_json", isObject: false));
        Assert.Equal(offset, e.Offset);
        Assert.Contains($"\"offset\":{offset}", e.Details, StringComparison.Ordinal);
        Assert.Contains("\"argument\":\"data_json\"", e.Details, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_utf8_is_refused_with_its_place()
    {
        foreach (byte[] bad in (byte[][])[[0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]])
        {
            SessionException e = Stores.Fails(SessionStatus.InvalidUtf8,
                () => JsonArgument.Compact(bad, "data_json", isObject: false));
            Assert.Equal(1, e.Offset);
        }
    }

    [Fact]
    public void A_hundred_and_twenty_eight_levels_are_the_most()
    {
        string deepest = new string('[', 128) + new string(']', 128);
        Assert.Equal(256, JsonArgument.Compact(Stores.Utf8(deepest), "data_json", isObject: false).Length);
        SessionException e = Stores.Fails(SessionStatus.InvalidJson,
            () => JsonArgument.Compact(Stores.Utf8("[" + deepest + "]"), "data_json", isObject: false));
        Assert.Equal(128, e.Offset);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"{}\"")]
    public void An_object_is_asked_for_where_one_must_be(string json)
        => Stores.Fails(SessionStatus.InvalidArgument,
            () => JsonArgument.Compact(Stores.Utf8(json), "metadata_json", isObject: true));

    [Fact]
    public void Members_with_lone_surrogates_in_their_names_can_be_told_apart()
    {
        List<JsonMember> members = JsonMembers.Of(Stores.Utf8("""{"\ud800":1,"\ud801":2,"\ud83d\ude00":3,"😀":4}"""));
        Assert.Equal(4, members.Count);
        Assert.NotEqual(members[0].Name, members[1].Name);
        Assert.Equal(members[2].Name, members[3].Name);
        Assert.Equal("\"\\ud800\"", Encoding.UTF8.GetString(members[0].RawName.Span));
    }
}
