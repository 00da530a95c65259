using System.Buffers;
using System.Text.Json;
using Sessions.Json;
using Sessions.Model;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Watching;

/// <summary>What a watch tells: kinds, filters, pages, positions.</summary>
public sealed class WatchTests : IDisposable
{
    private readonly FaultyDisk _disk = new();
    private readonly SessionStore _store;

    public WatchTests() => _store = Stores.Open(_disk.OpenAs());

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Every_change_of_a_session_has_its_kind()
    {
        using SessionWatch watch = _store.OpenWatch();
        Assert.Empty(watch.All());
        Session session = _store.Create(null, new SessionCreateOptions { Title = "first" });
        Assert.Equal(["created"], watch.Kinds());
        session.UpdateTitle("second");
        Assert.Equal(["renamed"], watch.Kinds());
        session.UpdateMetadata("""{"a":1}"""u8);
        Assert.Equal(["updated"], watch.Kinds());
        session.Update("""{"title":"third","archived":true}"""u8);
        Assert.Equal(["updated", "renamed"], watch.Kinds());
        session.Say("hello");
        Assert.Equal(["event_appended"], watch.Kinds());
        session.Abort("enough");
        Assert.Contains("abort", watch.Kinds()); // beside the events that end what was open
        session.ClearAbort();
        Assert.Equal(["abort"], watch.Kinds());
        Stores.Json(b => session.WriteShare(new SessionShareOptions(), b));
        Assert.Equal(["share"], watch.Kinds());
        _store.Configure(null, """{"unique_roles":true}"""u8);
        Assert.Equal(["notice"], watch.Kinds());
        session.Delete();
        Assert.Contains("deleted", watch.Kinds());
        _store.Restore(session.Id);
        Assert.Equal(["restored"], watch.Kinds());
        session.Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        JsonElement gone = watch.All().Single(c => Watches.Kind(c) == "deleted");
        Assert.Equal("""{"purged":true}""", gone.GetProperty("detail").GetRawText());
        _store.Flush();
        Assert.Empty(watch.All()); // images of files that were behind are no news
    }

    [Fact]
    public void A_change_says_all_that_a_host_needs_to_know_of_it()
    {
        using SessionWatch watch = _store.OpenWatch();
        Session session = _store.Create(null, new SessionCreateOptions { Title = "a\"b" });
        session.Append("agent_message", "{}"u8, new AppendOptions { TurnId = "t-3" });
        session.Abort("user");
        List<JsonElement> changes = watch.All();
        long lsn = changes[0].Number("lsn");
        string by = System.Text.Encoding.UTF8.GetString(_store.Core.By);
        long at = changes[0].Number("at");
        Assert.Equal($$"""{"lsn":{{lsn}},"at":{{at}},"session_id":"{{session.Id}}","kind":"created","""
            + $$"""
            "revision":{{lsn}},"last_seq":0,"by":{{by}},"detail":{"title":"a\"b","parent_id":null}
            """ + "}",
            changes[0].GetRawText());
        Assert.Equal((lsn + 1, lsn, 1), (changes[1].Number("lsn"), changes[1].Number("revision"),
            changes[1].Number("last_seq")));
        Assert.Equal("""{"seq":1,"type":"agent_message","turn_id":"t-3"}""",
            changes[1].GetProperty("detail").GetRawText());
        JsonElement abort = changes.Single(c => Watches.Kind(c) == "abort");
        Assert.Equal("""{"reason":"user","abort_count":1,"is_aborted":true}""",
            abort.GetProperty("detail").GetRawText());
        Assert.Equal((lsn + 2, lsn + 2), (abort.Number("lsn"), abort.Number("revision")));
    }

