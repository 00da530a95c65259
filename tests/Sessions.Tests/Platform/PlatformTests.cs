using System.Runtime.InteropServices;
using Sessions.Platform;
using Sessions.Platform.Unix;

namespace Sessions.Tests.Platform;

/// <summary>The small parts of the platform room.</summary>
public sealed unsafe class PlatformTests
{
    [Fact]
    public void A_wait_in_the_process_ends_with_a_wake()
    {
        int* word = (int*)NativeMemory.AllocZeroed(sizeof(int));
        var waiters = new Thread[3];
        for (int i = 0; i < waiters.Length; i++)
        {
            waiters[i] = new Thread(() =>
            {
                while (Volatile.Read(ref *word) == 0)
                {
                    Futex.Wait(word, 0, -1);
                }
            });
            waiters[i].Start();
        }

        Futex.Wait(word, 0, 1);
        Futex.Wait(word, 7, -1);
        Volatile.Write(ref *word, 1);
        foreach (Thread _ in waiters)
        {
            Futex.Wake(word, 1);
        }

        Assert.All(waiters, w => Assert.True(w.Join(30_000)));
        NativeMemory.Free(word);
    }

    [Fact]
    public void The_boot_id_and_the_start_of_a_process_are_known_on_Linux()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux alone.");
        Assert.NotEqual(0ul, Machine.BootId);
        Assert.Equal(Machine.BootId, Machine.BootId);
        long started = Machine.ProcessStartedAt(Environment.ProcessId);
        Assert.True(started > 0);
        Assert.Equal(started, Machine.ProcessStartedAt(Environment.ProcessId));
        Assert.Equal(0, Machine.ProcessStartedAt(int.MaxValue));
    }

    [Fact]
    public void The_default_folder_follows_the_environment()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux alone.");
        Assert.Equal("/data", Folder(("SESSIONS_HOME", "/data"), ("HOME", "/home/ann")));
        Assert.Equal("/xdg/sessions", Folder(("XDG_DATA_HOME", "/xdg"), ("HOME", "/home/ann")));
        Assert.Equal("/home/ann/.local/share/sessions", Folder(("HOME", "/home/ann")));
        Assert.Equal("/home/ann/.local/share/sessions", Folder(("XDG_DATA_HOME", "relative"), ("HOME", "/home/ann")));
        Assert.Equal("/home/ann/.local/share/sessions", Folder(("SESSIONS_HOME", ""), ("HOME", "/home/ann")));
        Assert.True(Path.IsPathFullyQualified(Folder()));
        Assert.True(Path.IsPathFullyQualified(Folder(("SESSIONS_HOME", "relative"))));
        Assert.True(Path.IsPathFullyQualified(DataFolder.Default()));
    }

    [Fact]
    public void A_home_that_is_no_full_path_is_refused_and_not_replaced()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux alone.");
        foreach (string home in (string[])["relative", ".", "~", "home/ann"])
        {
            SessionException refused = Assert.Throws<SessionException>(() => Folder(("HOME", home)));
            Assert.Equal((SessionStatus.InvalidArgument, """{"argument":"path"}"""),
                (refused.Status, refused.Details));
            Assert.Equal("/xdg/sessions", Folder(("XDG_DATA_HOME", "/xdg"), ("HOME", home)));
        }
    }

    [Theory]
    [InlineData(0xEF53, "ext4", true)]
    [InlineData(0x58465342, "xfs", true)]
    [InlineData(0x9123683E, "btrfs", true)]
    [InlineData(0x2FC12FC1, "zfs", true)]
    [InlineData(0x01021994, "tmpfs", true)]
    [InlineData(0x858458F6, "ramfs", true)]
    [InlineData(0x794C7630, "overlay", true)]
    [InlineData(0xF2F52010, "f2fs", true)]
    [InlineData(0xCA451A4E, "bcachefs", true)]
    [InlineData(0x3153464A, "jfs", true)]
    [InlineData(0x52654973, "reiserfs", true)]
    [InlineData(0x24051905, "ubifs", true)]
    [InlineData(0x3434, "nilfs", true)]
    [InlineData(0xF15F, "ecryptfs", true)]
    [InlineData(0x61756673, "aufs", true)]
    [InlineData(0x7366746E, "ntfs", true)]
    [InlineData(0x2011BAB0, "exfat", true)]
    [InlineData(0x4D44, "vfat", true)]
    [InlineData(0x53464846, "wslfs", true)]
    [InlineData(0x6969, "nfs", false)]
    [InlineData(0x517B, "smb", false)]
    [InlineData(0xFE534D42, "smb2", false)]
    [InlineData(0xFF534D42, "cifs", false)]
    [InlineData(0x01021997, "9p", false)]
    [InlineData(0x65735546, "fuse", false)]
    [InlineData(0x00C36400, "ceph", false)]
    [InlineData(0x786F4256, "vboxsf", false)]
    [InlineData(0xBACBACBC, "vmhgfs", false)]
    [InlineData(0x7C7C6673, "prl_fs", false)]
    [InlineData(0x5346414F, "afs", false)]
    [InlineData(0x6B414653, "afs", false)]
    [InlineData(0x73757245, "coda", false)]
    [InlineData(0x564C, "ncp", false)]
    [InlineData(0x01161970, "gfs2", false)]
    [InlineData(0x7461636F, "ocfs2", false)]
    [InlineData(0x0BD00BD0, "lustre", false)]
    [InlineData(0x47504653, "gpfs", false)]
    [InlineData(0x12345678, "unknown", true)]
    public void File_systems_are_known_by_number(uint type, string name, bool isLocal) =>
        Assert.Equal((name, isLocal), (FileSystems.OfLinux(type).FileSystem, FileSystems.OfLinux(type).IsLocal));

    [Fact]
    public void File_systems_without_links_say_so()
    {
        Assert.False(FileSystems.OfLinux(0x4D44).HardLinks);
        Assert.True(FileSystems.OfLinux(0xEF53).HardLinks);
    }

    [Theory]
    [InlineData(1, "AccessDenied")]
    [InlineData(2, "NotFound")]
    [InlineData(5, "Io")]
    [InlineData(13, "AccessDenied")]
    [InlineData(17, "Exists")]
    [InlineData(18, "Unsupported")]
    [InlineData(20, "NotFolder")]
    [InlineData(21, "IsFolder")]
    [InlineData(22, "Io")]
    [InlineData(27, "NoSpace")]
    [InlineData(28, "NoSpace")]
    [InlineData(30, "ReadOnly")]
    [InlineData(31, "Unsupported")]
    [InlineData(38, "Unsupported")]
    [InlineData(39, "NotEmpty")]
    [InlineData(95, "Unsupported")]
    [InlineData(122, "NoSpace")]
    public void Error_numbers_have_a_kind(int number, string kind)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux numbers.");
        DiskException failure = Errno.Failure("open", "a/b", number);
        Assert.Equal(kind, failure.Error.ToString());
        Assert.Equal(number, failure.OsError);
        Assert.Equal($"open a/b: {kind} ({number})", failure.Message);
    }

    private static string Folder(params (string Name, string Value)[] variables) =>
        DataFolder.Default(name => variables.FirstOrDefault(v => v.Name == name).Value);
}
