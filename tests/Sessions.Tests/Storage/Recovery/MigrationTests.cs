using System.Text;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Page;
using Sessions.Storage.Recovery;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Recovery;

/// <summary>A made-up format 0, in which titles were called names, on its way to format 1.</summary>
public sealed class MigrationTests
{
    private static readonly IMigrationStep[] Steps = [new NamesToTitles()];

    [Fact]
    public void A_store_of_an_older_format_is_taken_along_and_kept_as_it_was()
    {
        (MemoryDisk disk, string id) = Old();
        Dictionary<string, byte[]> before = OpenTests.Content(disk);
        using (SessionStore store = Open(disk.OpenAs()))
        {
            Assert.Equal("Cart", store.OpenSession(id).Info().GetProperty("title").GetString());
            Assert.Equal(1, store.OpenSession(id).Events().GetProperty("events").GetArrayLength());
            store.AssertSound();
        }

        AssertBackup(before, disk);
        using SessionStore again = Stores.Open(disk.OpenAs());
        Assert.Equal("Cart", again.OpenSession(id).Info().GetProperty("title").GetString());
    }

    [Theory]
    [InlineData(StoreFlags.NoMigrate)]
    [InlineData(StoreFlags.ReadOnly)]
    public void Who_may_not_migrate_refuses_and_changes_nothing(StoreFlags flags)
    {
        (MemoryDisk disk, _) = Old();
        Dictionary<string, byte[]> before = OpenTests.Content(disk);
        SessionException e = Stores.Fails(SessionStatus.Version, () => Open(disk.OpenAs(), flags));
        Assert.Equal("""{"what":"store","format_version":0,"supported":1}""", e.Details);
        Assert.Equal(before, OpenTests.Content(disk));
    }

    [Fact]
    public void A_format_without_a_step_is_refused()
    {
        (MemoryDisk disk, _) = Old();
        Stores.Fails(SessionStatus.Version, () => Stores.Open(disk.OpenAs()));
    }

    [Fact]
    public void A_migration_that_is_cut_anywhere_goes_on_at_the_next_open()
    {
        (MemoryDisk old, string id) = Old();
        Dictionary<string, byte[]> before = OpenTests.Content(old);
        bool wasCut = true;
        for (int cut = 1; wasCut; cut++)
        {
            var disk = new FaultyDisk(cut);
            foreach ((string path, byte[] content) in before)
            {
                disk.Poke(path, content);
            }

            disk.CutAt = cut;
            wasCut = false;
            try
            {
                using SessionStore store = Open(disk);
                store.Close();
            }
            catch (Exception e) when (e is PowerCutException || e.InnerException is PowerCutException)
            {
                wasCut = true;
            }

            FaultyDisk left = disk.AfterPowerCut(cut);
            using (SessionStore store = Open(left))
            {
                Assert.Equal("Cart", store.OpenSession(id).Info().GetProperty("title").GetString());
                Assert.Equal(1, store.OpenSession(id).Events().GetProperty("events").GetArrayLength());
                store.AssertSound();
            }

            AssertBackup(before, left);
        }
    }

    [Fact]
    public void A_migration_by_itself_says_what_it_did_and_is_begun_again_wherever_it_was_stopped()
    {
        (MemoryDisk old, string id) = Old();
        Dictionary<string, byte[]> before = OpenTests.Content(old);
        bool wasStopped = true;
        int number = 0;
        while (wasStopped)
        {
            number++;
            var disk = new FaultyDisk(number);
            foreach ((string path, byte[] content) in before)
            {
                disk.Poke(path, content);
            }

            var context = new JobContext();
            int calls = 0;
            disk.FailIf = _ =>
            {
                if (++calls == number)
                {
                    context.Stop(JobStop.Cancelled);
                }

                return false;
            };
            SessionException? e = Record.Exception(() => Migrate(disk, context)) as SessionException;
            wasStopped = calls >= number;
            Assert.Equal(e is null, StoreFile.Read(disk)!.Version == 1);
            Assert.True(e is null || (wasStopped && e.Status == SessionStatus.Cancelled), e?.Message);
            disk.FailIf = null;
            Assert.Equal(e is null ? """{"from_version":1,"to_version":1}""" : """{"from_version":0,"to_version":1}""",
                Migrate(disk, new JobContext()));
            using SessionStore store = Stores.Open(disk);
            Assert.Equal("Cart", store.OpenSession(id).Info().GetProperty("title").GetString());
            store.AssertSound();
            AssertBackup(before, disk);
        }

        Assert.True(number > 20, $"{number}");
    }

