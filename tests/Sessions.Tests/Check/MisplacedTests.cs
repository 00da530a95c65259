using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Support;

namespace Sessions.Tests.Check;

/// <summary>Links, pipes and files of others in the places of a store's own: nothing behind them is touched, what
/// they stand for is named, and everything else goes on.</summary>
[UnsupportedOSPlatform("windows")]
public sealed partial class MisplacedTests : IDisposable
{
    private readonly string _temp = Directory.CreateTempSubdirectory("sessions-misplaced-").FullName;

    public MisplacedTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Other kinds of things there.");
        Directory.CreateDirectory(Path.Combine(Home, "documents"));
        File.WriteAllText(Login, "echo hello\n");
        File.WriteAllText(Path.Combine(Home, "documents", "letter"), "Dear reader");
    }

    private string Root => Path.Combine(_temp, "store");

    private string Home => Path.Combine(_temp, "home");

    private string Login => Path.Combine(Home, "login");

    public void Dispose() => Directory.Delete(_temp, recursive: true);

    [Theory]
    [InlineData("tmp")]
    [InlineData("journal")]
    [InlineData("locks")]
    [InlineData("sessions")]
    [InlineData("trash")]
    [InlineData("quarantine")]
    [InlineData("backup")]
    public void A_store_one_of_whose_folders_is_a_link_is_not_opened_and_can_be_salvaged(string folder)
    {
        string id = MakeStore();
        Remove(folder);
        File.CreateSymbolicLink(At(folder), Home);
        SessionException e = Stores.Fails(SessionStatus.Corrupt, () => SessionStore.Open(Root));
        Assert.Contains($"\"file\":\"{folder}\"", e.Details, StringComparison.Ordinal);
        RequireHomeUntouched();
        Stores.Text(b => SessionStore.Salvage(Root, "{}"u8, b));
        RequireHomeUntouched();
        using SessionStore store = SessionStore.Open(Root);
        Assert.Equal(folder == "sessions" ? 0 : 1, store.Info().GetProperty("sessions").GetInt64());
        Assert.Contains(Directory.GetFileSystemEntries(At("quarantine"), folder + "*", SearchOption.AllDirectories),
            p => new FileInfo(p).LinkTarget == Home);
        if (folder != "sessions")
        {
            store.OpenSession(id).Append("note", "{}"u8);
        }

        RequireHomeUntouched();
    }

    [Theory]
    [InlineData("tmp")]
    [InlineData("sessions")]
    public void A_folder_that_becomes_a_link_under_the_open_store_stops_writes_until_it_is_put_right(string folder)
    {
        string id = MakeStore();
        using SessionStore store = SessionStore.Open(Root);
        Session session = store.OpenSession(id);
        session.UpdateTitle("one");
        Directory.Move(At(folder), At("aside"));
        File.CreateSymbolicLink(At(folder), Home);
        Record.Exception(() => session.UpdateTitle("two"));
        Record.Exception(() => session.UpdateTitle("three"));
        RequireHomeUntouched();
        File.Delete(At(folder));
        Directory.Move(At("aside"), At(folder));
        session.UpdateTitle("four");
        store.Close();
        using SessionStore again = SessionStore.Open(Root);
        Assert.Equal("four", again.OpenSession(id).Info().GetProperty("title").GetString());
        RequireHomeUntouched();
    }

    [Theory]
    [InlineData("")]
    [InlineData("/events.jsonl")]
    [InlineData("/session.json")]
    [InlineData("/history")]
    [InlineData("/files")]
    [InlineData("/log.json")]
    [InlineData("/shares.json")]
    [InlineData("/lock.json")]
    [InlineData("/queue.json")]
    [InlineData("/action_buttons.json")]
    public void A_link_in_the_place_of_what_a_session_has_harms_that_session_alone(string what)
    {
        string id = MakeStore(), other;
        using (SessionStore store = SessionStore.Open(Root))
        {
            other = store.Create().Id;
        }

        string path = Layout.LiveFolder(id) + what;
        Remove(path);
        bool isFolder = what is "" or "/history" or "/files";
        File.CreateSymbolicLink(At(path), isFolder ? Home : Login);
        using (SessionStore store = SessionStore.Open(Root))
        {
            Session harmed = store.OpenSession(id), whole = store.OpenSession(other);
            Use(harmed);
            whole.Append("note", """{"text":"still here"}"""u8);
            whole.UpdateTitle("still here");
            JsonElement report = Stores.Json(b => store.WriteVerifyReport(deep: true, b));
            if (File.Exists(At(path)) && new FileInfo(At(path)).LinkTarget is not null)
            {
                Assert.Contains(report.GetProperty("issues").EnumerateArray(), i =>
                    i.GetProperty("code").GetString() == "misplaced" && i.GetProperty("file").GetString() == path);
            }
        }

        RequireHomeUntouched();
        Stores.Text(b => SessionStore.Salvage(Root, "{}"u8, b));
        using (SessionStore store = SessionStore.Open(Root))
        {
            Assert.Equal("still here", store.OpenSession(other).Info().GetProperty("title").GetString());
        }

        RequireHomeUntouched();
    }

    [Fact]
    public void A_second_name_of_a_login_script_gets_no_events()
    {
        string id = MakeStore();
        string log = Layout.LiveFolder(id) + "/events.jsonl";
        Remove(log);
        Link(Login, At(log));
        using SessionStore store = SessionStore.Open(Root);
        Session session = store.OpenSession(id);
        Stores.Fails(SessionStatus.Corrupt, () => session.Append("note", """{"text":"rm -rf"}"""u8));
        RequireHomeUntouched();
    }

    [Fact]
    public void A_second_name_of_a_users_file_as_session_json_is_neither_read_nor_written_over()
    {
        string id = MakeStore();
        string path = Layout.LiveFolder(id) + "/session.json";
        Remove(path);
        Link(Login, At(path));
        using (SessionStore store = SessionStore.Open(Root))
        {
            Session session = store.OpenSession(id);
            for (int i = 0; i < 5; i++)
            {
                session.UpdateTitle($"title {i}");
                SpinWait.SpinUntil(() => false, 15); // so that the pool would use what was swapped out again
            }

            Assert.Equal("title 4", session.Info().GetProperty("title").GetString());
        }

        RequireHomeUntouched();
        Assert.DoesNotContain("echo hello", AllTextBelow(At("quarantine")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("store.json")]
    [InlineData("config.json")]
    [InlineData("streams.json")]
    [InlineData("index.jsonl")]
    [InlineData("locks/shared")]
    [InlineData("journal/000000000001.log")]
    [InlineData("events.jsonl")]
    [InlineData("session.json")]
    public void A_pipe_in_the_place_of_a_file_makes_nobody_wait(string name)
    {
        string id = MakeStore();
        string path = name is "events.jsonl" or "session.json" ? Layout.LiveFolder(id) + "/" + name : name;
        foreach (bool readOnly in (bool[])[true, false])
        {
            Remove(path);
            Assert.Equal(0, MakePipe(Encoding.UTF8.GetBytes(At(path) + "\0"), 0x180));
            Exception? e = Record.Exception(() =>
            {
                using SessionStore store = SessionStore.Open(Root,
                    new SessionStoreOptions { Flags = readOnly ? StoreFlags.ReadOnly : StoreFlags.None });
                Use(store.OpenSession(id));
                Stores.Json(b => store.WriteVerifyReport(deep: true, b));
            });
            Assert.True(e is null or SessionException { Status: not SessionStatus.Internal }, e?.ToString());
        }
    }

    [Fact]
    public void A_store_that_others_may_write_to_is_opened_only_as_one_of_many_owners()
    {
        MakeStore();
        File.SetUnixFileMode(Root, (UnixFileMode)0x1FF);
        SessionException e = Stores.Fails(SessionStatus.AccessDenied, () => SessionStore.Open(Root));
        Assert.Contains("\"rule\":\"store.owner\"", e.Details, StringComparison.Ordinal);
        Stores.Fails(SessionStatus.AccessDenied,
            () => SessionStore.Open(Root, new SessionStoreOptions { Flags = StoreFlags.ReadOnly }));
        Stores.Fails(SessionStatus.AccessDenied, () => Stores.Text(b => SessionStore.Salvage(Root, "{}"u8, b)));
        Stores.Text(b => SessionStore.Salvage(Root, """{"shared_owners":true}"""u8, b));
        using SessionStore store = SessionStore.Open(Root, new SessionStoreOptions { Flags = StoreFlags.SharedOwners });
        store.Create().Append("note", "{}"u8);
    }

    [Fact]
    public void A_file_that_others_may_write_to_is_refused_and_named()
    {
        string id = MakeStore();
        string log = Layout.LiveFolder(id) + "/events.jsonl";
        File.SetUnixFileMode(At(log), (UnixFileMode)0x1B6);
        using SessionStore store = SessionStore.Open(Root);
        SessionException e = Stores.Fails(SessionStatus.AccessDenied,
            () => store.OpenSession(id).Append("note", "{}"u8));
        Assert.Contains("\"rule\":\"store.owner\"", e.Details, StringComparison.Ordinal);
        Assert.Contains(log, e.Details, StringComparison.Ordinal);
        JsonElement report = Stores.Json(b => store.WriteVerifyReport(deep: true, b));
        Assert.Contains(report.GetProperty("issues").EnumerateArray(),
            i => i.GetProperty("code").GetString() == "wrong_owner");
    }

    [Theory]
    [InlineData("/events.jsonl", 0x100)]
    [InlineData("", 0x140)]
    public void What_its_owner_may_not_write_to_is_refused_before_the_frame_and_keeps_nobody_else_from_writing(
        string what, int mode)
    {
        string id = MakeStore(), other;
        using (SessionStore store = SessionStore.Open(Root))
        {
            other = store.Create().Id;
        }

        string path = Layout.LiveFolder(id) + what;
        File.SetUnixFileMode(At(path), (UnixFileMode)mode);
        using (SessionStore store = SessionStore.Open(Root))
        {
            Stores.Fails(SessionStatus.Corrupt, () => store.OpenSession(id).Append("note", "{}"u8));
            store.OpenSession(other).Append("note", "{}"u8);
        }

        File.SetUnixFileMode(At(path), (UnixFileMode)0x1C0);
        using SessionStore again = SessionStore.Open(Root);
        again.AssertSound();
        again.OpenSession(id).Append("note", "{}"u8);
    }

    [Fact]
    public void A_session_is_not_made_in_a_day_that_its_owner_may_not_write_to()
    {
        string id = MakeStore();
        string day = Layout.DayFolder(id);
        File.SetUnixFileMode(At(day), (UnixFileMode)0x140);
        using (SessionStore store = SessionStore.Open(Root))
        {
            SessionException? e = Record.Exception(() => store.Create()) as SessionException;
            Assert.True(e is { Status: SessionStatus.Corrupt } || Layout.DayFolder(store.Create().Id) != day);
        }

        File.SetUnixFileMode(At(day), (UnixFileMode)0x1C0);
        using SessionStore again = SessionStore.Open(Root);
        again.AssertSound();
        again.Create();
    }

    [Fact]
    public void A_second_name_of_an_empty_file_gets_no_events()
    {
        string id = MakeStore();
        string log = Layout.LiveFolder(id) + "/events.jsonl", empty = Path.Combine(_temp, "empty");
        File.WriteAllText(empty, "");
        Remove(log);
        Link(empty, At(log));
        using SessionStore store = SessionStore.Open(Root);
        Stores.Fails(SessionStatus.Corrupt, () => store.OpenSession(id).Append("note", "{}"u8));
        Assert.Empty(File.ReadAllBytes(empty));
    }

    [Fact]
    public void A_killed_process_and_a_session_that_became_a_link_stop_no_opening()
    {
        string id = MakeStore();
        string folder = Layout.LiveFolder(id), copy = Path.Combine(_temp, "copy");
        using (SessionStore store = SessionStore.Open(Root))
        {
            var relaxed = new AppendOptions { Flags = AppendFlags.Relaxed };
            store.OpenSession(id).Append("note", """{"text":"pending"}"""u8, relaxed);
            CopyTree(Root, copy); // as a killed process leaves it
        }

        Directory.Delete(Path.Combine(copy, folder), recursive: true);
        File.CreateSymbolicLink(Path.Combine(copy, folder), Home);
        using (SessionStore store = SessionStore.Open(copy))
        {
            store.Create().Append("note", "{}"u8);
        }

        RequireHomeUntouched();
    }

    [Fact]
    public void A_log_that_others_may_write_to_is_held_and_not_moved_aside()
    {
        string id = MakeStore();
        string log = At(Layout.LiveFolder(id) + "/" + Layout.EventsFile);
        using (SessionStore store = SessionStore.Open(Root), other = SessionStore.Open(Root))
        {
            Session first = store.OpenSession(id), second = other.OpenSession(id);
            first.Append("note", """{"text":"second"}"""u8);
            second.GetStat();
            File.SetUnixFileMode(log, (UnixFileMode)0x1B6);
            Record.Exception(() => second.Append("note", """{"text":"third"}"""u8)); // opens it here for the first time
            Assert.True(File.Exists(log));
            Stores.Fails(SessionStatus.AccessDenied, () => second.Append("note", """{"text":"no"}"""u8));
            other.Create().Append("note", "{}"u8);
            Assert.Contains(id, Stores.Text(b => other.WriteVerifyReport(deep: true, b)), StringComparison.Ordinal);
            File.SetUnixFileMode(log, (UnixFileMode)0x180);
        }

        using SessionStore again = SessionStore.Open(Root);
        Assert.Equal(3, again.OpenSession(id).Events().GetProperty("events").GetArrayLength());
        again.AssertSound();
    }

    [Fact]
    public void A_salvage_takes_nothing_apart_that_only_others_may_write_to()
    {
        string id = MakeStore();
        string[] files = Directory.GetFiles(Root, "*", SearchOption.AllDirectories);
        foreach (string file in files)
        {
            File.SetUnixFileMode(file, (UnixFileMode)0x1B4); // as a checkout leaves them under umask 002
        }

        SessionException e = Stores.Fails(SessionStatus.AccessDenied,
            () => Stores.Text(b => SessionStore.Salvage(Root, "{}"u8, b)));
        Assert.Contains("\"rule\":\"store.owner\"", e.Details, StringComparison.Ordinal);
        Assert.Equal(files.Order(), Directory.GetFiles(Root, "*", SearchOption.AllDirectories).Order());
        foreach (string file in files)
        {
            File.SetUnixFileMode(file, (UnixFileMode)0x1A4);
        }

        using SessionStore store = SessionStore.Open(Root);
        store.AssertSound();
        Assert.Equal(1, store.OpenSession(id).GetStat().LastSeq);
    }

    [Fact]
    public void A_session_file_that_others_may_write_to_is_kept_when_a_new_one_takes_its_place()
    {
        string id = MakeStore();
        string path = Layout.LiveFolder(id) + "/session.json";
        string before = File.ReadAllText(At(path));
        File.SetUnixFileMode(At(path), (UnixFileMode)0x1B6);
        using (SessionStore store = SessionStore.Open(Root))
        {
            store.OpenSession(id).UpdateTitle("new");
        }

        Assert.Equal(before, File.ReadAllText(Assert.Single(Directory.GetFiles(At("quarantine"), "session.json",
            SearchOption.AllDirectories))));
        RequireNote(path, id);
    }

    [Fact]
    public void What_is_moved_aside_is_noted_under_the_name_it_had()
    {
        string id = MakeStore();
        string path = Layout.LiveFolder(id) + "/session.json";
        Remove(path);
        File.CreateSymbolicLink(At(path), Login);
        using (SessionStore store = SessionStore.Open(Root))
        {
            store.OpenSession(id).UpdateTitle("new");
        }

        RequireNote(path, id);
        RequireHomeUntouched();
    }

    [Theory]
    [InlineData("tmp")]
    [InlineData("trash")]
    [InlineData("locks")]
    [InlineData("quarantine")]
    [InlineData("backup")]
    [InlineData("sessions/year")]
    public void A_check_of_a_store_that_is_only_read_names_a_folder_that_is_a_link(string folder)
    {
        MakeStore();
        folder = folder.Replace("year", $"{DateTime.UtcNow.Year}", StringComparison.Ordinal);
        Remove(folder);
        File.CreateSymbolicLink(At(folder), Home);
        using SessionStore store = SessionStore.Open(Root, new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        JsonElement report = Stores.Json(b => store.WriteVerifyReport(deep: true, b));
        Assert.False(report.GetProperty("ok").GetBoolean());
        Assert.Contains(report.GetProperty("issues").EnumerateArray(), i =>
            i.GetProperty("code").GetString() == "misplaced" && i.GetProperty("file").GetString() == folder);
        RequireHomeUntouched();
    }

    [Fact]
    public void A_tree_deeper_than_any_path_in_tmp_is_swept_away()
    {
        MakeStore();
        string name = new('d', 200);
        Directory.CreateDirectory(At("tmp/top"));
        for (int i = 0; i < 40; i++)
        {
            Directory.CreateDirectory(At("tmp/next"));
            Directory.Move(At("tmp/top"), At("tmp/next/" + name));
            Directory.Move(At("tmp/next"), At("tmp/top"));
        }

        SessionStore.Open(Root).Close();
        Assert.Empty(Directory.GetFileSystemEntries(At("tmp")));
    }

    [Fact]
    public void The_stores_own_path_may_be_a_link()
    {
        string id = MakeStore();
        string link = Path.Combine(_temp, "link");
        File.CreateSymbolicLink(link, Root);
        using SessionStore store = SessionStore.Open(link);
        store.OpenSession(id).Append("note", "{}"u8);
    }

    private string MakeStore()
    {
        using SessionStore store = SessionStore.Open(Root);
        Session session = store.Create();
        session.Append("note", """{"text":"first"}"""u8);
        return session.Id;
    }

    // Whatever it answers.
    private static void Use(Session session)
    {
        Action[] calls =
        [
            () => session.Info(), () => session.Append("note", """{"text":"more"}"""u8), () => session.UpdateTitle("a"),
            () => session.UpdateTitle("b"), () => Stores.Text(b => session.WriteShare(null, b)),
            () => Stores.Text(b => session.PutFile("a.txt", "text"u8, b)), () => session.Fork(),
        ];
        foreach (Action call in calls)
        {
            Exception? e = Record.Exception(call);
            Assert.True(e is null or SessionException { Status: not SessionStatus.Internal }, e?.ToString());
        }
    }

    private string At(string path) => Path.Combine(Root, path);

    private void Remove(string path)
    {
        if (Directory.Exists(At(path)) && new FileInfo(At(path)).LinkTarget is null)
        {
            Directory.Delete(At(path), recursive: true);
        }
        else
        {
            File.Delete(At(path));
        }
    }

    private static void CopyTree(string from, string to)
    {
        Directory.CreateDirectory(to, (UnixFileMode)0x1C0);
        foreach (string file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (string folder in Directory.GetDirectories(from))
        {
            CopyTree(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }

    private void RequireNote(string path, string id)
    {
        string note = File.ReadAllText(Assert.Single(Directory.GetFiles(At("quarantine"), "about.json",
            SearchOption.AllDirectories)));
        Assert.Contains($"\"source\": \"{path}\"", note, StringComparison.Ordinal);
        Assert.Contains($"\"session_id\": \"{id}\"", note, StringComparison.Ordinal);
    }

    private void RequireHomeUntouched()
    {
        Assert.Equal(["documents", "letter", "login"],
            Directory.GetFileSystemEntries(Home, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order());
        Assert.Equal("echo hello\n", File.ReadAllText(Login));
        Assert.Equal("Dear reader", File.ReadAllText(Path.Combine(Home, "documents", "letter")));
    }

    private static string AllTextBelow(string folder) => !Directory.Exists(folder) ? ""
        : string.Concat(Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(File.ReadAllText));

    private static void Link(string existing, string added) => Assert.Equal(0,
        MakeLink(Encoding.UTF8.GetBytes(existing + "\0"), Encoding.UTF8.GetBytes(added + "\0")));

    [LibraryImport("libc", EntryPoint = "link")]
    private static partial int MakeLink(byte[] existing, byte[] added);

    [LibraryImport("libc", EntryPoint = "mkfifo")]
    private static partial int MakePipe(byte[] path, uint mode);
}
