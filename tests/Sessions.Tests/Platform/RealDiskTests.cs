using Sessions.Platform;
using Sessions.Platform.Unix;
using Sessions.Tests.Support;

namespace Sessions.Tests.Platform;

/// <summary>The contract on the operating system's disk, and what only that one can show.</summary>
public sealed class RealDiskTests : SharingContract
{
    private readonly string _temp = Directory.CreateTempSubdirectory("sessions-disk-").FullName;

    private string Folder => Path.Combine(_temp, "missing", "parents", "store");

    [Fact]
    public void The_root_must_be_absolute() => Assert.Throws<ArgumentException>(() => RealDisk.Open("store"));

    [Fact]
    public void A_file_where_a_folder_should_be_is_said()
    {
        File.WriteAllText(Path.Combine(_temp, "file"), "");
        using IDisk disk = RealDisk.Open(Path.Combine(_temp, "file"));
        Fails(DiskError.NotFolder, () => disk.CreateFolder(""));
        using IDisk below = RealDisk.Open(Path.Combine(_temp, "file", "deeper", "store"));
        Assert.Throws<DiskException>(() => below.CreateFolder(""));
        Assert.Null(below.Stat(""));
    }

    [Fact]
    public void Capabilities_are_known_before_the_folder_is_there()
    {
        using IDisk disk = RealDisk.Open(Folder);
        DiskCapabilities before = disk.Capabilities;
        disk.CreateFolder("");
        using IDisk again = RealDisk.Open(Folder + Path.DirectorySeparatorChar);
        Assert.Equal(before, again.Capabilities);
    }

    [Fact]
    public void The_stores_folder_may_be_a_link_and_nothing_below_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a privilege there.");
        Write("a", "text");
        Disk.CreateFolder("f");
        File.CreateSymbolicLink(Path.Combine(Folder, "link"), "f");
        Assert.False(Disk.Stat("link")!.Value.IsFolder);
        Assert.True(Disk.Stat("link")!.Value.IsOther);
        Assert.Contains(new DiskName("link", false) { IsOther = true }, Disk.List(""));
        string other = Path.Combine(_temp, "other");
        File.CreateSymbolicLink(other, Folder);
        using IDisk linked = RealDisk.Open(other);
        Assert.True(linked.Stat("")!.Value.IsFolder);
        linked.CreateFolder("");
        Assert.NotNull(linked.Stat("a"));
    }

    [Fact]
    public void A_path_too_long_fails_as_a_disk_error()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Other limits.");
        Assert.Throws<DiskException>(() => Disk.Stat(new string('a', 5000)));
        Assert.Throws<DiskException>(() => Disk.Open(new string('ü', 2500), OpenMode.Read));
        Assert.Throws<DiskException>(() => Disk.Unlink(new string('a', 300)));
    }

    [Fact]
    public void A_full_device_says_so()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs /dev/full.");
        using IDisk devices = RealDisk.Open("/dev");
        Fails(DiskError.Misplaced, () => devices.Open("full", OpenMode.ReadWrite)); // no device is a file of a store
        Fails(DiskError.Misplaced, () => devices.OpenSharedPage("full", readOnly: false));
        using var full = new UnixFile(OpenDevice("/dev/full"u8), "full", 1, isLinked: false);
        Fails(DiskError.NoSpace, () => full.Write("x"u8, 0));
        DiskException sync = Assert.Throws<DiskException>(full.Sync);
        Assert.Equal("fdatasync", sync.Operation);
        Assert.Equal("full", sync.Path);
        Assert.Throws<DiskException>(() => full.SetLength(5));

        static unsafe int OpenDevice(ReadOnlySpan<byte> path)
        {
            fixed (byte* start = path)
            {
                return Posix.Open(start, Posix.ReadWrite);
            }
        }
    }

    [Fact]
    public void A_folder_that_the_system_forbids_is_said()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs /proc.");
        using IDisk disk = RealDisk.Open("/proc/store");
        Assert.Throws<DiskException>(() => disk.CreateFolder(""));
        using IDisk below = RealDisk.Open("/proc/deeper/store");
        Assert.Throws<DiskException>(() => below.CreateFolder(""));
        Assert.Equal("unknown", below.Capabilities.FileSystem);
        Assert.Throws<DiskException>(() => below.TrySyncAll());
    }

    [Fact]
    public void Folders_where_files_should_be_are_said()
    {
        Disk.CreateFolder("f");
        Fails(DiskError.IsFolder, () => Disk.OpenLocks("f", readOnly: false));
        Fails(DiskError.IsFolder, () => Disk.OpenSharedPage("f", readOnly: false));
        Fails(DiskError.NotFound, () => Disk.SyncFolder("x"));
    }

    [Fact]
    public void Errors_of_exchange_that_the_file_system_may_have_are_unsupported()
    {
        Disk.CreateFolder("f");
        Write("f/a", "");
        Fails(DiskError.Unsupported, () => Disk.Exchange("f", "f/a")); // EINVAL
    }

    [Fact]
    public void A_page_that_is_a_hole_gets_its_block_before_it_is_touched()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere the file is only made long enough.");
        using (IDiskFile file = Disk.Open("page", OpenMode.CreateNew))
        {
            file.SetLength(SharedPage.Bytes);
        }

        Assert.True(Posix.TryStat(Descriptor("page"), out UnixStat before));
        Disk.OpenSharedPage("page", readOnly: false)!.Dispose();
        Assert.True(Posix.TryStat(Descriptor("page"), out UnixStat after));
        Assert.False(before.HasBlocks);
        Assert.True(after.HasBlocks);

        int Descriptor(string name)
        {
            FileStream stream = Track(new FileStream(Path.Combine(Folder, name), FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite));
            return (int)stream.SafeFileHandle.DangerousGetHandle();
        }
    }

    [Fact]
    public void Reading_writing_and_syncing_allocate_nothing()
    {
        using IDiskFile file = Disk.Open("a", OpenMode.CreateNew);
        byte[] frame = new byte[300];
        Round();
        Assert.Equal(0, Allocations.LeastOf(Round));

        void Round()
        {
            file.Write(frame, 0);
            file.Sync();
            _ = file.Read(frame, 0);
            file.StartWriteback();
        }
    }

    private protected override IDisk OpenAgain() => RealDisk.Open(Folder);

    private protected override void CleanUp() => Directory.Delete(_temp, recursive: true);
}