    [Fact]
    public void A_migration_by_itself_needs_the_store_to_itself_and_a_format_it_knows()
    {
        (MemoryDisk disk, _) = Old();
        using (ILockFile other = disk.OpenAs().OpenLocks(Layout.StoreFile, readOnly: false))
        {
            Assert.True(other.TryLock(StoreLock.Alive, exclusive: false));
            Stores.Fails(SessionStatus.Busy, () => Migrate(disk.OpenAs(), new JobContext()));
        }

        OpenTests.SetVersion(disk, 2);
        Stores.Fails(SessionStatus.Version, () => Migrate(disk.OpenAs(), new JobContext()));
        Stores.Fails(SessionStatus.NotFound, () => Migrate(new MemoryDisk(), new JobContext()));
        OpenTests.SetVersion(disk, 0);
        MemoryDisk remote = disk.OpenAs();
        remote.Capabilities = remote.Capabilities with { IsLocal = false };
        Stores.Fails(SessionStatus.NotLocal, () => Migrate(remote, new JobContext()));
        Assert.Equal(0, StoreFile.Read(disk)!.Version);
    }

    private static string Migrate(IDisk disk, JobContext context)
        => Stores.Text(b => SessionStore.Migrate(Stores.Environment(disk), context, b, Steps));

    [Fact]
    public void A_migration_does_not_run_under_the_feet_of_another()
    {
        (MemoryDisk disk, _) = Old();
        using ILockFile other = disk.OpenAs().OpenLocks(Layout.StoreFile, readOnly: false);
        Assert.True(other.TryLock(StoreLock.Alive, exclusive: false));
        Stores.Fails(SessionStatus.Busy, () => Open(disk.OpenAs()));
        Assert.Equal(0, StoreFile.Read(disk)!.Version);
    }

    [Fact]
    public void A_migration_syncs_file_by_file_where_the_system_cannot_sync_them_all()
    {
        (MemoryDisk old, string id) = Old();
        var disk = new FaultyDisk(seed: 5) { HasSyncAll = false };
        foreach (string path in old.Paths())
        {
            disk.Poke(path, old.Peek(path));
        }

        var synced = new HashSet<string>();
        disk.FailIf = o =>
        {
            if (o.Name is "fdatasync" or "fsync")
            {
                synced.Add(o.Path);
            }

            return false;
        };
        Open(disk).Dispose();
        string folder = Layout.LiveFolder(id);
        Assert.Superset(new HashSet<string> { folder + "/session.json", folder + "/events.jsonl", folder, "" }, synced);
    }

    [Fact]
    public void A_version_that_no_step_leads_from_is_refused_and_left_as_it_is()
    {
        (MemoryDisk disk, _) = Old();
        Dictionary<string, byte[]> before = OpenTests.Content(disk);
        Stores.Fails(SessionStatus.Version, () => SessionStore.Open(Stores.Environment(disk.OpenAs()), migrations: []));
        Assert.Equal(before.Keys, OpenTests.Content(disk).Keys);
        Assert.Equal(0, StoreFile.Read(disk)!.Version);
    }

    private static (MemoryDisk Disk, string Id) Old()
    {
        var disk = new MemoryDisk();
        string id;
        using (SessionStore store = Stores.Open(disk.OpenAs()))
        {
            Session session = store.Create(null, new SessionCreateOptions { Title = "Cart" });
            id = session.Id;
            session.Say("one");
            store.Create();
        }

        OpenTests.SetVersion(disk, 0);
        disk.Unlink(Layout.IndexFile);
        foreach ((string folder, _, _) in FolderScan.Folders(disk).ToList())
        {
            string path = folder + "/" + Layout.SessionFile;
            disk.Poke(path, NamesToTitles.Rename(disk.Peek(path)!, "title", "name"));
        }

        return (disk, id);
    }

    private static SessionStore Open(IDisk disk, StoreFlags flags = StoreFlags.None)
        => SessionStore.Open(Stores.Environment(disk), new SessionStoreOptions { Flags = flags, BusyTimeoutMs = 50 },
            "/store", Steps);

    private static void AssertBackup(Dictionary<string, byte[]> before, ModelDisk disk)
    {
        foreach ((string path, byte[] content) in before)
        {
            if (!path.StartsWith("locks/", StringComparison.Ordinal))
            {
                Assert.True(content.AsSpan().SequenceEqual(disk.Peek($"backup/v0/{path}")), path);
            }
        }
    }

    private sealed class NamesToTitles : IMigrationStep
    {
        public int From => 0;

        public void Run(IDisk disk)
        {
            foreach ((string folder, _, _) in FolderScan.Folders(disk).ToList())
            {
                string path = folder + "/" + Layout.SessionFile;
                if (disk.Stat("tmp/migrated") is not null)
                {
                    disk.Unlink("tmp/migrated"); // after a cut it may be another name of what was renamed already
                }

                disk.WriteAll("tmp/migrated", Rename(disk.ReadAll(path), "name", "title"));
                disk.Rename("tmp/migrated", path);
            }
        }

        public static byte[] Rename(byte[] file, string from, string to)
        {
            string compact = Encoding.UTF8.GetString(CheckedJson.Read(file)!)
                .Replace($"\"{from}\":", $"\"{to}\":", StringComparison.Ordinal);
            var output = new Utf8Buffer();
            CheckedJson.Write(Stores.Utf8(compact), output);
            return output.ToArray();
        }
    }
}
