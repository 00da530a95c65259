using System.Text;
using System.Text.Json;
using Sessions.Events;
using Sessions.Events.Streams;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Streams;

/// <summary>Text that comes in pieces: who sees it, what it becomes, and what each call answers.</summary>
public sealed class StreamTests : IDisposable
{
    private readonly FaultyDisk _disk = new(seed: 31);
    private readonly ManualTime _time = new();
    private readonly SessionStore _store;
    private readonly Session _session;

    public StreamTests()
    {
        _store = Stores.Open(_disk, _time);
        _session = _store.Create();
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Text_is_seen_as_it_comes_and_ends_in_one_event()
    {
        using SessionStream stream = _session.BeginStream("agent_message", new AppendOptions { TurnId = "t" });
        long started = _time.NowMs;
        Assert.Equal("{\"streams\":[{\"stream_id\":\"" + stream.Id + "\",\"type\":\"agent_message\",\"turn_id\":\"t\","
            + "\"started_at\":" + started + ",\"offset\":0,\"text\":\"\",\"bytes\":0}]}", Read());
        stream.Write("Work"u8);
        stream.Write("in\n\t\0\u001b\"\\ "u8);
        Assert.Equal("Workin\n\t\0\u001b\"\\ ", Only().GetProperty("text").GetString());
        Assert.Equal(0, _session.GetStat().LastSeq);
        Assert.Equal(0, _session.Events().GetProperty("events").GetArrayLength());
        _time.Advance(5);
        Assert.Equal(1, stream.End());
        Assert.Equal("""{"streams":[]}""", Read());
        JsonElement e = Assert.Single(Events());
        Assert.Equal("""{"text":"Workin\n\t\u0000\u001b\"\\ "}""", e.GetProperty("data").GetRawText());
        Assert.Equal(("agent_message", "t", started + 5), (e.GetProperty("type").GetString(),
            e.GetProperty("turn_id").GetString(), e.GetProperty("timestamp").GetInt64()));
        Assert.Equal((1, 1), (_session.GetStat().MessageCount, _session.GetStat().EventCount));
        Assert.StartsWith("sm_", stream.Id, StringComparison.Ordinal);
    }

    [Fact]
    public void The_number_is_taken_at_the_end_and_the_time_may_be_the_hosts()
    {
        using SessionStream stream = _session.BeginStream("agent_thought",
            new AppendOptions { TurnId = "a", Timestamp = 77, Id = "k" });
        stream.Write("one"u8);
        Assert.Equal(1, _session.Append("note", "1"u8, new AppendOptions { TurnId = "b" }));
        Assert.Equal(2, _session.Append("note", "2"u8));
        Assert.Equal(3, stream.End());
        JsonElement e = Events()[2];
        Assert.Equal((77, "k", "one"), (e.GetProperty("timestamp").GetInt64(), e.GetProperty("id").GetString(),
            Text(e)));
        Assert.Equal(0, _session.GetStat().MessageCount);
    }

    [Theory]
    [InlineData("ä€𝄞", new[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 })]
    [InlineData("x𝄞y", new[] { 2, 3, 1 })]
    [InlineData("𝄞𝄞", new[] { 3, 2, 3 })]
    public void A_chunk_may_split_a_character(string text, int[] lengths)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        using SessionStream stream = _session.BeginStream("agent_message");
        int at = 0;
        foreach (int length in lengths)
        {
            stream.Write(bytes.AsSpan(at, length));
            at += length;
            string seen = Only().GetProperty("text").GetString()!;
            Assert.StartsWith(seen, text, StringComparison.Ordinal);
            Assert.True(at - Encoding.UTF8.GetByteCount(seen) is >= 0 and <= 3);
        }

        stream.End();
        Assert.Equal(text, Text(Events()[0]));
    }

    [Fact]
    public void What_is_no_utf8_takes_nothing_and_half_a_character_cannot_end()
    {
        using SessionStream stream = _session.BeginStream("agent_message");
        stream.Write([.. "a"u8, 0xe2, 0x82]);
        Assert.Equal(2, Stores.Fails(SessionStatus.InvalidUtf8, () => stream.Write([0xac, (byte)'b', 0xff])).Offset);
        Assert.Equal(0, Stores.Fails(SessionStatus.InvalidUtf8, () => stream.Write("c"u8)).Offset);
        Stores.Fails(SessionStatus.InvalidUtf8, () => stream.Write([0xed, 0xa0, 0x80]));
        Stores.Fails(SessionStatus.InvalidUtf8, () => stream.Write([0xc0, 0x80]));
        Assert.Equal(1, Stores.Fails(SessionStatus.InvalidUtf8, () => stream.End()).Offset);
        Assert.Equal("a", Only().GetProperty("text").GetString());
        stream.Write(default);
        stream.Write([0xac]);
        Assert.Equal(1, stream.End());
        Assert.Equal("a€", Text(Events()[0]));
    }

