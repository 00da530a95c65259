using System.Globalization;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Files;

/// <summary>Disks that can do less, and folders that go missing: the same store in other ways.</summary>
public sealed class PlainDiskTests
{
    [Theory]
    [InlineData(true, true, true)]
    [InlineData(false, false, false)]
    [InlineData(true, false, true)]
    public void A_store_is_the_same_whatever_its_disk_can_do(bool links, bool exchange, bool syncAll)
    {
        var disk = new FaultyDisk(seed: 61)
        {
            Capabilities = new DiskCapabilities("plain", true, links, exchange),
            HasSyncAll = syncAll,
        };
        Work(disk);
    }

    [Fact]
    public void A_disk_that_only_says_it_can_swap_files_is_believed_once()
    {
        var disk = new FaultyDisk(seed: 62) { FailWith = DiskError.Unsupported };
        disk.FailIf = o => o.Name == "renameat2";
        Work(disk);
        Assert.Equal(2, disk.Failures); // once in each of two openings that wrote
    }

    [Fact]
    public void Sessions_of_more_days_than_are_remembered()
    {
        var time = new ManualTime();
        var disk = new MemoryDisk();
        using SessionStore store = Stores.Open(disk, time);
        for (int day = 0; day < 1100; day++)
        {
            time.Advance(24L * 60 * 60 * 1000);
            store.Create(null, new SessionCreateOptions { Title = day.ToString(CultureInfo.InvariantCulture) });
        }

        Assert.Equal(1100, store.List().GetArrayLength());
        store.AssertSound();
    }

    [Fact]
    public void A_session_whose_folder_was_removed_is_made_anew_and_stops_no_other()
    {
        var disk = new MemoryDisk();
        using SessionStore store = Stores.Open(disk);
        Session lost = store.Create(), other = store.Create();
        string folder = Layout.LiveFolder(lost.Id);
        foreach (string path in disk.Paths().Where(p => p.StartsWith(folder + "/", StringComparison.Ordinal)).ToList())
        {
            disk.Unlink(path);
        }

        disk.RemoveFolder(folder);
        Assert.Equal(1, lost.Say("one"));
        lost.UpdateTitle("kept");
        Assert.Equal(1, other.Say("one"));
        store.Flush();
        Assert.NotNull(disk.Peek(folder + "/" + Layout.SessionFile));
        store.AssertSound();
    }

    private static void Work(FaultyDisk disk)
    {
        string id;
        using (SessionStore store = Stores.Open(disk))
        {
            Session session = store.Create(null, new SessionCreateOptions { Title = "one" });
            id = session.Id;
            session.Say("one");
            session.UpdateTitle("two");
            session.UpdateTitle("three");
            Stores.Text(b => session.WriteShare(null, b));
            store.Configure(null, """{"unique_roles":true}"""u8);
            Session gone = store.Create();
            gone.Delete();
            store.Restore(gone.Id);
            gone.Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        }

        using (SessionStore store = Stores.Open(disk))
        {
            Session session = store.OpenSession(id);
            session.UpdateTitle("four");
            session.Say("two");
            Assert.Equal(1, store.List().GetArrayLength());
            store.AssertSound();
        }

        using SessionStore cut = Stores.Open(disk.AfterPowerCut(seed: 3));
        Assert.Equal(("four", 2), (cut.OpenSession(id).Info().GetProperty("title").GetString(),
            cut.OpenSession(id).GetStat().LastSeq));
        cut.AssertSound();
    }
}
