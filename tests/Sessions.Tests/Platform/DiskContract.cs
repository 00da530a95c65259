using System.Text;
using Sessions.Platform;
using Sessions.Tests.Coordination.Queueing;

namespace Sessions.Tests.Platform;

/// <summary>What every disk does alike. <see cref="OpenAgain"/> opens the same content as another
/// process would.</summary>
public abstract class DiskContract : IDisposable
{
    private readonly List<IDisposable> _open = [];

    private IDisk? _disk;

    private protected IDisk Disk => _disk ??= Prepared();

    [Fact]
    public void The_folder_is_absent_until_it_is_created()
    {
        IDisk disk = Track(OpenAgain());
        Assert.Null(disk.Stat(""));
        Fails(DiskError.NotFound, () => disk.List(""));
        Fails(DiskError.NotFound, () => disk.Open("a", OpenMode.CreateNew));
        disk.CreateFolder("");
        disk.CreateFolder("");
        Assert.True(disk.Stat("")!.Value.IsFolder);
        Assert.Empty(disk.List(""));
    }

    [Fact]
    public void Open_modes_ask_for_what_they_say()
    {
        Fails(DiskError.NotFound, () => Disk.Open("a", OpenMode.Read));
        Fails(DiskError.NotFound, () => Disk.Open("a", OpenMode.ReadWrite));
        Disk.Open("a", OpenMode.CreateNew).Dispose();
        Fails(DiskError.Exists, () => Disk.Open("a", OpenMode.CreateNew));
        foreach (OpenMode mode in new[] { OpenMode.Read, OpenMode.ReadWrite, OpenMode.OpenOrCreate })
        {
            Disk.Open("a", mode).Dispose();
        }

        Disk.Open("b", OpenMode.OpenOrCreate).Dispose();
        Assert.Equal(["a", "b"], Names(""));
        Disk.CreateFolder("folder");
        foreach (OpenMode mode in new[] { OpenMode.Read, OpenMode.ReadWrite, OpenMode.OpenOrCreate })
        {
            Fails(DiskError.IsFolder, () => Disk.Open("folder", mode));
        }

        Fails(DiskError.Exists, () => Disk.Open("folder", OpenMode.CreateNew));
        Fails(DiskError.NotFolder, () => Disk.Open("a/b", OpenMode.CreateNew));
        Fails(DiskError.NotFound, () => Disk.Open("x/b", OpenMode.CreateNew));
    }

    // Whether a hole is told is the file system's affair; that none of what stands behind it is skipped is not.
    [Fact]
    public void The_next_data_is_never_behind_a_byte_and_never_beyond_the_end()
    {
        IDiskFile file = Track(Disk.Open("a", OpenMode.CreateNew));
        Assert.Equal(0, file.NextData(0));
        Assert.Equal(7, file.NextData(7));
        file.Write("x"u8, 0);
        file.Write("y"u8, 1 << 20);
        file.SetLength(1 << 21);
        Assert.Equal(0, file.NextData(0));
        Assert.InRange(file.NextData(1), 1, 1 << 20);
        Assert.Equal(1 << 20, file.NextData(1 << 20));
        Assert.InRange(file.NextData((1 << 20) + 1), (1 << 20) + 1, 1 << 21);
        Assert.Equal(1 << 21, file.NextData(1 << 21));
        Assert.Equal(1 << 22, file.NextData(1 << 22));
        long at = file.NextData(1 << 19), before = file.NextData((1 << 19) - 1);
        Assert.True(before <= at);
    }

    [Fact]
    public void Reads_end_at_the_end_and_writes_grow_with_zeros()
    {
        IDiskFile file = Track(Disk.Open("a", OpenMode.CreateNew));
        Assert.Equal(0, file.Length);
        Assert.Equal(0, file.Read(new byte[10], 0));
        file.Write("hello"u8, 10_000);
        Assert.Equal(10_005, file.Length);
        byte[] buffer = new byte[20_000];
        Assert.Equal(10_005, file.Read(buffer, 0));
        Assert.All(buffer[..10_000], b => Assert.Equal(0, b));
        Assert.Equal("hello", Encoding.UTF8.GetString(buffer, 10_000, 5));
        Assert.Equal(2, file.Read(buffer, 10_003));
        Assert.Equal(0, file.Read(buffer, 10_005));
        Assert.Equal(0, file.Read(buffer, 99_999));
        Assert.Equal(0, file.Read([], 0));
        file.Write([], 0);
        file.Write("J"u8, 10_000);
        Assert.Equal(10_005, file.Length);
        Assert.Equal("Jello", Read("a")[10_000..]);
    }

