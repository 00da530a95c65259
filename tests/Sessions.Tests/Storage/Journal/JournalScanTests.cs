using System.Text;
using Sessions.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;

namespace Sessions.Tests.Storage.Journal;

/// <summary>What of a journal counts, where it stops making sense, and which of that is damage.</summary>
public sealed class JournalScanTests
{
    private const uint Seed = 77;
    private const int Size = 256 * 1024;

    private readonly MemoryDisk _disk = new();

    [Fact]
    public void Segments_are_read_in_order_and_each_ends_where_the_next_says()
    {
        long end = Segment(1, 5, [Frame(5), Frame(6, text: new string('x', 100_000))]);
        Segment(2, 7, [Frame(7), Frame(9)], previousEnd: end);
        JournalScan scan = Scan();
        Assert.Null(scan.Corruption);
        Assert.Equal([5, 6, 7, 9], scan.Frames.Select(f => f.Lsn));
        Assert.Equal([7, 9], scan.Ends.Select(e => e.Lsn));
        Assert.Equal(scan.End, scan.Ends[^1].End);
        Assert.Equal((1, 2, 9, false), (scan.Oldest!.Number, scan.Newest!.Number, scan.LastLsn, scan.IsClosed));
    }

    [Fact]
    public void What_stands_behind_the_end_of_an_older_segment_is_not_read()
    {
        long end = Segment(1, 5, [Frame(5), Frame(6)]);
        Segment(2, 6, [Frame(6), Frame(7)], previousEnd: end - Frame(6).Length);
        Assert.Equal([5, 6, 7], Sound().Frames.Select(f => f.Lsn));
    }

    [Fact]
    public void A_gap_and_what_is_not_needed_any_more_end_the_journal_backwards()
    {
        Segment(1, 1, [Frame(1)]);
        long end = Segment(3, 3, [Frame(3)]);
        long next = Segment(4, 4, [Frame(4)], previousEnd: end);
        Assert.Equal([3, 4], Sound().Frames.Select(f => f.Lsn));
        Segment(5, 5, [Frame(5)], previousEnd: next, firstNeeded: 4);
        Assert.Equal([4, 5], Sound().Frames.Select(f => f.Lsn));
    }

    [Fact]
    public void No_segment_is_a_closed_journal_and_so_is_one_of_a_header_alone()
    {
        _disk.CreateFolder("");
        Assert.True(Sound().IsClosed);
        Assert.Equal(0, Sound().LastLsn);
        Segment(7, 41, [], size: SegmentHeader.Length);
        Assert.True(Sound().IsClosed);
        Assert.Equal(40, Sound().LastLsn);
        byte[] short_ = _disk.Peek(Layout.Segment(7))!;
        short_[100] ^= 1;
        _disk.Poke(Layout.Segment(7), short_);
        Assert.True(Sound().IsClosed);
    }

    [Theory]
    [InlineData(SegmentHeader.Length + 8)]
    [InlineData(100)]
    public void A_segment_without_a_sound_header_is_damage(int length)
    {
        long end = Segment(1, 1, [Frame(1)]);
        Segment(2, 2, [Frame(2)], previousEnd: end);
        byte[] bytes = _disk.Peek(Layout.Segment(2))!;
        bytes[20] ^= 1;
        _disk.Poke(Layout.Segment(2), bytes.AsSpan(0, length));
        Damaged("the header is damaged");
    }

    [Fact]
    public void The_frames_of_a_segment_without_its_header_are_found_all_the_same()
    {
        Segment(1, 1, [Frame(1), Frame(2)]);
        byte[] bytes = _disk.Peek(Layout.Segment(1))!;
        bytes.AsSpan(0, SegmentHeader.Length).Clear();
        _disk.Poke(Layout.Segment(1), bytes);
        Assert.Equal([1, 2], Damaged("the header is damaged").Stranded.Select(f => f.Lsn));
    }

    [Fact]
    public void A_segment_under_another_number_is_damage()
    {
        Segment(1, 1, [Frame(1)]);
        _disk.Rename(Layout.Segment(1), Layout.Segment(2));
        Damaged("the header is damaged");
    }

    [Fact]
    public void A_segment_shorter_than_it_says_was_cut()
    {
        Segment(1, 1, [Frame(1)]);
        _disk.Poke(Layout.Segment(1), _disk.Peek(Layout.Segment(1)).AsSpan(0, Size / 2));
        Damaged("it was cut");
    }

