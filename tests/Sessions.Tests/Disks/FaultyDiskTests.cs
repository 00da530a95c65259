using System.Text;
using Sessions.Platform;

namespace Sessions.Tests.Disks;

/// <summary>The faulty disk fails as it is told: the Nth call, a full disk, a kill, a cut.</summary>
public sealed class FaultyDiskTests
{
    private readonly FaultyDisk _disk = NewDisk();

    [Fact]
    public void The_Nth_call_fails_once_or_for_good()
    {
        Poke("a", "text");
        _disk.FailAt = _disk.Operations + 2;
        Assert.NotNull(_disk.Stat("a"));
        Assert.Equal(DiskError.Io, Assert.Throws<DiskException>(() => _disk.Stat("a")).Error);
        Assert.NotNull(_disk.Stat("a"));
        _disk.FailAt = _disk.Operations + 1;
        _disk.FailsForGood = true;
        _disk.FailWith = DiskError.AccessDenied;
        Assert.Equal(DiskError.AccessDenied, Assert.Throws<DiskException>(() => _disk.Unlink("a")).Error);
        Assert.Throws<DiskException>(() => _disk.List(""));
        Assert.Equal(3, _disk.Failures);
        Assert.Equal("text", Text("a"));
    }

    [Fact]
    public void Calls_can_be_chosen_to_fail()
    {
        _disk.FailIf = o => o is { Name: "rename", Path: "a" };
        Poke("a", "");
        Poke("b", "");
        Assert.Throws<DiskException>(() => _disk.Rename("a", "c"));
        _disk.Rename("b", "c");
    }

    [Fact]
    public void A_failed_write_may_have_written_a_part()
    {
        var lengths = new HashSet<int>();
        for (int i = 0; i < 50; i++)
        {
            using IDiskFile file = _disk.Open($"a{i}", OpenMode.CreateNew);
            _disk.FailAt = _disk.Operations + 1;
            Assert.Throws<DiskException>(() => file.Write("0123456789"u8, 0));
            byte[] left = _disk.Peek($"a{i}")!;
            Assert.Equal("0123456789"[..left.Length], Encoding.UTF8.GetString(left));
            lengths.Add(left.Length);
        }

        Assert.True(lengths.Count > 5);
        Assert.DoesNotContain(10, lengths);
        _disk.ShortWrites = false;
        using IDiskFile whole = _disk.Open("whole", OpenMode.CreateNew);
        _disk.FailAt = _disk.Operations + 1;
        Assert.Throws<DiskException>(() => whole.Write("0123456789"u8, 0));
        Assert.Empty(_disk.Peek("whole")!);
    }

    [Fact]
    public void A_full_disk_takes_overwrites_alone()
    {
        using IDiskFile file = _disk.Open("a", OpenMode.CreateNew);
        file.Write(new byte[2 * 4096], 0);
        _disk.CreateFolder("f");
        _disk.SpaceBytes = _disk.UsedBytes + 4096;
        DiskException full = Assert.Throws<DiskException>(() => file.Write(new byte[3 * 4096], 4096));
        Assert.Equal(DiskError.NoSpace, full.Error);
        Assert.Equal(3 * 4096, file.Length); // what fitted was written
        Assert.Equal(_disk.SpaceBytes, _disk.UsedBytes);
        file.Write("overwrite"u8, 4000);
        NoSpace(() => _disk.Open("b", OpenMode.CreateNew));
        NoSpace(() => _disk.CreateFolder("g"));
        NoSpace(() => _disk.Link("a", "b"));
        NoSpace(() => _disk.OpenSharedPage("page", readOnly: false));
        _disk.Rename("a", "f/a");
        file.SetLength(100_000);
        Assert.Equal(_disk.SpaceBytes, _disk.UsedBytes);
        file.SetLength(4096);
        Assert.Equal(_disk.SpaceBytes - (2 * 4096), _disk.UsedBytes);
        _disk.Open("b", OpenMode.CreateNew).Dispose();
    }

