using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Hostile;

/// <summary>Numbers of the shared page, of a segment's header and of the index's closing line that cannot be: the
/// page is made anew, the header is damaged, the line is missing. What was acknowledged stays.</summary>
public sealed class ValuesNumberTests
{
    private static readonly Dictionary<string, Action<SharedState, long>> s_page = new()
    {
        ["generation"] = (p, v) => p.Generation = v,
        ["segment"] = (p, v) => p.Segment = v,
        ["published"] = (p, v) => p.Published = v,
        ["synced"] = (p, v) => p.Synced = v,
        ["applied"] = (p, v) => p.Applied = v,
        ["indexed"] = (p, v) => p.Indexed = v,
        ["id_ms"] = (p, v) => p.IdMs = v,
        ["id_n"] = (p, v) => p.IdN = v,
        ["health"] = (p, v) => p.Health = v,
        ["floor"] = (p, v) => p.Floor = v,
    };

    private static readonly long[] s_hostile =
    [
        -2, -3, long.MinValue, long.MinValue + 1, Limits.IntegerMax + 1, long.MaxValue - (1 << 20), long.MaxValue - 1,
        long.MaxValue,
    ];

    public static TheoryData<string> PageNumbers => [.. s_page.Keys];

    [Theory]
    [MemberData(nameof(PageNumbers))]
    public void A_page_that_cannot_be_is_made_anew_and_no_event_is_lost(string number)
    {
        foreach (long value in s_hostile)
        {
            MemoryDisk disk = Made(out string id);
            MemoryDisk opening = disk.OpenAs();
            SessionStore store = Stores.Open(opening, new ManualTime());
            Session session = store.OpenSession(id);
            Assert.Equal(3, session.Say("three"));
            SharedState page = Page(disk);
            Assert.True(PageCheck.IsPossible(page, ValuesUse.Seed(disk)));
            s_page[number](page, value);
            Assert.False(PageCheck.IsPossible(page, ValuesUse.Seed(disk)), $"{number} = {value}");
            Assert.Equal(4, session.Say("four"));
            Assert.True(PageCheck.IsPossible(page, ValuesUse.Seed(disk)), $"{number} = {value}");
            opening.Kill();
            using SessionStore again = Stores.Open(disk.OpenAs(), new ManualTime());
            Assert.Equal(4, again.OpenSession(id).Events().GetProperty("last_seq").GetInt64());
            Assert.Equal(5, again.OpenSession(id).Say("five"));
        }
    }

    [Theory]
    [MemberData(nameof(PageNumbers))]
    public void A_page_of_a_store_that_nobody_has_open_bears_no_witness_that_cannot_be(string number)
    {
        foreach (bool isLost in (bool[])[false, true])
        {
            foreach (long value in s_hostile)
            {
                MemoryDisk disk = Made(out string id);
                SharedState page = Page(disk);
                s_page[number](page, value);
                if (isLost)
                {
                    disk.Unlink(Layout.IndexFile);
                    disk.Unlink(Layout.Segment(ValuesUse.End(disk).Segment));
                }

                using (SessionStore store = Stores.Open(disk.OpenAs(), new ManualTime()))
                {
                    Assert.Equal(3, store.OpenSession(id).Say("three"));
                }

                using SessionStore again = Stores.Open(disk.OpenAs(), new ManualTime());
                Assert.Equal(3, again.OpenSession(id).Events().GetProperty("events").GetArrayLength());
                Assert.True(again.Info().GetProperty("lsn").GetInt64() is > 0 and < Limits.IntegerMax / 2);
                again.AssertSound();
            }
        }
    }

    [Fact]
    public void A_page_that_calls_itself_poisoned_takes_no_frame_away_that_others_were_written_behind()
    {
        MemoryDisk disk = Made(out string id);
        MemoryDisk opening = disk.OpenAs();
        Session session = Stores.Open(opening, new ManualTime()).OpenSession(id);
        session.Say("three");
        session.Say("four");
        opening.Kill();
        SharedState page = Page(disk);
        (page.Indexed, page.Applied, page.Synced, page.Published) = (0, 0, 0, 0);
        page.Health = StoreHealth.Poisoned;
        Assert.True(PageCheck.IsPossible(page, ValuesUse.Seed(disk)));
        using SessionStore again = Stores.Open(disk.OpenAs(), new ManualTime());
        Assert.Equal(4, again.OpenSession(id).Events().GetProperty("events").GetArrayLength());
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(-1)]
    [InlineData(-129)]
    public void No_count_of_aborts_leads_out_of_the_page(long count)
    {
        MemoryDisk disk = Made(out _);
        ISharedPage shared = disk.OpenSharedPage(Layout.SharedPage, readOnly: false)!;
        var page = new SharedState(shared);
        unsafe
        {
            var bytes = new Span<byte>(shared.Address, SharedPage.Bytes);
            BitConverter.TryWriteBytes(bytes[320..], count);
            byte[] before = bytes[..320].ToArray();
            for (int i = 0; i < 300; i++)
            {
                page.SignalAbort(i);
                Assert.True(page.TryReadAbort(page.AbortSignals - 1, out long digest, out _));
                Assert.Equal(i, digest);
            }

            before[256..260].CopyTo(bytes[256..]); // the word of news
            Assert.Equal(before, bytes[..320].ToArray());
            Assert.Equal(-1, bytes[(1024 + 2048)..].IndexOfAnyExcept((byte)0));
        }
    }