    [Theory]
    [InlineData(6, 6)]
    [InlineData(6, 5)]
    [InlineData(4, 6)] // below what the header says is the first
    public void Numbers_that_do_not_go_up_are_damage(long first, long second)
    {
        Segment(1, 5, [Frame(first), Frame(second)]);
        JournalScan scan = Damaged("stands behind");
        Assert.Equal(first < 5 ? [] : [first], scan.Frames.Select(f => f.Lsn));
        Assert.Equal(first < 5 ? [first, second] : [second], scan.Stranded.Select(f => f.Lsn));
    }

    [Fact]
    public void A_frame_missing_from_an_older_segment_is_damage_and_those_behind_it_are_kept_apart()
    {
        long end = Segment(1, 1, [Frame(1), Broken(2), Frame(3)]);
        Segment(2, 4, [Frame(4)], previousEnd: end);
        JournalScan scan = Damaged("no frame at");
        Assert.Equal([1], scan.Frames.Select(f => f.Lsn));
        Assert.Equal([3, 4], scan.Stranded.Select(f => f.Lsn));
    }

    [Theory]
    [InlineData(1, false)] // nothing tells that 2 was ever on stable storage
    [InlineData(2, true)]
    public void A_broken_frame_at_the_end_is_torn_unless_a_later_one_tells_that_it_was_whole(long synced, bool damage)
    {
        Segment(1, 1, [Frame(1), Broken(2), Frame(3, synced)]);
        JournalScan scan = damage ? Damaged("it was on stable storage") : Sound();
        Assert.Equal([1], scan.Frames.Select(f => f.Lsn));
        Assert.Equal(damage ? 1 : 0, scan.Stranded.Count);
        Assert.True(scan.RestEnd > scan.End);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"at":"x","changes":[]}""")]
    [InlineData("""{"at":1.5,"changes":[]}""")]
    [InlineData("""{"at":1,"changes":{}}""")]
    [InlineData("""{"at":1,"changes":[1]}""")]
    [InlineData("""{"at":1,"changes":[{}]}""")]
    [InlineData("""{"at":1,"changes":[{"later":1}]}""")]
    [InlineData("""{"at":1,"changes":[{"put":{"id":1}}]}""")]
    [InlineData("""{"at":1,"changes":[{"put":null}]}""")]
    [InlineData("""{"at":1,"changes":[{"append":"x"}]}""")]
    [InlineData("""{"at":1,"changes":[{"append":"x","offset":0,"counters":[1],"lead":false,"lines":[]}]}""")]
    [InlineData("""{"at":1,"changes":[{"append":"x","offset":0,"counters":[1,1,1,1,1],"lead":0,"lines":[]}]}""")]
    [InlineData("""{"at":1,"changes":[{"shares":"x"}]}""")]
    [InlineData("""{"at":1,"changes":[{"purge":"x"}]}""")]
    public void A_frame_with_a_sound_checksum_that_says_nothing_known_is_no_frame(string payload)
    {
        Assert.Null(ChangeCodec.TryRead(2, Encoding.UTF8.GetBytes(payload)));
        long end = Segment(1, 1, [Frame(1), Sealed(2, Encoding.UTF8.GetBytes(payload), 0), Frame(3)]);
        Segment(2, 4, [Frame(4)], previousEnd: end);
        Assert.Equal([1], Damaged("no frame at").Frames.Select(f => f.Lsn));
    }

    [Fact]
    public void Every_kind_of_change_is_read_as_it_was_written()
    {
        var info = new SessionInfo { Id = "session_5", Revision = 9, Title = "Ä \"x\"", IsAborted = true };
        Change[] changes =
        [
            new() { Kind = ChangeKind.Put, Id = info.Id, Info = info, IsNew = true },
            new() { Kind = ChangeKind.Put, Id = info.Id, Info = info },
            Append("{\"seq\":1}\n{\"seq\":2}\n"),
            Append("\n{\"seq\":3}\n"),
            new() { Kind = ChangeKind.Shares, Id = info.Id, Image = "{\"shares\":[]}"u8.ToArray() },
            new() { Kind = ChangeKind.Shares, Id = info.Id },
            new() { Kind = ChangeKind.Trash, Id = info.Id, Info = info with { DeletionLsn = 8 }, DeletionLsn = 8 },
            new() { Kind = ChangeKind.Restore, Id = info.Id, Info = info, DeletionLsn = 8 },
            new() { Kind = ChangeKind.Purge, Id = info.Id, DeletionLsn = 8 },
            new() { Kind = ChangeKind.Config, Image = "{\"a\":1}"u8.ToArray() },
        ];
        var b = new Utf8Buffer();
        ChangeCodec.Write(5, "{\"pid\":1}"u8, changes, b);
        Frame read = ChangeCodec.TryRead(3, b.ToArray())!;
        Assert.Equal((3, 5), (read.Lsn, read.At));
        Assert.Equal(changes.Select(Describe), read.Changes.Select(Describe));
        Assert.Throws<InvalidOperationException>(() =>
            ChangeCodec.Write(5, "{}"u8, [new Change { Kind = (ChangeKind)99 }], new Utf8Buffer()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(24)]
    public void A_segment_may_be_full_to_its_last_byte(int room)
    {
        byte[] frame = Frame(1);
        Segment(1, 1, [frame], size: SegmentHeader.Length + frame.Length + room);
        JournalScan scan = Sound();
        Assert.Equal([1], scan.Frames.Select(f => f.Lsn));
        Assert.Equal(SegmentHeader.Length + frame.Length, scan.End);
    }

    [Fact]
    public void A_frame_longer_than_what_is_left_of_its_segment_is_none()
    {
        byte[] frame = Frame(2, text: new string('x', 500));
        Segment(1, 1, [Frame(1), frame[..200]], size: SegmentHeader.Length + Frame(1).Length + 200);
        Assert.Equal([1], Sound().Frames.Select(f => f.Lsn));
    }

    [Fact]
    public void A_segment_that_is_cut_under_its_reader_ends_there()
    {
        Segment(1, 1, [Frame(1)], size: SegmentHeader.Length + Frame(1).Length);
        using IDiskFile file = _disk.Open(Layout.Segment(1), OpenMode.Read);
        var reader = new SegmentReader(file, Seed, SegmentHeader.Length, Size);
        Assert.Equal(1, reader.Next()!.Lsn);
        Assert.Null(reader.Next());
        Assert.False(reader.FindRest(out long last));
        Assert.Equal((file.Length, file.Length), (reader.Offset, last));
        using IDiskFile half = _disk.Open("half", OpenMode.CreateNew);
        half.Write(Frame(1).AsSpan(0, 40), 0);
        Assert.Null(new SegmentReader(half, Seed, 0, Size).Next());
    }

    private JournalScan Scan() => JournalScan.Read(_disk, new JournalFiles(_disk, Seed, "test"));

    private JournalScan Sound()
    {
        JournalScan scan = Scan();
        Assert.Null(scan.Corruption);
        return scan;
    }

    private JournalScan Damaged(string what)
    {
        JournalScan scan = Scan();
        Assert.Contains(what, scan.Corruption, StringComparison.Ordinal);
        return scan;
    }

    // Returns where the frames end.
    private long Segment(long number, long firstLsn, byte[][] frames, long previousEnd = 0, long firstNeeded = 1,
        long size = Size)
    {
        byte[] file = new byte[size];
        new SegmentHeader
        {
            Number = number,
            Size = size,
            FirstLsn = firstLsn,
            PreviousEnd = previousEnd,
            PreviousLsn = firstLsn - 1,
            FirstNeeded = firstNeeded,
            IdMs = 0,
            IdN = 0,
        }.Write(file, Seed);
        int at = SegmentHeader.Length;
        foreach (byte[] frame in frames)
        {
            frame.CopyTo(file, at);
            at += frame.Length;
        }

        _disk.Poke(Layout.Segment(number), file);
        return at;
    }

    private static byte[] Frame(long lsn, long synced = 0, string text = "x")
    {
        var b = new Utf8Buffer();
        ChangeCodec.Write(1, "{}"u8, [Append($"{{\"text\":\"{text}\"}}\n")], b);
        return Sealed(lsn, b.ToArray(), synced);
    }

    private static byte[] Broken(long lsn)
    {
        byte[] frame = Frame(lsn);
        frame[^9] ^= 1;
        return frame;
    }

    private static byte[] Sealed(long lsn, byte[] payload, long synced)
    {
        var b = new Utf8Buffer();
        b.Zeros(FrameFormat.HeaderLength);
        b.Raw(payload);
        FrameFormat.Close(b, 0, lsn, synced, Seed);
        return b.ToArray();
    }

    private static Change Append(string lines) => new()
    {
        Kind = ChangeKind.Append,
        Id = "session_5",
        Offset = 3,
        Counters = new Counters(1, 2, 3, 4, 5),
        Lines = Encoding.UTF8.GetBytes(lines),
    };

    private static (ChangeKind, string, string?, bool, long, long, string, Counters, string) Describe(Change c)
        => (c.Kind, c.Id, c.Info is null ? null : Encoding.UTF8.GetString(c.Info.Json), c.IsNew, c.DeletionLsn,
            c.Offset, Encoding.UTF8.GetString(c.Lines.Span), c.Counters, Encoding.UTF8.GetString(c.Image.Span));
}