    [Fact]
    public void Text_comes_as_it_is_written()
    {
        Session session = _store.Create();
        using SessionWatch watch = _store.OpenWatch(new() { Kinds = "stream_text,stream_ended" });
        SessionStream stream = session.BeginStream("agent_message", new AppendOptions { TurnId = "t" });
        stream.Write("Workin"u8);
        stream.Write("g \n"u8);
        long seq = stream.End();
        List<JsonElement> changes = watch.All();
        Assert.Equal(
        [
            $$"""{"stream_id":"{{stream.Id}}","type":"agent_message","turn_id":"t","offset":0,"text":""}""",
            $$"""{"stream_id":"{{stream.Id}}","offset":0,"text":"Workin"}""",
            $$"""{"stream_id":"{{stream.Id}}","offset":6,"text":"g \n"}""",
            $$"""{"stream_id":"{{stream.Id}}","seq":{{seq}}}""",
        ], changes.Select(c => c.GetProperty("detail").GetRawText()));
        Assert.All(changes, c => Assert.Equal(session.Id, c.Text("session_id")));
    }

    [Fact]
    public void Locks_queues_and_buttons_are_told_as_they_say_it_themselves()
    {
        Session session = _store.Create();
        using SessionWatch watch = _store.OpenWatch(new() { Kinds = "lock,queue,buttons" });
        session.Lock(LockMode.Try);
        session.AddToQueue("""{"message":"later"}"""u8, new Utf8Buffer());
        session.SetButtons("""[{"label":"Go","response":"go on"}]"""u8);
        session.Unlock();
        List<JsonElement> changes = watch.All();
        Assert.Equal(["lock", "queue", "buttons", "lock"], changes.Select(Watches.Kind));
        Assert.Equal("acquired", changes[0].GetProperty("detail").Text("what"));
        Assert.Equal("added", changes[1].GetProperty("detail").Text("what"));
        Assert.Equal(1, changes[2].GetProperty("detail").Number("count"));
        Assert.Equal("released", changes[3].GetProperty("detail").Text("what"));
        Assert.All(changes, c => Assert.Equal(session.Id, c.Text("session_id")));
    }

    [Fact]
    public void A_hundred_watches_hear_it_all_and_what_they_read_is_kept_once()
    {
        using SessionStore others = Stores.Open(_disk.OpenAs(), processId: 7);
        Session session = others.Create(), quiet = others.Create();
        SessionWatch[] watches = [.. Enumerable.Range(0, 100).Select(i => _store.OpenWatch((i % 4) switch
        {
            0 => new() { Flags = WatchFlags.Coalesce },
            1 => new() { SessionId = quiet.Id },
            2 => new() { Kinds = "renamed,gap" },
            _ => new(),
        }))];
        const int count = 2000;
        for (int i = 0; i < count; i++)
        {
            session.Say("text", AppendFlags.Relaxed);
        }

        session.UpdateTitle("last");
        _store.Core.Refresh();
        Assert.InRange(_store.Engine.Feed.Ring.Count, 1, count + 1);
        for (int i = 0; i < watches.Length; i++)
        {
            Assert.Equal((i % 4) switch { 0 => 1, 1 => 0, 2 => 1, _ => count + 1 }, watches[i].All().Count);
        }

        Watches.Until(() => _store.Engine.Feed.Ring.Count == 0); // nobody needs it any more
        Array.ForEach(watches, w => w.Dispose());
    }

    [Fact]
    public void Filters_choose_a_session_and_kinds_and_pass_over_the_rest()
    {
        Session one = _store.Create(), two = _store.Create();
        using SessionWatch session = _store.OpenWatch(new() { SessionId = two.Id });
        using SessionWatch kinds = _store.OpenWatch(new() { Kinds = "renamed, deleted" });
        one.Say("1");
        two.Say("2");
        one.UpdateTitle("one");
        two.UpdateTitle("two");
        _store.Configure(null, """{"unique_roles":true}"""u8);
        one.Delete();
        Assert.Equal(["event_appended", "renamed"], session.Kinds());
        Assert.Equal(["renamed", "renamed", "deleted"], kinds.Kinds());
        one = _store.Create();
        JsonElement page = session.Next();
        Assert.Equal(0, page.GetProperty("changes").GetArrayLength());
        Assert.Equal(one.GetStat().Revision, page.Number("next_lsn")); // it has looked at all of them
    }

