using System.Buffers;
using System.Text.Json;
using Sessions.Model;
using Sessions.Storage.Files;
using Sessions.Storage.Upkeep;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Upkeep;

/// <summary>Backups of a store that is at work.</summary>
public sealed class BackupTests : IDisposable
{
    private const int OperationsMax = 500; // of each worker, so that what there is to verify ends

    private readonly MemoryDisk _disk = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("sessions-backup-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_copy_of_a_store_under_full_load_is_of_one_moment()
    {
        using SessionStore store = Open(1), neighbour = Open(2);
        List<string> kept = [.. Enumerable.Range(0, 30).Select(_ => store.Create().Id)];
        foreach (string id in kept)
        {
            using Session session = store.OpenSession(id);
            session.Say("before", AppendFlags.Relaxed);
            session.UpdateTitle("before");
        }

        using var stop = new CancellationTokenSource();
        Task[] load =
        [
            .. Enumerable.Range(0, 4).Select(worker => Task.Run(() => Work(worker % 2 == 0 ? store : neighbour, worker,
                kept, stop.Token), TestContext.Current.CancellationToken)),
        ];
        try
        {
            for (int round = 0; round < 2; round++)
            {
                var copy = new MemoryDisk();
                var backup = new BackupCopy(store.Core, store.Engine.Checkpointer, store.Commit, copy.OpenAs(),
                    new JobContext());
                backup.Run();
                using SessionStore restored = Stores.Open(copy.OpenAs());
                restored.AssertSound();
                Assert.Equal(0, restored.Info().GetProperty("recovered").GetProperty("redone_records").GetInt64());
                foreach (string id in kept)
                {
                    using Session session = restored.OpenSession(id);
                    JsonElement events = session.Events();
                    Assert.Equal(session.GetStat().LastSeq, events.GetProperty("last_seq").GetInt64());
                    Assert.True(session.GetStat().EventCount >= 1);
                    Assert.Equal(0, events.GetProperty("skipped").GetArrayLength());
                }

                // What one commit made of two sessions is there of both or of none.
                AssertPairs(restored);
                Session made = restored.Create();
                Assert.Equal(1, made.Say("it goes on"));
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(load);
        }

        store.AssertSound();
    }

    [Fact]
    public void A_second_run_brings_what_is_new_and_leaves_nothing_beside_it()
    {
        string path = Path.Combine(_folder, "deep", "backup"), home = Path.Combine(_folder, "store");
        using SessionStore store = SessionStore.Open(home);
        Session first = store.Create();
        first.Say("one");
        Session gone = store.Create();
        Session trashed = store.Create();
        trashed.Delete();
        first.PutFile("note.txt", "kept"u8, new ArrayBufferWriter<byte>());
        Session branch = first.Fork();
        JsonElement report = Stores.Json(b => store.Backup(path, b));
        Assert.Equal((path, 4), (report.GetProperty("path").GetString(), report.GetProperty("sessions").GetInt32()));
        first.Say("two");
        branch.Say("of the branch");
        gone.Delete(DeletePolicy.NoTrash);
        using (SessionJob job = SessionJob.Start(store, "backup", Stores.Utf8(
            JsonSerializer.Serialize(new { path }))))
        {
            Assert.True(job.Wait(uint.MaxValue));
            Assert.Equal(3, Stores.Json(b => job.TryWriteResult(b)).GetProperty("sessions").GetInt32());
        }

        Assert.Equal([path], Directory.GetFileSystemEntries(Path.Combine(_folder, "deep")));
        Assert.Equal(["journal", "sessions", "store.json", "trash"],
            Directory.GetFileSystemEntries(path).Select(Path.GetFileName).Where(n => n is not "config.json").Order());
        using SessionStore restored = SessionStore.Open(path);
        restored.AssertSound();
        Assert.Equal(store.Info().GetProperty("store_id").GetString(),
            restored.Info().GetProperty("store_id").GetString());
        Assert.Equal(2, restored.OpenSession(first.Id).Events().GetProperty("events").GetArrayLength());
        Assert.Equal(2, restored.OpenSession(branch.Id).Events().GetProperty("events").GetArrayLength());
        Stores.Fails(SessionStatus.NotFound, () => restored.OpenSession(gone.Id));
        restored.Restore(trashed.Id);
        Assert.Single(Directory.GetFiles(Path.Combine(restored.OpenSession(first.Id).GetPath(), "files")));
    }

    // A file or a link named tmp in the backup before it, and folders deeper than a path may be long within it, kept
    // each later run from its end.
    [Theory]
    [InlineData("file")]
    [InlineData("link")]
    [InlineData("deep")]
    [InlineData("very deep")]
    public void Whatever_stands_in_the_scratch_folder_of_the_backup_before_it_goes(string what)
    {
        string path = Path.Combine(_folder, "backup"), scratch = Path.Combine(path, "tmp");
        string outside = Directory.CreateDirectory(Path.Combine(_folder, "outside")).FullName;
        File.WriteAllText(Path.Combine(outside, "kept"), "");
        using SessionStore store = SessionStore.Open(Path.Combine(_folder, "store"));
        store.Create();
        Stores.Json(b => store.Backup(path, b));
        switch (what)
        {
            case "file": File.WriteAllText(scratch, "x"); break;
            case "link": File.CreateSymbolicLink(scratch, outside); break;
            default:
                int depth = what == "deep" ? 12 : 40;
                string deep = Path.Combine([scratch, .. Enumerable.Range(1, depth).Select(n => $"{n}")]);
                File.WriteAllText(Path.Combine(Directory.CreateDirectory(deep).FullName, "x"), "x");
                break;
        }

        for (int run = 0; run < 2; run++)
        {
            Stores.Json(b => store.Backup(path, b));
            Assert.Equal(["backup", "outside", "store"],
                Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());
            Assert.False(Directory.Exists(scratch) || File.Exists(scratch));
        }

        Assert.Single(Directory.GetFileSystemEntries(outside));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_that_is_cut_leaves_the_backup_before_it_whole(bool isKilled)
    {
        string path = Path.Combine(_folder, "backup"), staged = path + ".sessions-new";
        using SessionStore store = SessionStore.Open(Path.Combine(_folder, "store"));
        Session session = store.Create();
        session.Say("one");
        store.Backup(path, new ArrayBufferWriter<byte>());
        session.Say("two");
        var context = new JobContext();
        context.Stop(JobStop.Cancelled);
        Stores.Fails(SessionStatus.Cancelled, () => store.Backup(path, context, new ArrayBufferWriter<byte>()));
        Assert.False(Directory.Exists(staged));
        if (isKilled)
        {
            Directory.CreateDirectory(Path.Combine(staged, "sessions"));
            File.WriteAllText(Path.Combine(staged, "unfinished-backup"), "");
            File.WriteAllText(Path.Combine(staged, "sessions", "half"), "x");
        }

        using (SessionStore before = SessionStore.Open(path))
        {
            before.AssertSound();
            Assert.Equal(1, before.OpenSession(session.Id).GetStat().LastSeq);
            Stores.Fails(SessionStatus.Busy, () => store.Backup(path, new ArrayBufferWriter<byte>()));
        }

        store.Backup(path, new ArrayBufferWriter<byte>());
        Assert.False(Directory.Exists(staged));
        using SessionStore after = SessionStore.Open(path);
        Assert.Equal(2, after.OpenSession(session.Id).GetStat().LastSeq);
    }

    [Fact]
    public void A_backup_takes_nobodys_folder_and_lies_outside_the_store()
    {
        string home = Path.Combine(_folder, "store"), other = Path.Combine(_folder, "other");
        using SessionStore store = SessionStore.Open(home);
        SessionStore.Open(other).Close();
        Directory.CreateDirectory(Path.Combine(_folder, "mine"));
        File.WriteAllText(Path.Combine(_folder, "mine", "letter"), "dear");
        foreach (string taken in (string[])["other", "mine", Path.Combine("mine", "letter")])
        {
            Assert.Equal(SessionStatus.Exists, Assert.Throws<SessionException>(
                () => store.Backup(Path.Combine(_folder, taken), new ArrayBufferWriter<byte>())).Status);
        }

        Assert.Equal("dear", File.ReadAllText(Path.Combine(_folder, "mine", "letter")));
        foreach (string inside in (string[])[home, Path.Combine(home, "backup"), Path.Combine(home, "tmp", "a", "b")])
        {
            Stores.Fails(SessionStatus.InvalidArgument,
                () => store.Backup(inside, new ArrayBufferWriter<byte>()));
        }

        using SessionStore reader = SessionStore.Open(home, new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        Stores.Fails(SessionStatus.ReadOnly,
            () => reader.Backup(Path.Combine(_folder, "b"), new ArrayBufferWriter<byte>()));
        Assert.Equal(["mine", "other", "store"],
            Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void The_store_that_a_backup_is_of_is_not_replaced_by_it()
    {
        string place = Path.Combine(_folder, "store"), copy = Path.Combine(_folder, "copy");
        string id;
        using (SessionStore store = SessionStore.Open(place))
        {
            using Session session = store.Create();
            id = session.Id;
            session.Say("1");
            Stores.Text(b => store.Backup(copy, b));
            session.Say("2");
        }

        using (SessionStore backup = SessionStore.Open(copy))
        {
            Stores.Fails(SessionStatus.Exists, () => Stores.Text(b => backup.Backup(place, b)));
        }

        using SessionStore again = SessionStore.Open(place);
        Assert.Equal(2, again.OpenSession(id).GetStat().LastSeq);
    }

    [Fact]
    public void A_branch_takes_no_space_in_a_backup_and_is_linked_to_nothing_in_the_store()
    {
        using SessionStore store = Open(1);
        Session parent = store.Create();
        parent.Say(new string('x', 5000));
        Session branch = parent.Fork();
        branch.Say("own");
        var copy = new MemoryDisk();
        new BackupCopy(store.Core, store.Engine.Checkpointer, store.Commit, copy.OpenAs(), new JobContext()).Run();
        string log = Layout.LiveFolder(parent.Id) + "/" + Layout.EventsFile;
        string link = Layout.History(Layout.LiveFolder(branch.Id), parent.Id);
        Assert.Equal(2u, copy.Stat(log)!.Value.Links);
        Assert.Equal(copy.Stat(log)!.Value.Identity, copy.Stat(link)!.Value.Identity);
        using SessionStore restored = Stores.Open(copy.OpenAs());
        restored.AssertSound();
        Assert.Equal(2, restored.OpenSession(branch.Id).Events().GetProperty("events").GetArrayLength());
    }

    [Fact]
    public void Text_that_is_being_written_is_in_the_backup_and_ends_as_interrupted()
    {
        using SessionStore store = Open(1);
        Session session = store.Create();
        using SessionStream stream = session.BeginStream("agent_message");
        stream.Write("half a sen"u8);
        var copy = new MemoryDisk();
        new BackupCopy(store.Core, store.Engine.Checkpointer, store.Commit, copy.OpenAs(), new JobContext()).Run();
        using SessionStore restored = Stores.Open(copy.OpenAs());
        JsonElement told = restored.OpenSession(session.Id).Events().GetProperty("events")[0].GetProperty("data");
        Assert.Equal(("half a sen", true),
            (told.GetProperty("text").GetString(), told.GetProperty("interrupted").GetBoolean()));
    }

    private SessionStore Open(int process) => Stores.Open(_disk.OpenAs(), processId: process,
        options: new SessionStoreOptions { BusyTimeoutMs = 20_000 });

    // Appends, renames, branches, prunes, deletes in pairs, restores, and takes away for good.
    private static void Work(SessionStore store, int worker, List<string> kept, CancellationToken stop)
    {
        var random = new Random(worker);
        var families = new List<string>();
        for (int i = 0; i < OperationsMax && !stop.IsCancellationRequested; i++)
        {
            using Session session = store.OpenSession(kept[random.Next(kept.Count)]);
            switch (random.Next(8))
            {
                case 0:
                    session.UpdateTitle($"{worker}-{i}");
                    break;
                case 1:
                    using (Session parent = store.Create(options: new SessionCreateOptions { Title = "pair" }))
                    using (Session child = store.Create(parent.Id, new SessionCreateOptions { Title = "pair" }))
                    {
                        child.Say("x");
                        families.Add(parent.Id);
                    }

                    break;
                case 2 when families.Count > 0:
                    using (Session family = store.OpenSession(families[0]))
                    {
                        family.Delete(random.Next(2) == 0 ? DeletePolicy.Cascade : DeletePolicy.NoTrash);
                    }

                    families.RemoveAt(0);
                    break;
                case 3:
                    using (session.Fork())
                    {
                    }

                    break;
                default:
                    session.Say($"{worker} {i}", random.Next(2) == 0 ? AppendFlags.Relaxed : AppendFlags.None);
                    break;
            }
        }
    }

    // A pair is made by two commits, and deleted by one.
    private static void AssertPairs(SessionStore store)
    {
        JsonElement all = store.List(new SessionListOptions { Order = ListOrder.CreatedAscending });
        HashSet<string> live = [.. all.EnumerateArray().Select(s => s.GetProperty("id").GetString()!)];
        foreach (JsonElement session in all.EnumerateArray())
        {
            if (session.GetProperty("title").GetString() == "pair"
                && session.GetProperty("parent_id").GetString() is { } parent)
            {
                Assert.Contains(parent, live);
            }
        }
    }
}
