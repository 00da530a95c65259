using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Sessions.Platform;
using Sessions.Platform.Unix;
using Sessions.Tests.Coordination.Queueing;

namespace Sessions.Tests.Platform;

/// <summary>What may stand in a folder on Linux and macOS and is no part of a store, met by both ways to open: by
/// openat2, and folder by folder.</summary>
[UnsupportedOSPlatform("windows")]
public sealed partial class UnixPlacesTests : IDisposable
{
    private readonly string _temp = Directory.CreateTempSubdirectory("sessions-places-").FullName;
    private readonly List<IDisposable> _open = [];

    public UnixPlacesTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Other kinds of things there.");
        Directory.CreateDirectory(Root, (UnixFileMode)0x1C0);
        Directory.CreateDirectory(Outside);
        File.WriteAllText(Path.Combine(Outside, "secret"), "secret");
    }

    private string Root => Path.Combine(_temp, "store");

    private string Outside => Path.Combine(_temp, "outside");

    public void Dispose()
    {
        foreach (IDisposable opened in _open)
        {
            opened.Dispose();
        }

        Directory.Delete(_temp, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_link_is_neither_opened_nor_gone_through(bool walks)
    {
        using var disk = new UnixDisk(Root, walks: walks);
        disk.CreateFolder("f");
        File.CreateSymbolicLink(Path.Combine(Root, "file"), Path.Combine(Outside, "secret"));
        File.CreateSymbolicLink(Path.Combine(Root, "gone"), Path.Combine(Outside, "nothing"));
        File.CreateSymbolicLink(Path.Combine(Root, "folder"), Outside);
        File.CreateSymbolicLink(Path.Combine(Root, "f", "inner"), "..");
        foreach (string name in (string[])["file", "gone", "folder"])
        {
            foreach (OpenMode mode in (OpenMode[])[OpenMode.Read, OpenMode.ReadWrite, OpenMode.OpenOrCreate])
            {
                Fails(DiskError.Misplaced, () => disk.Open(name, mode));
            }

            Fails(DiskError.Exists, () => disk.Open(name, OpenMode.CreateNew));
            Fails(DiskError.Misplaced, () => disk.OpenLocks(name, readOnly: false));
            Fails(DiskError.Misplaced, () => disk.OpenSharedPage(name, readOnly: false));
            Fails(DiskError.Misplaced, () => disk.OpenSharedPage(name, readOnly: true));
            Fails(DiskError.Misplaced, () => disk.CreateFolder(name));
            Fails(DiskError.Misplaced, () => disk.List(name));
            Fails(DiskError.Misplaced, () => disk.SyncFolder(name));
        }

        foreach (string folder in (string[])["folder", "f/inner"])
        {
            foreach (OpenMode mode in Enum.GetValues<OpenMode>())
            {
                Fails(DiskError.Misplaced, () => disk.Open(folder + "/secret", mode));
            }

            Assert.Null(disk.Stat(folder + "/secret"));
            Fails(DiskError.Misplaced, () => disk.List(folder));
            Fails(DiskError.Misplaced, () => disk.CreateFolder(folder + "/new"));
            Fails(DiskError.Misplaced, () => disk.Rename(folder + "/secret", "taken"));
            Fails(DiskError.Misplaced, () => disk.Rename("f", folder + "/new"));
            Fails(DiskError.Misplaced, () => disk.Exchange(folder + "/secret", "f"));
            Fails(DiskError.Misplaced, () => disk.Link(folder + "/secret", "taken"));
            Fails(DiskError.Misplaced, () => disk.Link("file", folder + "/new"));
            Fails(DiskError.Misplaced, () => disk.SetModified(folder + "/secret", 1));
            Fails(DiskError.Misplaced, () => disk.Unlink(folder + "/secret"));
            Fails(DiskError.Misplaced, () => disk.RemoveFolder(folder + "/new"));
        }

        Assert.Equal(["secret"], Directory.GetFileSystemEntries(Outside).Select(Path.GetFileName));
        Assert.Equal("secret", File.ReadAllText(Path.Combine(Outside, "secret")));
        disk.Unlink("file"); // the link itself
        disk.Rename("folder", "moved");
        Assert.True(disk.Stat("moved")!.Value.IsOther);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_pipe_or_a_socket_is_refused_and_nobody_waits_for_its_other_end(bool walks)
    {
        using var disk = new UnixDisk(Root, walks: walks);
        Assert.Equal(0, MakePipe(Encoding.UTF8.GetBytes(Path.Combine(Root, "pipe") + "\0"), 0x180));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        string here = Directory.GetCurrentDirectory();
        socket.Bind(new UnixDomainSocketEndPoint(Path.GetRelativePath(here, Path.Combine(Root, "socket"))));
        foreach (string name in (string[])["pipe", "socket"])
        {
            Assert.True(disk.Stat(name)!.Value.IsOther);
            foreach (OpenMode mode in (OpenMode[])[OpenMode.Read, OpenMode.ReadWrite, OpenMode.OpenOrCreate])
            {
                Fails(DiskError.Misplaced, () => disk.Open(name, mode, mayBeLinked: true));
            }

            Fails(DiskError.Misplaced, () => disk.OpenLocks(name, readOnly: true));
            Fails(DiskError.Misplaced, () => disk.OpenSharedPage(name, readOnly: false));
        }
    }

    [Fact]
    public void What_others_may_write_to_is_refused_unless_the_store_is_shared()
    {
        using var disk = new UnixDisk(Root);
        using var shared = new UnixDisk(Root, sharesOwners: true);
        string path = Path.Combine(Root, "a");
        File.WriteAllText(path, "text");
        foreach (UnixFileMode mode in (UnixFileMode[])[(UnixFileMode)0x192, (UnixFileMode)0x1B0])
        {
            File.SetUnixFileMode(path, mode);
            DiskException e = Assert.Throws<DiskException>(() => disk.Open("a", OpenMode.Read));
            Assert.Equal(DiskError.AccessDenied, e.Error);
            Assert.True(e.IsOfOthers);
            Assert.Equal((uint)mode, e.Mode);
            Assert.True(disk.Stat("a")!.Value.IsOfOthers);
            Assert.False(shared.Stat("a")!.Value.IsOfOthers);
            shared.Open("a", OpenMode.Read).Dispose();
        }

        File.SetUnixFileMode(path, (UnixFileMode)0x1A4); // 0644: others may read, as they may most files
        disk.Open("a", OpenMode.Read).Dispose();
    }

    [Fact]
    public void What_is_made_in_a_shared_store_takes_the_folders_permissions()
    {
        File.SetUnixFileMode(Root, (UnixFileMode)0x1F8); // 0770
        using var shared = new UnixDisk(Root, sharesOwners: true);
        shared.Open("a", OpenMode.CreateNew).Dispose();
        shared.CreateFolder("f");
        Assert.Equal(0x1B0u, shared.Stat("a")!.Value.Mode & 0x1FF);
        Assert.Equal(0x1F8u, shared.Stat("f")!.Value.Mode & 0x1FF);
    }

    [Fact]
    public void Root_takes_the_store_of_one_other_user_and_gives_it_what_it_makes()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Needs root.");
        const uint other = 65533;
        File.WriteAllText(Path.Combine(Root, "roots"), "");
        File.WriteAllText(Path.Combine(Root, "theirs"), "");
        File.WriteAllText(Path.Combine(Root, "anothers"), "");
        Own(Root, other);
        Own(Path.Combine(Root, "theirs"), other);
        Own(Path.Combine(Root, "anothers"), other - 1);
        using var disk = new UnixDisk(Root);
        disk.Open("theirs", OpenMode.ReadWrite).Dispose();
        disk.Open("roots", OpenMode.ReadWrite).Dispose();
        Assert.True(Assert.Throws<DiskException>(() => disk.Open("anothers", OpenMode.Read)).IsOfOthers);
        disk.Open("new", OpenMode.CreateNew).Dispose();
        disk.CreateFolder("folder");
        Assert.Equal(other, disk.Stat("new")!.Value.Owner);
        Assert.Equal(other, disk.Stat("folder")!.Value.Owner);
    }

    [Fact]
    public void A_name_that_is_no_text_can_be_listed_and_removed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names are text elsewhere.");
        using var disk = new UnixDisk(Root);
        byte[][] names =
            [[0xFF], [(byte)'a', 0x80, (byte)'b'], [0xED, 0xA0, 0x80], [0xC3, 0xA4, 0xF0, 0x9F], [0xC3, 0xA4]];
        foreach (byte[] name in names)
        {
            Assert.Equal(0, MakePipe([.. Encoding.UTF8.GetBytes(Root + "/"), .. name, 0], 0x180));
        }

        IReadOnlyList<DiskName> listed = disk.List("");
        Assert.Equal(names.Length, listed.Count);
        foreach (DiskName name in listed)
        {
            disk.Unlink(name.Name);
        }

        Assert.Empty(disk.List(""));
    }

    [Fact]
    public void A_disk_that_was_disposed_of_answers_and_opens_nothing()
    {
        var disk = new UnixDisk(Root);
        disk.CreateFolder("f");
        disk.Dispose();
        Assert.Throws<DiskException>(() => disk.Open("a", OpenMode.CreateNew));
        Assert.Throws<DiskException>(() => disk.Stat("f"));
        Assert.Throws<DiskException>(() => disk.List(""));
    }

    private static void Fails(DiskError error, Action call) =>
        Assert.Equal(error, Assert.Throws<DiskException>(call).Error);

    private static void Own(string path, uint user)
        => Assert.Equal(0, ChangeOwner(Encoding.UTF8.GetBytes(path + "\0"), user, user));

    [LibraryImport("libc", EntryPoint = "mkfifo")]
    private static partial int MakePipe(byte[] path, uint mode);

    [LibraryImport("libc", EntryPoint = "chown")]
    private static partial int ChangeOwner(byte[] path, uint user, uint group);
}

/// <summary>The contract where each folder on the way is opened by itself.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class WalkingDiskTests : SharingContract
{
    private readonly string _temp = Directory.CreateTempSubdirectory("sessions-walk-").FullName;

    private protected override IDisk OpenAgain() => new UnixDisk(Path.Combine(_temp, "store"), walks: true);

    private protected override void CleanUp() => Directory.Delete(_temp, recursive: true);
}
