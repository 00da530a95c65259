using System.Text;
using Sessions.Images;
using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Journal;

/// <summary>What the journal writes reads as it was written, and any damage to it is seen.</summary>
public sealed class CodecTests
{
    private const uint Seed = 0x5eed;
    private static readonly byte[] By = """{"pid":1}"""u8.ToArray();

    [Fact]
    public void Every_kind_of_change_comes_back()
    {
        SessionInfo info = Info(1);
        Change[] changes =
        [
            new() { Kind = ChangeKind.Put, Id = info.Id, Info = info, IsNew = true },
            new() { Kind = ChangeKind.Put, Id = info.Id, Info = info },
            new() { Kind = ChangeKind.Append, Id = info.Id, Offset = 7,
                Lines = "{\"a\":\"x,y\"}\n{\"b\":[1]}\n"u8.ToArray(), Counters = new Counters(1, 2, 3, 4, 5) },
            new() { Kind = ChangeKind.Append, Id = info.Id, Offset = 0, Lines = "\n{\"a\":1}\n"u8.ToArray(),
                Counters = new Counters(1, 2, 3, 4, 0) },
            new() { Kind = ChangeKind.Shares, Id = info.Id, Image = """{"shares":[]}"""u8.ToArray() },
            new() { Kind = ChangeKind.Shares, Id = info.Id },
            new() { Kind = ChangeKind.Put, Id = info.Id, Info = info, What = "renamed,updated" },
            new() { Kind = ChangeKind.Small, Small = SmallFileKind.Lock, Id = info.Id,
                Image = Stores.Utf8($$"""{"session_id":"{{info.Id}}"}"""), What = "acquired",
                Detail = """{"epoch":5}"""u8.ToArray() },
            new() { Kind = ChangeKind.Small, Small = SmallFileKind.Queue, Id = info.Id, What = "cleared" },
            new() { Kind = ChangeKind.Small, Small = SmallFileKind.Buttons, Id = info.Id,
                Image = Stores.Utf8($$"""{"session_id":"{{info.Id}}","a":1}""") },
            new() { Kind = ChangeKind.Trash, Id = info.Id, Info = info with { DeletionLsn = 9, DeletedAt = 8 },
                DeletionLsn = 9 },
            new() { Kind = ChangeKind.Restore, Id = info.Id, Info = info, DeletionLsn = 9 },
            new() { Kind = ChangeKind.Purge, Id = info.Id, DeletionLsn = 9 },
            new() { Kind = ChangeKind.Config, Image = """{"strict_lock":true}"""u8.ToArray() },
            new() { Kind = ChangeKind.StreamBegin, Id = "session_5", Stream = Stream("t", "k") },
            new() { Kind = ChangeKind.StreamBegin, Id = "session_5", Stream = Stream(null, null) },
            new() { Kind = ChangeKind.StreamText, Id = "session_5", StreamId = "sm_1", Offset = 7,
                Lines = "a\n\0\u001f\"\\ä𝄞"u8.ToArray() },
            new() { Kind = ChangeKind.StreamEnd, Id = info.Id, StreamId = "sm_1", Seq = 4 },
            new() { Kind = ChangeKind.StreamEnd, Id = info.Id, StreamId = "sm_1", IsKept = true },
            new() { Kind = ChangeKind.Streams, Image = StreamCodec.WriteImage([Stream("t", "k")]) },
            new() { Kind = ChangeKind.Streams },
        ];
        var payload = new Utf8Buffer();
        ChangeCodec.Write(1795158388123, By, changes, payload);
        Frame frame = ChangeCodec.TryRead(5, payload.ToArray())!;
        Assert.Equal((5, 1795158388123, changes.Length), (frame.Lsn, frame.At, frame.Changes.Length));
        Assert.Equal(Text(By), Text(frame.By));
        for (int i = 0; i < changes.Length; i++)
        {
            Change a = changes[i], b = frame.Changes[i];
            Assert.Equal((a.Kind, a.Id, a.IsNew, a.DeletionLsn, a.Offset, a.Counters),
                (b.Kind, b.Id, b.IsNew, b.DeletionLsn, b.Offset, b.Counters));
            Assert.Equal((a.StreamId, a.Seq, a.IsKept, a.What), (b.StreamId, b.Seq, b.IsKept, b.What));
            Assert.Equal(Text(a.Detail), Text(b.Detail));
            Assert.Equal(Describe(a.Stream), Describe(b.Stream));
            Assert.Equal(Text(a.Lines), Text(b.Lines));
            Assert.Equal(Text(a.Image), Text(b.Image));
            Assert.Equal(a.Info is null ? "" : Text(a.Info.Json), b.Info is null ? "" : Text(b.Info.Json));
        }
    }