    [Fact]
    public void A_header_that_says_what_cannot_be_is_none()
    {
        var sound = new SegmentHeader
        {
            Number = 3,
            Size = 8192,
            FirstLsn = 10,
            PreviousEnd = 4096,
            PreviousLsn = 9,
            FirstNeeded = 2,
            IdMs = ValuesUse.At,
            IdN = 4,
            Told = 9,
        };
        Assert.True(IsRead(sound));
        Assert.True(IsRead(sound with { FirstLsn = Limits.IntegerMax + 1, PreviousLsn = Limits.IntegerMax }));
        Assert.True(IsRead(sound with { Number = Layout.SegmentMax, IdMs = SessionIds.MsMax, IdN = SessionIds.NMax }));
        SegmentHeader[] small =
        [
            sound with { Number = 0 }, sound with { Size = 4095 }, sound with { FirstLsn = 0 },
            sound with { PreviousEnd = 1 }, sound with { PreviousEnd = 4095 }, sound with { PreviousLsn = 10 },
            sound with { FirstNeeded = 0 }, sound with { FirstNeeded = 4 }, sound with { IdMs = SessionIds.MsMax + 1 },
            sound with { Told = 10 }, sound with { Number = Layout.SegmentMax + 1 },
        ];
        Assert.All(small, h => Assert.False(IsRead(h), h.ToString()));
        foreach (long value in (long[])[.. s_hostile, Limits.IntegerMax + 2])
        {
            SegmentHeader[] all =
            [
                sound with { Number = value }, sound with { Size = value }, sound with { FirstLsn = value },
                sound with { PreviousEnd = value }, sound with { PreviousLsn = value },
                sound with { FirstNeeded = value }, sound with { IdMs = value }, sound with { IdN = value },
                sound with { Told = value },
            ];
            Assert.All(all.Where(h => h.FirstLsn != Limits.IntegerMax + 1), h => Assert.False(IsRead(h), h.ToString()));
        }

        static bool IsRead(SegmentHeader header)
        {
            byte[] page = new byte[SegmentHeader.Length];
            header.Write(page, 5);
            return SegmentHeader.TryRead(page, 5) is not null;
        }
    }

