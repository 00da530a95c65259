using System.Text.Json;
using Sessions.Events;
using Sessions.Events.Pages;
using Sessions.Events.Repair;
using Sessions.Events.Schema;
using Sessions.Events.Transcript;
using Sessions.Json;
using Sessions.Storage.Log;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Events.Transcript;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Repair;

/// <summary>The same tool call id again, as providers that count from zero give it: repair, abort and transcript see
/// the same calls.</summary>
public sealed class RepeatedCallTests : IDisposable
{
    private const string Call = """{"tool_call_id":"0"}""";

    private readonly Talk _talk = new();

    public void Dispose() => _talk.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_call_id_again_in_the_next_turn_without_turn_ids_is_another_call(bool isAbort)
    {
        for (int i = 0; i < 3; i++)
        {
            _talk.Add("user_prompt", """{"text":"x"}""");
            _talk.Add("tool_call", Call);
        }

        _talk.Add("tool_call_update", """{"tool_call_id":"0","status":"completed","raw_output":"done"}""");
        Assert.Equal([2, 4], Settle(isAbort));
        Assert.Equal(["0 output-error", "0 output-error", "0 output-available"], States());
        Assert.Empty(Settle(isAbort));
        Assert.Equal(7 + 2 + (isAbort ? 0 : 2), _talk.Session.GetStat().LastSeq);
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(false, "t")]
    [InlineData(true, "t")]
    public void A_call_id_again_after_a_result_in_one_turn_is_another_call(bool isAbort, string? turn)
    {
        _talk.Add("tool_call", """{"tool_call_id":"0","kind":"read","raw_input":"A"}""", turn);
        _talk.Add("tool_call_update", """{"tool_call_id":"0","status":"completed","raw_output":"a"}""", turn);
        _talk.Add("tool_call", """{"tool_call_id":"0","kind":"read","raw_input":"B"}""", turn);
        string parts = _talk.UiParts();
        Assert.Contains("\"input\":\"A\",\"output\":\"a\"}", parts, StringComparison.Ordinal);
        Assert.Contains("\"toolCallId\":\"0-3\",\"state\":\"input-available\",\"input\":\"B\"}", parts,
            StringComparison.Ordinal);
        Assert.Equal([3], Settle(isAbort));
        Assert.Equal(["0 output-available", "0-3 output-error"], States());
        _talk.Add("tool_call", """{"tool_call_id":"0","kind":"read","raw_input":"C"}""", turn);
        _talk.Add("tool_call_update", """{"tool_call_id":"0","raw_output":"c"}""", turn);
        Assert.Empty(Settle(isAbort));
        Assert.Contains("\"input\":\"C\",\"output\":\"c\"}",
            string.Concat(_talk.Messages(TranscriptFormat.UiMessages).Select(m => Talk.Parts(m))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_within_one_message_stay_unique_whatever_the_others_are_called()
    {
        foreach (string id in (string[])["0", "0", "0-5", "\\u0030", "0-9"])
        {
            _talk.Add("tool_call", $$"""{"tool_call_id":"{{id}}","status":"completed"}""", "t");
            _talk.Add("note", """{"text":"x"}""", "t");
        }

        _talk.Add("tool_call", """{"tool_call_id":"0","status":"completed"}""", "u");
        Assert.Equal(["0", "0-3", "0-5", "0-7", "0-9", "0"], States().Select(s => s.Split(' ')[0]));
        _talk.Add("tool_call", """{"tool_call_id":"0-7","status":"completed"}""", "t");
        Assert.Contains("0-7-12 output-available", States());
        Assert.All(_talk.Messages().SelectMany(m => m.GetProperty("parts").EnumerateArray())
            .Where(p => p.GetProperty("type").GetString() == "tool_call"),
            p => Assert.Contains(p.GetProperty("tool_call_id").GetString()!, (string[])["0", "0-5", "0-7", "0-9"]));
    }

    [Fact]
    public void A_result_without_its_turn_names_its_call_by_number_where_the_id_would_find_another()
    {
        _talk.Add("tool_call", Call);
        _talk.Add("user_prompt", """{"text":"x"}""");
        _talk.Add("tool_call", Call);
        Settle(isAbort: true);
        Assert.Equal("""
            {"tool_call_id":"0","status":"interrupted","aborted":true,"call_seq":1}
            {"tool_call_id":"0","status":"interrupted","aborted":true}
            """.ReplaceLineEndings("\n"), string.Join('\n', _talk.Session.Events(3).GetProperty("events")
            .EnumerateArray().Select(e => e.GetProperty("data").GetRawText())));
        Assert.All(_talk.Session.Events(3).GetProperty("events").EnumerateArray(), e => Assert.Null(
            SchemaCheck.Find("tool_call_update", Stores.Utf8(e.GetProperty("data").GetRawText()))));

        // One that speaks of a call which is not there is nobody else's.
        _talk.Add("tool_call_update", """{"tool_call_id":"0","call_seq":2,"raw_output":"late"}""");
        Assert.Equal(["0 output-error", "0 output-error", "0-6 output-available"], States());
        Assert.Empty(Settle(isAbort: false));
    }

    [Fact]
    public void A_question_id_again_is_another_question()
    {
        for (int i = 0; i < 2; i++)
        {
            _talk.Add("user_prompt", """{"text":"x"}""");
            _talk.Add("permission", $$"""{"request_id":"0","options":[{"option_id":"{{i}}","name":"n"}]}""");
            _talk.Add("permission", """{"request_id":"0","outcome":{"outcome":"selected","option_id":"a"}}""");
            _talk.Add("permission", """{"request_id":"0","options":[{"option_id":"again","name":"n"}]}""");
        }

        string[] parts = [.. _talk.Messages().Where(m => m.GetProperty("role").GetString() == "assistant")
            .SelectMany(m => m.GetProperty("parts").EnumerateArray()).Select(p => p.GetProperty("data").GetRawText())];
        Assert.Equal(4, parts.Length);
        Assert.Equal([true, false, true, false],
            parts.Select(p => p.Contains("\"selected\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Repair_and_transcript_see_the_same_calls_open_in_random_logs()
    {
        int open = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            try
            {
                open += Check(new Random(seed));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}", e);
            }
        }

        Assert.InRange(open, 400, int.MaxValue);
    }

    private static int Check(Random random)
    {
        var lines = new Utf8Buffer();
        int seq = 0, count = random.Next(1, 40);
        for (int i = 0; i < count; i++)
        {
            string? turn = random.Next(3) switch { 0 => null, _ => "t" + random.Next(3) };
            string tool = $"{{\"tool_call_id\":\"{random.Next(3)}\"" + random.Next(6) switch
            {
                0 => ",\"status\":\"completed\"}",
                1 => ",\"raw_output\":1}",
                2 => ",\"status\":\"in_progress\",\"raw_output\":1}",
                3 => $",\"status\":\"failed\",\"call_seq\":{random.Next(1, count)}}}",
                _ => "}",
            };
            (string type, string data) = random.Next(8) switch
            {
                0 => ("user_prompt", "{\"text\":\"x\"}"),
                1 => ("turn_end", "{\"stop_reason\":\"end_turn\"}"),
                2 => ("agent_message", "{\"text\":\"x\"}"),
                3 or 4 => ("tool_call_update", tool),
                _ => ("tool_call", tool),
            };
            EventLine.Write(lines, ++seq, type, 1, turn, null, Stores.Utf8(data));
        }

        LogState state = random.Next(3) == 0
            ? new LogState { Rewinds = [new Rewind(seq, random.Next(1, seq + 1), seq - 1)] } : LogState.Plain;
        (long[] known, List<RepairAction> actions) = Ledger(lines, state, seq);
        Assert.Equal(Shown(lines, state, seq), known);
        Assert.Equal(known, actions.Select(a => a.Seq).Order());

        foreach (RepairAction action in actions)
        {
            if (random.Next(3) == 0)
            {
                EventLine.Write(lines, ++seq, "turn_end", 1, "t" + random.Next(3), null, "{}"u8);
            }

            NewEvent e = Assert.Single(action.Events);
            EventLine.Write(lines, ++seq, e.Type, 1, e.TurnId, null, e.Data.Span);
        }

        Assert.Empty(Ledger(lines, state, seq).Open);
        Assert.Empty(Shown(lines, state, seq));
        return known.Length;
    }

    private static (long[] Open, List<RepairAction> Actions) Ledger(Utf8Buffer lines, LogState state, long last)
    {
        using LogView log = LogOf(lines);
        var ledger = new TurnLedger();
        var walk = new LogWalk(log, 0, last);
        while (walk.TryNext())
        {
            ledger.Add(EventView.Of(walk), state.IsHidden(walk.Seq));
        }

        List<Turn> turns = ledger.FindWithOpenCalls();
        return ([.. turns.SelectMany(t => t.Calls).Where(c => c.IsOpen).Select(c => c.Seq).Order()],
            [.. turns.SelectMany(t => RepairEvents.Results(ledger, t, force: true, RepairEvents.Repaired))]);
    }

    private static long[] Shown(Utf8Buffer lines, LogState state, long last)
    {
        using LogView log = LogOf(lines);
        TranscriptBuilder builder = new WarmTranscript().Bring(log,
            new TranscriptSource(state, new SeqRange(1, last), ShowsHidden: false), last);
        return [.. builder.Messages.SelectMany(m => m.Parts).Where(p => p.Tool is { IsOpen: true }).Select(p => p.Seq)
            .Order()];
    }

    private static LogView LogOf(Utf8Buffer lines)
    {
        var disk = new MemoryDisk();
        disk.Poke("log", lines.Written);
        return LogView.OpenFile(disk, "log");
    }

    // The calls that got a result.
    private long[] Settle(bool isAbort)
    {
        JsonElement dry = Stores.Json(b => _talk.Session.Repair(RepairFlags.DryRun, b));
        long last = _talk.Session.GetStat().LastSeq;
        if (isAbort)
        {
            _talk.Session.Abort();
            _talk.Session.ClearAbort();
        }
        else
        {
            Stores.Json(b => _talk.Session.Repair(RepairFlags.None, b));
        }

        long[] calls = [.. dry.GetProperty("actions").EnumerateArray()
            .Where(a => a.GetProperty("code").GetString() == "append_interrupted_tool_result")
            .Select(a => a.GetProperty("seq").GetInt64())];
        Assert.Equal(calls.Length, _talk.Session.Events(last).GetProperty("events").EnumerateArray()
            .Count(e => e.GetProperty("type").GetString() == "tool_call_update"));
        return calls;
    }

    private string[] States() => [.. _talk.Messages(TranscriptFormat.UiMessages)
        .SelectMany(m => m.GetProperty("parts").EnumerateArray())
        .Where(p => p.TryGetProperty("toolCallId", out _))
        .Select(p => $"{p.GetProperty("toolCallId").GetString()} {p.GetProperty("state").GetString()}")];
}