    [Fact]
    public void Space_comes_back_when_the_last_name_and_opening_are_gone()
    {
        long before = _disk.UsedBytes;
        IDiskFile file = _disk.Open("a", OpenMode.CreateNew);
        file.Write(new byte[4096], 0);
        _disk.Link("a", "b");
        _disk.Unlink("a");
        Assert.Equal(before + 4096, _disk.UsedBytes);
        _disk.Unlink("b");
        Assert.Equal(before + 4096, _disk.UsedBytes);
        file.Dispose();
        Assert.Equal(before, _disk.UsedBytes);
        Poke("a", "x");
        Poke("b", "x");
        _disk.Rename("a", "b");
        Assert.Equal(before + 4096, _disk.UsedBytes);
    }

    [Fact]
    public void After_the_cut_nothing_works()
    {
        using ISharedPage page = _disk.OpenSharedPage("page", readOnly: false)!;
        Poke("lock", "");
        using ILockFile locks = _disk.OpenLocks("lock", readOnly: false);
        using IDiskFile file = _disk.Open("a", OpenMode.CreateNew);
        _disk.CutAt = _disk.Changes + 2;
        file.Write("x"u8, 0);
        Assert.NotNull(_disk.Stat("a"));
        Assert.False(_disk.IsCut);
        Assert.Throws<PowerCutException>(file.Sync);
        Assert.True(_disk.IsCut);
        Assert.Throws<PowerCutException>(() => file.Write("x"u8, 0));
        Assert.Throws<PowerCutException>(() => file.Length);
        Assert.Throws<PowerCutException>(() => _disk.Stat("a"));
        Assert.Throws<PowerCutException>(() => locks.TryLock(1, false));
        Assert.Throws<PowerCutException>(() => locks.IsHeldByOther(1));
        Assert.Throws<PowerCutException>(() => locks.IsLinked);
        Assert.Throws<PowerCutException>(() => page.IsLinked);
        Assert.Throws<PowerCutException>(() => _disk.OpenAs().Stat(""));
        locks.Unlock(1);
    }

    [Fact]
    public void A_cut_in_a_call_has_done_it_or_not()
    {
        bool[] outcomes = [.. Enumerable.Range(0, 40).Select(seed =>
        {
            FaultyDisk disk = NewDisk(seed);
            disk.CutAt = disk.Changes + 1;
            Assert.Throws<PowerCutException>(() => disk.CreateFolder("f"));
            return disk.AfterKill().Stat("f") is not null;
        })];
        Assert.Contains(true, outcomes);
        Assert.Contains(false, outcomes);
    }

    [Fact]
    public void A_cut_in_a_call_that_fails_is_still_a_cut() => Assert.All(Enumerable.Range(0, 10), seed =>
    {
        FaultyDisk disk = NewDisk(seed);
        disk.CutAt = disk.Changes + 1;
        Assert.Throws<PowerCutException>(() => disk.Unlink("absent"));
        Assert.True(disk.IsCut);
    });

    [Fact]
    public void A_cut_in_a_write_leaves_some_of_its_pages()
    {
        var outcomes = new HashSet<string>();
        for (int seed = 0; seed < 100; seed++)
        {
            FaultyDisk disk = NewDisk(seed);
            disk.Poke("log", new byte[3 * 4096]);
            IDiskFile file = disk.Open("log", OpenMode.ReadWrite);
            disk.CutAt = disk.Changes + 1;
            byte[] data = new byte[3 * 4096];
            data.AsSpan().Fill(1);
            Assert.Throws<PowerCutException>(() => file.Write(data, 0));
            byte[] left = disk.AfterKill().Peek("log")!;
            outcomes.Add($"{left[0]}{left[4096]}{left[8192]}");
        }

        Assert.Equal(8, outcomes.Count);
    }

    [Fact]
    public void A_kill_keeps_what_was_written_but_not_for_the_next_power_cut()
    {
        Poke("lock", "");
        ILockFile locks = _disk.OpenLocks("lock", readOnly: false);
        Assert.True(locks.TryLock(1, exclusive: true));
        using (IDiskFile file = _disk.Open("a", OpenMode.CreateNew))
        {
            file.Write("text"u8, 0);
        }

        FaultyDisk left = _disk.AfterKill();
        Assert.Throws<PowerCutException>(() => locks.TryLock(1, exclusive: true));
        using ILockFile next = left.OpenLocks("lock", readOnly: false);
        Assert.True(next.TryLock(1, exclusive: true));
        Assert.Equal("text", Encoding.UTF8.GetString(left.Peek("a")!));
        Assert.Null(left.AfterPowerCut(1, new PowerCutOptions { Keep = 0 }).Peek("a"));
    }