    [Fact]
    public void A_write_across_pages_is_read_back()
    {
        byte[] data = new byte[3 * 4096];
        new Random(1).NextBytes(data);
        IDiskFile file = Track(Disk.Open("a", OpenMode.CreateNew));
        file.Write(data, 4000);
        file.StartWriteback();
        file.Sync();
        byte[] back = new byte[data.Length];
        Assert.Equal(back.Length, file.Read(back, 4000));
        Assert.Equal(data, back);
    }

    [Fact]
    public void A_file_says_whether_others_have_it_open()
    {
        IDiskFile file = Track(Disk.Open("a", OpenMode.CreateNew));
        if (file.IsOpenElsewhere() is null)
        {
            Assert.False(OperatingSystem.IsLinux());
            return;
        }

        Assert.False(file.IsOpenElsewhere());
        foreach (OpenMode mode in new[] { OpenMode.Read, OpenMode.ReadWrite })
        {
            using IDiskFile other = Track(OpenAgain()).Open("a", mode);
            Disk.Rename("a", "b"); // it is about the file, not about its name
            Assert.True(file.IsOpenElsewhere());
            Disk.Rename("b", "a");
        }

        Assert.False(file.IsOpenElsewhere());
        file.Write("still mine"u8, 0);
        Assert.Equal("still mine", Read("a"));
    }

    [Fact]
    public void SetLength_cuts_and_grows_with_zeros()
    {
        IDiskFile file = Track(Disk.Open("a", OpenMode.CreateNew));
        byte[] data = new byte[9000];
        data.AsSpan().Fill((byte)'x');
        file.Write(data, 0);
        file.SetLength(5000);
        Assert.Equal(5000, file.Length);
        file.SetLength(9000);
        byte[] back = new byte[9000];
        Assert.Equal(9000, file.Read(back, 0));
        Assert.Equal(-1, back.AsSpan(0, 5000).IndexOfAnyExcept((byte)'x'));
        Assert.Equal(-1, back.AsSpan(5000).IndexOfAnyExcept((byte)0));
        file.SetLength(0);
        Assert.Equal(0, Disk.Stat("a")!.Value.Length);
    }

    [Fact]
    public void A_file_opened_for_reading_refuses_writes_and_a_closed_one_everything()
    {
        Write("a", "text");
        IDiskFile file = Disk.Open("a", OpenMode.Read);
        Assert.Throws<DiskException>(() => file.Write("x"u8, 0));
        Assert.Throws<DiskException>(() => file.SetLength(0));
        Assert.Equal("text", Read("a"));
        file.Dispose();
        file.Dispose();
        Assert.Throws<DiskException>(() => file.Read(new byte[1], 0));
        Assert.Throws<DiskException>(() => file.Length);
    }

    [Fact]
    public void Stat_tells_folders_lengths_names_and_identity()
    {
        Write("a", "text");
        Disk.CreateFolder("f");
        DiskEntry file = Disk.Stat("a")!.Value;
        Assert.False(file.IsFolder);
        Assert.Equal(4, file.Length);
        Assert.Equal(1u, file.Links);
        Assert.True(Disk.Stat("f")!.Value.IsFolder);
        Assert.Null(Disk.Stat("b"));
        Assert.Null(Disk.Stat("b/c"));
        Assert.Null(Disk.Stat("a/c"));
        Disk.Link("a", "f/b");
        Assert.Equal(Disk.Stat("a"), Disk.Stat("f/b"));
        Assert.Equal(2u, Disk.Stat("a")!.Value.Links);
        Write("c", "text");
        Assert.NotEqual(Disk.Stat("a")!.Value.Identity, Disk.Stat("c")!.Value.Identity);
    }

