using System.Text;
using System.Text.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events;

/// <summary>Appending: single, with options, in batches, repeated.</summary>
public sealed class AppendTests : IDisposable
{
    private MemoryDisk _disk = new();
    private readonly ManualTime _time = new();
    private SessionStore _store;

    public AppendTests() => _store = Stores.Open(_disk.OpenAs(), _time);

    public void Dispose() => _store.Dispose();

    [Fact]
    public void An_event_reads_as_it_was_written()
    {
        Session session = _store.Create();
        long revision = session.GetStat().Revision, created = _time.NowMs;
        _time.Advance(10);
        Assert.Equal(1, session.Append("user_prompt", " { \"n\" : 9007199254740993.0 } "u8));
        Assert.Equal(2,
            session.Append("x é \"y\"", "null"u8, new AppendOptions { TurnId = "t-1", Id = "k-1", Timestamp = 5 }));
        Assert.Equal(3,
            session.Append("agent_message", "[1,\"\\u0000\"]"u8, new AppendOptions { Timestamp = _time.NowMs + 100 }));
        string expected = $$"""
            {"events":[
            {"seq":1,"type":"user_prompt","timestamp":{{_time.NowMs}},"data":{"n":9007199254740993.0} },
            {"seq":2,"type":"x é \"y\"","timestamp":5,"turn_id":"t-1","id":"k-1","data":null},
            {"seq":3,"type":"agent_message","timestamp":{{_time.NowMs + 100}},"data":[1,"\u0000"]}],
            "skipped":[],"next_after_seq":3,"previous_before_seq":1,"last_seq":3,"has_more":false}
            """.ReplaceLineEndings("").Replace("} }", "}}", StringComparison.Ordinal);
        for (int round = 0; round < 2; round++)
        {
            Assert.Equal(expected, Stores.Text(b => session.WriteEvents(0, 0, b)));
            Assert.Equal(expected, Stores.Text(b => session.WriteLastEvents(0, 0, b)));
            SessionStat stat = session.GetStat();
            Assert.Equal((3, 3, 2, created, _time.NowMs, _time.NowMs + 100, revision),
                (stat.LastSeq, stat.EventCount, stat.MessageCount, stat.CreatedAt, stat.UpdatedAt, stat.LastEventAt,
                    stat.Revision));
            _store.Close();
            _store = Stores.Open(_disk.OpenAs(), _time);
            session = _store.OpenSession(session.Id);
        }
    }

    [Fact]
    public void A_repeated_id_answers_the_first_number_and_writes_nothing()
    {
        Session session = _store.Create(), other = _store.Create();
        Assert.Equal(1, session.Say("a", id: "k"));
        Assert.Equal(1, other.Say("a", id: "k"));
        Assert.Equal(2, session.Say("b"));
        for (int round = 0; round < 3; round++)
        {
            string file = Text(session);
            Assert.Equal(1, session.Say("c", id: "k"));
            Assert.Equal(1, session.Say("c", AppendFlags.Relaxed, id: "k"));
            Assert.Equal("""{"first_seq":null,"last_seq":null,"seqs":[1,1],"duplicates":[0,1]}""",
                Batch(session, """[{"type":"x","data":1,"id":"k"},{"type":"x","data":2,"id":"k"}]"""));
            Assert.Equal(2, session.GetStat().LastSeq);
            Assert.Equal(file, Text(session));
            MemoryDisk copy = _disk.Copy();
            _store.Close();
            _disk = round == 0 ? copy : _disk; // killed first, closed then
            _store = Stores.Open(_disk.OpenAs(), _time);
            session = _store.OpenSession(session.Id);
        }
    }

    [Fact]
    public void A_batch_is_one_commit_with_its_repeats_named()
    {
        Session session = _store.Create();
        session.Append("x", "0"u8, new AppendOptions { Id = "first" });
        long lsn = _store.Info().GetProperty("lsn").GetInt64();
        Assert.Equal("""{"first_seq":2,"last_seq":4,"seqs":[2,1,3,2,4],"duplicates":[1,3]}""", Batch(session, """
            [{"type":"user_prompt","data":{"a":1.0},"id":"k","turn_id":"t"}, {"type":"x","data":1,"id":"first"},
             {"data":[],"type":"agent_message","timestamp":77,"id":null,"turn_id":null}, {"type":"y","data":2,"id":"k"},
             {"type":"y","data":null,"timestamp":null}]
            """));
        Assert.Equal(lsn + 1, _store.Info().GetProperty("lsn").GetInt64());
        Assert.Equal((4, 2), (session.GetStat().EventCount, session.GetStat().MessageCount));
        Assert.Equal("""{"first_seq":null,"last_seq":null,"seqs":[],"duplicates":[]}""", Batch(session, " [ ] "));
        Assert.Equal(lsn + 1, _store.Info().GetProperty("lsn").GetInt64());
        JsonElement events = session.Events().GetProperty("events");
        Assert.Equal("""{"seq":3,"type":"agent_message","timestamp":77,"data":[]}""", events[2].GetRawText());
    }

