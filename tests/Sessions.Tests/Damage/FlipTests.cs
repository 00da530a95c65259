using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>Every bit flipped and every cut of every file: nothing changes unseen, nothing crashes, and
/// only what the damaged bytes say can be lost.</summary>
public sealed class FlipTests
{
    [Theory]
    [InlineData("session.json")]
    [InlineData("shares.json")]
    [InlineData("queue.json")]
    [InlineData("action_buttons.json")]
    [InlineData("events.jsonl")]
    public void A_file_of_a_session(string file) => EveryByte(SmallStore.Closed, SmallStore.Closed.Path(file));

    [Theory]
    [InlineData(Layout.ConfigFile)]
    [InlineData(Layout.IndexFile)]
    [InlineData(Layout.StoreFile)]
    public void A_file_of_the_store(string file) => EveryByte(SmallStore.Closed, file);

    [Fact]
    public void The_segment_that_closes_a_journal() => EveryByte(SmallStore.Closed, SmallStore.Closed.Segment);

    [Fact]
    public void The_journal_of_a_killed_store() => EveryByte(SmallStore.Killed, SmallStore.Killed.Segment);

    [Theory]
    [InlineData("session.json")]
    [InlineData("events.jsonl")]
    public void A_file_of_a_session_in_a_killed_store(string file)
        => EveryByte(SmallStore.Killed, SmallStore.Killed.Path(file));

    /// <summary>The tests above flip one bit of each byte or of every few, since each of them opens and
    /// salvages a store; this one flips all bits where the frames are told.</summary>
    [Fact]
    public void Every_bit_of_a_journal()
    {
        string path = SmallStore.Killed.Segment;
        byte[] bytes = SmallStore.Killed.Disk.Peek(path)!;
        uint seed = StoreFile.SeedOf(StoreFile.Read(SmallStore.Killed.Disk)!.StoreId);
        long[] whole = Lsns(bytes, out _);
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            if (bit is >= 88 * 8 and < SegmentHeader.Length * 8 && bit % 521 != 0)
            {
                continue; // zeros under one checksum
            }

            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            long[] lsns = Lsns(bytes, out bool isDamaged);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(lsns.AsSpan().SequenceEqual(whole) || (isDamaged && whole.AsSpan().StartsWith(lsns)),
                $"bit {bit}");
        }

        long[] Lsns(byte[] content, out bool isDamaged)
        {
            var disk = new MemoryDisk();
            disk.Poke(path, content);
            JournalScan scan = JournalScan.Read(disk, new JournalFiles(disk, seed, "test"));
            isDamaged = scan.Corruption is not null || scan.RestEnd > scan.End;
            return [.. scan.Frames.Select(f => f.Lsn)];
        }
    }

    private static void EveryByte(SmallStore store, string path)
    {
        byte[] whole = store.Disk.Peek(path)!;
        int zeros = whole.Length - whole.AsSpan().LastIndexOfAnyExcept((byte)0) - 1;
        int step = whole.Length > 2000 ? 5 : whole.Length > 600 ? 2 : 1;
        for (int at = 0; at < whole.Length; at += step)
        {
            // Of many zeros in a row a few stand for all.
            if (at > 8 && at + 8 < whole.Length && !whole.AsSpan(at - 8, 16).ContainsAnyExcept((byte)0) && at % 95 != 0)
            {
                continue;
            }

            byte[] flipped = [.. whole];
            flipped[at] ^= (byte)(1 << (at % 8));
            Check(store, path, flipped, $"byte {at}, bit {at % 8}");
        }

        for (int length = 0; length < whole.Length - zeros; length += 11 * step)
        {
            Check(store, path, whole[..length], $"cut at {length}");
        }
    }

    private static void Check(SmallStore original, string path, byte[] content, string what)
    {
        try
        {
            Check(original, path, content);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{path}, {what}", e);
        }
    }

    private static void Check(SmallStore original, string path, byte[] content)
    {
        MemoryDisk disk = original.Disk.Copy();
        disk.Poke(path, content);
        bool opened = true;
        try
        {
            using SessionStore store = Stores.Open(disk.OpenAs());
            List<string> lost = original.Differences(SmallStore.See(store));
            Assert.True(lost.Count == 0 || SmallStore.Names(store), $"unseen: {string.Join(", ", lost)}");
            AssertOthersAreWhole(path, lost);
        }
        catch (SessionException e) when (e.Status == SessionStatus.Corrupt)
        {
            opened = false; // that is an answer, but the data must come back
        }

        Assert.True(opened || path == Layout.StoreFile, "does not open");
        Stores.Text(b => SessionStore.Salvage(Stores.Environment(disk.OpenAs()), b));
        using SessionStore salvaged = Stores.Open(disk.OpenAs());
        AssertOthersAreWhole(path, original.Differences(SmallStore.See(salvaged)));
        if (content.Sum(b => b) % 4 == 0)
        {
            salvaged.Create().Say("goes on");
        }

        if (!path.EndsWith("events.jsonl", StringComparison.Ordinal)
            && !path.EndsWith("shares.json", StringComparison.Ordinal) && path != Layout.ConfigFile)
        {
            salvaged.AssertSound();
        }
    }

    // What may be lost is what the damaged file alone says.
    private static void AssertOthersAreWhole(string path, List<string> lost)
    {
        string[] allowed = Layout.Name(path) switch
        {
            "session.json" => [Layout.Name(Layout.Parent(path))],
            "shares.json" => [Layout.Name(Layout.Parent(path)) + " shares", Layout.Name(Layout.Parent(path)) + " info",
                Layout.Name(Layout.Parent(path)) + " None"],
            "queue.json" => [Layout.Name(Layout.Parent(path)) + " queue"],
            "action_buttons.json" => [Layout.Name(Layout.Parent(path)) + " buttons"],
            "events.jsonl" => [Layout.Name(Layout.Parent(path)) + " events"],
            Layout.ConfigFile => ["config"],
            _ => [],
        };
        Assert.All(lost, l => Assert.Contains(allowed, a => l.StartsWith(a, StringComparison.Ordinal)));
    }
}
