using System.Text.Json;
using Sessions.Events.Repair;
using Sessions.Json;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Repair;

/// <summary>Repair: what it finds, what it appends, and that it does so once.</summary>
public sealed class RepairTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private SessionStore _store;
    private Session _session;

    public RepairTests()
    {
        _store = Stores.Open(_disk.OpenAs());
        _session = _store.Create();
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_result_for_a_call_before_a_hidden_prompt_begins_no_turn()
    {
        Add("tool_call", """{"tool_call_id":"a"}""", null);
        Add("turn_end", """{"stop_reason":"end_turn"}""", null);
        Add("user_prompt", """{"text":"taken back"}""", null);
        _session.Rewind(2);
        Assert.True(Repair().GetProperty("applied").GetBoolean());
        Assert.Equal(5, _session.GetStat().LastSeq);
        Assert.False(Repair().GetProperty("applied").GetBoolean());
    }

    [Fact]
    public void Every_call_without_a_result_gets_one_and_every_open_turn_its_end_in_one_commit()
    {
        Add("user_prompt", """{"text":"one"}""", "t-1");
        Add("tool_call", """{"tool_call_id":"a","status":"pending"}""", "t-1");
        Add("tool_call", """{"tool_call_id":"b"}""", "t-1");
        Add("tool_call_update", """{"tool_call_id":"b","status":"completed"}""", "t-1");
        Add("turn_end", """{"stop_reason":"end_turn"}""", "t-1");
        Add("user_prompt", """{"text":"two"}""", "t-2");
        Add("tool_call", """{"tool_call_id":"a"}""", "t-2");
        Add("agent_message", """{"text":"wor"}""", "t-2");
        long lsn = Lsn();
        JsonElement dry = Repair(RepairFlags.DryRun);
        Assert.True(dry.GetProperty("dry_run").GetBoolean());
        Assert.False(dry.GetProperty("applied").GetBoolean());
        Assert.Equal((8, lsn), (_session.GetStat().LastSeq, Lsn()));
        Assert.Equal("terminal_event_already_exists:t-1:5", Issues(dry));
        const string Actions = "append_interrupted_tool_result:t-1:2:a append_interrupted_tool_result:t-2:7:a "
            + "append_terminal_error:t-2:8:";
        Assert.Equal(Actions, ActionsOf(dry));
        Assert.All(dry.GetProperty("actions").EnumerateArray(),
            a => Assert.Equal(0, a.GetProperty("appended_seqs").GetArrayLength()));

        JsonElement done = Repair();
        Assert.True(done.GetProperty("applied").GetBoolean());
        Assert.Equal(Actions, ActionsOf(done));
        Assert.Equal("[9] [10] [11,12]", string.Join(' ',
            done.GetProperty("actions").EnumerateArray().Select(a => a.GetProperty("appended_seqs").GetRawText())));
        Assert.Equal(lsn + 1, Lsn());
        Assert.Equal("""
            tool_call_update t-1 {"tool_call_id":"a","status":"interrupted","repaired":true}
            tool_call_update t-2 {"tool_call_id":"a","status":"interrupted","repaired":true}
            error t-2 {"message":"The turn was interrupted before it ended.","code":"interrupted","repaired":true}
            turn_end t-2 {"stop_reason":"interrupted","repaired":true}
            """.ReplaceLineEndings("\n"), Shown(after: 8));

        JsonElement again = Repair();
        Assert.Equal(("", ""), (Issues(again), ActionsOf(again)));
        Assert.False(again.GetProperty("applied").GetBoolean());
        Assert.Equal((12, lsn + 1), (_session.GetStat().LastSeq, Lsn()));
    }

    [Fact]
    public void Events_without_turn_ids_make_turns_too()
    {
        Add("user_prompt", """{"text":"a host that writes no ends"}""");
        Add("agent_message", """{"text":"is not told that its turns were cut"}""");
        Assert.Equal("", ActionsOf(Repair()));
        Add("user_prompt", """{"text":"but this one was"}""");
        Add("tool_call", """{"tool_call_id":"a"}""");
        Assert.Equal("append_interrupted_tool_result::4:a append_terminal_error::4:", ActionsOf(Repair()));
        Assert.Equal("", ActionsOf(Repair()));
        Add("agent_message", """{"text":"half","interrupted":true}""");
        Assert.Equal("append_terminal_error::8:", ActionsOf(Repair()));
    }

    [Fact]
    public void A_turn_that_has_its_error_gets_its_end_alone()
    {
        Add("user_prompt", """{"text":"x"}""", "t");
        Add("error", """{"message":"no network"}""", "t");
        JsonElement report = Repair();
        Assert.Equal("terminal_event_already_exists:t:2", Issues(report));
        Assert.Equal("append_terminal_error:t:2:", ActionsOf(report));
        Assert.Equal("""turn_end t {"stop_reason":"error","repaired":true}""", Shown(after: 2));
        Assert.Equal("", Issues(Repair()));
    }

    [Theory]
    [InlineData("cancelled", true)]
    [InlineData("refusal", true)]
    [InlineData("max_tokens", true)]
    [InlineData("max_turn_requests", true)]
    [InlineData("a_reason_of_tomorrow", true)]
    [InlineData("end_turn", false)]
    [InlineData("interrupted", false)]
    [InlineData("error", false)]
    public void A_turn_that_was_stopped_on_purpose_is_mended_with_force_only(string reason, bool needsForce)
    {
        Add("tool_call", """{"tool_call_id":"a"}""", "t");
        Add("turn_end", $$"""{"stop_reason":"{{reason}}"}""", "t");
        JsonElement report = Repair(RepairFlags.DryRun);
        Assert.Equal(needsForce, Issues(report).Contains("stop_reason_requires_force:t:2", StringComparison.Ordinal));
        Assert.Equal(needsForce ? "" : "append_interrupted_tool_result:t:1:a", ActionsOf(report));
        Assert.Equal("append_interrupted_tool_result:t:1:a", ActionsOf(Repair(RepairFlags.Force)));
        Assert.Equal("", ActionsOf(Repair(RepairFlags.Force)));
    }

    [Theory]
    [InlineData("""{"tool_call_id":"a","status":"failed"}""")]
    [InlineData("""{"tool_call_id":"a","status":"cancelled"}""")]
    [InlineData("""{"tool_call_id":"a","raw_output":{"lines":0}}""")]
    public void A_result_may_leave_out_its_turn_or_its_status(string result)
    {
        Add("tool_call", """{"tool_call_id":"a"}""", "t");
        Add("tool_call_update", """{"tool_call_id":"a","status":"in_progress","raw_output":"so far"}""", "t");
        Assert.Equal("append_interrupted_tool_result:t:1:a append_terminal_error:t:2:",
            ActionsOf(Repair(RepairFlags.DryRun)));
        Add("tool_call_update", result);
        Add("tool_call_update", """{"tool_call_id":"a","status":"in_progress"}""", "t");
        Add("turn_end", """{"stop_reason":"end_turn"}""", "t");
        Assert.DoesNotContain("append_interrupted", ActionsOf(Repair()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_call_without_an_id_can_only_be_named()
    {
        Add("tool_call", """{"title":"x"}""", "t");
        Add("tool_call", """{"title":"done at once","status":"completed"}""", "t");
        Add("turn_end", """{"stop_reason":"end_turn"}""", "t");
        JsonElement report = Repair();
        Assert.Equal("event_type_mismatch:t:1 dangling_tool_call_missing_id:t:1 event_type_mismatch:t:2",
            Issues(report));
        Assert.Equal("", ActionsOf(report));
    }

    [Fact]
    public void What_a_rewind_hides_is_not_mended_and_a_hidden_end_was_an_end()
    {
        var lines = new Utf8Buffer();
        EventLine.Write(lines, 1, "tool_call", 1, "t1", null, "{\"tool_call_id\":\"a\"}"u8);
        EventLine.Write(lines, 2, "tool_call_update", 1, "t1", null,
            "{\"tool_call_id\":\"a\",\"status\":\"completed\"}"u8);
        EventLine.Write(lines, 3, "turn_end", 1, "t1", null, "{\"stop_reason\":\"cancelled\"}"u8);
        EventLine.Write(lines, 4, "tool_call", 1, "t2", null, "{\"tool_call_id\":\"b\"}"u8);
        EventLine.Write(lines, 5, "rewind", 1, null, null, "{\"to_seq\":1}"u8);
        _disk.Poke("events.jsonl", lines.ToArray());
        using LogView log = LogView.OpenFile(_disk, "events.jsonl");
        var state = new LogState { Rewinds = [new Rewind(5, 2, 4)] };
        var info = new SessionInfo { Id = "s", LastSeq = 5 };
        RepairReport report = RepairScan.Run(log, state, info, RepairFlags.None);
        RepairAction action = Assert.Single(report.Actions);
        Assert.Equal(("append_interrupted_tool_result", "t1", "a"), (action.Code, action.TurnId, action.ToolCallId));
        Assert.Equal("terminal_event_already_exists", Assert.Single(report.Issues).Code);
        Assert.Equal(2, RepairScan.Run(log, LogState.Plain, info, RepairFlags.None).Actions.Count);
    }

    [Fact]
    public void A_log_without_a_turn_says_so()
    {
        Assert.Equal("no_repairable_turn::", Issues(Repair()));
        Add("note", """{"text":"x"}""", "t");
        Add("custom:step", "1", "t");
        JsonElement report = Repair(RepairFlags.Force);
        Assert.Equal("no_repairable_turn::", Issues(report));
        Assert.Equal("", ActionsOf(report));
    }

    [Fact]
    public void A_session_that_runs_is_left_alone_without_force()
    {
        Add("tool_call", """{"tool_call_id":"a"}""", "t");
        Edit(Layout.SessionFile, text => text.Replace("\"created\"", "\"active\"", StringComparison.Ordinal));
        JsonElement report = Repair();
        Assert.Equal("session_not_stopped::", Issues(report));
        Assert.Equal("error", report.GetProperty("issues")[0].GetProperty("severity").GetString());
        Assert.Equal("", ActionsOf(report));
        Assert.Equal(1, _session.GetStat().LastSeq);
        report = Repair(RepairFlags.Force);
        Assert.Equal("warning", report.GetProperty("issues")[0].GetProperty("severity").GetString());
        Assert.Equal(4, _session.GetStat().LastSeq);
    }

    [Fact]
    public void Damage_is_named_and_what_is_appended_stands_behind_it()
    {
        for (int i = 1; i <= 6; i++)
        {
            Add("user_prompt", $$"""{"text":"{{i}}"}""", "t");
        }

        string[] before = [];
        Edit(Layout.EventsFile, text =>
        {
            before = text.Split('\n');
            return string.Join('\n', before[0], "{\"seq\":2,\"type", before[0], before[4], before[3],
                "{\"seq\":6,\"timestamp\":1,\"data\":{}}", "{\"seq\":9007199254740993,\"type\":\"x\",\"data\":1}",
                "{\"seq\":7,\"ty");
        });
        JsonElement report = Repair();
        Assert.Equal("invalid_event_json:: event_sequence_duplicate::1 event_type_mismatch::6 invalid_event_json:: "
            + "torn_tail::",
            string.Join(' ', Issues(report).Split(' ').Where(i => !i.Contains("_gap") && !i.Contains("_regr"))));
        Assert.Equal("append_terminal_error:t:5:", ActionsOf(report).Replace(":4:", ":5:", StringComparison.Ordinal));
        Assert.Equal("", ActionsOf(Repair()));
        string[] after = Log().Split('\n');
        Assert.Equal("{\"seq\":7,\"ty", after[7]); // closed, not continued
        Assert.StartsWith("{\"seq\":7,\"type\":\"error\"", after[8], StringComparison.Ordinal);
        Assert.Equal(8, _session.Events().GetProperty("events").EnumerateArray().Last().GetProperty("seq").GetInt64());
    }

    [Fact]
    public void Gaps_and_falling_numbers_are_told_apart()
    {
        for (int i = 1; i <= 6; i++)
        {
            Add("note", $$"""{"text":"{{i}}"}""");
        }

        Edit(Layout.EventsFile, text =>
        {
            string[] l = text.Split('\n');
            return string.Join('\n', l[0], l[3], l[4], l[2]) + "\n";
        });
        // The line that came too late has the place of the one that is missing at the end.
        Assert.Equal("event_sequence_gap::2 event_sequence_regression::3 no_repairable_turn::", Issues(Repair()));
    }

    [Fact]
    public void A_last_line_without_its_newline_is_whole_and_worth_a_note()
    {
        Add("note", """{"text":"1"}""");
        Edit(Layout.EventsFile, text => text.TrimEnd('\n'));
        JsonElement report = Repair();
        Assert.Equal("torn_tail:: no_repairable_turn::", Issues(report));
        Assert.Equal("info", report.GetProperty("issues")[0].GetProperty("severity").GetString());
    }

    [Fact]
    public void A_log_that_is_damaged_all_over_is_reported_within_bounds()
    {
        Add("note", """{"text":"1"}""");
        Edit(Layout.EventsFile, text => text + string.Concat(Enumerable.Repeat("x\n", 5000)));
        JsonElement report = Repair();
        Assert.Equal(1000, report.GetProperty("issues").GetArrayLength());
        Assert.Equal(4001, report.GetProperty("issues_left_off").GetInt64());
    }

    [Fact]
    public void Shares_and_read_only_stores_are_not_repaired()
    {
        Add("tool_call", """{"tool_call_id":"a"}""", "t");
        string secret = Stores.Json(b => _session.WriteShare(null, b)).GetProperty("secret").GetString()!;
        using Session shared = _store.ResolveShare(secret);
        Stores.Fails(SessionStatus.AccessDenied, () => Stores.Json(b => shared.Repair(RepairFlags.DryRun, b)));
        Stores.Fails(SessionStatus.InvalidArgument, () => Stores.Json(b => _session.Repair((RepairFlags)4, b)));
        _store.Close();
        Stores.Fails(SessionStatus.Closed, () => Repair());
        _store = Stores.Open(_disk.OpenAs(), options: new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        _session = _store.OpenSession(_session.Id);
        Assert.NotEqual("", ActionsOf(Repair(RepairFlags.DryRun)));
        Stores.Fails(SessionStatus.ReadOnly, () => Repair());
    }

    private void Add(string type, string data, string? turn = null)
        => _session.Append(type, Stores.Utf8(data), new AppendOptions { TurnId = turn });

    private JsonElement Repair(RepairFlags flags = RepairFlags.None) => Stores.Json(b => _session.Repair(flags, b));

    private long Lsn() => _store.Info().GetProperty("lsn").GetInt64();

    private string Path(string file) => Layout.LiveFolder(_session.Id) + "/" + file;

    private string Log() => System.Text.Encoding.UTF8.GetString(_disk.ReadAll(Path(Layout.EventsFile)));

    // As another program would, while nobody has the store open.
    private void Edit(string file, Func<string, string> change)
    {
        _store.Close();
        string text = System.Text.Encoding.UTF8.GetString(_disk.ReadAll(Path(file)));
        string edited = change(text);
        if (file == Layout.SessionFile)
        {
            int crc = edited.LastIndexOf(",\n  \"crc\"", StringComparison.Ordinal);
            edited = edited[..crc] + "\n}\n";
        }

        _disk.Poke(Path(file), Stores.Utf8(edited));
        _disk.Unlink(Layout.IndexFile);
        _store = Stores.Open(_disk.OpenAs());
        _session = _store.OpenSession(_session.Id);
    }

    private string Shown(long after) => string.Join('\n', _session.Events(after).GetProperty("events").EnumerateArray()
        .Select(e => $"{e.GetProperty("type")} {e.GetProperty("turn_id")} {e.GetProperty("data").GetRawText()}"));

    private static string Issues(JsonElement report) => string.Join(' ', report.GetProperty("issues").EnumerateArray()
        .Select(i => $"{i.GetProperty("code")}:{i.GetProperty("turn_id")}:{i.GetProperty("seq")}"));

    private static string ActionsOf(JsonElement report) => string.Join(' ',
        report.GetProperty("actions").EnumerateArray().Select(a => string.Join(':',
            a.GetProperty("code"), a.GetProperty("turn_id"), a.GetProperty("seq"), a.GetProperty("tool_call_id"))));
}