    [Theory]
    [InlineData("""{}""", SessionStatus.InvalidArgument)]
    [InlineData("""[1]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"type":"x"}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"data":1}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"type":"","data":1}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"type":"a\nb","data":1}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"type":5,"data":1}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"type":"x","data":1,"seq":3}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"type":"x","data":1,"timestamp":-1}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"type":"x","data":1,"timestamp":1.5}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"type":"x","data":1,"timestamp":9007199254740992}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"type":"x","data":1,"id":""}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"type":"\ud800","data":1}]""", SessionStatus.InvalidUtf8)]
    [InlineData("""[{"type":"x","data":1},]""", SessionStatus.InvalidJson)]
    public void A_batch_with_one_bad_event_writes_none(string json, SessionStatus status)
    {
        Session session = _store.Create();
        Stores.Fails(status,
            () => Batch(session, json.Replace("[{", "[{\"type\":\"good\",\"data\":0},{", StringComparison.Ordinal)));
        Assert.Equal(0, session.GetStat().EventCount);
        Assert.Equal(1, session.Say("goes on"));
    }

    [Fact]
    public void What_an_event_cannot_be_is_refused()
    {
        Session session = _store.Create();
        string longest = new('t', 128);
        Assert.Equal(1, session.Append(longest, "1"u8, new AppendOptions { Id = longest, TurnId = longest }));
        Stores.Fails(SessionStatus.InvalidArgument, () => session.Append("", "1"u8));
        Stores.Fails(SessionStatus.InvalidArgument, () => session.Append(longest + "t", "1"u8));
        Stores.Fails(SessionStatus.InvalidArgument, () => session.Append("a\u0001", "1"u8));
        Stores.Fails(SessionStatus.InvalidUtf8, () => session.Append("a\ud800", "1"u8));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => session.Append("x", "1"u8, new AppendOptions { Id = longest + "t" }));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => session.Append("x", "1"u8, new AppendOptions { TurnId = "" }));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => session.Append("x", "1"u8, new AppendOptions { Timestamp = -1 }));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => session.Append("x", "1"u8, new AppendOptions { Flags = (AppendFlags)8 }));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => session.Append("x", "1"u8, new AppendOptions { Flags = AppendFlags.Relaxed | AppendFlags.Durable }));
        Assert.Equal(5, Stores.Fails(SessionStatus.InvalidJson, () => session.Append("x", "{\"a\":}"u8)).Offset);
        Assert.Equal(2, Stores.Fails(SessionStatus.InvalidUtf8,
            () => session.Append("x", [(byte)'"', (byte)'a', 0xff, (byte)'"'])).Offset);
        Stores.Fails(SessionStatus.InvalidArgument,
            () => session.WriteEvents(-1, 0, new System.Buffers.ArrayBufferWriter<byte>()));
        Assert.Equal(1, session.GetStat().EventCount);
    }

    [Fact]
    public void A_relaxed_line_is_read_before_it_is_in_the_file()
    {
        Session session = _store.Create();
        session.Say("one", AppendFlags.Relaxed);
        session.Say("two", AppendFlags.Relaxed);
        Assert.Equal("", Text(session));
        Assert.Equal(2, session.Events().GetProperty("events").GetArrayLength());
        Assert.Equal(2, session.Last(limit: 1).GetProperty("events")[0].GetProperty("seq").GetInt64());
        using (SessionStore other = Stores.Open(_disk.OpenAs(), _time, processId: 9))
        {
            Session same = other.OpenSession(session.Id);
            Assert.Equal(2, same.Events().GetProperty("events").GetArrayLength());
            session.Say("three", AppendFlags.Relaxed);
            Assert.Equal(3, same.Events().GetProperty("events").GetArrayLength());
            Assert.Equal(3, same.GetStat().LastSeq);
        }

        session.Say("four", AppendFlags.Durable);
        Assert.Equal(4, Text(session).Split('\n').Length - 1);
        Assert.Equal(4, session.Events().GetProperty("events").GetArrayLength());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"seq\":3,\"type\":\"no")]
    public void Nothing_is_glued_onto_a_line_without_its_newline(string torn)
    {
        Session session = _store.Create();
        session.Say("one");
        session.Say("two");
        _store.Close();
        string path = Layout.LiveFolder(session.Id) + "/events.jsonl";
        byte[] log = _disk.Peek(path)!;
        _disk.Poke(path, [.. log[..(torn.Length == 0 ? ^1 : ^0)], .. Stores.Utf8(torn)]);
        _store = Stores.Open(_disk.OpenAs(), _time);
        session = _store.OpenSession(session.Id);
        Assert.Equal(3, session.Say("three"));
        Assert.Equal(4, session.Say("four"));
        JsonElement events = session.Events().GetProperty("events");
        Assert.Equal(["one", "two", "three", "four"], events.EnumerateArray()
            .Select(e => e.GetProperty("data").GetProperty("text").GetString()));
        Assert.Equal(0, session.Events().GetProperty("skipped").GetArrayLength());
    }

    [Fact]
    public void Lines_of_another_tool_are_read_as_they_are()
    {
        Session session = _store.Create();
        session.Say("one");
        session.Say("two");
        _store.Close();
        string path = Layout.LiveFolder(session.Id) + "/events.jsonl";
        string foreign =
            """{"seq":1,"type":"user_prompt","timestamp":7,"more":[1.0],"data":{"text":"edited"},"src":"01234567"}""";
        string second = Encoding.UTF8.GetString(_disk.Peek(path)!).Split('\n')[1];
        _disk.Poke(path, Stores.Utf8(foreign + "\n" + second + "\n"));
        _store = Stores.Open(_disk.OpenAs(), _time);
        session = _store.OpenSession(session.Id);
        Assert.Equal(foreign, session.Events().GetProperty("events")[0].GetRawText());
        Assert.Equal("two", session.Last(limit: 1).GetProperty("events")[0].GetProperty("data").GetProperty("text")
            .GetString());
        _store.AssertSound();
    }

    [Fact]
    public void An_empty_log_is_an_empty_page()
    {
        Session session = _store.Create();
        const string empty =
            """{"events":[],"skipped":[],"next_after_seq":0,"previous_before_seq":1,"last_seq":0,"has_more":false}""";
        Assert.Equal(empty, Stores.Text(b => session.WriteEvents(0, 10, b)));
        Assert.Equal(empty, Stores.Text(b => session.WriteLastEvents(0, 10, b)));
    }

    [Fact]
    public void A_page_ends_before_a_mebibyte_and_holds_one_event_at_least()
    {
        Session session = _store.Create();
        byte[] big = Stores.Utf8($"\"{new string('x', 400_000)}\""),
            huge = Stores.Utf8($"\"{new string('y', 3_000_000)}\"");
        foreach (byte[] data in (byte[][])[big, big, big, huge, big, huge])
        {
            session.Append("x", data);
        }

        var pages = new List<int>();
        for (JsonElement page = session.Events(); ;
            page = session.Events(page.GetProperty("next_after_seq").GetInt64()))
        {
            pages.Add(page.GetProperty("events").GetArrayLength());
            if (!page.GetProperty("has_more").GetBoolean())
            {
                break;
            }
        }

        Assert.Equal([2, 1, 1, 1, 1], pages);
        pages.Clear();
        for (JsonElement page = session.Last(); ;
            page = session.Last(page.GetProperty("previous_before_seq").GetInt64()))
        {
            pages.Add(page.GetProperty("events").GetArrayLength());
            if (!page.GetProperty("has_more").GetBoolean())
            {
                break;
            }
        }

        Assert.Equal([1, 1, 1, 2, 1], pages);
    }

    private static string Batch(Session session, string json)
        => Stores.Text(b => session.AppendBatch(Stores.Utf8(json), AppendFlags.None, b));

    private string Text(Session session)
        => Encoding.UTF8.GetString(_disk.Peek(Layout.LiveFolder(session.Id) + "/events.jsonl") ?? []);
}
