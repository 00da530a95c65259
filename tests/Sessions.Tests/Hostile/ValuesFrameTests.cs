using Sessions.Images;
using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;
using Sessions.Tests.Coordination.Watching;
using Sessions.Tests.Support;

namespace Sessions.Tests.Hostile;

/// <summary>A frame whose checksum is right was still written by anybody: one that names what no frame of ours
/// names is none.</summary>
public sealed class ValuesFrameTests
{
    private const string Id = "session_5";
    private const long At = 1_795_158_388_123;
    private const long Lsn = 77;

    private const string Info = """
        {"id":"session_5","parent_id":"session_4","fork_seq":3,"title":"T","title_source":"user","created_at":1,
        "updated_at":2,"last_event_at":3,"message_count":1,"event_count":2,"last_seq":3,"revision":4,
        "state":"created","archived":false,"is_aborted":true,"abort_reason":"r","abort_count":1,
        "share_info":{"share_id":"sh_0123456789ab","created_at":5,"expires_at":6},"metadata":{"a":1},
        "facts":{"workspace_id":"w"},"idempotency_key":"k"}
        """;

    private static readonly Dictionary<string, string> s_changes = new()
    {
        ["put"] = """{"put":INFO,"new":true,"what":"created"}""",
        ["append"] = """
            {"append":"session_5","offset":7,"counters":[1,2,3,4,5],"lead":false,"sizes":[9],
            "lines":[{"seq":1}]}
            """,
        ["append lead"] = """
            {"append":"session_5","offset":7,"counters":[1,2,3,4,5],"lead":true,"sizes":[9],"lines":[{"seq":1}]}
            """,
        ["shares"] = """
            {"shares":"session_5","image":{"session_id":"session_5","shares":[{"share_id":"sh_0123456789ab",
            "asked_first":1,"asked_last":2,"first_seq":1,"last_seq":2,"live":false,"created_at":3,"expires_at":4,
            "max_uses":5,"uses":1,"last_used_at":6,"revoked_at":7}]}}
            """,
        ["log"] = """
            {"log":"session_5","image":{"session_id":"session_5","first_seq":1,"history":[{"session_id":"session_4",
            "first_seq":1,"last_seq":2,"bytes":300}],"rewinds":[{"seq":9,"first_seq":7,"last_seq":8}],
            "compactions":[{"seq":10,"from_seq":9}]}}
            """,
        ["lock"] = """
            {"lock":"session_5","image":{"session_id":"session_5","epoch":5,"pid":1,"process_started_at":2,
            "hostname":"h","boot_id":"0123456789abcdef","pid_namespace":4026531836,"instance_id":"i-000000000001",
            "client_type":"c","started_at":1,"heartbeat_at":2,"last_activity_at":3,"status":"idle",
            "status_message":null,"reserved_for":null,"requests":[]},
            "what":"acquired","detail":{"epoch":5}}
            """,
        ["queue"] = """
            {"queue":"session_5","image":{"session_id":"session_5","generation":1,"last_delivery_at":2,
            "entries":[{"id":"q-1-01234567","state":"queued","generation":1,"message":"m","image_ids":[],
            "file_ids":["f"],"client_id":null,"prompt_name":null,"arguments":{},"title":null,"queued_at":1,
            "scheduled_at":null,"repeat":{"every_ms":5,"until":null,"count":3},"key":null,"turn_id":null,
            "claimed_by":null,"claimed_at":null,"seq":null,"detail":null}],"settled":[]}}
            """,
        ["queue_add"] = """
            {"queue_add":"session_5","entry":{"id":"q-1-01234567","state":"queued","generation":1,"message":"m",
            "image_ids":[],"file_ids":["f"],"client_id":null,"prompt_name":null,"arguments":{},"title":null,
            "queued_at":1,"scheduled_at":null,"repeat":{"every_ms":5,"until":null,"count":3},"key":null,
            "turn_id":null,"claimed_by":null,"claimed_at":null,"seq":null,"detail":null},"what":"added",
            "detail":{"what":"added"}}
            """,
        ["buttons"] = """
            {"buttons":"session_5","image":{"session_id":"session_5","for_seq":1,
            "buttons":[{"label":"a","response":"b"}]}}
            """,
        ["rewrite"] = """
            {"rewrite":"session_5","file":"events-i-0123456789ab-3.new","bytes":300,
            "kept":"trash/pruned/1795158388123-77-session_5.jsonl"}
            """,
        ["fork"] = """{"fork":"session_5","parent":"session_4"}""",
        ["trash"] = """{"trash":GONE,"deletion":9}""",
        ["restore"] = """{"restore":INFO,"deletion":9}""",
        ["purge"] = """{"purge":"session_5","deletion":9}""",
        ["config"] = """{"config":{"strict_lock":true,"queue":{"max_size":3}}}""",
        ["stream_begin"] = """
            {"stream_begin":"sm_1","session":"session_5","type":"agent_message","turn_id":"t","id":"e",
            "timestamp":1,"started_at":2,"owner":"i-000000000001"}
            """,
        ["stream_text"] = """{"stream_text":"sm_1","session":"session_5","offset":3,"text":"abc"}""",
        ["stream_end"] = """{"stream_end":"sm_1","session":"session_5","seq":4,"kept":true}""",
        ["streams"] = """
            {"streams":{"streams":[{"stream_id":"sm_1","session":"session_5","type":"agent_message","turn_id":null,
            "id":null,"timestamp":0,"started_at":2,"owner":"i-000000000001","text":"abc"},{"stream_id":"sm_2",
            "session":"session_5","type":"agent_message","turn_id":null,"id":null,"timestamp":0,"started_at":2,
            "owner":"i-000000000001","seq":7}]}}
            """,
    };

