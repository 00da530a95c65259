using System.Text;
using System.Text.Json;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Recording;

/// <summary>The recorder: what each method writes, its states, its turns, many threads.</summary>
public sealed class RecorderTests : IDisposable
{
    private readonly SessionStore _store = Stores.Open(new MemoryDisk().OpenAs(), new ManualTime());
    private readonly Session _session;
    private readonly Recorder _recorder;

    public RecorderTests()
    {
        _session = _store.Create();
        _recorder = new Recorder(_session);
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Each_method_writes_its_event_and_all_of_them_fit_their_schemas()
    {
        _recorder.Start("open");
        Assert.Equal("t-1", _recorder.BeginTurn("t-1"));
        _recorder.Prompt(new UserPrompt("Hi \"you\" 😀")
        {
            Images = [new ImageReference(FileId: "f"), new ImageReference(Url: "https://x", Name: "x")],
            Files = [new FileReference(Path: "a.c")],
            PromptId = "p",
        });
        _recorder.Prompt("words alone");
        _recorder.AgentThought(" hm\n");
        _recorder.AgentMessage("half", interrupted: true);
        _recorder.ToolCall(new ToolCallRecord("c")
        {
            Title = "Read",
            Kind = "read",
            Status = ToolCallStatus.InProgress,
            RawInput = Stores.Utf8(""" { "n" : 9007199254740993 } """),
            Locations = Stores.Utf8("[]"),
        });
        _recorder.ToolCallUpdate(new ToolCallRecord("c")
        {
            Status = ToolCallStatus.Completed,
            RawOutput = Stores.Utf8("null"),
            Content = Stores.Utf8("[1]"),
        });
        _recorder.Plan([new PlanEntry("a", PlanPriority.High, PlanStatus.InProgress)]);
        _recorder.Permission(new PermissionRecord("r")
        {
            ToolCallId = "c",
            Options = [new PermissionOption("yes", "Allow", "allow_once"), new PermissionOption("no", "Deny")],
        });
        _recorder.Permission(new PermissionRecord("r") { Outcome = new PermissionOutcome("yes") });
        _recorder.Permission(new PermissionRecord("q") { Outcome = new PermissionOutcome(null) });
        _recorder.FileRead(new FileUse("a.c") { Line = 1, Limit = 2 });
        _recorder.FileWrite(new FileUse("a.c") { Bytes = 3 });
        _recorder.Usage(new TokenUsage { InputTokens = 1, OutputTokens = 2, Cost = 0.0110m, Currency = "USD" });
        _recorder.Error(new ErrorRecord("no") { Code = "x", Data = Stores.Utf8("{}") });
        _recorder.Title("T", turnId: "t-other");
        _recorder.Note("n");
        _recorder.Custom("mood", "[ 3 ]"u8);
        _recorder.EndTurn(StopReason.MaxTurnRequests);
        _recorder.Note("outside");
        Assert.Equal(21, _recorder.End("quit"));
        Assert.Equal("""
            1 session_start  {"reason":"open","resumed":false}
            2 user_prompt t-1 {"text":"Hi \"you\" 😀","images":[{"file_id":"f"},
            +{"url":"https://x","name":"x"}],"files":[{"path":"a.c"}],"prompt_id":"p"}
            3 user_prompt t-1 {"text":"words alone"}
            4 agent_thought t-1 {"text":" hm\n"}
            5 agent_message t-1 {"text":"half","interrupted":true}
            6 tool_call t-1 {"tool_call_id":"c","title":"Read","kind":"read","status":"in_progress",
            +"raw_input":{"n":9007199254740993},"locations":[]}
            7 tool_call_update t-1 {"tool_call_id":"c","status":"completed","raw_output":null,"content":[1]}
            8 plan t-1 {"entries":[{"content":"a","priority":"high","status":"in_progress"}]}
            9 permission t-1 {"request_id":"r","tool_call_id":"c","options":[{"option_id":"yes","name":"Allow",
            +"kind":"allow_once"},{"option_id":"no","name":"Deny"}],"outcome":null}
            10 permission t-1 {"request_id":"r","outcome":{"outcome":"selected","option_id":"yes"}}
            11 permission t-1 {"request_id":"q","outcome":{"outcome":"cancelled"}}
            12 file_read t-1 {"path":"a.c","line":1,"limit":2}
            13 file_write t-1 {"path":"a.c","bytes":3}
            14 usage t-1 {"input_tokens":1,"output_tokens":2,"cost":{"amount":0.0110,"currency":"USD"}}
            15 error t-1 {"message":"no","code":"x","data":{}}
            16 title t-other {"title":"T"}
            17 note t-1 {"text":"n"}
            18 custom:mood t-1 [3]
            19 turn_end t-1 {"stop_reason":"max_turn_requests"}
            20 note  {"text":"outside"}
            """.ReplaceLineEndings("\n").Replace("\n+", "", StringComparison.Ordinal), Shown(0, 20));
        Assert.Equal("""21 session_end  {"reason":"quit","was_prompting":false}""", Shown(20, 5));
    }

    [Fact]
    public void Ending_closes_the_turn_and_twice_is_fine()
    {
        _recorder.Start();
        _recorder.BeginTurn("t");
        _recorder.Prompt("x");
        long lsn = _store.Info().GetProperty("lsn").GetInt64();
        Assert.Equal(4, _recorder.End());
        Assert.Equal(lsn + 1, _store.Info().GetProperty("lsn").GetInt64());
        Assert.Equal("3 turn_end t {\"stop_reason\":\"interrupted\"}\n"
            + "4 session_end  {\"reason\":\"ended\",\"was_prompting\":true}", Shown(2, 9));
        Assert.Equal(4, _recorder.End("again"));
        Assert.Equal((4, RecorderState.Ended, null), (_session.GetStat().LastSeq, _recorder.State, _recorder.TurnId));
        Refuses("record", "it is not recording", () => _recorder.Note("late"));
        Assert.Equal(0, new Recorder(_session).End());
        Assert.Equal(4, _session.GetStat().LastSeq);
    }

    [Fact]
    public void A_suspended_session_goes_on_with_its_turn()
    {
        _recorder.Start();
        string turn = _recorder.BeginTurn();
        Assert.Equal(18, turn.Length);
        _recorder.ToolCall(new ToolCallRecord("c"));
        Assert.Equal(3, _recorder.Suspend());
        Refuses("record", "it is not recording", () => _recorder.Note("asleep"));
        Refuses("suspend", "it is not recording", () => _recorder.Suspend());
        Refuses("start", "it is not created", () => _recorder.Start());
        Assert.Equal(4, _recorder.Resume());
        _recorder.ToolCallUpdate(new ToolCallRecord("c") { Status = ToolCallStatus.Completed });
        _recorder.EndTurn();
        Assert.Equal($$"""
            3 session_end  {"reason":"suspended","was_prompting":true}
            4 session_start  {"reason":"resume","resumed":true}
            5 tool_call_update {{turn}} {"tool_call_id":"c","status":"completed"}
            6 turn_end {{turn}} {"stop_reason":"end_turn"}
            """.ReplaceLineEndings("\n"), Shown(2, 9));
        Refuses("resume", "it is neither new nor suspended", () => _recorder.Resume());
    }

    [Fact]
    public void Resuming_what_a_dead_process_left_open_mends_it_first()
    {
        _recorder.Start();
        _recorder.BeginTurn("t");
        _recorder.ToolCall(new ToolCallRecord("c"));
        var next = new Recorder(_session);
        Assert.Equal(6, next.Resume("after a crash"));
        Assert.Equal("""
            3 tool_call_update t {"tool_call_id":"c","status":"interrupted","repaired":true}
            4 error t {"message":"The turn was interrupted before it ended.","code":"interrupted","repaired":true}
            5 turn_end t {"stop_reason":"interrupted","repaired":true}
            6 session_start  {"reason":"after a crash","resumed":true}
            """.ReplaceLineEndings("\n"), Shown(2, 9));
        next.End();
        Assert.Equal(8, new Recorder(_session).Resume());
    }

    [Fact]
    public void What_ended_in_order_is_resumed_without_a_look_at_its_history()
    {
        // An open call from before the last end: only a repair would close it.
        _session.Append("tool_call", "{\"tool_call_id\":\"c\"}"u8, new AppendOptions { TurnId = "old" });
        _recorder.Start();
        _recorder.End();
        Assert.Equal(4, new Recorder(_session).Resume());
        Assert.Equal(4, _session.GetStat().LastSeq);
    }

    [Fact]
    public void Turns_do_not_overlap_and_ids_are_checked()
    {
        Refuses("begin_turn", "it is not recording", () => _recorder.BeginTurn());
        _recorder.Start();
        Refuses("end_turn", "no turn is open", () => _recorder.EndTurn());
        Stores.Fails(SessionStatus.InvalidArgument, () => _recorder.BeginTurn(""));
        _recorder.BeginTurn();
        Refuses("begin_turn", "a turn is open", () => _recorder.BeginTurn());
        Assert.NotEqual(_recorder.TurnId, new Recorder(_session).TurnId);
        Stores.Fails(SessionStatus.InvalidArgument, () => _recorder.ToolCall(new ToolCallRecord("")));
        Stores.Fails(SessionStatus.InvalidArgument, () => _recorder.Prompt(new UserPrompt("x")
        {
            Images = [new ImageReference()],
        }));
        Stores.Fails(SessionStatus.InvalidArgument, () => _recorder.FileRead(new FileUse("a") { Line = -1 }));
        Stores.Fails(SessionStatus.InvalidArgument, () => _recorder.EndTurn((StopReason)99));
        Stores.Fails(SessionStatus.InvalidUtf8, () => _recorder.Note("\ud800"));
        Stores.Fails(SessionStatus.InvalidJson,
            () => _recorder.ToolCall(new ToolCallRecord("c") { RawInput = Stores.Utf8("1},\"x\":{") }));
        Assert.Throws<ArgumentNullException>(() => _recorder.Note(null!));
        Stores.Fails(SessionStatus.InvalidArgument, () => new Recorder(_session, AppendFlags.Check));
        Assert.Equal(1, _session.GetStat().LastSeq);
    }

    [Fact]
    public void Many_threads_share_one_dense_order_and_ends_stand_behind_what_they_end()
    {
        const int Threads = 8, Each = 60;
        _recorder.Start();
        _recorder.BeginTurn("a");
        var seqs = new long[Threads][];
        var threads = Enumerable.Range(0, Threads).Select(t => new Thread(() => seqs[t] =
            [.. Enumerable.Range(0, Each).Select(i => _recorder.Note($"{t}.{i}"))])).ToList();
        threads.ForEach(t => t.Start());
        var turns = new List<string> { "a" };
        for (int i = 0; i < 20; i++)
        {
            _recorder.EndTurn();
            turns.Add(_recorder.BeginTurn($"b{i}"));
        }

        threads.ForEach(t => t.Join());
        long end = _recorder.End();
        Assert.All(seqs, s => Assert.Equal(s.Order(), s));
        Assert.Equal(Threads * Each, seqs.SelectMany(s => s).Distinct().Count());
        List<PlayedEvent> all = [.. Play()];
        Assert.Equal(Enumerable.Range(1, (int)end).Select(i => (long)i), all.Select(e => e.Seq));
        foreach (string turn in turns)
        {
            Assert.Equal("turn_end", all.Last(e => e.TurnId == turn).Type);
        }
    }

    private IEnumerable<PlayedEvent> Play()
    {
        var player = new Player(_session);
        while (player.Next() is { } played)
        {
            yield return played;
        }
    }

    private static void Refuses(string what, string reason, Action action)
    {
        SessionException e = Stores.Fails(SessionStatus.InvalidTransition, action);
        JsonElement details = JsonDocument.Parse(e.Details).RootElement;
        Assert.Equal((what, reason),
            (details.GetProperty("event").GetString()!, details.GetProperty("reason").GetString()!));
    }

    private string Shown(long after, uint limit)
    {
        var text = new StringBuilder();
        foreach (JsonElement e in _session.Events(after, limit).GetProperty("events").EnumerateArray())
        {
            string turn = e.TryGetProperty("turn_id", out JsonElement id) ? id.GetString()! : "";
            text.Append(text.Length == 0 ? "" : "\n").Append(
                $"{e.GetProperty("seq")} {e.GetProperty("type")} {turn} {e.GetProperty("data").GetRawText()}");
        }

        return text.ToString();
    }
}