    private static OpenStream Stream(string? turn, string? id) => new()
    {
        Id = "sm_1",
        SessionId = "session_5",
        Type = "agent_message",
        TurnId = turn,
        EventId = id,
        Timestamp = 3,
        StartedAt = 4,
        Owner = "i-000000000001",
    };

    private static (string, string, string, string?, string?, long, long, string)? Describe(OpenStream? s)
        => s is null ? null : (s.Id, s.SessionId, s.Type, s.TurnId, s.EventId, s.Timestamp, s.StartedAt, s.Owner);

    [Fact]
    public void What_text_takes_as_json_is_known_beforehand()
    {
        var random = new Random(7);
        for (int i = 0; i < 300; i++)
        {
            byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, random.Next(40)).Select(
                _ => char.ConvertFromUtf32(random.Next(3) == 0 ? random.Next(0x30) : random.Next(0x20, 0x3000)))));
            var b = new Utf8Buffer(1);
            b.TextOf(text);
            Assert.Equal(b.Length - 2, Utf8Buffer.JsonLength(text));
            Assert.Equal(text, new JsonMember("", default, b.ToArray()).Utf8);
        }
    }

    [Fact]
    public void Any_info_comes_back_token_for_token()
    {
        for (int seed = 0; seed < 1000; seed++)
        {
            byte[] json = InfoCodec.Write(Info(seed));
            SessionInfo? read = InfoCodec.TryRead(json);
            Assert.True(read is not null && read.Json.AsSpan().SequenceEqual(json), $"seed {seed}: {Text(json)}");
            RowHead head = RowHead.TryRead(json)!.Value;
            Assert.Equal(new RowHead(read), head);
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"at":1,"changes":[{"what":1}]}""")]
    [InlineData("""{"at":1,"changes":[{}]}""")]
    [InlineData("""{"at":1,"changes":[{"put":{"id":"x"}}]}""")]
    [InlineData("""{"at":1,"changes":[{"append":"x","offset":1}]}""")]
    [InlineData("""{"at":1,"changes":[{"append":"x","offset":1,"counters":[1],"lead":false,"lines":[]}]}""")]
    [InlineData("""{"at":1,"changes":{}}""")]
    [InlineData("""{"at":"x","changes":[]}""")]
    [InlineData("""{"at":1,"changes":[{"purge":5,"deletion":1}]}""")]
    [InlineData("""{"at":1,"changes":[{"stream_begin":"sm_1","session":"s"}]}""")]
    [InlineData("""{"at":1,"changes":[{"stream_text":"sm_1","session":"s","offset":-1,"text":"x"}]}""")]
    [InlineData("""{"at":1,"changes":[{"stream_text":"sm_1","session":"s","offset":0,"text":5}]}""")]
    [InlineData("""{"at":1,"changes":[{"stream_text":"sm_1","session":"s","offset":0,"text":"\ud800"}]}""")]
    [InlineData("""{"at":1,"changes":[{"stream_text":"sm_1","offset":0,"text":"x"}]}""")]
    [InlineData("""{"at":1,"changes":[{"lock":"s","image":[1]}]}""")]
    [InlineData("""{"at":1,"changes":[{"queue":"s"}]}""")]
    [InlineData("""{"at":1,"changes":[{"buttons":"s","image":{},"what":5}]}""")]
    [InlineData("""{"at":1,"changes":[{"buttons":"s","image":{},"what":"x","detail":"y"}]}""")]
    [InlineData("""{"at":1,"changes":[{"stream_end":"sm_1","seq":1}]}""")]
    [InlineData("""{"at":1,"changes":[{"streams":{"streams":[{"stream_id":"sm_1"}]}}]}""")]
    [InlineData("""{"at":1,"changes":[{"streams":[]}]}""")]
    [InlineData("")]
    public void A_payload_that_nobody_wrote_does_no_harm(string payload)
    {
        Frame? frame = ChangeCodec.TryRead(1, Stores.Utf8(payload));
        Assert.True(frame is null || frame.Changes.Length == 0);
    }

    [Fact]
    public void Every_flipped_bit_of_a_frame_is_seen()
    {
        var buffer = new Utf8Buffer();
        buffer.Zeros(FrameFormat.HeaderLength);
        buffer.Raw("payload"u8);
        FrameFormat.Close(buffer, 0, lsn: 77, synced: 76, Seed);
        byte[] frame = buffer.ToArray();
        Assert.Equal(40, frame.Length);
        Assert.True(IsSound(frame));
        Assert.Equal((7, 77, 76),
            (FrameFormat.PayloadLength(frame), FrameFormat.Lsn(frame), FrameFormat.Synced(frame)));
        for (int bit = 0; bit < 39 * 8; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(IsSound(frame), $"bit {bit}");
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.False(FrameFormat.IsPlausible(frame, 38));
        Assert.False(FrameFormat.IsPlausible(new byte[32], 32));
        Assert.False(FrameFormat.IsSound(frame, Seed + 1));

        static bool IsSound(byte[] f) => FrameFormat.IsPlausible(f, f.Length) && FrameFormat.IsSound(f, Seed);
    }

    [Fact]
    public void Every_flipped_bit_of_a_segment_header_is_seen()
    {
        var header = new SegmentHeader
        {
            Number = 3,
            Size = 4 << 20,
            FirstLsn = 10,
            PreviousEnd = 5000,
            PreviousLsn = 9,
            FirstNeeded = 2,
            IdMs = 1795158388123,
            IdN = 4,
        };
        byte[] page = new byte[SegmentHeader.Length];
        page.AsSpan().Fill(0xff);
        header.Write(page, Seed);
        Assert.Equal(header, SegmentHeader.TryRead(page, Seed));
        Assert.Null(SegmentHeader.TryRead(page, Seed + 1));
        Assert.Null(SegmentHeader.TryRead(page.AsSpan(0, 4095), Seed));
        for (int bit = 0; bit < page.Length * 8; bit++)
        {
            page[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(SegmentHeader.TryRead(page, Seed) is null, $"bit {bit}");
            page[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    private static SessionInfo Info(int seed)
    {
        var json = new RandomJson(seed);
        var random = new Random(seed);
        string[] words = ["", "New Session", "Straße \"😀\" \\ \n\t\u0001", "null", "é"];
        string Word() => words[random.Next(words.Length)];
        return new SessionInfo
        {
            Id = SessionIds.Format(1795158388123 + seed, 1 + (seed % 3)),
            ParentId = seed % 2 == 0 ? "session_1" : null,
            ForkSeq = seed % 5 == 0 ? seed : null,
            Title = Word(),
            TitleSource = seed % 7 == 0 ? "user" : "generated",
            CreatedAt = 1,
            UpdatedAt = seed + 1,
            LastEventAt = seed % 4,
            MessageCount = seed,
            EventCount = seed + 1,
            LastSeq = Limits.IntegerMax,
            Revision = seed + 1,
            Archived = seed % 3 == 0,
            IsAborted = seed % 4 == 0,
            AbortReason = seed % 4 == 0 ? Word() : null,
            AbortCount = seed % 6,
            Share = seed % 3 == 1 ? new ShareSummary("sh_0123456789ab", 5, seed % 2 * 99) : null,
            Metadata = Stores.Utf8(json.Object(3)),
            Facts = Stores.Utf8(json.Object(2)),
            IdempotencyKey = seed % 8 == 0 ? "k é" : null,
            DeletedAt = seed % 9 == 0 ? 4 : 0,
            DeletionLsn = seed % 9 == 0 ? seed + 1 : 0,
            Unknown = seed % 2 == 1 ? Stores.Utf8("\"later\":" + json.Value(2)) : default,
        };
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