    [Fact]
    public void The_time_of_the_last_change_is_what_was_said()
    {
        Write("a", "text");
        Disk.Link("a", "b");
        foreach (long time in (long[])[1_795_158_388_123, 0, 86_400_001])
        {
            Disk.SetModified("a", time);
            Assert.Equal(time, Disk.Stat("a")!.Value.ModifiedMs);
            Assert.Equal(time, Disk.Stat("b")!.Value.ModifiedMs);
        }

        Assert.Equal("text", Read("a"));
        Fails(DiskError.NotFound, () => Disk.SetModified("x", 1));
    }

    [Fact]
    public void Files_and_folders_belong_to_their_owner_alone()
    {
        Disk.Open("a", OpenMode.CreateNew).Dispose();
        Disk.Open("b", OpenMode.OpenOrCreate).Dispose();
        Disk.CreateFolder("f");
        Assert.Equal(0x180u, Disk.Stat("a")!.Value.Mode);
        Assert.Equal(0x180u, Disk.Stat("b")!.Value.Mode);
        Assert.Equal(0x1C0u, Disk.Stat("f")!.Value.Mode);
        Assert.Equal(0x1C0u, Disk.Stat("")!.Value.Mode);
    }

    [Fact]
    public void List_names_files_and_folders()
    {
        Disk.CreateFolder("f");
        Disk.CreateFolder("f/g");
        Write("f/ü", "");
        Assert.Equal([new DiskName("g", true), new DiskName("ü", false)], Disk.List("f").OrderBy(n => n.Name));
        Fails(DiskError.NotFound, () => Disk.List("x"));
        Fails(DiskError.NotFolder, () => Disk.List("f/ü"));
    }

    [Fact]
    public void CreateFolder_makes_one_folder_and_is_fine_where_it_exists()
    {
        Disk.CreateFolder("f");
        Disk.CreateFolder("f");
        Fails(DiskError.NotFound, () => Disk.CreateFolder("x/y"));
        Write("a", "");
        Fails(DiskError.NotFolder, () => Disk.CreateFolder("a"));
        Fails(DiskError.NotFolder, () => Disk.CreateFolder("a/b"));
    }

    [Fact]
    public void Rename_replaces_files_and_empty_folders()
    {
        Write("a", "first");
        Write("b", "second");
        using IDiskFile old = Disk.Open("b", OpenMode.Read);
        Disk.Rename("a", "b");
        Assert.Equal("first", Read("b"));
        Assert.Null(Disk.Stat("a"));
        byte[] buffer = new byte[6];
        Assert.Equal(6, old.Read(buffer, 0));
        Assert.Equal("second"u8, buffer);
        Disk.CreateFolder("f");
        Write("f/a", "inner");
        Disk.CreateFolder("g");
        Disk.Rename("f", "g");
        Assert.Equal("inner", Read("g/a"));
        Assert.Equal(["b", "g"], Names(""));
    }

    [Fact]
    public void Rename_refuses_what_does_not_fit()
    {
        Write("a", "");
        Disk.CreateFolder("f");
        Disk.CreateFolder("g");
        Write("g/x", "");
        Fails(DiskError.NotFound, () => Disk.Rename("x", "a"));
        Fails(DiskError.NotFound, () => Disk.Rename("a", "x/y"));
        Fails(DiskError.IsFolder, () => Disk.Rename("a", "f"));
        Fails(DiskError.NotFolder, () => Disk.Rename("f", "a"));
        Assert.Equal("f", Assert.Throws<DiskException>(() => Disk.Rename("a", "f")).Path); // what is in the way
        Assert.Equal("a", Assert.Throws<DiskException>(() => Disk.Rename("f", "a")).Path);
        Fails(DiskError.NotEmpty, () => Disk.Rename("f", "g"));
        Assert.Throws<DiskException>(() => Disk.Rename("g", "g/inner"));
        Assert.Equal(["a", "f", "g"], Names(""));
    }