    [Fact]
    public void A_patch_goes_over_the_data_and_leaves_a_text()
    {
        using SessionStream stream = _session.BeginStream("agent_message");
        stream.Write("draft"u8);
        foreach (string patch in (string[])["""{"text":null}""", """{"text":1}""", """{"text":"a","text":[]}""", "[]"])
        {
            Stores.Fails(SessionStatus.InvalidArgument, () => stream.End(Stores.Utf8(patch)));
        }

        Stores.Fails(SessionStatus.InvalidJson, () => stream.End(Stores.Utf8("{")));
        Assert.Equal("draft", Only().GetProperty("text").GetString());
        Assert.Equal(1, stream.End(Stores.Utf8("""{ "model" : "m", "tokens": {"in":1e3,"gone":null} }""")));
        Assert.Equal("""{"text":"draft","model":"m","tokens":{"in":1e3}}""",
            Events()[0].GetProperty("data").GetRawText());
        using SessionStream second = _session.BeginStream("agent_message");
        second.Write("draft"u8);
        second.End(Stores.Utf8("""{"text":"final"}"""));
        Assert.Equal("""{"text":"final"}""", Events()[1].GetProperty("data").GetRawText());
    }

    [Fact]
    public void Another_event_of_the_turn_ends_the_stream_before_it()
    {
        using SessionStream stream = Begin("t", "so far"), other = Begin("u", "other"), none = Begin(null, "none");
        Assert.Equal(2, _session.Append("tool_call", "{}"u8, new AppendOptions { TurnId = "t" }));
        Assert.Equal(["so far", ""], Events().Select(Text));
        JsonElement details = Details(Stores.Fails(SessionStatus.InvalidTransition, () => stream.Write("x"u8)));
        Assert.Equal(("ended", "write"),
            (details.GetProperty("state").GetString(), details.GetProperty("event").GetString()));
        Stores.Fails(SessionStatus.InvalidTransition, () => stream.End(Stores.Utf8("{}")));
        Assert.Equal(1, stream.End());
        Assert.Equal(1, stream.End());
        other.Write("!"u8);
        none.Write("!"u8);
        Assert.Equal((3, 4), (none.End(), other.End()));
        Assert.Equal(4, other.End());
        Stores.Fails(SessionStatus.InvalidTransition, () => other.End(Stores.Utf8("{}")));
        Stores.Fails(SessionStatus.InvalidTransition, () => other.Write(default));
    }

    [Fact]
    public void A_batch_ends_streams_before_its_first_event_of_their_turn()
    {
        using SessionStream stream = Begin("t", "so far");
        JsonElement answer = Stores.Json(b => _session.AppendBatch(Stores.Utf8(
            """[{"type":"note","data":1},{"type":"x","data":2,"turn_id":"t"},{"type":"y","data":3,"turn_id":"t"}]"""),
            AppendFlags.None, b));
        Assert.Equal("[1,3,4]", answer.GetProperty("seqs").GetRawText());
        Assert.Equal(2, stream.End());
        Assert.Equal(["note", "agent_message", "x", "y"], Events().Select(e => e.GetProperty("type").GetString()!));
    }

    [Fact]
    public void Streams_of_one_turn_end_one_by_one()
    {
        using SessionStream thought = Begin("t", "think"), message = Begin("t", "say");
        Assert.Equal(1, message.End());
        thought.Write("ing"u8);
        Assert.Equal(2, thought.End());
        Assert.Equal(["say", "thinking"], Events().Select(Text));
    }