    public static TheoryData<string> Kinds => [.. s_changes.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void As_it_is_written_it_is_read(string kind)
    {
        Frame frame = Read(Payload(s_changes[kind]))!;
        AssertHarmless(frame, kind);
        Assert.Single(frame.Changes);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Whatever_stands_in_the_place_of_any_member_it_is_no_frame_or_a_harmless_one(string kind)
    {
        int refused = 0;
        foreach ((string where, string payload) in ValuesMutation.Of(Payload(s_changes[kind]), ValuesMutation.All))
        {
            if (Read(payload) is { } frame)
            {
                AssertHarmless(frame, where);
            }
            else
            {
                refused++;
            }
        }

        Assert.True(refused > 50, $"{kind}: {refused}");
    }

    [Theory]
    [InlineData("put", "put.id")]
    [InlineData("put", "put.parent_id")]
    [InlineData("put", "put.share_info.share_id")]
    [InlineData("append", "append")]
    [InlineData("append lead", "append")]
    [InlineData("shares", "shares")]
    [InlineData("shares", "image.session_id")]
    [InlineData("shares", "image.shares.0.share_id")]
    [InlineData("log", "log")]
    [InlineData("log", "image.session_id")]
    [InlineData("log", "image.history.0.session_id")]
    [InlineData("lock", "lock")]
    [InlineData("lock", "image.session_id")]
    [InlineData("queue", "queue")]
    [InlineData("queue", "image.session_id")]
    [InlineData("queue_add", "queue_add")]
    [InlineData("buttons", "buttons")]
    [InlineData("buttons", "image.session_id")]
    [InlineData("rewrite", "rewrite")]
    [InlineData("rewrite", "file")]
    [InlineData("fork", "fork")]
    [InlineData("fork", "parent")]
    [InlineData("trash", "trash.id")]
    [InlineData("trash", "trash.deletion_id")]
    [InlineData("restore", "restore.id")]
    [InlineData("purge", "purge")]
    [InlineData("stream_begin", "stream_begin")]
    [InlineData("stream_begin", "session")]
    [InlineData("stream_text", "stream_text")]
    [InlineData("stream_text", "session")]
    [InlineData("stream_end", "stream_end")]
    [InlineData("stream_end", "session")]
    [InlineData("streams", "streams.streams.0.stream_id")]
    [InlineData("streams", "streams.streams.1.session")]
    public void A_name_that_leads_elsewhere_is_no_frame(string kind, string member)
    {
        int count = 0;
        foreach ((string where, string payload) in ValuesMutation.Of(Payload(s_changes[kind]), ValuesMutation.Names))
        {
            if (where.StartsWith($"changes.0.{member} = ", StringComparison.Ordinal))
            {
                Assert.True(Read(payload) is null, where);
                count++;
            }
        }

        Assert.Equal(ValuesMutation.Names.Length, count);
    }

    [Theory]
    [InlineData("put", "at")]
    [InlineData("put", "changes.0.put.last_seq")]
    [InlineData("put", "changes.0.put.revision")]
    [InlineData("put", "changes.0.put.abort_count")]
    [InlineData("append", "at")]
    [InlineData("append", "changes.0.offset")]
    [InlineData("append", "changes.0.counters.0")]
    [InlineData("append", "changes.0.counters.4")]
    [InlineData("append lead", "changes.0.offset")]
    [InlineData("append lead", "changes.0.counters.1")]
    [InlineData("shares", "changes.0.image.shares.0.revoked_at")]
    [InlineData("log", "changes.0.image.first_seq")]
    [InlineData("log", "changes.0.image.history.0.first_seq")]
    [InlineData("log", "changes.0.image.history.0.last_seq")]
    [InlineData("log", "changes.0.image.history.0.bytes")]
    [InlineData("log", "changes.0.image.rewinds.0.last_seq")]
    [InlineData("queue", "changes.0.image.generation")]
    [InlineData("queue", "changes.0.image.entries.0.repeat.every_ms")]
    [InlineData("queue_add", "changes.0.entry.queued_at")]
    [InlineData("queue_add", "changes.0.entry.repeat.every_ms")]
    [InlineData("rewrite", "changes.0.bytes")]
    [InlineData("trash", "changes.0.deletion")]
    [InlineData("restore", "changes.0.deletion")]
    [InlineData("purge", "changes.0.deletion")]
    [InlineData("stream_begin", "changes.0.timestamp")]
    [InlineData("stream_text", "changes.0.offset")]
    [InlineData("stream_end", "changes.0.seq")]
    [InlineData("streams", "changes.0.streams.streams.1.seq")]
    public void A_number_that_is_none_is_no_frame(string kind, string member)
    {
        int count = 0;
        foreach ((string where, string payload) in ValuesMutation.Of(Payload(s_changes[kind]), ValuesMutation.Numbers))
        {
            if (where.StartsWith(member + " = ", StringComparison.Ordinal))
            {
                Assert.True(Read(payload) is null, where);
                count++;
            }
        }

        Assert.Equal(ValuesMutation.Numbers.Length, count);
    }

    [Theory]
    [InlineData("trash/pruned/1795158388123-77-session_5.jsonl", true)]
    [InlineData("", true)]
    [InlineData("trash/pruned/1795158388123-78-session_5.jsonl", false)]
    [InlineData("trash/pruned/1795158388124-77-session_5.jsonl", false)]
    [InlineData("trash/pruned/1795158388123-77-session_6.jsonl", false)]
    [InlineData("../.profile", false)]
    [InlineData("trash/pruned/../../../.profile", false)]
    public void A_log_that_is_replaced_is_kept_under_its_own_name_alone(string kept, bool isFrame)
    {
        string change =
            $$"""{"rewrite":"session_5","file":"events-i-0123456789ab-3.new","bytes":300,"kept":"{{kept}}"}""";
        Assert.Equal(isFrame, Read(Payload(change)) is not null);
    }

    [Theory]
    [InlineData("events-i-0123456789ab-3.new", true)]
    [InlineData("events-i-0123456789ab-123456789012345678.new", true)]
    [InlineData("events-i-0123456789ab-1234567890123456789.new", false)]
    [InlineData("events-i-0123456789ab-03.new", false)]
    [InlineData("events-i-0123456789ab-.new", false)]
    [InlineData("events-i-0123456789aB-3.new", false)]
    [InlineData("events-i-0123456789a-33.new", false)]
    [InlineData("events-i-0123456789ab-3.new.new", false)]
    [InlineData("events-i-0123456789ab/../3.new", false)]
    [InlineData("events.jsonl", false)]
    [InlineData("session.json", false)]
    public void A_log_is_replaced_by_a_file_of_a_prune_alone(string file, bool isFrame)
        => Assert.Equal(isFrame,
            Read(Payload($$"""{"rewrite":"session_5","file":"{{file}}","bytes":300,"kept":""}""")) is not null);

    [Theory]
    [InlineData("""{"config":[1]}""")]
    [InlineData("""{"config":{}}""")]
    [InlineData("""{"config":null}""")]
    [InlineData("""{"config":{ "a":1}}""")]
    [InlineData("""{"shares":"session_5","image":{}}""")]
    [InlineData("""{"lock":"session_5","image":{"session_id":"session_5" , "a":1}}""")]
    [InlineData("""{"append":"session_5","offset":0,"counters":[1,2,3,4,5],"lead":false,"sizes":[],"lines":[]}""")]
    [InlineData("""{"append":"session_5","offset":0,"counters":[1,2,3,4,5],"lead":true,"sizes":[1],"lines":[5]}""")]
    [InlineData("""{"put":INFO,"deletion":9,"what":5}""")]
    [InlineData("""{"trash":GONE,"deletion":8}""")]
    [InlineData("""{"trash":GONE,"deletion":0}""")]
    [InlineData("""{"restore":GONE,"deletion":9}""")]
    [InlineData("""{"put":GONE}""")]
    public void What_no_file_could_be_written_from_is_no_frame(string change)
        => Assert.Null(Read(Payload(change, isCompact: true)));

    [Fact]
    public void An_append_may_end_where_numbers_do_and_no_byte_further()
    {
        const string change = """
            {"append":"session_5","offset":OFFSET,"counters":[1,2,3,4,5],"lead":LEAD,"sizes":[9],
            "lines":[{"seq":1}]}
            """;
        foreach (string lead in (string[])["false", "true"])
        {
            long room = Limits.IntegerMax - 10 - (lead == "true" ? 1 : 0);
            string Of(long offset) => Payload(change.Replace("OFFSET", offset.ToString(), StringComparison.Ordinal)
                .Replace("LEAD", lead, StringComparison.Ordinal));
            Assert.NotNull(Read(Of(room)));
            Assert.Null(Read(Of(room + 1)));
        }
    }

    // A watch hands it out as it stands, and the fast path looks at no other part of the object.
    [Theory]
    [InlineData("5")]
    [InlineData("{")]
    [InlineData("{\"pid\":1,\"client_type\":\"a\\x\",\"instance_id\":\"i-1\"}")]
    [InlineData("{\"pid\":1,\"client_type\":\"\u0001\",\"instance_id\":\"i-1\"}")]
    [InlineData("{\"pid\":1,\"client_type\":\"a\",\"instance_id\":\"i-1\"},\"x\":{")]
    public void Who_committed_is_an_object_or_it_is_no_frame(string by)
    {
        string append = s_changes["append"].Replace("\n", "", StringComparison.Ordinal);
        byte[] payload = Stores.Utf8($$"""{"at":1,"by":{{by}},"changes":[{{append}}]}""");
        Assert.Null(ChangeCodec.TryRead(Lsn, payload.ToArray()));
        payload = Stores.Utf8($$"""{"at":1,"by":{{by}},"changes":[{{s_changes["fork"]}}]}""");
        Assert.Null(ChangeCodec.TryRead(Lsn, payload));
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(-1, 0, false)]
    [InlineData(long.MinValue, 0, false)]
    [InlineData(long.MaxValue, 0, false)]
    [InlineData(Limits.IntegerMax + 1, 0, false)]
    [InlineData(Limits.IntegerMax, Limits.IntegerMax - 1, true)]
    [InlineData(5, 5, false)]
    [InlineData(5, -1, false)]
    [InlineData(5, long.MaxValue, false)]
    [InlineData(5, 4, true)]
    public void The_numbers_of_a_frame_are_bounded(long lsn, long synced, bool isFrame)
    {
        var b = new Utf8Buffer();
        b.Zeros(FrameFormat.HeaderLength);
        b.Raw("{}"u8);
        FrameFormat.Close(b, 0, lsn, synced, 1);
        Assert.Equal(isFrame, FrameFormat.IsPlausible(b.Written, b.Length));
    }

    internal static Frame? Read(string payload)
    {
        Frame? frame = ChangeCodec.TryRead(Lsn, Stores.Utf8(payload));
        Frame? plain = ChangeCodec.TryReadAny(Lsn, Stores.Utf8(payload));
        Assert.Equal(plain is null, frame is null);
        return frame;
    }

    internal static string Payload(string change, bool isCompact = false)
    {
        string info = Info.Replace("\n", "", StringComparison.Ordinal);
        change = isCompact ? change : change.Replace("\n", "", StringComparison.Ordinal);
        string gone = info[..^1] + ""","deleted_at":8,"deletion_id":"del_9"}""";
        change = change.Replace("GONE", gone, StringComparison.Ordinal)
            .Replace("INFO", info, StringComparison.Ordinal);
        const string by = """{"pid":1,"client_type":"c","instance_id":"i-000000000001"}""";
        return $$"""{"at":{{At}},"by":{{by}},"changes":[{{change}}]}""";
    }

    // Nothing that the engine does with such a frame leads out of its session's folder, overflows or fails.
    private static void AssertHarmless(Frame frame, string where)
    {
        Assert.True(Plausible.IsCount(frame.At), where);
        foreach (Change c in frame.Changes)
        {
            bool isOfStore = c.Kind is ChangeKind.Config or ChangeKind.Streams;
            Assert.True(isOfStore || SessionIds.IsValid(c.Id), where);
            Assert.True(c.ParentId.Length == 0 || SessionIds.IsValid(c.ParentId), where);
            Assert.True(c.StreamId.Length == 0 || SessionIds.IsValid(c.StreamId), where);
            Assert.True(Plausible.IsCount(c.DeletionLsn) && Plausible.IsCount(c.Offset + c.Lines.Length)
                && Plausible.IsCount(c.Bytes) && Plausible.IsCount(c.Seq), where);
            long[] counters = [c.Counters.LastSeq, c.Counters.EventCount, c.Counters.MessageCount,
                c.Counters.UpdatedAt, c.Counters.LastEventAt];
            Assert.True(counters.All(Plausible.IsCount), where);
            Assert.True(c.Kind != ChangeKind.Rewrite || Plausible.IsStagedLog(c.File), where);
            Assert.True(c.Kept.Length == 0 || c.Kept == Layout.Pruned(frame.At, frame.Lsn, c.Id), where);
            AssertHarmless(c.Info, where);
            AssertWritable(c, where);
        }

        // A recovery may have to write it again.
        var again = new Utf8Buffer();
        ChangeCodec.Write(frame.At, frame.By.IsEmpty ? "{}"u8 : frame.By.Span, frame.Changes, again);
        Assert.True(ChangeCodec.TryRead(frame.Lsn, again.ToArray()) is not null, where);
        new Fold().Add(frame);
    }

    private static void AssertHarmless(SessionInfo? info, string where)
    {
        if (info is not null)
        {
            Assert.True(SessionIds.IsValid(info.Id), where);
            Assert.True(info.ParentId is null || SessionIds.IsValid(info.ParentId), where);
            long[] numbers = [info.ForkSeq ?? 0, info.CreatedAt, info.UpdatedAt, info.LastEventAt, info.MessageCount,
                info.EventCount, info.LastSeq, info.Revision, info.AbortCount, info.DeletedAt, info.DeletionLsn];
            Assert.True(numbers.All(Plausible.IsCount), where);
            Assert.NotNull(InfoCodec.TryRead(info.Json));
            Assert.NotNull(RowHead.TryRead(info.Json));
        }
    }

    private static void AssertWritable(Change c, string where)
    {
        if (c.Image.IsEmpty)
        {
            return;
        }

        var file = new Utf8Buffer();
        CheckedJson.Write(c.Image.Span, file);
        Assert.True(CheckedJson.Read(file.Written)?.AsSpan().SequenceEqual(c.Image.Span) == true, where);
        bool isReadable = c.Kind switch
        {
            ChangeKind.Shares => ShareList.CanRead(c.Image, c.Id),
            ChangeKind.Log => LogState.CanRead(c.Image, c.Id)
                && LogState.Read(c.Image).History.All(p => SessionIds.IsValid(p.SessionId)),
            ChangeKind.Small
                => c.Small!.CanRead(c.Image, c.Id),
            ChangeKind.Streams => StreamCodec.TryReadImage(c.Image) is not null,
            _ => true,
        };
        Assert.True(isReadable, where);
        Assert.True(c.Kind != ChangeKind.Shares || ShareList.Ids(c.Image).All(i => i.Length == 15), where);
    }
}
