using System.Buffers;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>Two files are harmed, or one and then its cure: the second harm does not make more of the first.</summary>
public sealed class TwoHarmsTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();

    [Fact]
    public void A_salvage_with_a_whole_journal_does_not_take_the_lines_of_another_sessions_log()
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create(), other = store.Create();
        session.Say("1");
        session.Say("2");
        other.Say("of another");
        byte[] log = _disk.Peek(LogOf(other.Id))!;
        _disk.Unlink(LogOf(session.Id));
        _disk.Poke(LogOf(session.Id), log);
        _disk.Unlink(Layout.StoreFile);
        opening.Kill();
        Salvage();
        using SessionStore salvaged = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(["1", "2"], Texts(salvaged.OpenSession(session.Id)));
        Assert.Equal(["of another"], Texts(salvaged.OpenSession(other.Id)));
        salvaged.AssertSound();
    }

    [Fact]
    public void A_salvage_leaves_a_session_in_the_trash_whose_info_is_gone()
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        session.Say("1");
        session.Delete();
        string info = _disk.Paths().Single(p => p.StartsWith("trash/", StringComparison.Ordinal)
            && p.EndsWith("/" + Layout.SessionFile, StringComparison.Ordinal));
        _disk.Unlink(info);
        _disk.Unlink(Layout.StoreFile);
        opening.Kill();
        Salvage();
        Assert.Single(_disk.Paths(), p => p.EndsWith("/" + Layout.EventsFile, StringComparison.Ordinal));
        using SessionStore salvaged = Stores.Open(_disk.OpenAs(), _time);
        Stores.Fails(SessionStatus.Deleted, () => salvaged.OpenSession(session.Id));
        salvaged.Restore(session.Id);
        Assert.Equal(["1"], Texts(salvaged.OpenSession(session.Id)));
        salvaged.AssertSound();
    }

    // An older journal is whole, and was taken for one that has the last word on every line.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_salvage_writes_no_lines_of_an_older_segment_over_a_log_that_was_pruned_since(bool isPageGone)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        for (int i = 1; i <= 6; i++)
        {
            Turn(session, i);
        }

        string segment = _disk.Paths().Last(p => p.StartsWith("journal/0", StringComparison.Ordinal));
        byte[] older = _disk.Peek(segment)!;
        session.Prune("""{"max_events":2}"""u8, new ArrayBufferWriter<byte>());
        for (int i = 7; i <= 12; i++)
        {
            Turn(session, i);
        }

        List<string?> want = [.. Texts(session)];
        Assert.Equal("12", want[^1]);
        _disk.Unlink(segment);
        _disk.Poke(segment, older);
        opening.Kill();
        foreach (string path in (string[])[.. _disk.Paths().Where(p => isPageGone
            && p.StartsWith("locks/", StringComparison.Ordinal))])
        {
            _disk.Unlink(path);
        }

        using (SessionStore damaged = Stores.Open(_disk.Copy(), _time))
        {
            Assert.Equal(want, Texts(damaged.OpenSession(session.Id)));
        }

        Salvage();
        using SessionStore salvaged = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(want, Texts(salvaged.OpenSession(session.Id)));
        salvaged.AssertSound();
    }

    private static void Turn(Session session, int number) => session.Append("user_prompt",
        Stores.Utf8($$"""{"text":"{{number}}"}"""), new AppendOptions { TurnId = $"turn-{number}" });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_older_segment_that_was_put_back_before_a_kill_is_said(bool isClosing)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        session.Say("1");
        if (isClosing)
        {
            store.Close();
            opening = _disk.OpenAs();
            store = Stores.Open(opening, _time);
            session = store.OpenSession(session.Id);
        }

        string segment = _disk.Paths().Last(p => p.StartsWith("journal/0", StringComparison.Ordinal));
        byte[] older = _disk.Peek(segment)!;
        session.Say("2", AppendFlags.Relaxed);
        foreach (string newer in _disk.Paths().Where(
            p => p.StartsWith("journal/0", StringComparison.Ordinal)).ToArray())
        {
            _disk.Unlink(newer);
        }

        _disk.Poke(segment, older);
        opening.Kill();
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Assert.True(again.Info().GetProperty("recovered").GetProperty("journal_lost").GetBoolean());
        Assert.True(again.OpenSession(session.Id).Say("3") >= 2);
        again.AssertSound();
    }

    [Fact]
    public void A_store_without_sessions_that_lost_its_store_file_is_no_folder_of_somebody_elses()
    {
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Assert.True(store.Engine.Checkpointer.TryRun());
        }

        Assert.NotNull(_disk.Peek(Layout.IndexFile));
        _disk.Unlink(Layout.StoreFile);
        Stores.Fails(SessionStatus.Corrupt, () => Stores.Open(_disk.OpenAs(), _time));
        Salvage();
        using SessionStore salvaged = Stores.Open(_disk.OpenAs(), _time);
        salvaged.Create().Say("1");
        salvaged.AssertSound();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_branch_that_lost_log_json_and_the_link_to_its_parents_log_gets_both_back(bool isLink)
    {
        string parent, branch;
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Session session = store.Create();
            session.Say("1");
            session.Say("2");
            Session child = session.Fork(1);
            child.Say("3");
            session.Say("4");
            (parent, branch) = (session.Id, child.Id);
        }

        string folder = Layout.LiveFolder(branch), link = Layout.History(folder, parent);
        _disk.Unlink(folder + "/" + Layout.LogStateFile);
        _disk.Unlink(link);
        if (isLink)
        {
            _disk.CreateFolder(link);
        }

        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Assert.False(store.Verify().GetProperty("ok").GetBoolean());
            Assert.Equal(3, store.OpenSession(branch).Say("5"));
        }

        Salvage();
        using SessionStore salvaged = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(["1", "3", "5"], Texts(salvaged.OpenSession(branch)));
        salvaged.AssertSound();
    }

    [Fact]
    public void A_branch_that_lost_log_json_the_link_and_its_parent_is_named()
    {
        string branch;
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Session session = store.Create();
            session.Say("1");
            Session child = session.Fork();
            child.Say("2");
            branch = child.Id;
            session.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
        }

        string folder = Layout.LiveFolder(branch);
        _disk.Unlink(folder + "/" + Layout.LogStateFile);
        _disk.Unlink(_disk.Paths().Single(p => p.Contains("/history/", StringComparison.Ordinal)));
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Assert.Contains(again.Verify().GetProperty("issues").EnumerateArray(), i => i.GetProperty("code").GetString()
            == "events_missing" && i.GetProperty("session_id").GetString() == branch);
    }

    private void Salvage() => Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs(), _time), b));

    private static string LogOf(string id) => Layout.LiveFolder(id) + "/" + Layout.EventsFile;

    private static IEnumerable<string?> Texts(Session session)
        => session.Events().GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("data").GetProperty("text").GetString());
}
