using System.Text;
using Sessions.Platform;
using Sessions.Storage;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;
using Xunit;

namespace Sessions.Tests.StorageTests;

public sealed class FilePoolTests
{
    private readonly ManualTime _time = new();
    private readonly MemoryDisk _disk = new();
    private readonly FilePool _pool;

    public FilePoolTests()
    {
        _disk.CreateFolder("");
        _disk.CreateFolder(Layout.Temporary);
        _pool = new FilePool(_disk, _time, "me");
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
