using System.Buffers;
using System.Text.Json;
using Sessions.Images;
using Sessions.Storage.Files;
using Sessions.Storage.Rows;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Queueing;

/// <summary>The queue as its callers see it.</summary>
public sealed class QueueTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();
    private readonly SessionStore _store;
    private readonly Session _session;

    public QueueTests()
    {
        _store = Stores.Open(_disk, _time);
        _session = _store.Create();
    }

    public void Dispose()
    {
        _session.Dispose();
        _store.Dispose();
    }

    [Fact]
    public void An_entry_is_what_was_added_and_shows_up_in_the_list()
    {
        JsonElement entry = _session.Add("""
            {"message":"Fix \u006cogin","image_ids":["f_1"],"file_ids":["f_2","f_3"],"client_id":"c1",
             "prompt_name":"fix","arguments":{"b":1.0, "a":[1e3]},"key":"k"}
            """);
        Assert.Matches($"^q-{_time.NowMs / 1000}-[0-9a-f]{{8}}$", entry.GetProperty("id").GetString());
        string id = entry.GetProperty("id").GetString()!;
        string expected = $$"""{"id":"{{id}}","state":"queued","position":0,"generation":0,""" + string.Concat(
            """
            "message":"Fix \u006cogin","image_ids":["f_1"],"file_ids":["f_2","f_3"],"client_id":"c1",
            """, """
            "prompt_name":"fix","arguments":{"b":1.0,"a":[1e3]},"title":null,"queued_at":
            """, _time.NowMs, """
            ,"scheduled_at":null,"repeat":null,"key":"k","turn_id":null,"claimed_by":null,"claimed_at":null,
            """) + "\"seq\":null,\"detail\":null}";
        Assert.Equal(expected, entry.GetRawText());
        Assert.Equal("{\"entries\":[" + expected + "],\"generation\":0,\"count\":1,\"max_size\":10,\"next_due_at\":"
            + _time.NowMs + "}", Stores.Text(_session.WriteQueue));
        Assert.Equal("""{"entries":[],"generation":0,"count":0,"max_size":10,"next_due_at":null}""",
            Stores.Text(_store.Create().WriteQueue));
    }

    [Fact]
    public void A_queue_of_mebibytes_is_read_once_and_an_entry_at_its_end_is_a_copy()
    {
        using SessionStore neighbour = Stores.Open(_disk.OpenAs(), _time, processId: 9);
        using Session theirs = neighbour.OpenSession(_session.Id);
        Row row = _store.Core.Rows.Find(_session.Id)!;
        string large = new('x', 900_000);
        for (int i = 0; i < 4; i++)
        {
            string text = $"{{\"message\":\"{i}{large}\",\"arguments\":{{\"a\":[1],\"settled\":[{i}]}}}}";
            (i == 2 ? theirs : _session).Add(text);
            Assert.Equal(i + 1, Stores.Json(_session.WriteQueue).GetProperty("count").GetInt32());
            Assert.Same(row.Sides![SmallFileKind.Queue.Index], row.KnownQueue!.Image);
            Assert.True(row.KnownQueue.Image.AsSpan().SequenceEqual(
                QueueCodec.Write(row.KnownQueue.State, _session.Id)));
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.NotEqual(0, _session.NextQueueDue());
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100_000, "the queue was read again");
        Assert.Equal("0", _session.Claim().Message()[..1]);
        Assert.Equal(4, Stores.Json(theirs.WriteQueue).GetProperty("count").GetInt32());
    }

    [Fact]
    public void It_is_claimed_and_settled_and_its_prompt_is_in_the_same_frame()
    {
        string id = _session.Add("""
            {"message":"Hi","image_ids":["f_1"],"file_ids":["f_2"],"client_id":"c1","prompt_name":"p",
             "arguments":{"x":1}}
            """).Id();
        JsonElement claimed = _session.Claim("t-1");
        Assert.Equal(("claimed", id, "t-1", _time.NowMs), (claimed.State(), claimed.Id(),
            claimed.GetProperty("turn_id").GetString(), claimed.GetProperty("claimed_at").GetInt64()));
        long before = _store.Core.Rows.Lsn;
        Assert.Equal(1, _session.SettleQueued(id, QueueOutcome.Sent, "went well"));
        Assert.Equal(before + 1, _store.Core.Rows.Lsn);
        JsonElement prompt = _session.Events().GetProperty("events")[0];
        Assert.Equal(("user_prompt", "t-1", id), (prompt.GetProperty("type").GetString(),
            prompt.GetProperty("turn_id").GetString(), prompt.GetProperty("id").GetString()));
        Assert.Equal("""{"text":"Hi","images":[{"file_id":"f_1"}],"files":[{"file_id":"f_2"}],"client_id":"c1","""
            + "\"prompt_name\":\"p\",\"arguments\":{\"x\":1}}", prompt.GetProperty("data").GetRawText());
        JsonElement record = _session.Queue().GetProperty("entries")[0];
        Assert.Equal(("sent", 1, "went well"), (record.State(), record.GetProperty("seq").GetInt64(),
            record.GetProperty("detail").GetString()));
        Assert.Equal((JsonValueKind.Null, 0), (record.GetProperty("position").ValueKind, _session.Count()));
        Assert.Equal(1, _session.GetStat().MessageCount);
    }

    [Fact]
    public void To_settle_twice_is_to_settle_once()
    {
        string id = _session.Add("""{"message":"Hi"}""").Id();
        _session.Claim();
        Assert.Equal(1, _session.SettleQueued(id, QueueOutcome.Sent));
        long before = _store.Core.Rows.Lsn;
        Assert.Equal(1, _session.SettleQueued(id, QueueOutcome.Sent));
        Assert.Equal(before, _store.Core.Rows.Lsn);
        foreach (QueueOutcome other in Enum.GetValues<QueueOutcome>().Where(o => o != QueueOutcome.Sent))
        {
            SessionException e =
                Stores.Fails(SessionStatus.InvalidTransition, () => _session.SettleQueued(id, other));
            Assert.Contains("\"state\":\"sent\"", e.Details, StringComparison.Ordinal);
        }

        Assert.Equal(1, _session.GetStat().LastSeq);
    }

    [Fact]
    public void One_that_was_sent_so_long_ago_that_no_record_is_left_is_not_sent_again()
    {
        string first = Deliver("first", QueueOutcome.Sent);
        for (int i = 0; i < 60; i++)
        {
            Deliver($"{i}", QueueOutcome.Sent);
        }

        Assert.DoesNotContain(first, Stores.Text(_session.WriteQueue), StringComparison.Ordinal);
        Assert.Equal(50, _session.Queue().GetProperty("entries").GetArrayLength());
        Assert.Equal(1, _session.SettleQueued(first, QueueOutcome.Sent));
        Assert.Equal(61, _session.GetStat().LastSeq);
        Stores.Fails(SessionStatus.NotFound, () => _session.SettleQueued("q-1-none", QueueOutcome.Sent));
        Stores.Fails(SessionStatus.NotFound, () => _session.SettleQueued(first, QueueOutcome.Failed));
    }

    [Theory]
    [InlineData(QueueOutcome.Failed, "failed")]
    [InlineData(QueueOutcome.Cancelled, "cancelled")]
    public void What_is_not_sent_leaves_a_record_and_no_event(QueueOutcome outcome, string state)
    {
        string id = _session.Add("""{"message":"Hi"}""").Id();
        Stores.Fails(SessionStatus.InvalidTransition, () => _session.SettleQueued(id, outcome)); // not claimed
        _session.Claim();
        Assert.Equal(0, _session.SettleQueued(id, outcome, "no"));
        Assert.Equal(0, _session.SettleQueued(id, outcome, "no"));
        Stores.Fails(SessionStatus.InvalidTransition, () => _session.SettleQueued(id, QueueOutcome.Sent));
        Assert.Equal($"{state} Hi", _session.Line());
        Assert.Equal((0, 0), (_session.GetStat().LastSeq, _session.Count()));
        Stores.Fails(SessionStatus.NotFound, () => _session.Claim());
    }

    [Fact]
    public void What_is_released_goes_back_to_its_place()
    {
        string first = _session.Add("""{"message":"a"}""").Id();
        _session.Add("""{"message":"b"}""");
        Assert.Equal(0, _session.SettleQueued(first, QueueOutcome.Release)); // it waits already
        _session.Claim("t");
        Assert.Equal("claimed a, queued b", _session.Line());
        Assert.Equal(0, _session.SettleQueued(first, QueueOutcome.Release, "the agent was gone"));
        Assert.Equal("queued a, queued b", _session.Line());
        JsonElement entry = _session.Queue().GetProperty("entries")[0];
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null, "the agent was gone"), (
            entry.GetProperty("turn_id").ValueKind, entry.GetProperty("claimed_by").ValueKind,
            entry.GetProperty("detail").GetString()));
        Assert.Equal(first, _session.Claim().Id());
        Assert.Equal("b", _session.Claim().Message()); // several may be under way
    }

    [Fact]
    public void Due_entries_and_unscheduled_ones_go_by_position_so_that_neither_starves()
    {
        _session.Add("""{"message":"a"}""");
        _session.Add("{\"message\":\"later\",\"scheduled_at\":" + (_time.NowMs + 1000) + "}");
        _session.Add("""{"message":"b"}""");
        _session.Add("""{"message":"sooner","delay_ms":500}""");
        _session.Add("""{"message":"c"}""");
        Assert.Equal("a", Next());
        Assert.Equal("b", Next());
        _time.Advance(1000); // both are due; unscheduled ones keep coming in
        _session.Add("""{"message":"d"}""");
        Assert.Equal(["later", "sooner", "c", "d"], (string[])[Next(), Next(), Next(), Next()]);
        Stores.Fails(SessionStatus.NotFound, () => Next());
    }

    [Fact]
    public void However_many_come_in_an_entry_waits_for_no_more_than_stood_before_it()
    {
        Configure("""{"queue":{"max_size":100}}""");
        _session.Add("""{"message":"scheduled","delay_ms":5000}""");
        _session.Add("""{"message":"plain"}""");
        int before = 0;
        for (int i = 0; i < 40 && _session.Line().Contains("queued scheduled", StringComparison.Ordinal); i++)
        {
            _session.Add("{\"message\":\"due\",\"scheduled_at\":" + _time.NowMs + "}");
            _session.Add("""{"message":"more"}""");
            _time.Advance(400);
            before = Next() == "scheduled" ? i : 0;
        }

        Assert.Equal(12, before); // the first claim once it is due, whatever came in meanwhile
    }

    [Fact]
    public void The_time_of_the_next_one_is_told()
    {
        Assert.Equal(0, _session.NextQueueDue());
        long later = _time.NowMs + 5000;
        string id = _session.Add("{\"message\":\"later\",\"scheduled_at\":" + later + "}").Id();
        Assert.Equal(later, _session.NextQueueDue());
        SessionException e = Stores.Fails(SessionStatus.NotFound, () => _session.Claim());
        Assert.Contains($"\"next_due_at\":{later}", e.Details, StringComparison.Ordinal);
        _session.Add("""{"message":"now"}""");
        Assert.Equal(_time.NowMs, _session.NextQueueDue());
        Assert.Equal(_time.NowMs, _session.Queue().GetProperty("next_due_at").GetInt64());
        _session.UpdateQueued(id, "{\"scheduled_at\":null}"u8);
        _time.Advance(10);
        Assert.Equal(_time.NowMs - 10, _session.NextQueueDue());
    }

    [Fact]
    public void The_pause_after_a_delivery_holds_everything_up()
    {
        Configure("""{"queue":{"delay_ms":60000}}""");
        string first = _session.Add("""{"message":"a"}""").Id();
        _session.Add("""{"message":"b"}""");
        _session.Claim();
        _session.SettleQueued(first, QueueOutcome.Failed);
        Assert.Equal("b", _session.Claim().Message()); // a failure is no delivery
        _session.SettleQueued(_session.Queue().GetProperty("entries")[0].Id(), QueueOutcome.Sent);
        _session.Add("""{"message":"c"}""");
        Assert.Equal(_time.NowMs + 60_000, _session.NextQueueDue());
        Stores.Fails(SessionStatus.NotFound, () => _session.Claim());
        _time.Advance(59_999);
        Stores.Fails(SessionStatus.NotFound, () => _session.Claim());
        _time.Advance(1);
        Assert.Equal("c", _session.Claim().Message());
    }

    [Fact]
    public void Full_is_what_is_queued_claimed_or_interrupted()
    {
        for (int i = 0; i < 10; i++)
        {
            _session.Add($$"""{"message":"{{i}}","key":"k{{i}}"}""");
        }

        _session.Claim();
        SessionException e =
            Stores.Fails(SessionStatus.QueueFull, () => _session.Add("""{"message":"one too many"}"""));
        Assert.Equal("""{"limit":"queue.max_size","max":10,"actual":10}""", e.Details);
        Assert.Equal("0", _session.Add("""{"message":"again","key":"k0"}""").Message()); // nothing is added
        _session.SettleQueued(_session.Queue().GetProperty("entries")[0].Id(), QueueOutcome.Cancelled);
        _session.Add("""{"message":"now there is room"}""");
        Configure("""{"queue":{"max_size":3}}""");
        Stores.Fails(SessionStatus.QueueFull, () => _session.Add("""{"message":"x"}"""));
        Assert.Equal((10, 3), (_session.Count(), _session.Queue().GetProperty("max_size").GetInt32()));
    }

    [Fact]
    public void A_key_answers_the_first_entry_again_whatever_became_of_it()
    {
        JsonElement first = _session.Add("""{"message":"a","key":"k"}""");
        Assert.Equal(first.GetRawText(), _session.Add("""{"message":"b","key":"k"}""").GetRawText());
        _session.Claim();
        Assert.Equal("claimed", _session.Add("""{"message":"b","key":"k"}""").State());
        _session.SettleQueued(first.Id(), QueueOutcome.Sent);
        JsonElement sent = _session.Add("""{"message":"b","key":"k"}""");
        Assert.Equal(("sent", first.Id()), (sent.State(), sent.Id()));
        Assert.Equal(0, _session.Count());
    }

    [Fact]
    public void Rules_are_the_workspaces_before_the_stores()
    {
        Configure("""{"queue":{"max_size":2,"delay_ms":5}}""");
        _store.Configure("w-1", """{"queue":{"max_size":1}}"""u8);
        _store.Configure("w-2", """{"queue":{"enabled":false}}"""u8);
        using Session one = InWorkspace("w-1"), two = InWorkspace("w-2"), other = InWorkspace("w-3");
        Assert.Equal([1, 2, 2, 2], ((Session[])[one, two, other, _session])
            .Select(s => s.Queue().GetProperty("max_size").GetInt32()));
        one.Add("""{"message":"a"}""");
        Stores.Fails(SessionStatus.QueueFull, () => one.Add("""{"message":"b"}"""));
        Stores.Fails(SessionStatus.AccessDenied, () => two.Add("""{"message":"b"}"""));
        other.Add("""{"message":"a"}""");
        other.Add("""{"message":"b"}""");
        one.Update("""{"facts":{"workspace_id":null}}"""u8); // moves to none
        one.Add("""{"message":"b"}""");
        _store.Configure("w-1", """{"queue":null}"""u8);
        one.Update("""{"facts":{"workspace_id":"w-1"}}"""u8);
        Assert.Equal(2, one.Queue().GetProperty("max_size").GetInt32());
        one.Update("""{"facts":{"workspace_id":5}}"""u8); // is no name of any
        Assert.Equal(2, one.Queue().GetProperty("max_size").GetInt32());
    }

    [Fact]
    public void Switched_off_it_neither_takes_nor_gives()
    {
        string id = _session.Add("""{"message":"a"}""").Id();
        _session.Add("""{"message":"b"}""");
        _session.Claim();
        Configure("""{"queue":{"enabled":false}}""");
        SessionException e = Stores.Fails(SessionStatus.AccessDenied, () => _session.Claim());
        Assert.Equal("""{"rule":"queue.enabled"}""", e.Details);
        Stores.Fails(SessionStatus.AccessDenied, () => _session.Add("""{"message":"c"}"""));
        Assert.Equal(0, _session.NextQueueDue());
        Assert.Equal(1, _session.SettleQueued(id, QueueOutcome.Sent)); // what is under way is finished
        Assert.Equal("queued b, sent a", _session.Line());
        Assert.Equal(1, _session.ClearQueue());
        Configure("""{"queue":{"enabled":null}}""");
        _session.Add("""{"message":"c"}""");
    }

    [Fact]
    public void While_the_session_is_aborted_nothing_is_claimed()
    {
        string id = _session.Add("""{"message":"a"}""").Id();
        _session.Abort("enough");
        Stores.Fails(SessionStatus.Cancelled, () => _session.Claim());
        _session.Add("""{"message":"b"}""");
        _session.ClearAbort();
        Assert.Equal(id, _session.Claim().Id());
        _session.Abort();
        Assert.Equal(1, _session.SettleQueued(id, QueueOutcome.Sent));
    }

    [Fact]
    public void Clearing_raises_the_generation_and_keeps_a_record_of_what_it_drops()
    {
        string claimed = _session.Add("""{"message":"a"}""").Id();
        _session.Add("""{"message":"b"}""");
        _session.Add("""{"message":"c","delay_ms":1000}""");
        _session.Claim();
        Assert.Equal(2, _session.ClearQueue());
        _session.Add("""{"message":"d"}""");
        Assert.Equal("claimed a, queued d, cancelled b, cancelled c", _session.Line());
        Assert.Equal(1, _session.Queue().GetProperty("generation").GetInt64());
        Assert.Equal([0, 1, 0, 0], _session.Queue().GetProperty("entries").EnumerateArray()
            .Select(e => e.GetProperty("generation").GetInt32()));
        Assert.Equal("cleared", _session.Queue().GetProperty("entries")[3].GetProperty("detail").GetString());
        _session.SettleQueued(claimed, QueueOutcome.Release); // it was cleared too
        _session.SettleQueued(claimed, QueueOutcome.Release);
        Assert.Equal("queued d, cancelled b, cancelled c, cancelled a", _session.Line());
        Assert.Equal(1, _session.ClearQueue());
        Assert.Equal(0, _session.ClearQueue());
        Assert.Equal(3, _session.Queue().GetProperty("generation").GetInt64());
    }

    [Fact]
    public void Entries_are_changed_moved_and_removed_while_they_wait()
    {
        string[] ids = [.. "abcd".Select(c =>
            _session.Add($$$"""{"message":"{{{c}}}","arguments":{"x":1,"y":2}}""").Id())];
        _session.MoveQueued(ids[3], -2);
        Assert.Equal("queued a, queued d, queued b, queued c", _session.Line());
        _session.MoveQueued(ids[0], int.MaxValue);
        _session.MoveQueued(ids[1], int.MinValue);
        Assert.Equal("queued b, queued d, queued c, queued a", _session.Line());
        long before = _store.Core.Rows.Lsn;
        _session.MoveQueued(ids[1], 0);
        _session.MoveQueued(ids[1], -1);
        Assert.Equal(before, _store.Core.Rows.Lsn);
        _session.UpdateQueued(ids[1], """{"message":"B","arguments":{"x":null,"z":[3]},"delay_ms":100}"""u8);
        JsonElement entry = _session.Queue().GetProperty("entries")[0];
        Assert.Equal(("B", """{"y":2,"z":[3]}""", _time.NowMs + 100), (entry.Message(),
            entry.GetProperty("arguments").GetRawText(), entry.GetProperty("scheduled_at").GetInt64()));
        _session.UpdateQueued(ids[1], """{"repeat":{"every_ms":2000,"count":3}}"""u8);
        _session.UpdateQueued(ids[1], """{"repeat":{"count":2},"scheduled_at":null}"""u8);
        Assert.Equal("""{"every_ms":2000,"until":null,"count":2}""",
            _session.Queue().GetProperty("entries")[0].GetProperty("repeat").GetRawText());
        _session.RemoveQueued(ids[3]);
        Stores.Fails(SessionStatus.NotFound, () => _session.RemoveQueued(ids[3]));
        Stores.Fails(SessionStatus.NotFound, () => _session.MoveQueued(ids[3], 1));
        Stores.Fails(SessionStatus.NotFound, () => _session.UpdateQueued(ids[3], """{"message":"x"}"""u8));
        Assert.Equal("queued B, queued c, queued a, cancelled d", _session.Line());
        _session.Claim();
        foreach (Action action in (Action[])[() => _session.RemoveQueued(ids[1]), () => _session.MoveQueued(ids[1], 1),
            () => _session.UpdateQueued(ids[1], """{"message":"x"}"""u8)])
        {
            Assert.Contains("\"state\":\"claimed\"", Stores.Fails(SessionStatus.InvalidTransition, action).Details,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_title_that_is_late_is_ignored()
    {
        string id = _session.Add("""{"message":"a"}""").Id();
        Assert.True(LastDetail().GetProperty("wants_title").GetBoolean());
        _session.UpdateQueued(id, """{"title":"A title"}"""u8);
        Assert.False(LastDetail().GetProperty("wants_title").GetBoolean());
        _session.Claim();
        _session.UpdateQueued(id, """{"title":"Another"}"""u8); // does no harm
        Assert.Equal("Another", _session.Queue().GetProperty("entries")[0].GetProperty("title").GetString());
        _session.SettleQueued(id, QueueOutcome.Sent);
        long before = _store.Core.Rows.Lsn;
        _session.UpdateQueued(id, """{"title":"Too late"}"""u8);
        _session.UpdateQueued("q-1-never", """{"title":"Too late"}"""u8);
        Assert.Equal(before, _store.Core.Rows.Lsn);
        Assert.DoesNotContain("Too late", Stores.Text(_session.WriteQueue), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_announced_says_what_happened_to_which_entry()
    {
        string id = _session.Add("""{"message":"a"}""").Id();
        Assert.Equal("{\"what\":\"added\",\"entry_id\":\"" + id
            + "\",\"state\":\"queued\",\"wants_title\":true,\"generation\":0}", LastDetail().GetRawText());
        _session.Add("""{"message":"b","title":"t"}""");
        Assert.False(LastDetail().GetProperty("wants_title").GetBoolean());
        Configure("""{"queue":{"auto_generate_titles":false}}""");
        _session.Add("""{"message":"c"}""");
        Assert.False(LastDetail().GetProperty("wants_title").GetBoolean());
        var seen = new List<string>();
        foreach (Action action in (Action[])[() => _session.UpdateQueued(id, """{"message":"A"}"""u8),
            () => _session.MoveQueued(id, 1), () => _session.Claim(),
            () => _session.SettleQueued(_session.Queue().GetProperty("entries")[0].Id(), QueueOutcome.Sent),
            () => _session.RemoveQueued(id), () => _session.ClearQueue()])
        {
            action();
            JsonElement detail = LastDetail();
            seen.Add($"{detail.GetProperty("what").GetString()} {detail.GetProperty("state").GetString()} "
                + $"{detail.GetProperty("entry_id").GetString() == id}");
        }

        Assert.Equal(["updated queued True", "moved queued True", "claimed claimed False", "settled sent False",
            "removed cancelled True", "cleared  False"], seen);
    }

    [Fact]
    public void A_prompt_that_repeats_comes_at_its_times_until_its_end()
    {
        long start = _time.NowMs;
        _session.Add("{\"message\":\"tick\",\"scheduled_at\":" + start + ",\"repeat\":{\"every_ms\":1000,\"until\":"
            + (start + 7000) + "}}");
        var times = new List<long>();
        for (int i = 0; i < 100; i++)
        {
            if (i == 30)
            {
                _time.Advance(2500); // nobody is there: what is missed is not made up for
            }

            if (_session.NextQueueDue() is not 0 and var due && due <= _time.NowMs)
            {
                JsonElement entry = _session.Claim();
                times.Add(entry.GetProperty("scheduled_at").ValueKind == JsonValueKind.Null ? 0
                    : entry.GetProperty("scheduled_at").GetInt64() - start);
                _session.SettleQueued(entry.Id(), QueueOutcome.Sent);
                Assert.Equal("added", LastDetail().GetProperty("what").GetString() is var what && _session.Count() > 0
                    ? what : "added");
            }

            _time.Advance(100);
        }

        Assert.Equal([0, 1000, 2000, 3000, 6000, 7000], times);
        Assert.Equal(0, _session.Count());
        Assert.Equal(times.Count, _session.GetStat().LastSeq);
    }

    [Fact]
    public void A_repeat_is_counted_and_ends_with_a_cancel_a_remove_or_a_clear()
    {
        const string Entry = """{"message":"tick","key":"k","repeat":{"every_ms":1000,"count":3}}""";
        string first = _session.Add(Entry).Id();
        Assert.Equal(first, _session.Claim().Id());
        _session.SettleQueued(first, QueueOutcome.Failed); // an occurrence all the same
        JsonElement second = _session.Queue().GetProperty("entries")[0];
        Assert.Equal("""{"every_ms":1000,"until":null,"count":2}""", second.GetProperty("repeat").GetRawText());
        Assert.NotEqual(first, second.Id());
        Assert.Equal(first, _session.Add(Entry).Id()); // the series is known by its key
        for (int i = 0; i < 2; i++)
        {
            _time.Advance(1000);
            _session.SettleQueued(_session.Claim().Id(), QueueOutcome.Sent);
        }

        Assert.Equal(0, _session.Count());
        string id = _session.Add("""{"message":"x","repeat":{"every_ms":1000,"count":3}}""").Id();
        _session.Claim();
        _session.SettleQueued(id, QueueOutcome.Cancelled);
        Assert.Equal(0, _session.Count());
        id = _session.Add("""{"message":"x","repeat":{"every_ms":1000,"count":3}}""").Id();
        _session.Claim();
        _session.ClearQueue();
        Assert.Equal(3, _session.SettleQueued(id, QueueOutcome.Sent));
        Assert.Equal(0, _session.Count());
        _session.RemoveQueued(_session.Add("""{"message":"x","repeat":{"every_ms":1000,"count":3}}""").Id());
        Assert.Equal(0, _session.Count());
    }

    [Fact]
    public void Another_store_settles_only_what_its_claimer_left()
    {
        string id = _session.Add("""{"message":"a"}""").Id();
        SessionStore claimer = Stores.Open(_disk, _time);
        using (Session other = claimer.OpenSession(_session.Id))
        {
            Assert.Equal(id, other.Claim("t").Id());
        }

        SessionException e =
            Stores.Fails(SessionStatus.Conflict, () => _session.SettleQueued(id, QueueOutcome.Sent));
        Assert.Equal("{\"entry_id\":\"" + id + "\",\"claimed_by\":\"" + claimer.Core.InstanceId + "\"}", e.Details);
        Assert.Equal("claimed a", _session.Line());
        claimer.Close();
        Assert.Equal("interrupted a", _session.Line());
        Assert.Equal(1, _session.Count());
        Stores.Fails(SessionStatus.NotFound, () => _session.Claim()); // the host decides
        Stores.Fails(SessionStatus.InvalidTransition, () => _session.MoveQueued(id, 1));
        _session.Add("""{"message":"b"}""");
        Assert.Contains("\"state\": \"interrupted\"", FileText(), StringComparison.Ordinal); // by that write
        Assert.Equal(1, _session.SettleQueued(id, QueueOutcome.Sent));
        Assert.Equal("t", _session.Events().GetProperty("events")[0].GetProperty("turn_id").GetString());
    }

    [Theory]
    [InlineData(QueueOutcome.Release, "queued a")]
    [InlineData(QueueOutcome.Failed, "failed a")]
    [InlineData(QueueOutcome.Cancelled, "cancelled a")]
    public void An_interrupted_entry_can_be_settled_in_any_way(QueueOutcome outcome, string expected)
    {
        string id = _session.Add("""{"message":"a"}""").Id();
        using (SessionStore claimer = Stores.Open(_disk, _time))
        {
            claimer.OpenSession(_session.Id).Claim();
        }

        _session.SettleQueued(id, outcome);
        Assert.Equal(expected, _session.Line());
    }

    [Fact]
    public void An_interrupted_entry_can_be_removed_and_is_dropped_by_a_clear()
    {
        string id = _session.Add("""{"message":"a"}""").Id();
        _session.Add("""{"message":"b"}""");
        using (SessionStore claimer = Stores.Open(_disk, _time))
        {
            claimer.OpenSession(_session.Id).Claim();
            claimer.OpenSession(_session.Id).Claim();
        }

        _session.RemoveQueued(id);
        Assert.Equal(1, _session.ClearQueue());
        Assert.Equal("cancelled a, cancelled b", _session.Line());
    }

    [Fact]
    public void A_neighbour_sees_each_change_and_a_reader_too()
    {
        using SessionStore neighbour = Stores.Open(_disk, _time);
        using Session theirs = neighbour.OpenSession(_session.Id);
        string id = _session.Add("""{"message":"a"}""").Id();
        Assert.Equal("queued a", theirs.Line());
        using SessionStore reader =
            Stores.Open(_disk, _time, new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        using Session read = reader.OpenSession(_session.Id);
        theirs.Claim();
        Assert.Equal(("claimed a", "claimed a"), (_session.Line(), read.Line()));
        theirs.SettleQueued(id, QueueOutcome.Sent);
        Assert.Equal(("sent a", "sent a"), (_session.Line(), read.Line()));
        Stores.Fails(SessionStatus.ReadOnly, () => read.Claim());
        Stores.Fails(SessionStatus.ReadOnly, () => read.Add("""{"message":"b"}"""));
    }

    [Fact]
    public void It_outlasts_a_restart_and_what_was_claimed_is_interrupted_then()
    {
        _session.Add("""
            {"message":"a","title":"t","arguments":{"x":1},"repeat":{"every_ms":1000,"count":2},"key":"k"}
            """);
        _session.Add("""{"message":"b"}""");
        _session.Claim("t-1");
        string before = Stores.Text(_session.WriteQueue);
        _store.Close();
        using SessionStore again = Stores.Open(_disk, _time);
        using Session session = again.OpenSession(_session.Id);
        Assert.Equal(before.Replace("\"claimed\"", "\"interrupted\"", StringComparison.Ordinal),
            Stores.Text(session.WriteQueue));
        again.AssertSound();
    }

    [Fact]
    public void A_branch_has_none_and_the_trash_keeps_it()
    {
        _session.Say("one");
        _session.Add("""{"message":"a"}""");
        using Session branch = _session.Fork();
        Assert.Equal("", branch.Line());
        _session.Delete(DeletePolicy.Orphan);
        Stores.Fails(SessionStatus.Deleted, () => _session.Line());
        Stores.Fails(SessionStatus.Deleted, () => _session.Add("""{"message":"b"}"""));
        _store.Restore(_session.Id);
        Assert.Equal("queued a", _session.Line());
    }

    [Fact]
    public void A_prune_spares_the_files_of_prompts_still_to_come()
    {
        string file = Put("still to come"), orphan = Put("of nothing");
        _session.Say("a");
        _session.Add("{\"message\":\"see this\",\"file_ids\":[\"" + file + "\"]}");
        _time.Advance(2 * 60 * 60 * 1000);
        foreach (string name in Files())
        {
            _disk.SetModified(name, _time.NowMs - (2 * 60 * 60 * 1000));
        }

        _session.Prune("""{"max_events":1}"""u8, new ArrayBufferWriter<byte>());
        Assert.NotNull(SessionFiles.Find(_disk, Layout.LiveFolder(_session.Id), file));
        Assert.Null(SessionFiles.Find(_disk, Layout.LiveFolder(_session.Id), orphan));

        string Put(string text) => Stores.Json(b => _session.PutFile("a.txt", Stores.Utf8(text), b))
            .GetProperty("file_id").GetString()!;

        IEnumerable<string> Files() => _disk.List(Layout.LiveFolder(_session.Id) + "/" + Layout.FilesFolder)
            .Select(n => $"{Layout.LiveFolder(_session.Id)}/{Layout.FilesFolder}/{n.Name}");
    }

    [Fact]
    public void A_damaged_file_is_kept_aside_and_the_session_goes_on()
    {
        _session.Add("""{"message":"precious"}""");
        _session.Say("one");
        _store.Close();
        string path = Layout.LiveFolder(_session.Id) + "/" + Layout.QueueFile;
        byte[] bytes = _disk.ReadAll(path);
        bytes[bytes.AsSpan().IndexOf("precious"u8)] ^= 1;
        _disk.WriteAll(path, bytes);
        using SessionStore again = Stores.Open(_disk, _time);
        using Session session = again.OpenSession(_session.Id);
        Assert.Equal(2, session.Say("two"));
        Assert.Equal("", session.Line());
        JsonElement kept = again.Info().GetProperty("quarantined")[0];
        Assert.Equal((session.Id, "checksum"), (kept.GetProperty("session_id").GetString(),
            kept.GetProperty("reason").GetString()));
        Assert.Equal(bytes, _disk.ReadAll(kept.GetProperty("file").GetString()!));
        session.Add("""{"message":"new"}""");
        Assert.Equal("queued new", session.Line());
        again.AssertSound();
    }

    [Theory]
    [InlineData("""{"entries":5}""")]
    [InlineData("""{"entries":[5]}""")]
    [InlineData("""{"entries":[{"id":"q-1","state":"sent"}]}""")]
    [InlineData("""{"entries":[{"id":"q-1","state":"dancing"}]}""")]
    [InlineData("""{"entries":[{"state":"queued"}]}""")]
    [InlineData("""{"entries":[{"id":"q-1","state":"claimed"}]}""")]
    [InlineData("""{"entries":[{"id":"q-1","state":"queued","message":5}]}""")]
    [InlineData("""{"entries":[{"id":"q-1","state":"queued","repeat":{}}]}""")]
    [InlineData("""{"settled":[{"id":"q-1","state":"queued"}]}""")]
    [InlineData("""{"generation":"x"}""")]
    [InlineData("""{"generation":1.5}""")]
    public void What_a_person_wrote_into_the_file_and_is_no_queue_is_kept_aside(string content)
    {
        _session.Add("""{"message":"a"}""");
        _store.Close();
        _disk.WriteAll(Layout.LiveFolder(_session.Id) + "/" + Layout.QueueFile,
            Stores.Utf8("{\"session_id\":\"" + _session.Id + "\"," + content[1..]));
        using SessionStore again = Stores.Open(_disk, _time);
        using Session session = again.OpenSession(_session.Id);
        Assert.Equal("", session.Line());
        Assert.Equal(1, again.Info().GetProperty("quarantined").GetArrayLength());
        session.Add("""{"message":"b"}""");
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("5")]
    [InlineData("{}")]
    [InlineData("""{"message":""}""")]
    [InlineData("""{"message":null,"arguments":{"a":1}}""")]
    [InlineData("""{"message":5}""")]
    [InlineData("""{"message":"a","image_ids":"f_1"}""")]
    [InlineData("""{"message":"a","image_ids":[1]}""")]
    [InlineData("""{"message":"a","file_ids":[""]}""")]
    [InlineData("""{"message":"a","client_id":5}""")]
    [InlineData("""{"message":"a","client_id":""}""")]
    [InlineData("""{"message":"a","prompt_name":"a\u0000"}""")]
    [InlineData("""{"message":"a","arguments":[]}""")]
    [InlineData("""{"message":"a","title":5}""")]
    [InlineData("""{"message":"a","scheduled_at":-1}""")]
    [InlineData("""{"message":"a","scheduled_at":1.5}""")]
    [InlineData("""{"message":"a","scheduled_at":9007199254740992}""")]
    [InlineData("""{"message":"a","delay_ms":"1"}""")]
    [InlineData("""{"message":"a","delay_ms":9007199254740991}""")]
    [InlineData("""{"message":"a","delay_ms":5,"scheduled_at":5}""")]
    [InlineData("""{"message":"a","repeat":5}""")]
    [InlineData("""{"message":"a","repeat":{"every_ms":1000}}""")]
    [InlineData("""{"message":"a","repeat":{"every_ms":999,"count":1}}""")]
    [InlineData("""{"message":"a","repeat":{"count":1}}""")]
    [InlineData("""{"message":"a","repeat":{"every_ms":1000,"count":-1}}""")]
    [InlineData("""{"message":"a","repeat":{"every_ms":1000,"count":1,"at":5}}""")]
    [InlineData("""{"message":"a","key":""}""")]
    [InlineData("""{"message":"a","state":"sent"}""")]
    [InlineData("""{"message":"a","id":"q-1"}""")]
    public void What_is_no_entry_is_refused(string entry)
    {
        SessionException e = Assert.Throws<SessionException>(() => _session.Add(entry));
        Assert.Equal(entry.Length == 0 ? SessionStatus.InvalidJson : SessionStatus.InvalidArgument, e.Status);
        Assert.Equal(0, _session.Count());
    }

    [Theory]
    [InlineData("""{"message":null}""")]
    [InlineData("""{"key":"k"}""")]
    [InlineData("""{"id":null}""")]
    [InlineData("""{"state":"sent"}""")]
    [InlineData("""{"repeat":{"count":1}}""")]
    [InlineData("""{"delay_ms":5,"scheduled_at":5}""")]
    [InlineData("""{"title":5}""")]
    [InlineData("[]")]
    public void What_is_no_change_is_refused(string patch)
    {
        string id = _session.Add("""{"message":"a"}""").Id(), before = Stores.Text(_session.WriteQueue);
        Stores.Fails(SessionStatus.InvalidArgument, () => _session.UpdateQueued(id, Stores.Utf8(patch)));
        Assert.Equal(before, Stores.Text(_session.WriteQueue));
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        string id = _session.Add("""{"message":"a"}""").Id();
        foreach (string bad in (string[])["", "a\u0001", new string('x', 129)])
        {
            Stores.Fails(SessionStatus.InvalidArgument, () => _session.RemoveQueued(bad));
            Stores.Fails(SessionStatus.InvalidArgument, () => _session.MoveQueued(bad, 1));
            Stores.Fails(SessionStatus.InvalidArgument, () => _session.UpdateQueued(bad, "{}"u8));
            Stores.Fails(SessionStatus.InvalidArgument, () => _session.SettleQueued(bad, QueueOutcome.Sent));
            Stores.Fails(SessionStatus.InvalidArgument, () => _session.Claim(bad));
        }

        Assert.Throws<ArgumentNullException>(() => _session.RemoveQueued(null!));
        Stores.Fails(SessionStatus.InvalidArgument, () => _session.SettleQueued(id, (QueueOutcome)4));
        Stores.Fails(SessionStatus.InvalidArgument, () => _session.SettleQueued(id, (QueueOutcome)(-1)));
        _session.Claim();
        Stores.Fails(SessionStatus.Limit, () => _session.SettleQueued(id, QueueOutcome.Sent, new string('x', 4097)));
        Stores.Fails(SessionStatus.InvalidUtf8, () => _session.SettleQueued(id, QueueOutcome.Sent, "\ud800"));
        var output = new ArrayBufferWriter<byte>();
        Stores.Fails(SessionStatus.InvalidUtf8, () => _session.AddToQueue([(byte)'{', 0xff], output));
        Assert.Equal("claimed a", _session.Line());
    }

    [Fact]
    public void Its_limits_hold()
    {
        Configure("""{"queue":{"max_size":100}}""");
        string longest = new('x', Limits.QueueMessageBytesMax);
        Stores.Fails(SessionStatus.Limit, () => _session.Add($$"""{"message":"{{longest}}x"}"""));
        int added = 0;
        SessionException? refused = null;
        for (; refused is null && added < 10; added++)
        {
            try
            {
                string id = _session.Add($$"""{"message":"{{longest}}"}""").Id();
                if (added == 0)
                {
                    _session.RemoveQueued(id); // a record gives way
                }
            }
            catch (SessionException e)
            {
                refused = e;
            }
        }

        Assert.Equal((5, SessionStatus.Limit), (added, refused!.Status));
        Assert.Contains("queue_bytes_max", refused.Details, StringComparison.Ordinal);
        Assert.Equal(3, _session.Count());
        Assert.Equal(1, _session.SettleQueued(_session.Claim("t").Id(), QueueOutcome.Sent)); // is always possible
        _store.Close();
        using SessionStore again = Stores.Open(_disk, _time);
        Assert.Equal(2, again.OpenSession(_session.Id).Count());
        again.AssertSound();
    }

    [Fact]
    public void While_another_holds_the_lock_entries_are_added_but_not_delivered()
    {
        string id = _session.Add("""{"message":"a"}""").Id();
        using Session holder = _store.OpenSession(_session.Id);
        holder.Lock(LockMode.Try);
        Stores.Fails(SessionStatus.Locked, () => _session.Claim());
        holder.Claim();
        Stores.Fails(SessionStatus.Locked, () => _session.SettleQueued(id, QueueOutcome.Sent));
        string other = _session.Add("""{"message":"b"}""").Id();
        _session.UpdateQueued(other, """{"message":"c"}"""u8);
        _session.MoveQueued(other, -1);
        _session.RemoveQueued(other);
        _session.SetButtons("""[{"label":"a"}]"""u8);
        Assert.Equal(0, _session.ClearQueue());
        holder.Unlock();
        Assert.Equal(1, _session.SettleQueued(id, QueueOutcome.Sent)); // the same store claimed it
    }

    [Fact]
    public void A_share_sees_nothing_of_it_and_a_closed_handle_says_so()
    {
        string url = Stores.Json(b => _session.WriteShare(null, b)).GetProperty("url").GetString()!;
        using Session shared = _store.ResolveShare(url);
        Stores.Fails(SessionStatus.AccessDenied, () => shared.Line());
        Stores.Fails(SessionStatus.AccessDenied, () => shared.NextQueueDue());
        Stores.Fails(SessionStatus.AccessDenied, () => shared.Add("""{"message":"a"}"""));
        Stores.Fails(SessionStatus.AccessDenied, () => shared.Claim());
        Session closed = _store.OpenSession(_session.Id);
        closed.Dispose();
        Stores.Fails(SessionStatus.Cancelled, () => closed.Line());
        Stores.Fails(SessionStatus.Cancelled, () => closed.Add("""{"message":"a"}"""));
    }

    private string Next()
    {
        JsonElement entry = _session.Claim();
        _session.SettleQueued(entry.Id(), QueueOutcome.Sent);
        return entry.Message();
    }

    private string Deliver(string text, QueueOutcome outcome)
    {
        string id = _session.Add($$"""{"message":"{{text}}"}""").Id();
        _session.Claim();
        _session.SettleQueued(id, outcome);
        return id;
    }

    private void Configure(string rules) => _store.Configure(null, Stores.Utf8(rules));

    private Session InWorkspace(string id) => _store.Create(null, new SessionCreateOptions
    {
        Facts = Stores.Utf8($$"""{"workspace_id":"{{id}}"}"""),
    });

    private string FileText()
        => System.Text.Encoding.UTF8.GetString(_disk.ReadAll(Layout.LiveFolder(_session.Id) + "/" + Layout.QueueFile));

    // What whoever watches is told by the last frame.
    private JsonElement LastDetail() => JsonDocument.Parse(LastFrame.Of(_disk, _store).Changes
        .Last(c => c.Small == SmallFileKind.Queue).Detail).RootElement;
}
