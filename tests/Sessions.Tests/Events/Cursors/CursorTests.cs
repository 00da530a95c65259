using System.Text.Json;
using Sessions.Json;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Cursors;

/// <summary>Cursors on sessions: where they stand, what moves under them, how they wait and end.</summary>
public sealed class CursorTests : IDisposable
{
    private readonly FaultyDisk _disk = new();
    private readonly SessionStore _store;

    public CursorTests() => _store = Stores.Open(_disk.OpenAs());

    public void Dispose() => _store.Dispose();

    [Fact]
    public void It_stands_between_two_numbers_and_goes_both_ways()
    {
        using EventCursor cursor = Filled(10).OpenCursor();
        Assert.Equal([1, 2, 3], Next(cursor, 3));
        Assert.Equal(3, cursor.Position);
        Assert.Equal([4, 5], Next(cursor, 2));
        Assert.Equal([3, 4, 5], Previous(cursor, 3));
        Assert.Equal(2, cursor.Position);
        Assert.Equal([1, 2], Previous(cursor, 0));
        Assert.Equal(0, cursor.Position);
        Assert.Empty(Previous(cursor, 0));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], Next(cursor, 0));
        Assert.Empty(Next(cursor, 0));
        cursor.Seek(8);
        Assert.Equal([9, 10], Next(cursor, 0));
        cursor.Seek(1000);
        Assert.Empty(Next(cursor, 0));
        Assert.Equal(1000, cursor.Position);
        Assert.Equal([8, 9, 10], Previous(cursor, 3));
    }

    [Fact]
    public void Options_choose_what_it_shows_and_where_it_begins()
    {
        Session session = _store.Create();
        foreach ((string type, string? turn, long at) in ((string, string?, long)[])[("user_prompt", "t-1", 10),
            ("tool_call", "t-1", 20), ("custom:x", null, 30), ("custom:y", "t-2", 40), ("note", "t-2", 50)])
        {
            session.Append(type, "{}"u8, new AppendOptions { TurnId = turn, Timestamp = at });
        }

        Assert.Equal([2, 3, 4], All(session, new() { Types = "tool_call,custom:*" }));
        Assert.Equal([1, 2, 3, 4, 5], All(session, new() { Types = "*" }));
        Assert.Empty(All(session, new() { Types = "custom" }));
        Assert.Equal([4, 5], All(session, new() { TurnId = "t-2" }));
        Assert.Equal([2, 3, 4], All(session, new() { Since = 20, Until = 40 }));
        Assert.Equal([4, 5], All(session, new() { AfterSeq = 3 }));
        Assert.Equal([3], All(session, new() { Types = "custom:*", Until = 39, AfterSeq = 1 }));
    }

    [Fact]
    public void Options_that_say_nothing_sensible_are_refused()
    {
        Session session = _store.Create();
        Assert.Contains("since", Refused(session, new() { Since = 2, Until = 1 }), StringComparison.Ordinal);
        Assert.Contains("types", Refused(session, new() { Types = "" }), StringComparison.Ordinal);
        Assert.Contains("types", Refused(session, new() { Types = "a,,b" }), StringComparison.Ordinal);
        Assert.Contains("types", Refused(session, new() { Types = "a\n" }), StringComparison.Ordinal);
        Assert.Contains("turn_id", Refused(session, new() { TurnId = "" }), StringComparison.Ordinal);
        Assert.Contains("until", Refused(session, new() { Until = -1 }), StringComparison.Ordinal);
        Assert.Contains("after_seq", Refused(session, new() { AfterSeq = -1 }), StringComparison.Ordinal);
        Assert.Contains("unknown_bits", Refused(session, new() { Flags = (ReadFlags)8 }), StringComparison.Ordinal);
        Assert.Contains("page_bytes_max", Stores.Fails(SessionStatus.Limit,
            () => session.OpenCursor(new() { PageBytes = (64 << 20) + 1 })).Details, StringComparison.Ordinal);
        using EventCursor cursor = session.OpenCursor();
        Stores.Fails(SessionStatus.InvalidArgument, () => cursor.Seek(-1));
        Stores.Fails(SessionStatus.InvalidArgument, () => cursor.SeekTime(1L << 53));
    }

    [Fact]
    public void A_page_holds_so_many_bytes_but_one_event_at_least()
    {
        Session session = _store.Create();
        for (int i = 0; i < 4; i++)
        {
            session.Say(new string('x', 1000));
        }

        using EventCursor small = session.OpenCursor(new() { PageBytes = 1 });
        Assert.Equal([1], Next(small, 0));
        using EventCursor two = session.OpenCursor(new() { PageBytes = 2400 });
        Assert.Equal([1, 2], Next(two, 0));
        Assert.Equal([3, 4], Next(two, 0));
        Assert.Equal([3, 4], Previous(two, 0));
    }

    [Fact]
    public void A_time_is_found_in_the_order_of_numbers_though_clocks_go_back()
    {
        Session session = _store.Create();
        foreach (long at in (long[])[100, 300, 200, 400])
        {
            session.Append("note", "1"u8, new AppendOptions { Timestamp = at });
        }

        using EventCursor cursor = session.OpenCursor();
        foreach ((long at, long position) in ((long, long)[])[(0, 0), (100, 0), (101, 1), (250, 1), (301, 3), (401, 4)])
        {
            cursor.SeekTime(at);
            Assert.Equal(position, cursor.Position);
        }

        cursor.SeekTime(101);
        Assert.Equal([2, 3, 4], Next(cursor, 0));
    }

    [Fact]
    public void Pauses_are_those_between_the_events_it_shows()
    {
        Session session = _store.Create();
        foreach ((string type, long at) in ((string, long)[])[("a", 1000), ("b", 1010), ("a", 1250), ("a", 1100)])
        {
            session.Append(type, "1"u8, new AppendOptions { Timestamp = at });
        }

        using EventCursor all = session.OpenCursor();
        Assert.Equal([0, 10], Pauses(Read(all, 2)));
        Assert.Equal([240, 0], Pauses(Read(all, 2))); // from the page before; backwards there is none
        using EventCursor some = session.OpenCursor(new() { Types = "a" });
        Assert.Equal([0, 250, 0], Pauses(Read(some, 0)));
        some.Seek(2);
        Assert.Equal([0, 0], Pauses(Read(some, 0))); // it did not come straight from the one before
    }

    [Fact]
    public void Data_comes_as_text_where_that_is_asked_for()
    {
        Session session = _store.Create();
        const string data = """{"n":12345678901234567890,"t":"\u00e9\"\\","l":[1.50]}""";
        session.Append("note", Stores.Utf8(data), new AppendOptions { Id = "e1", TurnId = "t" });
        using EventCursor cursor = session.OpenCursor(new() { Flags = ReadFlags.DataAsText });
        JsonElement e = Read(cursor, 0).GetProperty("events")[0];
        Assert.Equal(data, e.GetProperty("data").GetString());
        Assert.Equal(["seq", "type", "timestamp", "turn_id", "id", "data"], e.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public void Through_a_share_it_shows_what_was_shared()
    {
        Session session = Filled(9);
        string secret = Stores.Json(b => session.WriteShare(new SessionShareOptions { FirstSeq = 3, LastSeq = 6 }, b))
            .GetProperty("secret").GetString()!;
        using Session view = _store.ResolveShare(secret);
        using EventCursor cursor = view.OpenCursor();
        view.Dispose(); // the cursor has a view of its own
        JsonElement page = Read(cursor, 0);
        Assert.Equal([3, 4, 5, 6], Seqs(page));
        Assert.Equal("""[{"first_seq":1,"last_seq":2,"reason":"outside_share"}]""",
            page.GetProperty("skipped").GetRawText());
        Assert.Equal(6, page.GetProperty("last_seq").GetInt64());
        Assert.Equal([5, 6], Previous(cursor, 2));
        cursor.SeekTime(0);
        Assert.Equal(2, cursor.Position);
        session.RevokeShare(Stores.Json(session.WriteShares).GetProperty("shares")[0].GetProperty("share_id")
            .GetString()!);
        Stores.Fails(SessionStatus.NotFound, () => Next(cursor, 0));
        Stores.Fails(SessionStatus.NotFound, () => cursor.Seek(0));
        Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(secret));
    }

    [Fact]
    public void It_sees_what_is_published_and_not_in_the_files()
    {
        Session session = Filled(2);
        using EventCursor cursor = session.OpenCursor();
        Assert.Equal([1, 2], Next(cursor, 0));
        session.Say("relaxed", AppendFlags.Relaxed);
        Assert.Equal([3], Next(cursor, 0));
        Assert.Equal([1, 2, 3], Previous(cursor, 0));
    }

    [Fact]
    public async Task It_waits_for_what_any_process_appends()
    {
        using SessionStore others = Stores.Open(_disk.OpenAs(), processId: 7);
        Session session = Filled(1);
        using EventCursor cursor = session.OpenCursor(new() { Types = "note" });
        Session same = others.OpenSession(session.Id);
        for (int i = 0; i < 20; i++)
        {
            Task<JsonElement> wait = Waiting(cursor, uint.MaxValue);
            same.Say("not what it waits for");
            long seq = same.Append("note", "1"u8);
            Assert.Equal([seq], Seqs(await wait));
        }

        Assert.False(cursor.WriteNext(0, 10, new System.Buffers.ArrayBufferWriter<byte>()));
    }

    [Fact]
    public async Task A_wait_ends_with_what_ended_it()
    {
        Session deleted = Filled(1), closed = Filled(1);
        EventCursor[] cursors = [deleted.OpenCursor(), closed.OpenCursor(), closed.OpenCursor()];
        Array.ForEach(cursors, c => Next(c, 0));
        Task<JsonElement>[] waits = [.. cursors.Select(c => Waiting(c, uint.MaxValue))];
        deleted.Delete();
        cursors[1].Dispose();
        await AssertEnds(SessionStatus.Deleted, waits[0]);
        await AssertEnds(SessionStatus.Cancelled, waits[1]);
        Assert.False(waits[2].IsCompleted);
        closed.Dispose(); // which is another view than the cursor's
        Assert.False(waits[2].IsCompleted);
        _store.Close();
        await AssertEnds(SessionStatus.Closed, waits[2]);
        Stores.Fails(SessionStatus.Closed, () => cursors[2].Seek(0));
        Stores.Fails(SessionStatus.Cancelled, () => Next(cursors[1], 0));
    }

    [Fact]
    public async Task A_second_thread_is_told_so_and_the_first_goes_on()
    {
        Session session = Filled(1);
        using EventCursor cursor = session.OpenCursor(new() { AfterSeq = 1 });
        Task<JsonElement> wait = Waiting(cursor, uint.MaxValue);
        Stores.Fails(SessionStatus.Misuse, () => Next(cursor, 0));
        Stores.Fails(SessionStatus.Misuse, () => Previous(cursor, 0));
        Stores.Fails(SessionStatus.Misuse, () => cursor.Seek(0));
        Stores.Fails(SessionStatus.Misuse, () => cursor.SeekTime(0));
        session.Say("go on");
        Assert.Equal([2], Seqs(await wait));
        Assert.Equal([1, 2], Previous(cursor, 0));
    }

    [Fact]
    public void Turns_come_in_the_order_in_which_they_first_appear()
    {
        Session session = _store.Create();
        foreach (string? turn in (string?[])[null, null, "a", "b", "a", null, "b"])
        {
            session.Append("note", "1"u8, new AppendOptions { TurnId = turn, Timestamp = 5 });
        }

        JsonElement page = Stores.Json(b => session.WriteTurns(0, 0, b));
        Assert.Equal([" 1-2:2", "a 3-5:2", "b 4-7:2", " 6-6:1"], Turns(page));
        Assert.Equal((7, false), (page.GetProperty("next_after_seq").GetInt64(),
            page.GetProperty("has_more").GetBoolean()));
        page = Stores.Json(b => session.WriteTurns(0, 2, b)); // the third begins at 4
        Assert.Equal([" 1-2:2", "a 3-3:1"], Turns(page));
        page = Stores.Json(b => session.WriteTurns(3, 2, b));
        Assert.Equal(["b 4-4:1", "a 5-5:1"], Turns(page));
        page = Stores.Json(b => session.WriteTurns(7, 0, b));
        Assert.Equal("""{"turns":[],"skipped":[],"next_after_seq":7,"previous_before_seq":8"""
            + ""","last_seq":7,"has_more":false}""", page.GetRawText());
        Stores.Fails(SessionStatus.InvalidArgument, () => session.WriteTurns(-1, 0, new Utf8Buffer()));
    }

    [Fact]
    public void A_turn_is_cut_only_where_it_is_larger_than_a_page()
    {
        Session session = _store.Create();
        byte[] large = Stores.Utf8($"\"{new string('x', 300_000)}\"");
        foreach (string turn in (string[])["a", "a", "b", "b", "c", "c", "c", "c"])
        {
            session.Append("note", large, new AppendOptions { TurnId = turn });
        }

        Assert.Equal(["a 1-2:2"], Turns(Stores.Json(b => session.WriteTurns(0, 0, b))));
        Assert.Equal(["b 3-4:2"], Turns(Stores.Json(b => session.WriteTurns(2, 0, b))));
        Assert.Equal(["c 5-7:3"], Turns(Stores.Json(b => session.WriteTurns(4, 0, b))));
        Assert.Equal(["c 8-8:1"], Turns(Stores.Json(b => session.WriteTurns(7, 0, b))));
    }

    private Session Filled(int count)
    {
        Session session = _store.Create();
        for (int i = 0; i < count; i++)
        {
            session.Say("text");
        }

        return session;
    }

    private static string Refused(Session session, EventCursorOptions options)
        => Stores.Fails(SessionStatus.InvalidArgument, () => session.OpenCursor(options)).Details;

    private static List<long> All(Session session, EventCursorOptions options)
    {
        using EventCursor cursor = session.OpenCursor(options);
        List<long> forwards = Next(cursor, 0);
        cursor.Seek(session.GetStat().LastSeq);
        Assert.Equal(forwards, Previous(cursor, 0).Where(s => s > options.AfterSeq));
        return forwards;
    }

    private static JsonElement Read(EventCursor cursor, uint limit)
        => Stores.Json(b => Assert.True(cursor.WriteNext(limit, 0, b)));

    private static List<long> Next(EventCursor cursor, uint limit) => Seqs(Read(cursor, limit));

    private static List<long> Previous(EventCursor cursor, uint limit)
        => Seqs(Stores.Json(b => cursor.WritePrevious(limit, b)));

    private static List<long> Seqs(JsonElement page)
        => [.. page.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("seq").GetInt64())];

    private static List<long> Pauses(JsonElement page) => [.. page.GetProperty("events").EnumerateArray()
        .Select(e => e.TryGetProperty("pause_ms", out JsonElement ms) ? ms.GetInt64() : 0)];

    private static List<string> Turns(JsonElement page) => [.. page.GetProperty("turns").EnumerateArray().Select(t =>
        $"{t.GetProperty("turn_id").GetString()} {t.GetProperty("first_seq").GetInt64()}-"
        + $"{t.GetProperty("last_seq").GetInt64()}:{t.GetProperty("events").GetArrayLength()}")];

    private static async Task AssertEnds(SessionStatus status, Task<JsonElement> wait)
        => Assert.Equal(status, (await Assert.ThrowsAsync<SessionException>(() => wait)).Status);

    // A wait that has begun: the shared page counts it.
    private unsafe Task<JsonElement> Waiting(EventCursor cursor, uint timeoutMs)
    {
        int Followers() => Volatile.Read(ref *_store.Core.State.Followers);
        int before = Followers();
        Task<JsonElement> wait = Task.Factory.StartNew(
            () => Stores.Json(b => Assert.True(cursor.WriteNext(0, timeoutMs, b))),
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        SpinWait.SpinUntil(() => Followers() > before || wait.IsCompleted);
        return wait;
    }
}
