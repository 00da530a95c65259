using System.Text;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Journal;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;

namespace Sessions.Tests.Storage.Apply;

public sealed class LogRewriterTests
{
    private const string Folder = "sessions/named/s", Log = Folder + "/events.jsonl", Fresh = Folder + "/events-1.new";
    private const string Kept = "trash/pruned/1-2-s.jsonl";

    private static readonly Change Rewrite =
        new() { Kind = ChangeKind.Rewrite, Id = "s", File = "events-1.new", Bytes = 3, Kept = Kept };

    private readonly FaultyDisk _disk = new(seed: 2);

    public LogRewriterTests()
    {
        foreach (string folder in new[] { "", "sessions", "sessions/named", Folder })
        {
            _disk.CreateFolder(folder);
        }

        _disk.Poke(Log, "old"u8);
        _disk.Poke(Fresh, "new"u8);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_new_file_takes_the_place_of_the_old_one_and_twice_is_the_same(bool links)
    {
        _disk.Capabilities = new DiskCapabilities("x", true, links, links);
        for (int i = 0; i < 2; i++)
        {
            new LogRewriter(_disk).Replace(Folder, Rewrite, 0);
            Assert.Equal("new", Text(Log));
            Assert.Equal("old", Text(Kept));
            Assert.Equal([Log], _disk.Paths().Where(p => p.StartsWith(Folder, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void One_that_was_cut_short_anywhere_is_finished()
    {
        for (int calls = 0; ; calls++)
        {
            var disk = new FaultyDisk(seed: 3);
            foreach (string folder in new[] { "", "sessions", "sessions/named", Folder })
            {
                disk.CreateFolder(folder);
            }

            disk.Poke(Log, "old"u8);
            disk.Poke(Fresh, "new"u8);
            int left = calls;
            disk.FailIf = _ => left-- == 0;
            Exception? failure = Record.Exception(() => new LogRewriter(disk).Replace(Folder, Rewrite, 0));
            disk.FailIf = null;
            new LogRewriter(disk).Replace(Folder, Rewrite, 0);
            Assert.Equal("new", Encoding.UTF8.GetString(disk.Peek(Log)!));
            Assert.Equal("old", Encoding.UTF8.GetString(disk.Peek(Kept)!));
            Assert.Equal([Log], disk.Paths().Where(p => p.StartsWith(Folder, StringComparison.Ordinal)));
            if (failure is null)
            {
                Assert.True(calls > 8);
                return;
            }
        }
    }

    [Fact]
    public void Nothing_is_kept_where_nothing_was_or_nobody_asked()
    {
        new LogRewriter(_disk).Replace(Folder, new Change
        {
            Kind = ChangeKind.Rewrite,
            Id = "s",
            File = "events-1.new",
            Bytes = 3,
        }, 0);
        Assert.Equal("new", Text(Log));
        Assert.Null(_disk.Stat("trash"));
        _disk.Unlink(Log);
        _disk.Poke(Fresh, "newer"u8);
        new LogRewriter(_disk).Replace(Folder, Rewrite, 0);
        Assert.Equal("newer", Text(Log));
        Assert.Null(Text(Kept));
    }

    private string? Text(string path) => _disk.Peek(path) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;
}