    [Fact]
    public void Rename_onto_another_name_of_the_same_file_does_nothing()
    {
        Write("a", "text");
        Disk.Link("a", "b");
        Disk.Rename("a", "b");
        Disk.Rename("a", "a");
        Assert.Equal(["a", "b"], Names(""));
    }

    [Fact]
    public void Exchange_swaps_two_files()
    {
        Assert.True(Disk.Capabilities.AtomicExchange);
        Disk.CreateFolder("f");
        Write("a", "first");
        Write("f/b", "second");
        ulong first = Disk.Stat("a")!.Value.Identity;
        Disk.Exchange("a", "f/b");
        Assert.Equal("second", Read("a"));
        Assert.Equal("first", Read("f/b"));
        Assert.Equal(first, Disk.Stat("f/b")!.Value.Identity);
        Fails(DiskError.NotFound, () => Disk.Exchange("a", "x"));
        Fails(DiskError.NotFound, () => Disk.Exchange("x", "a"));
    }

    [Fact]
    public void A_linked_file_is_one_file()
    {
        Assert.True(Disk.Capabilities.HardLinks);
        Write("a", "text");
        Disk.Link("a", "b");
        using (IDiskFile file = Disk.Open("b", OpenMode.ReadWrite, mayBeLinked: true))
        {
            file.Write("T"u8, 0);
        }

        Assert.Equal("Text", Read("a"));
        Fails(DiskError.Exists, () => Disk.Link("a", "b"));
        Fails(DiskError.NotFound, () => Disk.Link("x", "y"));
        Fails(DiskError.NotFound, () => Disk.Link("a", "x/y"));
        Disk.CreateFolder("f");
        Fails(DiskError.Unsupported, () => Disk.Link("f", "g"));
        Disk.Unlink("a");
        Assert.Equal("Text", Read("b"));
        Assert.Equal(1u, Disk.Stat("b")!.Value.Links);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("f/../a")]
    [InlineData("f/..")]
    [InlineData(".")]
    [InlineData("./a")]
    [InlineData("f/./a")]
    [InlineData("/a")]
    [InlineData("f//a")]
    [InlineData("a/")]
    [InlineData("a\0b")]
    [InlineData("\0")]
    public void A_path_that_does_not_lead_down_is_refused_by_every_call(string path)
    {
        Disk.CreateFolder("f");
        Write("a", "text");
        Action[] calls =
        [
            () => Disk.Open(path, OpenMode.Read), () => Disk.Open(path, OpenMode.ReadWrite),
            () => Disk.Open(path, OpenMode.CreateNew), () => Disk.Open(path, OpenMode.OpenOrCreate),
            () => Disk.Stat(path), () => Disk.List(path), () => Disk.CreateFolder(path), () => Disk.SpreadFolders(path),
            () => Disk.Rename(path, "b"), () => Disk.Rename("a", path), () => Disk.Exchange(path, "a"),
            () => Disk.Exchange("a", path), () => Disk.Link(path, "b"), () => Disk.Link("a", path),
            () => Disk.SetModified(path, 1), () => Disk.Unlink(path), () => Disk.RemoveFolder(path),
            () => Disk.SyncFolder(path), () => Disk.OpenLocks(path, readOnly: true),
            () => Disk.OpenSharedPage(path, readOnly: false),
        ];
        Assert.All(calls, call => Fails(DiskError.Misplaced, call));
        Assert.Equal(["a", "f"], Names(""));
        Assert.Equal("text", Read("a"));
    }

    [Theory]
    [InlineData("...")]
    [InlineData("..a")]
    [InlineData(".a")]
    [InlineData("a.")]
    [InlineData("a..b")]
    public void A_name_with_dots_is_a_name_like_any_other(string name)
    {
        Write(name, "text");
        Assert.Equal("text", Read(name));
        Assert.Equal([name], Names(""));
    }

