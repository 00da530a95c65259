using System.Text;
using System.Text.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Upkeep;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Apply;

/// <summary>Files of one session that may not be written are no reason to stop for any other.</summary>
public sealed class UnwritableSessionTests
{
    private readonly ManualTime _time = new();
    private readonly FaultyDisk _disk = new(seed: 8) { FailWith = DiskError.AccessDenied };
    private string _log = "";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_log_that_may_not_be_written_stops_neither_appends_nor_close_nor_opening(bool isKilled)
    {
        SessionStore store = Open(_disk);
        Session bad = store.Create(), good = store.Create();
        bad.Say("1");
        good.Say("1");
        Refuse(_disk, bad.Id);
        Assert.Equal(2, bad.Say("2"));
        RequireHeld(store, bad.Id, 2);
        Assert.Equal(2, good.Say("2"));
        store.Create(good.Id).UpdateTitle("works");
        _time.Advance(10_000);
        Assert.False(store.Engine.Checkpointer.TryRun());
        store.Flush();
        FaultyDisk disk = _disk;
        for (int i = 3; i < 6; i++)
        {
            if (isKilled)
            {
                disk = disk.AfterKill();
            }
            else
            {
                store.Close();
                disk = disk.OpenAs();
            }

            using (SessionStore reader = Stores.Open(disk.OpenAs(),
                options: new SessionStoreOptions { Flags = StoreFlags.ReadOnly }))
            {
                Assert.Equal(2, reader.OpenSession(bad.Id).Events().GetProperty("events").GetArrayLength());
            }

            Refuse(disk, bad.Id);
            store = Open(disk);
            RequireHeld(store, bad.Id, 2);
            Assert.Equal(i, store.OpenSession(good.Id).Say($"{i}"));
            Assert.True(disk.Paths().Count(p => p.StartsWith("journal/0", StringComparison.Ordinal)) <= 2 + i);
        }

        disk.FailIf = null;
        _time.Advance(10_000);
        Assert.True(store.Engine.Checkpointer.TryRun());
        Assert.Equal(3, store.OpenSession(bad.Id).Say("3"));
        store.AssertSound();
        store.Close();
        Assert.Single(disk.Paths(), p => p.StartsWith("journal/0", StringComparison.Ordinal));
        using SessionStore again = Open(disk.OpenAs());
        Assert.Equal(3, again.OpenSession(bad.Id).Events().GetProperty("events").GetArrayLength());
        Assert.Equal(5, again.OpenSession(good.Id).Events().GetProperty("events").GetArrayLength());
        again.AssertSound();
    }

    [Fact]
    public void A_flush_that_cannot_erase_says_why_and_does_so_once_the_files_may_be_written()
    {
        using SessionStore store = Open(_disk);
        Session bad = store.Create(), secret = store.Create();
        bad.Say("1");
        secret.Say("a secret that goes");
        Refuse(_disk, bad.Id);
        bad.Say("2");
        secret.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
        Stores.Fails(SessionStatus.Corrupt, store.Flush);
        _disk.FailIf = null;
        store.Flush(); // tries at once, whenever a checkpoint tried last
        Assert.DoesNotContain(_disk.Paths(), p => _disk.Stat(p) is { IsFolder: false }
            && Encoding.UTF8.GetString(_disk.ReadAll(p)).Contains("a secret that goes", StringComparison.Ordinal));
        Assert.Equal(2, bad.Events().GetProperty("events").GetArrayLength());
    }

    [Fact]
    public void A_backup_without_what_is_held_is_none()
    {
        using SessionStore store = Open(_disk);
        Session bad = store.Create();
        bad.Say("1");
        Refuse(_disk, bad.Id);
        bad.Say("2");
        void Copy(MemoryDisk to) => new BackupCopy(store.Core, store.Engine.Checkpointer, store.Engine.Commit, to,
            new JobContext()).Run();
        Stores.Fails(SessionStatus.Corrupt, () => Copy(new MemoryDisk()));
        _disk.FailIf = null;
        var whole = new MemoryDisk();
        Copy(whole);
        using SessionStore backup = Stores.Open(whole);
        Assert.Equal(2, backup.OpenSession(bad.Id).Events().GetProperty("events").GetArrayLength());
        backup.AssertSound();
    }

    [Fact]
    public void What_was_held_is_written_by_the_opening_that_may_write_it()
    {
        SessionStore store = Open(_disk);
        Session bad = store.Create();
        bad.Say("1");
        Refuse(_disk, bad.Id);
        bad.Say("2");
        store.Close();
        using SessionStore again = Open(_disk.OpenAs());
        Assert.Equal(2, again.OpenSession(bad.Id).Events().GetProperty("events").GetArrayLength());
        Assert.Equal(3, again.OpenSession(bad.Id).Say("3"));
        Assert.Equal(0, again.Info().GetProperty("unwritable").GetArrayLength());
        again.AssertSound();
    }