    [Fact]
    public void A_repeated_id_writes_nothing_and_ends_no_stream()
    {
        _session.Append("note", "1"u8, new AppendOptions { Id = "first" });
        using SessionStream repeat = _session.BeginStream("agent_message",
            new AppendOptions { Id = "first", TurnId = "t" });
        repeat.Write("again"u8);
        Assert.Equal(1, _session.Append("note", "2"u8, new AppendOptions { Id = "first", TurnId = "t" }));
        Assert.NotEqual("""{"streams":[]}""", Read());
        Assert.Equal(1, repeat.End());
        Assert.Equal(1, _session.GetStat().LastSeq);
        Assert.Equal("""{"streams":[]}""", Read());

        // An event with the very id of the stream that it ends is that stream's event.
        using SessionStream stream = _session.BeginStream("agent_message",
            new AppendOptions { Id = "m", TurnId = "t" });
        stream.Write("whole"u8);
        Assert.Equal(2, _session.Append("agent_message", "{}"u8, new AppendOptions { Id = "m", TurnId = "t" }));
        Assert.Equal((2, 2), (stream.End(), _session.GetStat().LastSeq));
    }

    [Fact]
    public void An_abort_stops_writes_and_keeps_the_text()
    {
        using SessionStream stream = Begin(null, "so far");
        _session.Abort();
        Stores.Fails(SessionStatus.Cancelled, () => stream.Write("more"u8));
        Stores.Fails(SessionStatus.Cancelled, () => stream.Write(default));
        Assert.Equal(1, stream.End());
        Assert.Equal("""{"text":"so far"}""", Events()[0].GetProperty("data").GetRawText());
        using SessionStream second = _session.BeginStream("agent_message");
        _session.ClearAbort();
        second.Write("on"u8);
        Assert.Equal(2, second.End());
    }

    [Fact]
    public void Delete_ends_the_streams_of_all_it_takes_as_interrupted()
    {
        using SessionStream stream = Begin("t", "so far");
        using Session child = _store.Create(_session.Id);
        using SessionStream childs = child.BeginStream("agent_thought");
        _session.Delete();
        Stores.Fails(SessionStatus.Deleted, () => stream.Write("x"u8));
        Stores.Fails(SessionStatus.Deleted, () => stream.End());
        Stores.Fails(SessionStatus.Deleted, () => _session.BeginStream("x"));
        Stores.Fails(SessionStatus.Deleted, () => Read());
        _store.Restore(_session.Id);
        Assert.Equal("""{"text":"so far","interrupted":true}""", Events()[0].GetProperty("data").GetRawText());
        Assert.Equal((1, 1), (stream.End(), childs.End()));
        Stores.Fails(SessionStatus.InvalidTransition, () => stream.Write("x"u8));
        using SessionStream last = Begin("t", "gone");
        _session.Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        Stores.Fails(SessionStatus.Deleted, () => last.End());
        Assert.Empty(_store.Core.Rows.Streams.All);
    }

    [Fact]
    public void A_handle_that_is_let_go_of_leaves_an_interrupted_event_without_its_id()
    {
        SessionStream stream = _session.BeginStream("agent_message", new AppendOptions { Id = "k", TurnId = "t" });
        stream.Write([.. "so far"u8, 0xe2]);
        stream.Dispose();
        stream.Dispose();
        Stores.Fails(SessionStatus.InvalidHandle, () => stream.Write("x"u8));
        Stores.Fails(SessionStatus.InvalidHandle, () => stream.End());
        Assert.Equal("so far", Only().GetProperty("text").GetString());
        Assert.True(_store.Engine.Streams.IsWatching);
        _store.Engine.Streams.Sweep(_store.Engine.Commit);
        Assert.False(_store.Engine.Streams.IsWatching);
        JsonElement e = Assert.Single(Events());
        Assert.Equal("""{"text":"so far","interrupted":true}""", e.GetProperty("data").GetRawText());
        Assert.False(e.TryGetProperty("id", out _));
        Assert.Equal("t", e.GetProperty("turn_id").GetString());

        // So the host can say it all, with the id.
        using SessionStream again = _session.BeginStream("agent_message", new AppendOptions { Id = "k" });
        again.Write("so far and on"u8);
        Assert.Equal(2, again.End());
    }

    [Fact]
    public void An_append_comes_after_what_was_let_go_of_before_it()
    {
        Begin(null, "left").Dispose();
        Assert.Equal(2, _session.Say("next"));
        Assert.Equal("""{"text":"left","interrupted":true}""", Events()[0].GetProperty("data").GetRawText());
        _store.Engine.Streams.Sweep(_store.Engine.Commit);
        Assert.Equal(2, _session.GetStat().LastSeq);
    }

