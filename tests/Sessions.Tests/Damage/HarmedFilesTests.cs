using System.Buffers;
using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Rows;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>Somebody harms a file of a store, and what was acknowledged is there afterwards, or its loss is
/// named.</summary>
public sealed class HarmedFilesTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(false, false, 1000)]
    [InlineData(false, true, 1000)]
    [InlineData(true, false, 1000)]
    [InlineData(true, true, 1000)]
    [InlineData(false, false, 0)]
    [InlineData(false, true, 0)]
    [InlineData(true, false, 0)]
    [InlineData(true, true, 0)]
    public void A_log_that_lost_its_last_newline_keeps_both_events_when_it_is_appended_to(bool isInFiles,
        bool isKilled, int rest)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        session.Say("1");
        session.Say("2");
        if (isInFiles)
        {
            Assert.True(store.Engine.Checkpointer.TryRun());
        }

        Cut(LogOf(session.Id), by: 1);
        _time.Advance(rest);
        session.Say("3");
        End(store, opening, isKilled);
        RequireEvents(session.Id, "1", "2", "3");
    }

    [Theory]
    [InlineData(Layout.SessionFile)]
    [InlineData(Layout.QueueFile)]
    [InlineData(Layout.SharesFile)]
    [InlineData(Layout.LogStateFile)]
    [InlineData(Layout.EventsFile)]
    public void A_checkpoint_does_not_let_the_journal_go_while_a_file_is_cut_or_an_older_copy_or_a_folder(string name)
    {
        foreach (string harm in (string[])["cut", "empty", "older", "folder"])
        {
            var disk = new MemoryDisk();
            string id;
            using (SessionStore store = Stores.Open(disk, _time))
            {
                Session session = store.Create();
                id = session.Id;
                string path = Layout.LiveFolder(id) + "/" + name;
                Use(session, "first");
                byte[] older = disk.Peek(path)!;
                Use(session, "last");
                byte[] present = disk.Peek(path)!;
                switch (harm)
                {
                    case "cut": disk.Poke(path, present[..(present.Length / 2)]); break;
                    case "empty": disk.Poke(path, []); break;
                    case "older": disk.Poke(path, older); break;
                    default:
                        disk.Unlink(path);
                        disk.CreateFolder(path);
                        break;
                }

                Assert.True(store.Engine.Checkpointer.TryRun());
                store.AssertSound();
            }

            using SessionStore again = Stores.Open(disk.OpenAs(), _time);
            Session same = again.OpenSession(id);
            Assert.Equal("last", same.Info().GetProperty("title").GetString());
            Assert.Equal(2, Stores.Json(same.WriteQueue).GetProperty("entries").GetArrayLength());
            Assert.Equal(2, Stores.Json(same.WriteShares).GetProperty("shares").GetArrayLength());
            Assert.Equal(["first", "last"], Texts(same));
            again.AssertSound();
        }
    }

    [Fact]
    public void Two_pools_of_one_open_store_never_take_one_name()
    {
        _disk.CreateFolder("");
        _disk.CreateFolder(Layout.Temporary);
        var core = new StoreCore(Stores.Environment(_disk, _time), new SessionStoreOptions(), "st_0123456789abcdef");
        var first = new Applier(core);
        Assert.Throws<DiskException>(() => first.Replace("not/there", "{\"a\":1}"u8)); // leaves its scratch file
        new Applier(core).Replace("there", "{\"a\":1}"u8);
        Assert.NotNull(_disk.Stat("there"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_older_session_json_that_was_put_back_is_named_and_salvaged(bool hasIndex)
    {
        string id;
        byte[] older;
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Session session = store.Create();
            id = session.Id;
            session.Say("1");
            store.Flush();
            older = _disk.Peek(Layout.LiveFolder(id) + "/" + Layout.SessionFile)!;
            session.UpdateTitle("new");
            session.Say("2");
        }

        _disk.Poke(Layout.LiveFolder(id) + "/" + Layout.SessionFile, older);
        if (!hasIndex)
        {
            _disk.Unlink(Layout.IndexFile);
        }

        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            JsonElement report = store.Verify();
            Assert.Contains(report.GetProperty("issues").EnumerateArray(), i =>
                i.GetProperty("code").GetString() == (hasIndex ? "info_behind" : "events_uncounted")
                && i.GetProperty("session_id").GetString() == id);
            Assert.Equal(!hasIndex, report.GetProperty("ok").GetBoolean());
        }

        Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs(), _time), b));
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(["1", "2"], Texts(again.OpenSession(id)));
        Assert.Equal(hasIndex ? "new" : "New Session", again.OpenSession(id).Info().GetProperty("title").GetString());
        again.AssertSound();
    }

    [Fact]
    public void A_session_json_that_is_newer_than_the_index_is_sound()
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        Assert.True(store.Engine.Checkpointer.TryRun());
        session.UpdateTitle("new");
        session.Say("1");
        store.AssertSound();
        opening.Kill();
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        again.AssertSound();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_event_behind_a_log_that_was_cut_below_a_fork_is_not_in_the_branch(bool goesOn)
    {
        string id, branchId;
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Session session = store.Create();
            for (int i = 1; i <= 4; i++)
            {
                session.Say($"{i}");
            }

            Session branch = session.Fork();
            (id, branchId) = (session.Id, branch.Id);
            for (int i = 5; i <= 7 && goesOn; i++)
            {
                branch.Say($"branch {i}");
            }
        }

        byte[] log = _disk.Peek(LogOf(id))!;
        int line = log.AsSpan().IndexOf((byte)'\n') + 1;
        Cut(LogOf(id), by: log.Length - line);
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Session cut = again.OpenSession(id);
        for (int i = 5; i <= 7; i++)
        {
            cut.Say($"{i}");
        }

        List<string> shown = Texts(again.OpenSession(branchId));
        Assert.Equal(goesOn ? ["1", "branch 5", "branch 6", "branch 7"] : ["1"], shown);
        Assert.Contains(again.Verify().GetProperty("issues").EnumerateArray(),
            i => i.GetProperty("session_id").GetString() == branchId);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_store_without_store_json_is_salvaged_with_what_the_journal_alone_has(bool isDamaged)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        session.Say("1");
        Assert.True(store.Engine.Checkpointer.TryRun());
        session.Say("2", AppendFlags.Relaxed);
        string storeId = store.Info().GetProperty("store_id").GetString()!;
        opening.Kill();
        if (isDamaged)
        {
            _disk.Poke(Layout.StoreFile, "gone"u8.ToArray());
        }
        else
        {
            _disk.Unlink(Layout.StoreFile);
        }

        Stores.Fails(SessionStatus.Corrupt, () => Stores.Open(_disk.OpenAs(), _time));
        Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs(), _time), b));
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(storeId, again.Info().GetProperty("store_id").GetString());
        Assert.Equal(["1", "2"], Texts(again.OpenSession(session.Id)));
        again.AssertSound();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_log_harmed_after_its_checkpoint_is_made_anew_at_close_while_the_segment_has_its_lines(bool isRemoved)
    {
        SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session session = store.Create(), other = store.Create();
        session.Say("1");
        session.Say("2");
        Assert.True(store.Engine.Checkpointer.TryRun());
        if (isRemoved)
        {
            _disk.Unlink(LogOf(session.Id));
        }
        else
        {
            Cut(LogOf(session.Id), by: 30);
        }

        other.Say("more");
        store.Close();
        RequireEvents(session.Id, "1", "2");
    }

    [Fact]
    public void Who_closes_last_mends_what_stands_in_the_journal_since_before_it_opened()
    {
        SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session session = store.Create(), other = store.Create();
        session.Say("1");
        session.Say("2");
        Assert.True(store.Engine.Checkpointer.TryRun());
        SessionStore beside = Stores.Open(_disk.OpenAs(), _time, processId: 4343);
        Cut(LogOf(session.Id), by: 30);
        beside.OpenSession(other.Id).Say("more");
        store.Close();
        beside.Close();
        RequireEvents(session.Id, "1", "2");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_history_link_that_was_removed_or_is_a_folder_is_made_again_before_the_journal_goes(bool isFolder)
    {
        SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session session = store.Create();
        session.Say("1");
        Session branch = session.Fork();
        branch.Say("2");
        string link = Layout.History(Layout.LiveFolder(branch.Id), session.Id);
        _disk.Unlink(link);
        if (isFolder)
        {
            _disk.CreateFolder(link);
        }

        store.Close();
        RequireEvents(branch.Id, "1", "2");
    }

    [Fact]
    public void A_segment_in_whose_place_a_folder_stands_goes_on_with_all_frames()
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        session.Say("1");
        string segment = _disk.Paths().Last(p => p.StartsWith("journal/0", StringComparison.Ordinal));
        _disk.Unlink(segment);
        _disk.CreateFolder(segment);
        _time.Advance(1000);
        session.Say("2");
        opening.Kill();
        RequireEvents(session.Id, "1", "2");
    }

    [Fact]
    public void Lines_that_somebody_wrote_over_before_the_journal_went_are_put_back()
    {
        SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session session = store.Create();
        session.Say("one");
        Session branch = session.Fork();
        using (IDiskFile file = _disk.Open(LogOf(session.Id), OpenMode.ReadWrite, mayBeLinked: true))
        {
            file.Write("xxxx"u8, 40);
        }

        Assert.True(store.Engine.Checkpointer.TryRun());
        store.Close();
        RequireEvents(session.Id, "one");
        RequireEvents(branch.Id, "one"); // the same file under another name
    }

    [Fact]
    public void An_older_shared_page_put_back_under_an_open_store_takes_nothing_back()
    {
        SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        SessionStore beside = Stores.Open(_disk.OpenAs(), _time, processId: 2);
        Session session = store.Create();
        session.Say("1");
        byte[] older = _disk.Peek(Layout.SharedPage)!;
        session.Say("2", AppendFlags.Relaxed);
        Session seen = beside.OpenSession(session.Id);
        Assert.Equal(["1", "2"], Texts(seen));
        PutBack(older);
        PassLooks();
        Assert.Equal(["1", "2"], Texts(seen));
        Assert.Equal(3, session.Say("3"));
        Assert.Equal(4, seen.Say("4"));
        Assert.Equal(["1", "2", "3", "4"], Texts(session));
        beside.Close();
        store.Close();
        RequireEvents(session.Id, "1", "2", "3", "4");
    }

    [Theory]
    [InlineData(AppendFlags.None)]
    [InlineData(AppendFlags.Relaxed)]
    public void A_journal_that_was_removed_after_a_kill_is_told_by_who_opens_next(AppendFlags flags)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        Assert.True(store.Engine.Checkpointer.TryRun());
        session.Say("1", flags);
        opening.Kill();
        foreach (string segment in _disk.Paths().Where(p => p.StartsWith("journal/0", StringComparison.Ordinal)))
        {
            _disk.Unlink(segment);
        }

        using (SessionStore again = Stores.Open(_disk.OpenAs(), _time))
        {
            Assert.Equal(flags == AppendFlags.Relaxed, IsJournalLost(again)); // else the file has it
            Assert.Equal(flags == AppendFlags.Relaxed ? [] : ["1"], Texts(again.OpenSession(session.Id)));
        }

        using (SessionStore again = Stores.Open(_disk.OpenAs(), _time))
        {
            Assert.False(IsJournalLost(again)); // nothing was written since
            again.OpenSession(session.Id).Say("2");
        }

        using SessionStore last = Stores.Open(_disk.OpenAs(), _time);
        Assert.False(IsJournalLost(last));
    }

    [Fact]
    public void Who_opens_while_an_older_shared_page_is_there_writes_over_no_frame()
    {
        SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session session = store.Create();
        session.Say("1");
        byte[] older = _disk.Peek(Layout.SharedPage)!;
        session.Say("2", AppendFlags.Relaxed);
        PutBack(older);
        SessionStore late = Stores.Open(_disk.OpenAs(), _time, processId: 2);
        Assert.Equal(3, late.OpenSession(session.Id).Say("3"));
        Assert.Equal(4, session.Say("4"));
        late.Close();
        store.Close();
        RequireEvents(session.Id, "1", "2", "3", "4");
    }

    [Fact]
    public void An_older_shared_page_that_was_copied_over_in_its_place_takes_nothing_back()
    {
        SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session session = store.Create();
        session.Say("1");
        byte[] older = _disk.Peek(Layout.SharedPage)!;
        session.Say("2");
        Overwrite(older);
        Assert.Equal(["1", "2"], Texts(session));
        Assert.Equal(3, session.Say("3"));
        Overwrite(older);
        store.Close();
        RequireEvents(session.Id, "1", "2", "3");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_opens_beside_an_idle_store_whose_page_is_from_before_its_first_commit_goes_on_behind_it(bool purges)
    {
        SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        byte[] older = _disk.Peek(Layout.SharedPage)!;
        Session session = store.Create();
        session.Say("1");
        session.Say("2");
        if (purges)
        {
            store.Create().Delete(DeletePolicy.NoTrash);
            store.Flush();
        }

        PutBack(older);
        SessionStore late = Stores.Open(_disk.OpenAs(), _time, processId: 2);
        Assert.Equal(3, late.OpenSession(session.Id).Say("3"));
        Assert.Equal(4, session.Say("4"));
        late.Close();
        store.Close();
        RequireEvents(session.Id, "1", "2", "3", "4");
    }

    private void PutBack(byte[] page)
    {
        _disk.Unlink(Layout.SharedPage);
        _disk.Poke(Layout.SharedPage, page);
    }

    private unsafe void Overwrite(byte[] page)
    {
        using ISharedPage mapped = _disk.OpenAs().OpenSharedPage(Layout.SharedPage, readOnly: false)!;
        page.CopyTo(new Span<byte>(mapped.Address, SharedPage.Bytes));
    }

    // A reader looks at its page each 100 ms of the machine's own clock.
    private static void PassLooks()
    {
        long until = Environment.TickCount64 + 150;
        Assert.True(SpinWait.SpinUntil(() => Environment.TickCount64 >= until, TimeSpan.FromSeconds(30)));
    }

    private static bool IsJournalLost(SessionStore store)
        => store.Info().GetProperty("recovered").GetProperty("journal_lost").GetBoolean();

    // All the small files, with something in each that the next time changes.
    private static void Use(Session session, string text)
    {
        long seq = session.Say(text);
        session.UpdateTitle(text);
        session.AddToQueue(Stores.Utf8($$"""{"message":"{{text}}"}"""), new ArrayBufferWriter<byte>());
        Stores.Text(b => session.WriteShare(null, b));
        session.Say("hidden");
        session.Rewind(seq);
    }

    private static List<string> Texts(Session session)
        => [.. session.Events().GetProperty("events").EnumerateArray()
            .Where(e => e.GetProperty("type").GetString() == "user_prompt")
            .Select(e => e.GetProperty("data").GetProperty("text").GetString()!)];

    private static void End(SessionStore store, MemoryDisk opening, bool isKilled)
    {
        if (isKilled)
        {
            opening.Kill();
        }
        else
        {
            store.Close();
        }
    }

    private static string LogOf(string id) => Layout.LiveFolder(id) + "/" + Layout.EventsFile;

    private void Cut(string path, int by)
    {
        using IDiskFile file = _disk.Open(path, OpenMode.ReadWrite, mayBeLinked: true);
        file.SetLength(file.Length - by);
    }

    private void RequireEvents(string id, params string[] texts)
    {
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(texts, Texts(store.OpenSession(id)));
        store.AssertSound();
    }
}