    [Fact]
    public void A_closing_header_that_cannot_be_leaves_the_floors_to_the_index()
    {
        foreach (long value in s_hostile)
        {
            MemoryDisk disk = Made(out string id);
            (long number, long lsn) = ValuesUse.End(disk);
            ValuesUse.AddSegment(disk, new SegmentHeader
            {
                Number = number,
                Size = SegmentHeader.Length,
                FirstLsn = value,
                PreviousEnd = 0,
                PreviousLsn = value == long.MinValue ? value : value - 1,
                FirstNeeded = number,
                IdMs = value,
                IdN = value,
            }, new byte[SegmentHeader.Length]);
            using SessionStore store = Stores.Open(disk.OpenAs(), new ManualTime());
            Assert.Equal(lsn - 1, store.Info().GetProperty("lsn").GetInt64());
            Assert.Equal(3, store.OpenSession(id).Say("three"));
            Assert.StartsWith("session_1795158388123_", store.Create().Id, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"lsn":LSN,"id_ms":MAX,"id_n":MAX,"count":0,"rows":0,"start":0,REST""")]
    [InlineData("""{"lsn":LSN,"id_ms":9223372036854775807,"id_n":1,"count":0,"rows":0,"start":0,REST""")]
    [InlineData("""{"lsn":LSN,"id_ms":1,"id_n":9223372036854775806,"count":0,"rows":0,"start":0,REST""")]
    [InlineData("""{"lsn":LSN,"id_ms":253402300800000,"id_n":1,"count":0,"rows":0,"start":0,REST""")]
    [InlineData("""{"lsn":LSN,"id_ms":-5,"id_n":1,"count":0,"rows":0,"start":0,REST""")]
    [InlineData("""{"lsn":9223372036854775807,"id_ms":1,"id_n":1,"count":0,"rows":0,"start":0,REST""")]
    [InlineData("""{"lsn":-1,"id_ms":1,"id_n":1,"count":0,"rows":0,"start":0,REST""")]
    [InlineData("""{"lsn":LSN,"id_ms":1,"id_n":1,"count":9223372036854775807,"rows":0,"start":0,REST""")]
    [InlineData("""{"lsn":LSN,"id_ms":1,"id_n":1,"count":0,"rows":4611686018427387904,"start":0,REST""")]
    [InlineData("""{"lsn":LSN,"id_ms":1,"id_n":1,"count":0,"rows":0,"start":-9,REST""")]
    public void A_closing_line_that_cannot_be_is_missing_and_a_new_session_has_an_id(string closing)
    {
        MemoryDisk disk = Made(out string id);
        string lsn = (ValuesUse.End(disk).Lsn - 1).ToString();
        ValuesUse.WriteIndex(disk, "", closing.Replace("LSN", lsn, StringComparison.Ordinal)
            .Replace("MAX", "9223372036854775807", StringComparison.Ordinal)
            .Replace("REST", "\"rows_crc\":ROWS_CRC}", StringComparison.Ordinal));
        disk.Unlink(Layout.Segment(ValuesUse.End(disk).Segment)); // then the floors are the index's to say
        Assert.Null(IndexFile.ReadClosing(disk));
        using SessionStore store = Stores.Open(disk.OpenAs(), new ManualTime());
        Assert.Equal(3, store.OpenSession(id).Say("three"));
        Assert.True(SessionIds.TryParse(store.Create().Id, out long ms, out long n));
        Assert.Equal((ValuesUse.At, 3), (ms, n));
        Assert.Equal(3, store.List().GetArrayLength());
    }

    [Fact]
    public void The_last_id_there_can_be_ends_creating_and_nothing_else()
    {
        MemoryDisk disk = Made(out string id);
        string lsn = (ValuesUse.End(disk).Lsn - 1).ToString();
        ValuesUse.WriteIndex(disk, "", $$"""
            {"lsn":{{lsn}},"id_ms":{{SessionIds.MsMax}},"id_n":{{SessionIds.NMax - 1}},"count":0,"rows":0,"start":0,
            "rows_crc":ROWS_CRC}
            """.Replace("\n", "", StringComparison.Ordinal));
        using SessionStore store = Stores.Open(disk.OpenAs(), new ManualTime());
        Assert.Equal(SessionIds.Format(SessionIds.MsMax, SessionIds.NMax), store.Create().Id);
        Stores.Fails(SessionStatus.Limit, () => store.Create());
        Assert.Equal(3, store.OpenSession(id).Say("three"));
    }

    [Fact]
    public void Folders_that_have_the_next_ids_cost_a_few_looks()
    {
        MemoryDisk disk = Made(out _);
        for (long n = 3; n <= 300; n++)
        {
            disk.CreateFolder(Layout.LiveFolder(SessionIds.Format(ValuesUse.At, n)));
        }

        using SessionStore store = Stores.Open(disk.OpenAs(), new ManualTime());
        Assert.Equal(SessionIds.Format(ValuesUse.At, 513), store.Create().Id); // 2 and 1, 2, 4 … 256 on
        Assert.Equal(SessionIds.Format(ValuesUse.At, 514), store.Create().Id);
    }

    [Fact]
    public void The_last_LSN_ends_writing_and_nothing_else()
    {
        MemoryDisk disk = Made(out string id);
        (long number, _) = ValuesUse.End(disk);
        disk.Unlink(Layout.IndexFile);
        ValuesUse.AddSegment(disk, new SegmentHeader
        {
            Number = number,
            Size = SegmentHeader.Length,
            FirstLsn = Limits.IntegerMax - 1,
            PreviousEnd = 0,
            PreviousLsn = Limits.IntegerMax - 2,
            FirstNeeded = number,
            IdMs = 1,
            IdN = 1,
        }, new byte[SegmentHeader.Length]);
        for (int i = 0; i < 3; i++)
        {
            using SessionStore store = Stores.Open(disk.OpenAs(), new ManualTime());
            Session session = store.OpenSession(id);
            if (i == 0)
            {
                Assert.Equal(3, session.Say("three"));
                Assert.Equal(4, session.Say("four"));
            }

            Stores.Fails(SessionStatus.Limit, () => session.Say("no"));
            Stores.Fails(SessionStatus.Limit, () => store.Create());
            Assert.Equal(4, session.Events().GetProperty("events").GetArrayLength());
            disk.OpenAs();
        }
    }

    [Fact]
    public void The_highest_number_of_a_segment_is_followed_by_none()
    {
        MemoryDisk disk = Made(out string id);
        disk.WriteAll("journal/9999999999999.log", new byte[10]);
        disk.WriteAll("journal/000000000000.log", new byte[10]);
        using (SessionStore store = Stores.Open(disk.OpenAs(), new ManualTime()))
        {
            Assert.Equal(3, store.OpenSession(id).Say("three"));
        }

        (long number, long lsn) = ValuesUse.End(disk);
        byte[] closing = disk.ReadAll(Layout.Segment(number));
        ValuesUse.AddSegment(disk, SegmentHeader.TryRead(closing, ValuesUse.Seed(disk))! with
        {
            Number = Layout.SegmentMax,
            FirstNeeded = Layout.SegmentMax,
        }, closing);
        using SessionStore again = Stores.Open(disk.OpenAs(), new ManualTime());
        Stores.Fails(SessionStatus.Limit, () => again.OpenSession(id).Say("four"));
        Assert.Equal(3, again.OpenSession(id).Events().GetProperty("events").GetArrayLength());
    }

    private static MemoryDisk Made(out string id)
    {
        var disk = new MemoryDisk();
        (id, _) = ValuesUse.Make(disk.OpenAs());
        return disk;
    }

    private static SharedState Page(MemoryDisk disk)
        => new(disk.OpenSharedPage(Layout.SharedPage, readOnly: false)!);
}
