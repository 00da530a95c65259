using System.Text.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;

namespace Sessions.Tests.Events.Transcript;

/// <summary>Which events become which messages.</summary>
public sealed class MessageTests : IDisposable
{
    private readonly Talk _talk = new();

    public void Dispose() => _talk.Dispose();

    [Fact]
    public void A_session_without_events_has_no_messages()
    {
        Assert.Equal("{\"messages\":[],\"last_seq\":0}", _talk.Text(TranscriptFormat.Messages));
        Assert.Equal("{\"messages\":[],\"last_seq\":0}", _talk.Text(TranscriptFormat.UiMessages));
        Assert.Equal("# New Session\n", _talk.Text(TranscriptFormat.Markdown));
        Assert.Contains("0 messages", _talk.Text(TranscriptFormat.Html), StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_is_a_user_message_and_the_rest_of_its_turn_one_assistant_message()
    {
        _talk.Add("session_start", """{"reason":"new"}""");
        _talk.Add("user_prompt", """{"text":"Hi"}""", "t1");
        _talk.Add("agent_thought", """{"text":"Hm"}""", "t1");
        _talk.Add("agent_message", """{"text":"Hello"}""", "t1");
        _talk.Add("usage", """{"input_tokens":7}""", "t1");
        _talk.Add("turn_end", """{"stop_reason":"max_tokens"}""", "t1");
        _talk.Add("user_prompt", """{"text":"Bye"}""", "t2");
        JsonElement[] all = _talk.Messages();
        Assert.Equal(["m-2:user", "m-3:assistant", "m-7:user"],
            all.Select(m => Talk.Id(m) + ":" + m.GetProperty("role").GetString()));
        Assert.Equal(
            "{\"id\":\"m-3\",\"role\":\"assistant\",\"seq\":3,\"last_seq\":6,\"timestamp\":1795158388123,"
            + "\"turn_id\":\"t1\",\"text\":\"Hello\",\"parts\":[{\"type\":\"reasoning\",\"text\":\"Hm\"},"
            + "{\"type\":\"text\",\"text\":\"Hello\"}],\"stop_reason\":\"max_tokens\",\"usage\":{\"input_tokens\":7}}",
            all[1].GetRawText());
        Assert.Equal(
            "{\"id\":\"m-3\",\"role\":\"assistant\",\"metadata\":{\"seq\":3,\"last_seq\":6,\"timestamp\":1795158388123,"
            + "\"turn_id\":\"t1\",\"stop_reason\":\"max_tokens\",\"usage\":{\"input_tokens\":7}},"
            + "\"parts\":[{\"type\":\"reasoning\",\"text\":\"Hm\"},{\"type\":\"text\",\"text\":\"Hello\"}]}",
            _talk.Messages(TranscriptFormat.UiMessages)[1].GetRawText());
    }

    [Fact]
    public void Chunks_of_one_kind_concatenate_until_a_different_part_closes_them()
    {
        _talk.Add("agent_message", """{"text":" a\n"}""");
        _talk.Add("agent_message", """{"text":"\ud83d"}""");
        _talk.Add("agent_message", """{"text":"\ude00 "}""");
        _talk.Add("title", """{"title":"says nothing in the conversation"}""");
        _talk.Add("agent_message", """{"text":"b"}""");
        _talk.Add("agent_thought", """{"text":"c"}""");
        _talk.Add("agent_thought", """{"text":"d"}""");
        _talk.Add("agent_message", """{"text":"e"}""");
        JsonElement message = Assert.Single(_talk.Messages());
        Assert.Equal(" a\n😀 be", message.GetProperty("text").GetString());
        Assert.Equal(["text: a\n😀 b", "reasoning:cd", "text:e"], message.GetProperty("parts").EnumerateArray()
            .Select(p => p.GetProperty("type").GetString() + ":" + p.GetProperty("text").GetString()));
        Assert.Contains(" a\n😀 b", _talk.Text(TranscriptFormat.Markdown), StringComparison.Ordinal);
        Assert.Contains("a\n😀 b", _talk.Text(TranscriptFormat.Html), StringComparison.Ordinal);
    }

    [Fact]
    public void Turns_that_run_at_the_same_time_stay_apart()
    {
        _talk.Add("agent_message", """{"text":"a1"}""", "a");
        _talk.Add("agent_message", """{"text":"b1"}""", "b");
        _talk.Add("agent_message", """{"text":"a2"}""", "a");
        _talk.Add("turn_end", "{}", "a");
        _talk.Add("agent_message", """{"text":"b2"}""", "b");
        _talk.Add("agent_message", """{"text":"a3"}""", "a");
        Assert.Equal(["m-1:a1a2a3", "m-2:b1b2"],
            _talk.Messages().Select(m => Talk.Id(m) + ":" + m.GetProperty("text").GetString()));
    }

    [Fact]
    public void Without_names_a_turn_lasts_to_its_end_or_to_the_next_prompt()
    {
        _talk.Add("user_prompt", """{"text":"1"}""");
        _talk.Add("agent_message", """{"text":"2"}""");
        _talk.Add("turn_end", "{}");
        _talk.Add("agent_message", """{"text":"4"}""");
        _talk.Add("user_prompt", """{"text":"5"}""");
        _talk.Add("agent_message", """{"text":"6"}""");
        _talk.Add("agent_message", """{"text":"7"}""", "t");
        _talk.Add("agent_message", """{"text":"8"}""");
        Assert.Equal(["1", "2", "4", "5", "6", "78"], _talk.Messages().Select(m => m.GetProperty("text").GetString()));
        Assert.Equal(["m-1", "m-2", "m-4", "m-5", "m-6", "m-7"], _talk.Messages().Select(Talk.Id));
    }

    [Fact]
    public void An_error_stands_alone_and_the_turn_goes_on_in_its_message()
    {
        _talk.Add("agent_message", """{"text":"a"}""", "t");
        _talk.Add("error", """{"message":"No route","code":7}""", "t");
        _talk.Add("agent_message", """{"text":"b"}""", "t");
        JsonElement[] all = _talk.Messages();
        Assert.Equal(["assistant:ab", "error:No route"],
            all.Select(m => m.GetProperty("role").GetString() + ":" + m.GetProperty("text").GetString()));
        JsonElement[] ui = _talk.Messages(TranscriptFormat.UiMessages);
        Assert.Equal("assistant", ui[1].GetProperty("role").GetString());
        Assert.Equal("""[{"type":"data-error","id":"d-2","data":{"message":"No route","code":7}}]""",
            Talk.Parts(ui[1]));
        Assert.Contains("## Error\n\n> No route\n", _talk.Text(TranscriptFormat.Markdown), StringComparison.Ordinal);
    }

    [Fact]
    public void Events_nobody_knows_become_data_parts_and_keep_their_data()
    {
        _talk.Add("custom:ui.mark", """{"n":9007199254740993,"s":"\u00e9"}""");
        _talk.Add("somet\"hing", "null");
        _talk.Add("agent_message", """{"no_text":1}""");
        _talk.Add("tool_call", """{"title":"without an id"}""");
        Assert.Equal("""[{"type":"data-custom:ui.mark","id":"d-1","data":{"n":9007199254740993,"s":"\u00e9"}},"""
            + """{"type":"data-somet\"hing","id":"d-2","data":null},"""
            + """{"type":"data-agent_message","id":"d-3","data":{"no_text":1}},"""
            + """{"type":"data-tool_call","id":"d-4","data":{"title":"without an id"}}]""", _talk.UiParts());
    }

    [Fact]
    public void Markers_and_what_is_said_of_the_session_are_not_shown()
    {
        foreach (string type in new[] { "session_start", "session_end", "title", "rewind", "rewind_undone",
            "compaction", "usage", "turn_end" })
        {
            _talk.Add(type, "{}");
        }

        Assert.Equal("{\"messages\":[],\"last_seq\":8}", _talk.Text(TranscriptFormat.Messages));
    }

    [Fact]
    public void A_later_decision_replaces_the_permission_with_the_same_request_id()
    {
        _talk.Add("permission", """
            {"request_id":"r1","options":[{"option_id":"ok","name":"Allow once"}],"outcome":null}
            """, "t1");
        _talk.Add("permission", """{"request_id":"r2"}""", "t1");
        _talk.Add("agent_message", """{"text":"later"}""", "t2");
        _talk.Add("permission", """{"request_id":"r1","outcome":{"outcome":"selected","option_id":"ok"}}""");
        JsonElement[] all = _talk.Messages(TranscriptFormat.UiMessages);
        Assert.Equal(2, all.Length);
        Assert.Equal("""
            [{"type":"data-permission","id":"d-1","data":{"request_id":"r1",
            "outcome":{"outcome":"selected","option_id":"ok"}}},
            """.Replace("\n", "") + """{"type":"data-permission","id":"d-2","data":{"request_id":"r2"}}]""",
            Talk.Parts(all[0]));
        Assert.Contains("**permission**: Allow once", _talk.Text(TranscriptFormat.Markdown), StringComparison.Ordinal);
        Assert.Contains("**permission**: waiting", _talk.Text(TranscriptFormat.Markdown), StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_is_shown_once_a_turn_as_it_was_last()
    {
        _talk.Add("plan", """{"entries":[{"content":"a","status":"pending"}]}""", "t1");
        _talk.Add("agent_message", """{"text":"x"}""", "t1");
        _talk.Add("plan", """{"entries":[{"content":"a","status":"completed"}]}""", "t1");
        _talk.Add("plan", """{"entries":[]}""", "t2");
        JsonElement[] all = _talk.Messages();
        Assert.Equal("""[{"type":"plan","data":{"entries":[{"content":"a","status":"completed"}]}},"""
            + """{"type":"text","text":"x"}]""", Talk.Parts(all[0]));
        Assert.Equal("""[{"type":"plan","data":{"entries":[]}}]""", Talk.Parts(all[1]));
    }

    [Fact]
    public void What_is_attached_to_a_prompt_comes_behind_its_text()
    {
        _talk.Add("user_prompt", """
            {"images":[{"url":"data:image/png;base64,AA=="},{"file_id":"f1"}],"text":"See",
            "files":[{"url":"https://x.test/a.pdf","media_type":"application/pdf","name":"a.pdf"}]}
            """);
        Assert.Equal("""[{"type":"text","text":"See"},"""
            + """{"type":"file","mediaType":"image/png","url":"data:image/png;base64,AA=="},"""
            + """{"type":"data-file","id":"d-1-2","data":{"file_id":"f1"}},"""
            + """{"type":"file","mediaType":"application/pdf","filename":"a.pdf","url":"https://x.test/a.pdf"}]""",
            _talk.UiParts());
    }

    [Theory]
    [InlineData("\"just text\"", """[{"type":"text","text":"just text"}]""")]
    [InlineData("""{"text":""}""", """[{"type":"text","text":""}]""")]
    [InlineData("""{"text":7}""", """[{"type":"data-user_prompt","id":"d-1-0","data":{"text":7}}]""")]
    [InlineData("null", """[{"type":"data-user_prompt","id":"d-1-0","data":null}]""")]
    [InlineData("""{"text":"a","te\u0078t":"b"}""", """[{"type":"text","text":"b"}]""")]
    public void An_odd_prompt_is_a_message_with_a_part_all_the_same(string data, string parts)
    {
        _talk.Add("user_prompt", data);
        Assert.Equal(parts, _talk.UiParts());
    }

    [Fact]
    public void Text_that_was_cut_off_says_so()
    {
        _talk.Add("agent_message", """{"text":"Half a","interrupted":true}""");
        Assert.Contains("""{"type":"text","text":"Half a","interrupted":true}""",
            _talk.Text(TranscriptFormat.Messages), StringComparison.Ordinal);
        Assert.Contains("*Interrupted.*", _talk.Text(TranscriptFormat.Markdown), StringComparison.Ordinal);
        Assert.Contains(">Interrupted<", _talk.Text(TranscriptFormat.Html), StringComparison.Ordinal);
    }

    [Fact]
    public void After_a_number_only_what_changed_since_is_written_and_each_message_whole()
    {
        _talk.Add("user_prompt", """{"text":"1"}""", "a");
        _talk.Add("tool_call", """{"tool_call_id":"c","raw_input":{"x":1}}""", "a");
        _talk.Add("user_prompt", """{"text":"3"}""", "b");
        _talk.Add("tool_call_update", """{"tool_call_id":"c","raw_output":2}""", "a");
        JsonElement[] changed = _talk.Messages(options: new TranscriptOptions { AfterSeq = 3 });
        Assert.Equal("m-2", Talk.Id(Assert.Single(changed)));
        Assert.Equal(_talk.Messages()[1].GetRawText(), changed[0].GetRawText());
        Assert.Empty(_talk.Messages(options: new TranscriptOptions { AfterSeq = 4 }));
    }

    [Fact]
    public void Until_a_number_it_is_as_if_the_conversation_had_ended_there()
    {
        _talk.Add("user_prompt", """{"text":"1"}""");
        _talk.Add("agent_message", """{"text":"2"}""");
        string then = _talk.Text(TranscriptFormat.UiMessages);
        _talk.Add("agent_message", """{"text":"3"}""");
        string now = _talk.Text(TranscriptFormat.UiMessages);
        Assert.NotEqual(then, now);
        Assert.Equal(then, _talk.Text(TranscriptFormat.UiMessages, new TranscriptOptions { UntilSeq = 2 }));
        Assert.Equal(now, _talk.Text(TranscriptFormat.UiMessages, new TranscriptOptions { UntilSeq = 9 }));
        Assert.Equal(now, _talk.Text(TranscriptFormat.UiMessages));
    }

    [Fact]
    public void A_damaged_line_is_shown_in_its_place()
    {
        _talk.Add("agent_message", """{"text":"a"}""", "t");
        _talk.Add("agent_message", """{"text":"b"}""", "t");
        _talk.Add("agent_message", """{"text":"c"}""", "t");
        _talk.Store.Flush();
        string path = Layout.Folder(_talk.Session.Id, 0) + "/events.jsonl";
        byte[] log = _talk.Disk.Peek(path)!;
        int line = log.AsSpan().IndexOf((byte)'\n') + 1, end = log.AsSpan(line).IndexOf((byte)'\n');
        log[line + 30] ^= 1;
        _talk.Disk.Poke(path, log);
        Assert.Equal(
            """[{"type":"text","text":"a"},{"type":"damaged","data":{"seq":2,"file":"events.jsonl","""
            + $"\"offset\":{line},\"length\":{end},"
            + "\"reason\":\"invalid_json\"}},{\"type\":\"text\",\"text\":\"c\"}]",
            Talk.Parts(Assert.Single(_talk.Messages())));
        Assert.Contains("this event cannot be read", _talk.Text(TranscriptFormat.Html), StringComparison.Ordinal);
    }
}
