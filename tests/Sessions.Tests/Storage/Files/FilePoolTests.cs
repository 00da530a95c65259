using System.Text;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Files;

public sealed class FilePoolTests
{
    private readonly ManualTime _time = new();
    private readonly MemoryDisk _disk = new();
    private readonly FilePool _pool;
    private long _made;

    public FilePoolTests()
    {
        _disk.CreateFolder("");
        _disk.CreateFolder(Layout.Temporary);
        _pool = new FilePool(_disk, _time, "me", () => ++_made, new Quarantine(_disk, _time, canWrite: true));
    }

    [Fact]
    public void A_file_is_used_again_after_a_short_rest()
    {
        string first = Swapped("one");
        Assert.NotEqual(first, Swapped("two"));
        _time.Advance(11);
        Assert.Equal(first, Swapped("three"));
        Assert.Equal("three", Read(first));
    }

    [Fact]
    public void A_file_that_somebody_reads_is_left_alone_however_long_that_takes()
    {
        string first = Swapped("what the reader sees");
        using (IDiskFile reader = _disk.Open(first, OpenMode.Read))
        {
            for (int i = 0; i < 5; i++)
            {
                _time.Advance(3_600_000);
                Assert.NotEqual(first, _pool.Write("new"u8));
            }

            Assert.Equal("what the reader sees", Read(first));
        }

        _time.Advance(11);
        Assert.Equal(first, Swapped("new"));
    }

    [Fact]
    public void A_file_that_the_pool_did_not_make_is_never_written_to()
    {
        _disk.CreateFolder("folder");
        using (IDiskFile file = _disk.Open("folder/theirs", OpenMode.CreateNew))
        {
            file.Write("theirs"u8, 0);
        }

        string scratch = _pool.Write("ours"u8);
        _disk.Exchange(scratch, "folder/theirs");
        _disk.Link(scratch, "folder/other name"); // theirs, now called as the scratch file was
        _pool.Return(scratch);
        _time.Advance(11);
        Assert.NotEqual(scratch, _pool.Write("next"u8));
        Assert.Equal("theirs", Read("folder/other name"));
        Assert.Null(_disk.Stat(scratch));
    }

    [Fact]
    public void A_file_of_the_pool_that_got_a_second_name_is_never_written_to()
    {
        string first = Swapped("ours");
        _disk.Link(first, "other name");
        _time.Advance(11);
        Assert.NotEqual(first, _pool.Write("next"u8));
        Assert.Equal("ours", Read("other name"));
    }

    [Fact]
    public void A_folder_that_was_swapped_out_is_kept()
    {
        _disk.CreateFolder("tmp/folder");
        _pool.Return("tmp/folder");
        _time.Advance(11);
        _pool.Write("next"u8);
        Assert.Null(_disk.Stat("tmp/folder"));
        Assert.True(_disk.Stat("quarantine/1/folder")!.Value.IsFolder);
    }

    [Fact]
    public void A_shorter_content_leaves_nothing_of_the_longer_one()
    {
        string first = Swapped("a long content");
        _time.Advance(11);
        Assert.Equal(first, Swapped("short"));
        Assert.Equal("short", Read(first));
    }

    private string Swapped(string content)
    {
        string path = _pool.Write(Encoding.UTF8.GetBytes(content));
        _pool.Return(path);
        return path;
    }

    private string Read(string path)
    {
        using IDiskFile file = _disk.Open(path, OpenMode.Read);
        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0);
        return Encoding.UTF8.GetString(bytes);
    }
}
