using Sessions.Platform;

namespace Sessions.Tests.Disks;

/// <summary>The one rule as a check: it fails at once, and only where the rule is broken.</summary>
public sealed class OneRuleTests
{
    private const string Session = "sessions/2026/11/20/s1";

    private readonly FaultyDisk _disk = new(seed: 1);
    private readonly IDiskFile _journal;

    public OneRuleTests()
    {
        _disk.Poke($"{Session}/session.json", "content"u8);
        _disk.Poke($"{Session}/events.jsonl", "content"u8);
        _disk.Poke("tmp/new", "content"u8);
        _disk.Poke("config.json", "content"u8);
        _disk.Poke("trash/7/s2/session.json", "content"u8);
        _disk.Poke("journal/1.log", new byte[3 * 4096]);
        _journal = _disk.Open("journal/1.log", OpenMode.ReadWrite);
    }

    public static TheoryData<string> Breaches => new(Calls.Keys);

    private static Dictionary<string, Action<FaultyDisk>> Calls { get; } = new()
    {
        ["replace by rename"] = d => d.Rename("tmp/new", $"{Session}/session.json"),
        ["replace by exchange"] = d => d.Exchange("tmp/new", $"{Session}/session.json"),
        ["replace by exchange, other side"] = d => d.Exchange($"{Session}/session.json", "tmp/new"),
        ["replace the rules"] = d => d.Rename("tmp/new", "config.json"),
        ["move a file"] = d => d.Rename($"{Session}/session.json", "tmp/old"),
        ["move a folder"] = d => d.Rename(Session, "tmp/s1"),
        ["move a folder back"] = d => d.Rename("trash/7/s2", "sessions/2026/11/20/s2"),
        ["let a new file appear"] = d => d.Rename("tmp/new", $"{Session}/queue.json"),
        ["unlink"] = d => d.Unlink($"{Session}/session.json"),
        ["unlink in the trash"] = d => d.Unlink("trash/7/s2/session.json"),
        ["cut"] = d => d.Open($"{Session}/session.json", OpenMode.ReadWrite).SetLength(1),
        ["write the event log"] = d => d.Open($"{Session}/events.jsonl", OpenMode.ReadWrite).Write("x"u8, 7),
        ["write the event log under its old name"] = d =>
        {
            IDiskFile staged = d.Open("tmp/new", OpenMode.ReadWrite);
            d.ChecksOneRule = false;
            d.Rename("tmp/new", "sessions/2026/events.jsonl");
            d.ChecksOneRule = true;
            staged.Write("x"u8, 0);
        },
    };

    [Theory]
    [MemberData(nameof(Breaches))]
    public void A_change_before_its_frame_is_durable_fails_at_once(string breach)
    {
        _journal.Write("frame"u8, 5000);
        OneRuleException e = Assert.Throws<OneRuleException>(() => Calls[breach](_disk));
        Assert.Contains("journal/1.log", e.Message);
        Assert.NotNull(_disk.Violation);
        Assert.Throws<OneRuleException>(() => _disk.Stat("")); // also where the engine swallows it
    }

    [Theory]
    [MemberData(nameof(Breaches))]
    public void The_same_change_is_fine_once_the_frame_is_durable(string breach)
    {
        _journal.Write("frame"u8, 5000);
        _journal.Sync();
        Calls[breach](_disk);
        Assert.Null(_disk.Violation);
    }

    [Theory]
    [MemberData(nameof(Breaches))]
    public void Zeros_are_no_frame(string breach)
    {
        _journal.Write(new byte[4096], 4096);
        Calls[breach](_disk);
        Assert.Null(_disk.Violation);
    }

    [Fact]
    public void The_check_can_be_turned_off()
    {
        _journal.Write("frame"u8, 5000);
        _disk.ChecksOneRule = false;
        _disk.Unlink("config.json");
    }

    [Fact]
    public void What_is_no_record_is_free()
    {
        _journal.Write("frame"u8, 5000);
        _disk.Poke("index.jsonl", "x"u8);
        _disk.Poke("quarantine/x", "x"u8);
        _disk.Rename("tmp/new", "store.json");
        _disk.Unlink("index.jsonl");
        _disk.Unlink("quarantine/x");
        _disk.Rename("journal/1.log", "journal/2.log");
        _disk.Unlink("journal/2.log");
        _disk.CreateFolder("sessions/2026/12");
        _disk.Open($"{Session}/session.json", OpenMode.ReadWrite).SetLength(100);
        Assert.Null(_disk.Violation);
    }

    [Fact]
    public void A_frame_in_a_segment_whose_name_is_not_durable_does_not_count()
    {
        using IDiskFile next = _disk.Open("journal/2.log", OpenMode.CreateNew);
        next.Write("frame"u8, 0);
        next.Sync();
        Assert.Throws<OneRuleException>(() => _disk.Unlink("config.json"));
    }

    [Fact]
    public void A_kill_leaves_the_frames_unsynced()
    {
        _journal.Write("frame"u8, 5000);
        FaultyDisk left = _disk.AfterKill();
        Assert.Throws<OneRuleException>(() => left.Unlink("config.json"));
        Assert.Null(_disk.Violation);
    }
}
