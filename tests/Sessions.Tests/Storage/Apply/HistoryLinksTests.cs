using System.Text;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;

namespace Sessions.Tests.Storage.Apply;

public sealed class HistoryLinksTests
{
    private const string Parent = "parent", Child = "sessions/named/child";

    private static readonly string Log = Layout.LiveFolder(Parent) + "/" + Layout.EventsFile;
    private static readonly string Link = Layout.History(Child, Parent);

    private readonly FaultyDisk _disk = new(seed: 1);
    private readonly Fold _fold = new();
    private long _lsn;

    public HistoryLinksTests()
    {
        foreach (string folder in new[] { "", "sessions", "sessions/named", Layout.LiveFolder(Parent), Child })
        {
            _disk.CreateFolder(folder);
        }

        _disk.Poke(Log, "lines of the parent"u8);
    }

    [Fact]
    public void A_link_is_the_parents_file_and_made_once()
    {
        Fork();
        Run();
        ulong identity = _disk.Stat(Link)!.Value.Identity;
        Assert.Equal(_disk.Stat(Log)!.Value.Identity, identity);
        Run();
        Assert.Equal(identity, _disk.Stat(Link)!.Value.Identity);
    }

    [Fact]
    public void A_link_to_another_file_is_made_anew_but_not_where_the_log_was_replaced_later()
    {
        Fork();
        _disk.CreateFolder(Child + "/history");
        _disk.Poke(Link, "what a power cut left"u8);
        Run(relinks: false);
        Assert.Equal("what a power cut left", Text(Link));
        Add(new Change { Kind = ChangeKind.Rewrite, Id = Parent, File = "gone.new", Bytes = 1 });
        Run();
        Assert.Equal("what a power cut left", Text(Link));
        Fold again = new();
        Fork(again);
        new HistoryLinks(_disk).Link(Child, again.Sessions["child"], again, relinks: true);
        Assert.Equal("lines of the parent", Text(Link));
    }

    [Theory]
    [InlineData(7, true)]
    [InlineData(7, false)]
    public void A_parent_in_the_trash_is_found(long deletion, bool isKnown)
    {
        _disk.CreateFolder("trash");
        _disk.CreateFolder(Layout.TrashFolder(deletion));
        _disk.Rename(Layout.LiveFolder(Parent), Layout.TrashFolder(deletion, Parent));
        Fork();
        if (isKnown)
        {
            var info = new SessionInfo { Id = Parent, DeletionLsn = deletion };
            Add(new Change { Kind = ChangeKind.Trash, Id = Parent, Info = info, DeletionLsn = deletion });
        }

        Run();
        Assert.Equal("lines of the parent", Text(Link));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_parent_that_is_gone_leaves_what_there_is(bool hasLink)
    {
        Fork();
        if (hasLink)
        {
            Run();
        }

        _disk.Unlink(Log);
        _disk.RemoveFolder(Layout.LiveFolder(Parent));
        Run();
        Assert.Equal(hasLink ? "lines of the parent" : null, Text(Link));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_links_the_part_is_copied_whole_or_not_at_all(bool isToldLate)
    {
        if (isToldLate)
        {
            _disk.FailIf = o => o.Name == "link";
            _disk.FailWith = DiskError.Unsupported;
        }
        else
        {
            _disk.Capabilities = new DiskCapabilities("plain", true, HardLinks: false, AtomicExchange: false);
        }

        Fork();
        _disk.CreateFolder(Child + "/history");
        _disk.Poke(Link + ".part", "half of an earlier one, which was longer"u8);
        Run();
        Assert.Equal("lines", Text(Link));
        Assert.Null(Text(Link + ".part"));
        Assert.NotEqual(_disk.Stat(Log)!.Value.Identity, _disk.Stat(Link)!.Value.Identity);
    }

    [Fact]
    public void Links_that_the_state_does_not_name_go()
    {
        Fork();
        Run();
        _disk.Poke(Layout.History(Child, "older"), "x"u8);
        new HistoryLinks(_disk).Drop(Child, _fold.Sessions["child"].Log);
        Assert.Null(Text(Layout.History(Child, "older")));
        Assert.NotNull(Text(Link));
        new HistoryLinks(_disk).Drop(Child, default);
        Assert.Null(Text(Link));
        new HistoryLinks(_disk).Drop(Layout.LiveFolder(Parent), default); // has no history
    }

    [Fact]
    public void A_copy_of_a_file_that_was_cut_short_is_made_anew()
    {
        _disk.Capabilities = new DiskCapabilities("plain", true, HardLinks: false, AtomicExchange: false);
        string name = $"files/{new string('a', 64)}.txt";
        _disk.CreateFolder(Layout.LiveFolder(Parent) + "/files");
        _disk.Poke($"{Layout.LiveFolder(Parent)}/{name}", "a whole file"u8);
        int writes = 1;
        _disk.FailIf = o => o.Name == "fdatasync" && o.Path.Contains("/files/", StringComparison.Ordinal)
            && writes-- > 0;
        Assert.Throws<DiskException>(() =>
            SessionFiles.LinkAll(_disk, Layout.LiveFolder(Parent), Child));
        Assert.Null(Text($"{Child}/{name}"));
        SessionFiles.LinkAll(_disk, Layout.LiveFolder(Parent), Child);
        Assert.Equal("a whole file", Text($"{Child}/{name}"));
        Assert.Equal([name], _disk.Paths().Where(p => p.StartsWith(Child + "/files", StringComparison.Ordinal))
            .Select(p => p[(Child.Length + 1)..]));
    }

    private void Fork(Fold? fold = null)
    {
        var state = new LogState { History = [new HistoryPart(Parent, 1, 1, 5)] };
        Add(new Change { Kind = ChangeKind.Log, Id = "child", Image = state.Write("child") }, fold);
        Add(new Change { Kind = ChangeKind.Fork, Id = "child", ParentId = Parent }, fold);
    }

    private void Add(Change change, Fold? fold = null)
        => (fold ?? _fold).Add(new Frame { Lsn = ++_lsn, At = 1, Changes = [change] });

    private void Run(bool relinks = true)
        => new HistoryLinks(_disk).Link(Child, _fold.Sessions["child"], _fold, relinks);

    private string? Text(string path) => _disk.Peek(path) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;
}
