using System.Text.Json;
using Sessions.Events.Schema;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Schema;

/// <summary>What the data of each known type may be, where an append asks for the check.</summary>
public sealed class SchemaTests : IDisposable
{
    private readonly SessionStore _store = Stores.Open(new MemoryDisk().OpenAs());
    private readonly Session _session;

    public SchemaTests() => _session = _store.Create();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("session_start", """{}""")]
    [InlineData("session_start", """{"reason":"resume","resumed":true,"agent":{"any":1}}""")]
    [InlineData("session_end", """{"reason":"quit","was_prompting":false}""")]
    [InlineData("user_prompt", """{"text":""}""")]
    [InlineData("user_prompt",
        """{"text":"Hi","images":[{"file_id":"f"},{"url":"u"}],"files":[{"path":"a","name":null}],"prompt_id":"p"}""")]
    [InlineData("agent_message", """{"text":"Done","interrupted":true,"more":[{}]}""")]
    [InlineData("agent_thought", """{"text":"Hm","interrupted":null}""")]
    [InlineData("tool_call",
        """{"tool_call_id":"c","title":"Read","kind":"read","status":"pending","raw_input":9007199254740993}""")]
    [InlineData("tool_call", """{"tool_call_id":"c","raw_output":null,"content":[1],"locations":[{}]}""")]
    [InlineData("tool_call_update", """{"tool_call_id":"c"}""")]
    [InlineData("tool_call_update", """{"tool_call_id":"c","status":"interrupted","raw_output":[[]]}""")]
    [InlineData("plan", """{"entries":[]}""")]
    [InlineData("plan", """{"entries":[{"content":"a","priority":"high","status":"in_progress","x":0}]}""")]
    [InlineData("permission",
        """{"request_id":"r","tool_call_id":"c","options":[{"option_id":"o","name":"Yes"}],"outcome":null}""")]
    [InlineData("permission", """{"request_id":"r","outcome":{"outcome":"selected","option_id":"o"}}""")]
    [InlineData("file_read", """{"path":"/a","line":1,"limit":0,"bytes":9007199254740991}""")]
    [InlineData("file_write", """{"path":"/a"}""")]
    [InlineData("usage",
        """{"input_tokens":1,"output_tokens":2,"total_tokens":3,"cost":{"amount":0.01,"currency":"USD"}}""")]
    [InlineData("error", """{"message":"no","code":-32000,"data":{}}""")]
    [InlineData("error", """{"message":"no","code":"x"}""")]
    [InlineData("title", """{"title":"T"}""")]
    [InlineData("note", """{"\u0074ext":"escaped name"}""")]
    [InlineData("turn_end", """{"stop_reason":"end_turn"}""")]
    [InlineData("turn_end", """{"stop_reason":"\u0065rror"}""")]
    [InlineData("rewind", """{"to_seq":0}""")]
    [InlineData("rewind_undone", """{"rewind_seq":4}""")]
    [InlineData("compaction", """{"from_seq":1,"summary":"s"}""")]
    [InlineData("custom:anything", """[1,2,{"entries":0}]""")]
    [InlineData("a_type_of_tomorrow", """null""")]
    public void Data_that_fits_is_stored_token_for_token(string type, string data)
    {
        long seq = _session.Append(type, Stores.Utf8(data), new AppendOptions { Flags = AppendFlags.Check });
        Assert.Equal(data, _session.Events(seq - 1).GetProperty("events")[0].GetProperty("data").GetRawText());
    }

    [Theory]
    [InlineData("session_start", """{"resumed":"yes"}""", "resumed", "boolean")]
    [InlineData("session_end", """{"reason":"quit"}""", "was_prompting", "boolean")]
    [InlineData("session_end", """{"reason":null,"was_prompting":true}""", "reason", "string")]
    [InlineData("user_prompt", """[]""", null, "object")]
    [InlineData("user_prompt", """{"text":1}""", "text", "string")]
    [InlineData("user_prompt", """{}""", "text", "string")]
    [InlineData("user_prompt", """{"text":"","images":{}}""", "images", "array")]
    [InlineData("user_prompt", """{"text":"","images":[{"file_id":"a"},{"name":"x"}]}""", "images[1]",
        "object with file_id or url")]
    [InlineData("user_prompt", """{"text":"","files":[{"path":""}]}""", "files[0].path", "string that is not empty")]
    [InlineData("agent_message", """{"text":"a","interrupted":1}""", "interrupted", "boolean")]
    [InlineData("agent_thought", "\"text\" ", null, "object")]
    [InlineData("tool_call", """{"title":"x"}""", "tool_call_id", "string that is not empty")]
    [InlineData("tool_call", """{"tool_call_id":"c","status":"done"}""", "status",
        "one of pending, in_progress, completed, failed, cancelled, interrupted")]
    [InlineData("tool_call_update", """{"tool_call_id":"c","locations":"/a"}""", "locations", "array")]
    [InlineData("plan",
        """{"entries":[{"content":"","priority":"low","status":"pending"},{"content":"","priority":"urgent"}]}""",
        "entries[1].priority", "one of high, medium, low")]
    [InlineData("plan", """{"entries":[[]]}""", "entries[0]", "object")]
    [InlineData("permission", """{"request_id":"r","outcome":{"option_id":"o"}}""", "outcome.outcome",
        "one of selected, cancelled")]
    [InlineData("permission", """{"request_id":"r","options":[{"option_id":"o","name":null}]}""", "options[0].name",
        "string")]
    [InlineData("file_read", """{"path":"a","line":-1}""", "line", "integer from 0 to 2^53-1")]
    [InlineData("file_write", """{"path":"a","bytes":9007199254740992}""", "bytes", "integer from 0 to 2^53-1")]
    [InlineData("usage", """{"total_tokens":1.5}""", "total_tokens", "integer from 0 to 2^53-1")]
    [InlineData("usage", """{"cost":{"amount":"1"}}""", "cost.amount", "number")]
    [InlineData("error", """{"message":"m","code":1.5}""", "code", "string or integer")]
    [InlineData("title", """{"title":null}""", "title", "string")]
    [InlineData("note", """null""", null, "object")]
    [InlineData("turn_end", """{"stop_reason":""}""", "stop_reason",
        "one of end_turn, max_tokens, max_turn_requests, refusal, cancelled, interrupted, error")]
    [InlineData("rewind", """{}""", "to_seq", "integer from 0 to 2^53-1")]
    [InlineData("compaction", """{"from_seq":1}""", "summary", "string")]
    public void Data_that_does_not_fit_is_refused_by_the_name_of_the_member(string type, string data, string? member,
        string expected)
    {
        SessionException e = Stores.Fails(SessionStatus.InvalidArgument, () => _session.Append(type,
            Stores.Utf8(data), new AppendOptions { Flags = AppendFlags.Check | AppendFlags.Relaxed }));
        JsonElement details = JsonDocument.Parse(e.Details).RootElement;
        Assert.Equal("data_json", details.GetProperty("argument").GetString());
        Assert.Equal(member, details.GetProperty("member").GetString());
        Assert.Equal(expected, details.GetProperty("expected").GetString());
        Assert.False(details.TryGetProperty("entry", out _));
        Assert.Equal(0, _session.GetStat().LastSeq);

        // Without the flag anything goes.
        _session.Append(type, Stores.Utf8(data));
        Assert.Equal(data.Trim(), _session.Events().GetProperty("events")[0].GetProperty("data").GetRawText());
    }

    [Fact]
    public void A_batch_says_which_entry_does_not_fit_and_writes_none()
    {
        byte[] batch = Stores.Utf8("""
            [{"type":"note","data":{"text":"a"}},{"type":"custom:x","data":0},{"type":"note","data":{"text":2}}]
            """);
        SessionException e = Stores.Fails(SessionStatus.InvalidArgument,
            () => Stores.Json(b => _session.AppendBatch(batch, AppendFlags.Check, b)));
        Assert.Equal("""{"argument":"events_json","entry":2,"member":"text","expected":"string"}""", e.Details);
        Assert.Equal(0, _session.GetStat().LastSeq);
        Stores.Json(b => _session.AppendBatch(batch, AppendFlags.None, b));
        Assert.Equal(3, _session.GetStat().LastSeq);
    }

    [Fact]
    public void Every_known_type_has_an_object_for_data_and_lets_unknown_members_pass()
    {
        Assert.Equal(19, EventSchemas.Types.Count());
        foreach (string type in EventSchemas.Types)
        {
            Assert.Equal(ShapeKind.Object, EventSchemas.Of(type)!.Kind);
            Assert.NotNull(SchemaCheck.Find(type, "[]"u8));
            Misfit? misfit = SchemaCheck.Find(type, "{\"unknown\":{\"deep\":[1]}}"u8);
            Assert.True(misfit is null || misfit.IsMissing, type);
        }
    }

    [Fact]
    public void The_deepest_data_that_is_allowed_can_be_checked()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 126)) + string.Concat(Enumerable.Repeat("]", 126));
        _session.Append("tool_call", Stores.Utf8($"{{\"tool_call_id\":\"c\",\"x\":{deep},\"raw_input\":{deep}}}"),
            new AppendOptions { Flags = AppendFlags.Check });
        Assert.Equal(1, _session.GetStat().LastSeq);
    }
}
