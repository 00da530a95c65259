using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Sessions.Platform;

namespace Sessions.Tests.Platform;

/// <summary>Tests that change what the whole process has: umask, standard input, the fork guard.
/// They run alone.</summary>
[CollectionDefinition(nameof(ProcessStateTests), DisableParallelization = true)]
[Collection(nameof(ProcessStateTests))]
public sealed partial class ProcessStateTests : IDisposable
{
    private const int GetDescriptorFlags = 1;
    private const int CloseOnExec = 1;

    private readonly string _temp = Directory.CreateTempSubdirectory("sessions-process-").FullName;
    private readonly IDisk _disk;

    public ProcessStateTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Not on Windows.");
        _disk = RealDisk.Open(_temp);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0x12)]  // 0022
    [InlineData(0x1FF)] // 0777
    public void Modes_do_not_depend_on_the_umask(uint mask)
    {
        uint before = SetMask(mask);
        try
        {
            _disk.CreateFolder("f");
            _disk.Open("f/a", OpenMode.CreateNew).Dispose();
            _disk.Open("f/b", OpenMode.OpenOrCreate).Dispose();
            _disk.OpenSharedPage("f/page", readOnly: false)!.Dispose();
        }
        finally
        {
            SetMask(before);
        }

        Assert.Equal(0x1C0u, _disk.Stat("f")!.Value.Mode);
        Assert.All(["f/a", "f/b", "f/page"], path => Assert.Equal(0x180u, _disk.Stat(path)!.Value.Mode));
    }

    [Fact]
    public void No_file_gets_the_number_of_a_standard_stream()
    {
        var opened = new ConcurrentBag<int>();
        _disk.Open("lock", OpenMode.CreateNew).Dispose();
        int saved = Duplicate(0);
        Assert.True(saved > 2);
        ForkGuard.DescriptorOpened = opened.Add;
        try
        {
            CloseDescriptor(0);
            _disk.OpenLocks("lock", readOnly: false).Dispose();
        }
        finally
        {
            ForkGuard.DescriptorOpened = null;
            DuplicateTo(saved, 0);
            CloseDescriptor(saved);
        }

        Assert.True(Assert.Single(opened) > 2);
    }

    [Fact]
    public void The_fork_guard_hears_of_each_descriptor_with_locks_while_it_is_open()
    {
        var opened = new ConcurrentBag<int>();
        var closed = new ConcurrentBag<(int Fd, int Flags)>();
        ForkGuard.DescriptorOpened = opened.Add;
        ForkGuard.DescriptorClosed = fd => closed.Add((fd, DescriptorControl(fd, GetDescriptorFlags, 0)));
        try
        {
            using (_disk.Open("lock", OpenMode.CreateNew))
            {
            }

            ILockFile locks = _disk.OpenLocks("lock", readOnly: false);
            Assert.Empty(closed);
            locks.Dispose();
            locks.Dispose();
        }
        finally
        {
            ForkGuard.DescriptorOpened = null;
            ForkGuard.DescriptorClosed = null;
        }

        (int fd, int flags) = Assert.Single(closed);
        Assert.Equal(Assert.Single(opened), fd);
        Assert.Equal(CloseOnExec, flags); // still open at the call, and not passed on to programs
    }

    public void Dispose()
    {
        _disk.Dispose();
        Directory.Delete(_temp, recursive: true);
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetMask(uint mask);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int fd);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int DuplicateTo(int fd, int target);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseDescriptor(int fd);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int DescriptorControl(int fd, int command, int argument);
}