    [Fact]
    public void Closing_the_store_leaves_interrupted_events()
    {
        SessionStream stream = Begin("t", "so far");
        _store.Close();
        Stores.Fails(SessionStatus.Closed, () => stream.Write("x"u8));
        Stores.Fails(SessionStatus.Closed, () => stream.End());
        stream.Dispose();
        Assert.Null(_disk.Peek(Layout.StreamsFile));
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        using Session session = again.OpenSession(_session.Id);
        Assert.Equal("""{"text":"so far","interrupted":true}""",
            session.Events().GetProperty("events")[0].GetProperty("data").GetRawText());
        Assert.Equal(0, again.Info().GetProperty("recovered").GetProperty("redone_records").GetInt64());
        again.AssertSound();
    }

    [Fact]
    public void A_read_takes_what_is_new_by_bytes()
    {
        using SessionStream stream = Begin("t", "aä€"), other = Begin(null, "xyz");
        foreach ((long from, int offset, string text) in ((long, int, string)[])
            [(0, 0, "aä€"), (1, 1, "ä€"), (2, 1, "ä€"), (3, 3, "€"), (5, 3, "€"), (6, 6, ""), (1 << 40, 6, "")])
        {
            JsonElement seen = Assert.Single(Stores.Json(b => _session.WriteStreams(stream.Id, from, b))
                .GetProperty("streams").EnumerateArray());
            Assert.Equal((offset, text, 6), (seen.GetProperty("offset").GetInt32(),
                seen.GetProperty("text").GetString(), seen.GetProperty("bytes").GetInt32()));
        }

        Assert.Equal(2, Stores.Json(b => _session.WriteStreams(null, 1, b)).GetProperty("streams").GetArrayLength());
        Assert.Equal("""{"streams":[]}""", Stores.Text(b => _session.WriteStreams("sm_none", 0, b)));
        Stores.Fails(SessionStatus.InvalidArgument, () => Stores.Text(b => _session.WriteStreams("", 0, b)));
        Stores.Fails(SessionStatus.InvalidArgument, () => Stores.Text(b => _session.WriteStreams(null, -1, b)));
    }

    [Fact]
    public void A_share_begins_none_and_shows_them_only_when_it_is_live()
    {
        using SessionStream stream = Begin(null, "so far");
        _session.Say("one");
        using Session frozen = Share(default), live = Share(ShareFlags.Live);
        Stores.Fails(SessionStatus.AccessDenied, () => live.BeginStream("note"));
        Assert.Equal("""{"streams":[]}""", Stores.Text(b => frozen.WriteStreams(null, 0, b)));
        Assert.Equal(Read(), Stores.Text(b => live.WriteStreams(null, 0, b)));
        _session.RevokeShare(Stores.Json(_session.WriteShares).GetProperty("shares")[1].GetProperty("share_id")
            .GetString()!);
        Stores.Fails(SessionStatus.NotFound, () => Stores.Text(b => live.WriteStreams(null, 0, b)));
    }

