using Sessions.Tests.Coordination.Queueing;

namespace Sessions.Tests.Events.Transcript;

/// <summary>Tool calls, as the UI messages of the AI SDK have them.</summary>
public sealed class ToolTests : IDisposable
{
    private readonly Talk _talk = new();

    public void Dispose() => _talk.Dispose();

    [Theory]
    [InlineData("""{"status":"pending"}""", "\"state\":\"input-streaming\"")]
    [InlineData("{}", "\"state\":\"input-streaming\"")]
    [InlineData("""{"status":"in_progress"}""", "\"state\":\"input-available\",\"input\":{}")]
    [InlineData("""{"status":"pending","raw_input":{"a":1}}""", "\"state\":\"input-available\",\"input\":{\"a\":1}")]
    [InlineData("""{"raw_input":[1]}""", "\"state\":\"input-available\",\"input\":[1]")]
    [InlineData("""{"status":"completed"}""", "\"state\":\"output-available\",\"input\":{},\"output\":null")]
    [InlineData("""{"raw_output":{"x":null}}""", "\"state\":\"output-available\",\"input\":{},\"output\":{\"x\":null}")]
    [InlineData("""{"status":"completed","content":[1]}""",
        "\"state\":\"output-available\",\"input\":{},\"output\":[1]")]
    [InlineData("""{"status":"completed","content":[1],"raw_output":2}""", "\"input\":{},\"output\":2")]
    [InlineData("""{"status":"failed","raw_output":"no\n"}""",
        "\"state\":\"output-error\",\"input\":{},\"errorText\":\"no\\n\"")]
    [InlineData("""{"status":"failed","raw_output":{"message":"no"}}""", "\"errorText\":\"no\"")]
    [InlineData("""{"status":"failed","raw_output":{"error":"no"}}""", "\"errorText\":\"no\"")]
    [InlineData("""{"status":"failed","raw_output":{"a":"b"}}""", "\"errorText\":\"{\\\"a\\\":\\\"b\\\"}\"")]
    [InlineData("""{"status":"failed","content":[{"type":"content","content":{"type":"text","text":"no"}}]}""",
        "\"errorText\":\"no\"")]
    [InlineData("""{"status":"cancelled"}""", "\"state\":\"output-error\",\"input\":{},\"errorText\":\"cancelled\"")]
    [InlineData("""{"status":"interrupted","raw_input":1}""", "\"input\":1,\"errorText\":\"interrupted\"")]
    public void A_call_is_in_the_state_that_its_events_say(string data, string expected)
    {
        _talk.Add("tool_call", data == "{}" ? """{"tool_call_id":"c"}""" : """{"tool_call_id":"c",""" + data[1..]);
        Assert.Contains("\"toolCallId\":\"c\",", _talk.UiParts(), StringComparison.Ordinal);
        Assert.Contains(expected + "}]", _talk.UiParts(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"kind":"read","title":"Read a file"}""", """{"type":"tool-read",""")]
    [InlineData("""{"kind":"other","title":"grep"}""", """{"type":"tool-grep",""")]
    [InlineData("""{"name":"read_file","kind":"read"}""", """{"type":"tool-read_file",""")]
    [InlineData("""{"kind":"other","title":"Ask the \"web\""}""",
        """{"type":"dynamic-tool","toolName":"Ask the \"web\"",""")]
    [InlineData("""{"kind":"other"}""", """{"type":"dynamic-tool","toolName":"other",""")]
    [InlineData("""{"title":null}""", """{"type":"dynamic-tool","toolName":"tool",""")]
    public void A_plain_name_is_part_of_the_type_and_any_other_stands_beside_it(string data, string expected)
    {
        _talk.Add("tool_call", """{"tool_call_id":"c",""" + data[1..]);
        Assert.StartsWith("[" + expected + "\"toolCallId\":\"c\"", _talk.UiParts(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_input_is_remembered_when_the_result_comes_later()
    {
        _talk.Add("tool_call",
            """{"tool_call_id":"c","kind":"edit","raw_input":{"a":[1, 2]},"status":"pending"}""", "t1");
        _talk.Add("agent_message", """{"text":"x"}""", "t1");
        _talk.Add("turn_end", "{}", "t1");
        _talk.Add("user_prompt", """{"text":"y"}""", "t2");
        _talk.Add("tool_call_update", """{"tool_call_id":"c","status":"in_progress","raw_output":null}""");
        _talk.Add("tool_call_update", """{"tool_call_id":"c","status":"completed","raw_output":"done"}""");
        Assert.Equal(["m-1", "m-4"], _talk.Messages().Select(Talk.Id));
        Assert.Equal("""[{"type":"tool-edit","toolCallId":"c","state":"output-available","input":{"a":[1,2]},"""
            + "\"output\":\"done\"},{\"type\":\"text\",\"text\":\"x\"}]",
            Talk.Parts(_talk.Messages(TranscriptFormat.UiMessages)[0]));
        Assert.Contains("""{"type":"tool_call","tool_call_id":"c","name":null,"title":null,"kind":"edit","""
            + "\"status\":\"completed\",\"input\":{\"a\":[1,2]},\"output\":\"done\"}",
            _talk.Text(TranscriptFormat.Messages), StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_without_a_call_gets_an_empty_input()
    {
        _talk.Add("tool_call_update", """{"tool_call_id":"c","status":"completed","raw_output":1}""");
        Assert.Equal("""[{"type":"dynamic-tool","toolName":"tool","toolCallId":"c","state":"output-available","""
            + "\"input\":{},\"output\":1}]", _talk.UiParts());
        Assert.Contains("\"input\":{},\"output\":1}", _talk.Text(TranscriptFormat.Messages), StringComparison.Ordinal);
    }

    [Fact]
    public void Agents_that_count_their_calls_anew_in_each_turn_are_understood()
    {
        _talk.Add("tool_call", """{"tool_call_id":"1","raw_input":"a"}""", "t1");
        _talk.Add("tool_call", """{"tool_call_id":"1","raw_input":"b"}""", "t2");
        _talk.Add("tool_call_update", """{"tool_call_id":"1","raw_output":"A"}""", "t1");
        _talk.Add("tool_call_update", """{"tool_call_id":"1","raw_output":"B"}""");
        Assert.Equal(["\"a\"\"A\"", "\"b\"\"B\""], _talk.Messages().Select(m =>
            m.GetProperty("parts")[0].GetProperty("input").GetRawText()
            + m.GetProperty("parts")[0].GetProperty("output").GetRawText()));
    }

    [Fact]
    public void What_an_event_does_not_say_of_a_call_stays_and_a_repeated_call_adds_to_it()
    {
        _talk.Add("tool_call", """{"tool_call_id":"c","title":"T","kind":"read"}""", "t");
        _talk.Add("tool_call", """{"tool_call_id":"c","raw_input":{"p":1},"title":null}""", "t");
        _talk.Add("tool_call_update", """{"tool_call_id":"c","title":"U","content":[]}""", "t");
        Assert.Equal("""[{"type":"tool-read","toolCallId":"c","title":"U","state":"input-available","""
            + "\"input\":{\"p\":1}}]", _talk.UiParts());
    }

    [Fact]
    public void Nothing_a_tool_prints_ends_its_fence()
    {
        _talk.Add("tool_call", """
            {"tool_call_id":"c","title":"a`b*\n# c","status":"completed","raw_output":"x\n````\n# not a heading"}
            """);
        Assert.Contains("**Tool** a\\`b\\* \\# c (completed)\n\nOutput:\n\n`````\nx\n````\n# not a heading\n`````\n",
            _talk.Text(TranscriptFormat.Markdown), StringComparison.Ordinal);
    }
}
