using System.Text;
using Sessions.Platform;
using Sessions.Tests.Coordination.Queueing;

namespace Sessions.Tests.Disks;

/// <summary>The faulty disk's own model: what a power cut takes and what it leaves.</summary>
public sealed class PowerCutTests
{
    private const int Seeds = 300;

    private static readonly PowerCutOptions Nothing = new() { Keep = 0 };
    private static readonly PowerCutOptions Everything = new() { Keep = 1 };

    private readonly FaultyDisk _disk = NewDisk();

    [Fact]
    public void What_was_synced_stays_whatever_is_drawn()
    {
        Write(_disk, "a", "durable").Sync();
        _disk.SyncFolder("");
        Write(_disk, "a", "UNSYNCED");
        for (int seed = 0; seed < Seeds; seed++)
        {
            string? left = Text(_disk.AfterPowerCut(seed), "a");
            Assert.Contains(left, new[] { "durable", "UNSYNCED", "UNSYNCE", "durable\0" });
        }

        Assert.Equal("durable", Text(_disk.AfterPowerCut(1, Nothing), "a"));
        Assert.Equal("UNSYNCED", Text(_disk.AfterPowerCut(1, Everything), "a"));
    }

    [Fact]
    public void The_first_disk_is_dead_afterwards_and_its_outcome_can_be_drawn_again()
    {
        Write(_disk, "a", "text").Sync();
        FaultyDisk left = _disk.AfterPowerCut(1);
        Assert.Throws<PowerCutException>(() => _disk.Stat("a"));
        left.CreateFolder("f");
        Assert.Null(_disk.AfterPowerCut(1, Everything).Peek("f/x"));
        Assert.Equal(0, left.UsedBytes % FileNode.PageBytes);
    }

    [Fact]
    public void A_seed_replays()
    {
        string Run(int seed)
        {
            FaultyDisk disk = NewDisk(seed);
            IDiskFile file = disk.Open("a", OpenMode.CreateNew);
            for (int i = 0; i < 20; i++)
            {
                file.Write(Encoding.UTF8.GetBytes($"version {i}"), i % 7 * 4096);
                disk.Open($"name{i}", OpenMode.CreateNew).Dispose();
            }

            disk.CutAt = disk.Changes + 1;
            Assert.Throws<PowerCutException>(() => file.Write(new byte[50_000], 100));
            FaultyDisk left = disk.AfterPowerCut(seed);
            return string.Join(",", left.Paths()) + Convert.ToHexString(left.Peek("a") ?? []);
        }

        Assert.All(Enumerable.Range(0, 10), seed => Assert.Equal(Run(seed), Run(seed)));
        Assert.True(Enumerable.Range(0, 10).Select(Run).Distinct().Count() > 5);
    }

    [Fact]
    public void Pages_go_their_own_way_also_later_ones_without_earlier_ones()
    {
        IDiskFile file = Preallocated("log", pages: 4);
        for (int page = 0; page < 4; page++)
        {
            file.Write([(byte)(page + 1)], page * 4096);
        }

        var outcomes = new HashSet<string>();
        for (int seed = 0; seed < Seeds; seed++)
        {
            byte[] left = _disk.AfterPowerCut(seed).Peek("log")!;
            Assert.Equal(4 * 4096, left.Length);
            outcomes.Add(string.Concat(Enumerable.Range(0, 4).Select(p => left[p * 4096])));
        }

        Assert.Contains("1234", outcomes);
        Assert.Contains("0000", outcomes);
        Assert.Contains("0004", outcomes);
        Assert.Contains("1030", outcomes);
        Assert.Equal(16, outcomes.Count);
    }