    [Fact]
    public void Options_that_say_nothing_sensible_are_refused()
    {
        Assert.Contains("kinds", Refused(new() { Kinds = "" }), StringComparison.Ordinal);
        Assert.Contains("kinds", Refused(new() { Kinds = "renamed,changed" }), StringComparison.Ordinal);
        Assert.Contains("kinds", Refused(new() { Kinds = "Renamed" }), StringComparison.Ordinal);
        Assert.Contains("session_id", Refused(new() { SessionId = "../x" }), StringComparison.Ordinal);
        Assert.Contains("after_lsn", Refused(new() { AfterLsn = -1 }), StringComparison.Ordinal);
        Assert.Contains("unknown_bits", Refused(new() { Flags = (WatchFlags)2 }), StringComparison.Ordinal);
        Assert.Null(_store.Core.Replica.Sink); // none of them began anything
        _store.Close();
        Stores.Fails(SessionStatus.Closed, () => _store.OpenWatch());
    }

    [Fact]
    public void Pages_are_cut_inside_a_frame_and_a_position_is_one_between_frames()
    {
        Session session = _store.Create();
        using SessionWatch watch = _store.OpenWatch();
        long before = watch.Next().Number("next_lsn");
        byte[] events = """[{"type":"a","data":1},{"type":"b","data":1},{"type":"c","data":1}]"""u8.ToArray();
        Stores.Json(b => session.AppendBatch(events, AppendFlags.None, b));
        JsonElement page = watch.Next(2);
        Assert.Equal(["a", "b"], Types(page));
        Assert.Equal((before, true), (page.Number("next_lsn"), page.GetProperty("has_more").GetBoolean()));
        using SessionWatch again = _store.OpenWatch(new() { AfterLsn = before });
        page = watch.Next(2);
        Assert.Equal(["c"], Types(page));
        Assert.Equal((before + 1, false), (page.Number("next_lsn"), page.GetProperty("has_more").GetBoolean()));
        Assert.Equal(["a", "b", "c"], Types(again.Next()));
        Assert.All(page.GetProperty("changes").EnumerateArray(), c => Assert.Equal(3, c.Number("last_seq")));
    }

    [Fact]
    public void A_page_holds_so_many_bytes_but_one_change_at_least()
    {
        Session session = _store.Create();
        using SessionWatch watch = _store.OpenWatch(new() { Kinds = "stream_text" });
        SessionStream stream = session.BeginStream("agent_message");
        byte[] large = Stores.Utf8(new string('x', 700_000)), huge = Stores.Utf8(new string('y', 3_000_000));
        stream.Write(large);
        stream.Write(large);
        stream.Write(huge);
        stream.Write(large);
        List<int> sizes = [];
        JsonElement page;
        do
        {
            page = watch.Next();
            sizes.Add(page.GetProperty("changes").GetArrayLength());
        }
        while (page.GetProperty("has_more").GetBoolean());
        Assert.Equal([2, 1, 1, 1], sizes);
    }

    [Fact]
    public void It_hears_of_what_another_store_does()
    {
        using SessionStore others = Stores.Open(_disk.OpenAs(), processId: 7);
        using SessionWatch watch = _store.OpenWatch();
        Session session = others.Create();
        session.Say("relaxed", AppendFlags.Relaxed);
        Assert.Equal(["created", "event_appended"], watch.Kinds());
        Session same = _store.OpenSession(session.Id);
        same.Say("mine");
        session.Say("theirs");
        List<JsonElement> changes = watch.All();
        Assert.Equal([4242L, 7], changes.Select(c => c.GetProperty("by").Number("pid")));
        Assert.All(changes, c => Assert.Equal(session.GetStat().Revision, c.Number("revision")));
    }