    [Fact]
    public void Arguments_are_those_of_an_append()
    {
        Stores.Fails(SessionStatus.InvalidArgument, () => _session.BeginStream(""));
        Stores.Fails(SessionStatus.InvalidArgument, () => _session.BeginStream("a\nb"));
        Stores.Fails(SessionStatus.InvalidArgument, () => _session.BeginStream("x", new AppendOptions { TurnId = "" }));
        Stores.Fails(SessionStatus.InvalidArgument, () => _session.BeginStream("x", new AppendOptions { Id = "\t" }));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => _session.BeginStream("x", new AppendOptions { Timestamp = -1 }));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => _session.BeginStream("x", new AppendOptions { Flags = (AppendFlags)3 }));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => _session.BeginStream("x", new AppendOptions { Flags = (AppendFlags)8 }));
        Assert.Equal("""{"streams":[]}""", Read());
    }

    [Fact]
    public void A_stream_ends_where_its_event_would_be_too_large()
    {
        using SessionStream stream = Begin(null, null);
        byte[] escaped = new byte[(Limits.EventBytesMax / 6) - 100]; // zeros are six bytes each in JSON
        stream.Write(escaped);
        SessionException e = Stores.Fails(SessionStatus.Limit, () => stream.Write(new byte[100]));
        Assert.Equal("event_bytes_max", Details(e).GetProperty("limit").GetString());
        stream.Write(new byte[50]);
        byte[] patch = Stores.Utf8($"{{\"more\":\"{new string('x', 1000)}\"}}");
        Stores.Fails(SessionStatus.Limit, () => stream.End(patch));
        Assert.Equal(1, stream.End());
        Assert.Equal(escaped.Length + 50, Text(Events()[0]).Length);
    }

    [Fact]
    public void A_chunk_touches_the_journal_alone_and_syncs_nothing()
    {
        using SessionStream stream = Begin(null, "first");
        _session.Say("applied");
        long synced = _store.Core.State.Synced;
        var calls = new List<string>();
        _disk.FailIf = o =>
        {
            calls.Add($"{o.Name} {o.Path}");
            return false;
        };
        stream.Write("second"u8);
        _disk.FailIf = null;
        Assert.Equal(["pwrite journal/000000000001.log"],
            calls.Where(c => !c.StartsWith("fcntl", StringComparison.Ordinal)
                && !c.StartsWith("stat", StringComparison.Ordinal)));
        Assert.Equal(synced, _store.Core.State.Synced);
        Assert.Null(_disk.Peek(Layout.StreamsFile));
    }

    [Fact]
    public void Two_threads_in_one_stream_are_told_so()
    {
        SessionStream? stream = null;
        var statuses = new List<SessionStatus>();
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time, atStep: step =>
        {
            if (step == Step.CommitWritten && stream is { } busy)
            {
                var other = new Thread(() =>
                {
                    statuses.Add(Stores.Fails(SessionStatus.Misuse, () => busy.Write("x"u8)).Status);
                    statuses.Add(Stores.Fails(SessionStatus.Misuse, () => busy.End()).Status);
                });
                other.Start();
                other.Join();
            }
        });
        using Session session = store.OpenSession(_session.Id);
        using SessionStream begun = session.BeginStream("agent_message");
        stream = begun;
        begun.Write("one"u8);
        stream = null;
        Assert.Equal(2, statuses.Count);
        begun.End();
        Assert.Equal("one", Text(Events()[0]));
    }

    [Fact]
    public void All_of_one_batch_is_in_order()
    {
        using SessionStream stream = Begin("t", "a");
        OpenStream open = _store.Core.Rows.Streams.Find(stream.Id)!;
        Row row = _store.Core.Rows.Find(_session.Id)!;
        var begin = new BeginStreamRequest(_store.Core, row, "agent_message",
            new AppendOptions { TurnId = "t" }) { Full = false };
        var late = new StreamTextRequest(row, open, Stores.Utf8("late"));
        Assert.True(_store.Engine.Runner.TryEnter());
        _store.Engine.Runner.Run(
        [
            new StreamTextRequest(row, open, Stores.Utf8("b")),
            begin,
            new AppendRequest(_store.Core, row, [new("note", Stores.Utf8("1"), 0, "t", null)]),
            late,
        ]);
        _store.Engine.Runner.Exit();
        Assert.Equal(SessionStatus.InvalidTransition, Assert.IsType<SessionException>(late.Failure).Status);
        Assert.Equal(["ab", "", ""], Events().Select(Text));
        Assert.Equal((1, true, 2), (stream.End(), begin.Stream.IsEnded, begin.Stream.Seq));
        Assert.Empty(_store.Core.Rows.Streams.All);
        _store.AssertSound();
    }

    private SessionStream Begin(string? turn, string? text)
    {
        SessionStream stream = _session.BeginStream("agent_message", new AppendOptions { TurnId = turn });
        stream.Write(Stores.Utf8(text ?? ""));
        return stream;
    }

    private Session Share(ShareFlags flags)
    {
        JsonElement share = Stores.Json(b => _session.WriteShare(new SessionShareOptions { Flags = flags }, b));
        return _store.ResolveShare(share.GetProperty("secret").GetString()!);
    }

    private string Read() => Stores.Text(b => _session.WriteStreams(null, 0, b));

    private JsonElement Only() => Assert.Single(Stores.Json(b => _session.WriteStreams(null, 0, b))
        .GetProperty("streams").EnumerateArray());

    private List<JsonElement> Events() => [.. _session.Events().GetProperty("events").EnumerateArray()];

    private static string Text(JsonElement e) => e.GetProperty("data") is { ValueKind: JsonValueKind.Object } data
        && data.TryGetProperty("text", out JsonElement text) ? text.GetString()! : "";

    private static JsonElement Details(SessionException e) => JsonDocument.Parse(e.Details).RootElement;
}