    [Fact]
    public void One_process_can_be_killed_among_others()
    {
        Poke("lock", "");
        FaultyDisk first = _disk.OpenAs();
        FaultyDisk second = _disk.OpenAs();
        ILockFile held = first.OpenLocks("lock", readOnly: false);
        ILockFile wanted = second.OpenLocks("lock", readOnly: false);
        Assert.True(held.TryLock(1, exclusive: true));
        Assert.False(wanted.TryLock(1, exclusive: true));
        first.KillAt = first.OwnChanges + 1;
        Assert.Throws<PowerCutException>(() => first.CreateFolder("f"));
        Assert.True(first.IsDead);
        Assert.Throws<PowerCutException>(() => first.Stat(""));
        Assert.Throws<PowerCutException>(() => held.TryLock(1, exclusive: false));
        Assert.True(wanted.TryLock(1, exclusive: true));
        IDiskFile file = second.Open("a", OpenMode.CreateNew);
        second.Kill();
        Assert.Throws<PowerCutException>(() => file.Write("x"u8, 0));
        Assert.NotNull(_disk.Stat("a"));
    }

    [Fact]
    public void Openings_fail_alone_and_share_their_content()
    {
        FaultyDisk other = _disk.OpenAs();
        other.FailIf = o => o.Name == "fdatasync";
        using IDiskFile mine = _disk.Open("a", OpenMode.CreateNew);
        using IDiskFile theirs = other.Open("a", OpenMode.ReadWrite);
        mine.Sync();
        Assert.Throws<DiskException>(theirs.Sync);
        Assert.Equal(1, other.Failures);
        Assert.Equal(0, _disk.Failures);
    }

    [Fact]
    public void A_copy_goes_its_own_way()
    {
        Poke("f/a", "text");
        FaultyDisk copy = _disk.Copy();
        Poke("f/a", "other");
        Assert.Equal("text", Encoding.UTF8.GetString(copy.Peek("f/a")!));
        var memory = new MemoryDisk();
        memory.Poke("f/a", "text"u8);
        MemoryDisk second = memory.Copy();
        using (IDiskFile file = memory.Open("f/a", OpenMode.ReadWrite))
        {
            file.Write("T"u8, 0);
        }

        Assert.Equal("text"u8, second.Peek("f/a")!);
        Assert.Equal("Text"u8, memory.Peek("f/a")!);
        Assert.Null(memory.Peek("f/b"));
    }

    [Fact]
    public void What_a_disk_lacks_it_says()
    {
        Poke("a", "");
        Poke("b", "");
        _disk.Capabilities = new DiskCapabilities("vfat", true, HardLinks: false, AtomicExchange: false);
        Fails(DiskError.Unsupported, () => _disk.Link("a", "c"));
        Fails(DiskError.Unsupported, () => _disk.Exchange("a", "b"));
        _disk.IsReadOnly = true;
        Fails(DiskError.ReadOnly, () => _disk.Open("c", OpenMode.CreateNew));
        Fails(DiskError.ReadOnly, () => _disk.Open("a", OpenMode.ReadWrite));
        Fails(DiskError.ReadOnly, () => _disk.CreateFolder("f"));
        Fails(DiskError.ReadOnly, () => _disk.Unlink("a"));
        Fails(DiskError.ReadOnly, () => _disk.Rename("a", "c"));
        _disk.Open("a", OpenMode.Read).Dispose();
    }

    private static FaultyDisk NewDisk(int seed = 1)
    {
        var disk = new FaultyDisk(seed);
        disk.CreateFolder("");
        return disk;
    }

    private static void NoSpace(Func<object?> call) => Fails(DiskError.NoSpace, () => { call(); });

    private static void NoSpace(Action call) => Fails(DiskError.NoSpace, call);

    private static void Fails(DiskError error, Action call) =>
        Assert.Equal(error, Assert.Throws<DiskException>(call).Error);

    private void Poke(string path, string text) => _disk.Poke(path, Encoding.UTF8.GetBytes(text));

    private string Text(string path) => Encoding.UTF8.GetString(_disk.Peek(path)!);
}