    [Fact]
    public async Task It_waits_for_what_any_process_does()
    {
        using SessionStore others = Stores.Open(_disk.OpenAs(), processId: 7);
        Session session = others.Create();
        using SessionWatch watch = _store.OpenWatch(new() { Kinds = "renamed" });
        for (int i = 0; i < 20; i++)
        {
            Task<JsonElement> wait = Waiting(watch, uint.MaxValue);
            session.Say("not what it waits for");
            session.UpdateTitle($"title {i}");
            JsonElement change = (await wait).GetProperty("changes").EnumerateArray().Single();
            Assert.Equal($"title {i}", change.GetProperty("detail").Text("title"));
        }

        Assert.False(watch.WriteNext(0, 10, new ArrayBufferWriter<byte>()));
    }

    [Fact]
    public async Task A_wait_ends_with_what_ended_it_and_a_second_thread_is_told_that_it_is_one()
    {
        SessionWatch destroyed = _store.OpenWatch(), closed = _store.OpenWatch();
        Task<JsonElement>[] waits = [Waiting(destroyed, uint.MaxValue), Waiting(closed, uint.MaxValue)];
        Stores.Fails(SessionStatus.Misuse, () => closed.Next());
        Stores.Fails(SessionStatus.Misuse, () => closed.GetSocket(false));
        destroyed.Dispose();
        destroyed.Dispose();
        Assert.Equal(SessionStatus.Cancelled, (await Assert.ThrowsAsync<SessionException>(() => waits[0])).Status);
        Assert.False(waits[1].IsCompleted);
        _store.Close();
        Assert.Equal(SessionStatus.Closed, (await Assert.ThrowsAsync<SessionException>(() => waits[1])).Status);
        Stores.Fails(SessionStatus.Cancelled, () => destroyed.Next());
        Stores.Fails(SessionStatus.Closed, () => closed.Next());
        closed.Dispose();
        Stores.Fails(SessionStatus.Cancelled, () => closed.GetSocket(false));
    }

    [Fact]
    public void What_only_this_store_knows_is_told_in_its_place()
    {
        using SessionWatch watch = _store.OpenWatch();
        using SessionWatch none = _store.OpenWatch(new() { Kinds = "renamed" });
        Session session = _store.Create();
        _store.Engine.Feed.Announce(WatchKinds.Job, null, """{"job_id":"j1"}"""u8.ToArray());
        session.Say("after it");
        _store.Engine.Feed.Announce(WatchKinds.Job, session.Id, """{"job_id":"j2"}"""u8.ToArray());
        List<JsonElement> changes = watch.All(limit: 1);
        Assert.Equal(["created", "job", "event_appended", "job"], changes.Select(Watches.Kind));
        Assert.Equal(changes[0].Number("lsn"), changes[1].Number("lsn"));
        Assert.Equal("j1", changes[1].GetProperty("detail").Text("job_id"));
        Assert.Equal((null, session.Id), (changes[1].Text("session_id"), changes[3].Text("session_id")));
        Assert.Empty(none.All());
    }

    [Fact]
    public void More_of_that_than_anybody_takes_ends_in_a_gap()
    {
        using SessionWatch watch = _store.OpenWatch();
        _store.Create();
        for (int i = 0; i < 1025; i++)
        {
            _store.Engine.Feed.Announce(WatchKinds.Job, null, "{}"u8.ToArray());
        }

        List<JsonElement> changes = watch.All();
        Assert.Equal(["created", "gap"], changes.Select(Watches.Kind));
        Assert.Equal(changes[0].Number("lsn"), changes[1].GetProperty("detail").Number("from_lsn"));
    }

    private string Refused(WatchOptions options)
        => Stores.Fails(SessionStatus.InvalidArgument, () => _store.OpenWatch(options)).Details;

    private static List<string?> Types(JsonElement page) => [.. page.GetProperty("changes").EnumerateArray()
        .Select(c => c.GetProperty("detail").Text("type"))];

    private static Task<JsonElement> Waiting(SessionWatch watch, uint timeoutMs)
    {
        Task<JsonElement> wait = Task.Factory.StartNew(() => watch.Next(0, timeoutMs),
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Watches.Until(() => watch.IsInUse || wait.IsCompleted);
        return wait;
    }
}