    [Fact]
    public void A_page_written_twice_may_hold_the_first_write()
    {
        IDiskFile file = Preallocated("log", pages: 1);
        file.Write("1"u8, 0);
        file.Write("2"u8, 1);
        var outcomes = Outcomes(d => Encoding.UTF8.GetString(d.Peek("log")!, 0, 2));
        Assert.Equal(["\0\0", "1\0", "12"], outcomes.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_length_goes_apart_from_the_data()
    {
        IDiskFile file = Write(_disk, "a", "old");
        file.Sync();
        _disk.SyncFolder("");
        file.Write(Encoding.UTF8.GetBytes(new string('x', 5000)), 3);
        var outcomes = Outcomes(d =>
        {
            byte[] left = d.Peek("a")!;
            Assert.Equal("old"u8, left.AsSpan(0, 3));
            string first = left.Length > 3 && left[3] == 'x' ? "data" : "zeros";
            return $"{left.Length} {first} {left.Length > 4096 && left[4096] == 'x'}";
        });
        Assert.Contains("3 zeros False", outcomes);
        Assert.Contains("5003 data True", outcomes);
        Assert.Contains("5003 zeros True", outcomes);
        Assert.Contains("5003 zeros False", outcomes);
        Assert.Contains("5003 data False", outcomes);
    }

    [Fact]
    public void A_cut_file_may_come_back_but_never_with_bytes_beyond_its_end()
    {
        IDiskFile file = Write(_disk, "a", new string('x', 9000));
        file.Sync();
        _disk.SyncFolder("");
        file.SetLength(10);
        file.Sync();
        file.SetLength(9000);
        for (int seed = 0; seed < Seeds; seed++)
        {
            byte[] left = _disk.AfterPowerCut(seed).Peek("a")!;
            Assert.Contains(left.Length, new[] { 10, 9000 });
            Assert.Equal(-1, left.AsSpan(10).IndexOfAnyExcept((byte)0));
        }
    }

    [Fact]
    public void A_name_is_durable_once_its_folder_was_synced()
    {
        _disk.CreateFolder("f");
        Write(_disk, "f/a", "text").Sync();
        Assert.Empty(_disk.AfterPowerCut(1, Nothing).Paths());
        FaultyDisk second = NewDisk();
        second.CreateFolder("f");
        Write(second, "f/a", "text").Sync();
        second.SyncFolder("f");
        Assert.Null(second.AfterPowerCut(1, Nothing).Stat("f"));
        FaultyDisk third = NewDisk();
        third.CreateFolder("f");
        Write(third, "f/a", "text").Sync();
        third.SyncFolder("f");
        third.SyncFolder("");
        third.Unlink("f/a");
        Assert.Equal("text", Text(third.AfterPowerCut(1, Nothing), "f/a"));
        Assert.Null(third.AfterPowerCut(1, Everything).Peek("f/a"));
    }

    [Fact]
    public void A_removed_folder_may_come_back_with_what_was_in_it()
    {
        _disk.CreateFolder("f");
        Write(_disk, "f/a", "text").Sync();
        Assert.True(_disk.TrySyncAll());
        _disk.Unlink("f/a");
        _disk.RemoveFolder("f");
        Assert.Equal("text", Text(_disk.AfterPowerCut(1, Nothing), "f/a"));
        Assert.Null(_disk.AfterPowerCut(1, Everything).Stat("f"));
        var outcomes = Outcomes(d => d.Stat("f") is null ? "none" : d.Stat("f/a") is null ? "folder" : "file");
        Assert.Equal(["file", "folder", "none"], outcomes.Order());
    }

    [Fact]
    public void A_renamed_file_is_the_old_or_the_new_under_its_name()
    {
        Write(_disk, "session.json", "old").Sync();
        Write(_disk, "scratch", "new").Sync();
        Assert.True(_disk.TrySyncAll());
        _disk.Rename("scratch", "session.json");
        Assert.Equal(["new", "old"], Outcomes(d => Text(d, "session.json")!).Order());
    }

    [Fact]
    public void A_moved_folder_is_never_in_two_places_nor_gone()
    {
        _disk.CreateFolder("from");
        _disk.CreateFolder("from/s");
        _disk.CreateFolder("to");
        Write(_disk, "from/s/a", "text").Sync();
        Assert.True(_disk.TrySyncAll());
        _disk.CreateFolder("to/1");
        _disk.Rename("from/s", "to/1/s");
        _disk.RemoveFolder("from");
        var outcomes = Outcomes(d =>
            string.Join(",", new[] { "from/s/a", "to/1/s/a" }.Where(p => Text(d, p) == "text")));
        Assert.Equal(["from/s/a", "to/1/s/a"], outcomes.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_atomic_renames_a_moved_file_may_be_gone()
    {
        Write(_disk, "a", "text").Sync();
        _disk.SyncFolder("");
        _disk.Rename("a", "b");
        var loose = new PowerCutOptions { AtomicRenames = false };
        var outcomes = Outcomes(d => string.Join(",", d.Paths()), loose);
        Assert.Equal(["", "a", "a,b", "b"], outcomes.Order(StringComparer.Ordinal));
        Assert.DoesNotContain("", Outcomes(d => string.Join(",", d.Paths())));
    }

    [Fact]
    public void An_exchange_loses_neither_file()
    {
        Write(_disk, "a", "first").Sync();
        Write(_disk, "b", "second").Sync();
        _disk.SyncFolder("");
        _disk.Exchange("a", "b");
        Assert.Equal(["firstsecond", "secondfirst"], Outcomes(d => Text(d, "a") + Text(d, "b")).Order());
    }

    [Fact]
    public void Ordered_metadata_is_a_prefix()
    {
        foreach (string name in new[] { "a", "b", "c", "d" })
        {
            _disk.Open(name, OpenMode.CreateNew).Dispose();
        }

        _disk.Rename("a", "e");
        var ordered = new PowerCutOptions { MetadataOrdered = true };
        Assert.Equal(
            ["", "a", "a,b", "a,b,c", "a,b,c,d", "b,c,d,e"],
            Outcomes(d => string.Join(",", d.Paths()), ordered).Order(StringComparer.Ordinal));
        Assert.Contains("c", Outcomes(d => string.Join(",", d.Paths())));
    }

    [Fact]
    public void Ordered_metadata_takes_all_earlier_names_with_a_synced_folder()
    {
        _disk.CreateFolder("f");
        _disk.CreateFolder("g");
        _disk.Open("f/a", OpenMode.CreateNew).Dispose();
        _disk.SyncFolder("g");
        Assert.Equal(["f/a"], _disk.AfterPowerCut(1, Nothing with { MetadataOrdered = true }).Paths());
        Assert.Empty(_disk.AfterPowerCut(1, Nothing).Paths());
    }

    [Fact]
    public void Links_stay_one_file()
    {
        Write(_disk, "a", "text").Sync();
        _disk.Link("a", "b");
        _disk.SyncFolder("");
        FaultyDisk left = _disk.AfterPowerCut(1);
        Assert.Equal(2u, left.Stat("a")!.Value.Links);
        Assert.Equal(left.Stat("a"), left.Stat("b"));
    }

    [Fact]
    public void Syncing_all_makes_everything_durable()
    {
        _disk.CreateFolder("f");
        Write(_disk, "f/a", "text");
        Assert.True(_disk.TrySyncAll());
        Assert.Equal("text", Text(_disk.AfterPowerCut(1, Nothing), "f/a"));
        Assert.False(new FaultyDisk { HasSyncAll = false }.TrySyncAll());
    }

    [Fact]
    public void After_a_failed_sync_no_later_one_brings_the_pages_back()
    {
        IDiskFile file = Preallocated("log", pages: 1);
        file.Write("1"u8, 0);
        _disk.FailAt = _disk.Operations + 1;
        Assert.Throws<DiskException>(file.Sync);
        file.Sync();
        Assert.Equal((byte)'1', _disk.Peek("log")![0]);
        int lost = 0;
        for (int seed = 0; seed < 50; seed++)
        {
            FaultyDisk disk = NewDisk(seed);
            IDiskFile log = Write(disk, "log", "0");
            log.Sync();
            disk.SyncFolder("");
            log.Write("1"u8, 0);
            disk.FailIf = o => o.Name == "fdatasync";
            Assert.Throws<DiskException>(log.Sync);
            disk.FailIf = null;
            log.Sync();
            lost += Text(disk.AfterPowerCut(seed), "log") == "0" ? 1 : 0;
        }

        Assert.InRange(lost, 5, 45);
    }

    [Fact]
    public void A_page_lost_and_written_again_can_be_made_durable()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            FaultyDisk disk = NewDisk(seed);
            IDiskFile log = Write(disk, "log", "00");
            log.Sync();
            disk.SyncFolder("");
            log.Write("1"u8, 0);
            disk.FailIf = o => o.Name == "syncfs";
            Assert.Throws<DiskException>(() => disk.TrySyncAll());
            log.Write("2"u8, 1);
            log.Sync();
            Assert.Equal("12", Text(disk.AfterPowerCut(seed, Nothing), "log"));
        }
    }

    [Fact]
    public unsafe void The_shared_page_comes_back_as_it_was_or_as_it_is()
    {
        using ISharedPage page = _disk.OpenSharedPage("page", readOnly: false)!;
        Assert.True(_disk.TrySyncAll());
        _disk.Poke("page2", new byte[1]);
        page.Address[5] = 9;
        byte[] left = _disk.AfterPowerCut(1).Peek("page")!;
        Assert.Equal(9, left[5]);
        page.Address[5] = 10;
        Assert.Equal(9, left[5]);
    }

    private static FaultyDisk NewDisk(int seed = 1)
    {
        var disk = new FaultyDisk(seed);
        disk.CreateFolder("");
        return disk;
    }

    private static IDiskFile Write(FaultyDisk disk, string path, string text)
    {
        IDiskFile file = disk.Open(path, OpenMode.OpenOrCreate);
        file.Write(Encoding.UTF8.GetBytes(text), 0);
        return file;
    }

    private static string? Text(FaultyDisk disk, string path) =>
        disk.Peek(path) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    private IDiskFile Preallocated(string path, int pages)
    {
        IDiskFile file = _disk.Open(path, OpenMode.CreateNew);
        file.Write(new byte[pages * 4096], 0);
        file.Sync();
        _disk.SyncFolder("");
        return file;
    }

    private HashSet<string> Outcomes(Func<FaultyDisk, string> what, PowerCutOptions? options = null) =>
        [.. Enumerable.Range(0, Seeds).Select(seed => what(_disk.AfterPowerCut(seed, options)))];
}