    [Fact]
    public void A_neighbour_keeps_the_journal_of_what_another_could_not_write()
    {
        FaultyDisk beside = _disk.OpenAs();
        SessionStore store = Open(_disk), other = Stores.Open(beside, _time, processId: 4343);
        Session bad = store.Create(), good = other.Create();
        bad.Say("1");
        Refuse(_disk, bad.Id);
        beside.FailWith = DiskError.AccessDenied;
        Refuse(beside, bad.Id);
        bad.Say("2");
        Assert.Equal(2, other.OpenSession(bad.Id).Events().GetProperty("events").GetArrayLength());
        good.Say("1");
        _time.Advance(10_000);
        Assert.False(other.Engine.Checkpointer.TryRun());
        RequireHeld(other, bad.Id, 2);
        store.Close();
        beside.FailIf = null;
        _time.Advance(10_000);
        Assert.True(other.Engine.Checkpointer.TryRun());
        Assert.Equal(3, other.OpenSession(bad.Id).Say("3"));
        other.Close();
        using SessionStore again = Open(_disk.OpenAs());
        Assert.Equal(3, again.OpenSession(bad.Id).Events().GetProperty("events").GetArrayLength());
        again.AssertSound();
    }

    [Fact]
    public void A_salvage_passes_over_what_it_may_not_write()
    {
        SessionStore store = Open(_disk);
        Session bad = store.Create(), good = store.Create();
        bad.Say("1");
        good.Say("1");
        FaultyDisk disk = _disk.AfterKill();
        disk.FailWith = DiskError.AccessDenied;
        Refuse(disk, bad.Id);
        Stores.Text(b => SessionStore.Salvage(Stores.Environment(disk, _time), b));
        using SessionStore again = Open(disk.OpenAs());
        Assert.Equal(2, again.OpenSession(good.Id).Say("2"));
        Assert.Contains(disk.Paths(), p => p.StartsWith("quarantine/", StringComparison.Ordinal));
    }

    [Fact]
    public void Where_nothing_may_be_written_the_files_wait_for_all()
    {
        using SessionStore store = Open(_disk);
        Session session = store.Create();
        session.Say("1");
        _disk.FailIf = o => o.Name == "open" && o.Path.StartsWith("tmp/", StringComparison.Ordinal);
        _time.Advance(1000); // no scratch file is used again
        Assert.Equal(0, store.Info().GetProperty("unwritable").GetArrayLength());
        Record.Exception(() => session.UpdateTitle("new"));
        Assert.Equal(0, store.Info().GetProperty("unwritable").GetArrayLength());
        _disk.FailIf = null;
        session.UpdateTitle("newer");
        store.AssertSound();
    }

    [Fact]
    public void A_branch_whose_links_are_there_does_not_wait_for_a_parent_that_may_not_be_entered()
    {
        SessionStore store = Open(_disk);
        Session parent = store.Create();
        parent.Say("1");
        Session branch = parent.Fork();
        branch.Say("2");
        FaultyDisk disk = _disk.AfterKill();
        string folder = Layout.LiveFolder(parent.Id);
        disk.FailWith = DiskError.AccessDenied;
        disk.FailIf = o => o.Path.StartsWith(folder + "/", StringComparison.Ordinal);
        store = Open(disk);
        Assert.Equal([parent.Id], store.Info().GetProperty("unwritable").EnumerateArray().Select(i => i.GetString()));
        Session same = store.OpenSession(branch.Id);
        Assert.Equal(3, same.Say("3"));
        Assert.Equal(3, same.Events().GetProperty("events").GetArrayLength());
        disk.FailIf = null;
        _time.Advance(10_000);
        Assert.True(store.Engine.Checkpointer.TryRun());
        Assert.Equal(2, store.OpenSession(parent.Id).Say("2"));
        store.AssertSound();
        store.Close();
    }

    [Fact]
    public void A_session_that_may_not_be_written_does_not_end_the_exchange_of_files_for_others()
    {
        using SessionStore store = Open(_disk);
        Session bad = store.Create(), good = store.Create();
        _disk.FailIf = o =>
        {
            _disk.FailWith = o.Name == "renameat2" ? DiskError.Unsupported : DiskError.AccessDenied;
            return o.Name is "renameat2" or "rename"; // Linux says EACCES to both
        };
        bad.UpdateTitle("kept");
        int exchanges = 0;
        _disk.FailIf = o => (exchanges += o.Name == "renameat2" ? 1 : 0) < 0;
        good.UpdateTitle("new");
        Assert.True(exchanges > 0);
    }

    private SessionStore Open(FaultyDisk disk) => Stores.Open(disk, _time);

    private void Refuse(FaultyDisk disk, string id)
    {
        _log = Layout.LiveFolder(id) + "/" + Layout.EventsFile;
        disk.FailWith = DiskError.AccessDenied;
        disk.FailIf = o => o.Name == "pwrite" && o.Path == _log;
    }

    private static void RequireHeld(SessionStore store, string id, int events)
    {
        Session bad = store.OpenSession(id);
        Assert.Equal(events, bad.GetStat().LastSeq);
        JsonElement page = bad.Events().GetProperty("events");
        Assert.Equal(events, page.GetArrayLength());
        Assert.All(page.EnumerateArray(), e => Assert.Equal("user_prompt", e.GetProperty("type").GetString()));
        SessionException e = Stores.Fails(SessionStatus.Corrupt, () => bad.Say("no"));
        Assert.Contains(id, e.Details, StringComparison.Ordinal);
        Assert.Equal([id], store.Info().GetProperty("unwritable").EnumerateArray().Select(i => i.GetString()));
        Assert.Contains(store.Verify().GetProperty("issues").EnumerateArray(), i =>
            i.GetProperty("code").GetString() == "unwritable" && i.GetProperty("session_id").GetString() == id);
    }
}