    [Fact]
    public void A_file_with_a_second_name_is_opened_only_by_who_may_have_such()
    {
        Write("a", "text");
        Disk.Link("a", "b");
        foreach (OpenMode mode in new[] { OpenMode.Read, OpenMode.ReadWrite, OpenMode.OpenOrCreate })
        {
            Fails(DiskError.Misplaced, () => Disk.Open("b", mode));
            using IDiskFile linked = Disk.Open("b", mode, mayBeLinked: true);
            Assert.True(linked.IsLinked);
            Assert.Equal(Disk.Stat("a")!.Value.Identity, linked.Identity);
        }

        Disk.Unlink("a");
        using IDiskFile file = Disk.Open("b", OpenMode.ReadWrite);
        Assert.False(file.IsLinked);
    }

    [Fact]
    public void Unlink_and_RemoveFolder_remove_their_own_kind()
    {
        Disk.CreateFolder("f");
        Write("f/a", "text");
        Fails(DiskError.IsFolder, () => Disk.Unlink("f"));
        Fails(DiskError.NotEmpty, () => Disk.RemoveFolder("f"));
        Fails(DiskError.NotFolder, () => Disk.RemoveFolder("f/a"));
        Fails(DiskError.NotFound, () => Disk.Unlink("x"));
        Fails(DiskError.NotFound, () => Disk.RemoveFolder("x"));
        IDiskFile open = Track(Disk.Open("f/a", OpenMode.ReadWrite));
        Disk.Unlink("f/a");
        open.Write("T"u8, 0);
        byte[] buffer = new byte[4];
        Assert.Equal(4, open.Read(buffer, 0));
        Assert.Equal("Text"u8, buffer);
        Disk.RemoveFolder("f");
        Assert.Empty(Names(""));
    }

    [Fact]
    public void Folders_and_the_whole_disk_can_be_synced()
    {
        Disk.CreateFolder("f");
        Disk.SyncFolder("");
        Disk.SyncFolder("f");
        Fails(DiskError.NotFound, () => Disk.SyncFolder("x"));
        Assert.True(Disk.TrySyncAll());
    }

    [Fact]
    public void Capabilities_do_not_change()
    {
        DiskCapabilities before = Disk.Capabilities;
        Assert.NotEmpty(before.FileSystem);
        Disk.CreateFolder("f");
        Assert.Equal(before, Disk.Capabilities);
    }

    [Fact]
    public void Another_opening_sees_the_same_content()
    {
        Write("a", "text");
        IDisk other = Track(OpenAgain());
        using IDiskFile file = other.Open("a", OpenMode.ReadWrite);
        file.Write("T"u8, 0);
        Assert.Equal("Text", Read("a"));
        other.Dispose();
        Assert.Equal("Text", Read("a"));
    }

    private protected static void Fails(DiskError error, Action call) =>
        Assert.Equal(error, Assert.Throws<DiskException>(call).Error);

    private protected static void Fails(DiskError error, Func<object?> call) => Fails(error, () => { call(); });

    private protected abstract IDisk OpenAgain();

    private protected T Track<T>(T opened)
        where T : IDisposable
    {
        _open.Add(opened);
        return opened;
    }

    private protected void Write(string path, string text)
    {
        using IDiskFile file = Disk.Open(path, OpenMode.CreateNew);
        file.Write(Encoding.UTF8.GetBytes(text), 0);
    }

    private protected string Read(string path)
    {
        using IDiskFile file = Disk.Open(path, OpenMode.Read, mayBeLinked: true);
        byte[] bytes = new byte[file.Length];
        Assert.Equal(bytes.Length, file.Read(bytes, 0));
        return Encoding.UTF8.GetString(bytes);
    }

    private protected string[] Names(string path) =>
        [.. Disk.List(path).Select(n => n.Name).Order(StringComparer.Ordinal)];

    private IDisk Prepared()
    {
        IDisk disk = Track(OpenAgain());
        disk.CreateFolder("");
        return disk;
    }

    public void Dispose()
    {
        foreach (IDisposable opened in Enumerable.Reverse(_open))
        {
            opened.Dispose();
        }

        CleanUp();
        GC.SuppressFinalize(this);
    }

    private protected virtual void CleanUp()
    {
    }
}
