using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Rows;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>A log.json, and links of a history, that somebody removed.</summary>
public sealed class LostHistoryTests
{
    // The link to the older ancestor was taken for the parent's part as well, and showed what that had said later.
    [Fact]
    public void A_branch_of_a_branch_that_lost_log_json_and_its_parents_link_gets_both_from_the_parent()
    {
        (string id, string parent, _) = MakeGrandchild();
        _disk.Unlink(Layout.LiveFolder(id) + "/" + Layout.LogStateFile);
        _disk.Unlink(Layout.History(Layout.LiveFolder(id), parent));
        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            Assert.Equal(["G1", "G2", "C4"], Said(store.OpenSession(id)).Where(t => t[0] is 'G' or 'P' or 'C'));
            Assert.False(store.Verify().GetProperty("ok").GetBoolean());
        }

        Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs()), b));
        using SessionStore salvaged = Stores.Open(_disk.OpenAs());
        Assert.Equal(["G1", "G2", "P3", "C4"], Said(salvaged.OpenSession(id)));
        salvaged.AssertSound();
    }

    [Fact]
    public void A_branch_that_lost_log_json_and_the_link_to_its_oldest_ancestor_is_not_called_sound()
    {
        (string id, _, string grandparent) = MakeGrandchild();
        _disk.Unlink(Layout.LiveFolder(id) + "/" + Layout.LogStateFile);
        _disk.Unlink(Layout.History(Layout.LiveFolder(id), grandparent));
        using SessionStore store = Stores.Open(_disk.OpenAs());
        Assert.Equal(["P3", "C4"], Said(store.OpenSession(id)));
        Assert.Contains("events_missing", store.Verify().GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_parent_whose_log_may_not_be_read_does_no_harm_to_a_branch_that_lost_log_json()
    {
        (FaultyDisk disk, string id, string parent) = MakeLost();
        using SessionStore store = Stores.Open(Failing(disk, DiskError.AccessDenied, parent));
        Assert.Equal(["C2"], Said(store.OpenSession(id)));
        Assert.Equal(3, store.OpenSession(id).Say("C3"));
    }

    // A branch without history that a broken read had made would be written down by its next rewind.
    [Fact]
    public void A_parent_whose_log_cannot_be_read_just_now_makes_no_branch_without_history()
    {
        (FaultyDisk disk, string id, string parent) = MakeLost();
        FaultyDisk failing = Failing(disk, DiskError.Io, parent);
        using SessionStore store = Stores.Open(failing);
        using Session branch = store.OpenSession(id);
        Stores.Fails(SessionStatus.Io, () => branch.Rewind(1));
        Stores.Fails(SessionStatus.Io, () => branch.Events());
        failing.FailIf = null;
        branch.Say("C3");
        branch.Rewind(2);
        store.Close();
        Stores.Text(b => SessionStore.Salvage(Stores.Environment(disk.OpenAs()), b));
        using SessionStore salvaged = Stores.Open(disk.OpenAs());
        Assert.StartsWith("P1,C2", string.Join(',', Said(salvaged.OpenSession(id))), StringComparison.Ordinal);
        salvaged.AssertSound();
    }

    // A row whose info nobody had read yet was taken for one that is no branch.
    [Fact]
    public void A_branch_that_lost_log_json_is_one_before_its_info_is_read()
    {
        (FaultyDisk disk, string id, _) = MakeLost();
        using SessionStore store = Stores.Open(disk.OpenAs());
        Row row = store.Core.Rows.Find(id)!;
        lock (store.Core.Rows.Gate)
        {
            store.Core.Replica.Reset();
            Assert.Null(row.Info);
            Assert.Single(store.Core.Rows.ReadLog(row).History);
        }
    }

    private static (FaultyDisk Disk, string Id, string Parent) MakeLost()
    {
        var disk = new FaultyDisk(seed: 9);
        using SessionStore store = Stores.Open(disk.OpenAs());
        Session parent = store.Create();
        parent.Say("P1");
        Session branch = parent.Fork(1);
        branch.Say("C2");
        store.Close();
        disk.Unlink(Layout.LiveFolder(branch.Id) + "/" + Layout.LogStateFile);
        disk.Unlink(Layout.History(Layout.LiveFolder(branch.Id), parent.Id));
        disk.RemoveFolder(Layout.LiveFolder(branch.Id) + "/" + Layout.HistoryFolder);
        return (disk, branch.Id, parent.Id);
    }

    private static FaultyDisk Failing(FaultyDisk disk, DiskError error, string parent)
    {
        FaultyDisk opened = disk.OpenAs();
        opened.FailWith = error;
        opened.FailIf = o => o.Name == "open" && o.Path == Layout.LiveFolder(parent) + "/" + Layout.EventsFile;
        return opened;
    }

    // C, its parent P, and G, of which that is a branch.
    private (string Id, string Parent, string Grandparent) MakeGrandchild()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs());
        Session grandparent = store.Create();
        grandparent.Say("G1");
        grandparent.Say("G2");
        Session parent = grandparent.Fork(2);
        parent.Say("P3");
        grandparent.Say("G3");
        grandparent.Say("G4");
        Session branch = parent.Fork(3);
        branch.Say("C4");
        parent.Say("P4");
        Assert.Equal(["G1", "G2", "P3", "C4"], Said(branch));
        return (branch.Id, parent.Id, grandparent.Id);
    }

    // Their texts; of anything else its type.
    private static IEnumerable<string> Said(Session session)
        => session.Events().GetProperty("events").EnumerateArray().Select(e => e.GetProperty("type").GetString()!
            is var type && type == "user_prompt" ? e.GetProperty("data").GetProperty("text").GetString()! : type);

    private readonly MemoryDisk _disk = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_verification_names_what_a_rewind_hid_whose_log_json_is_gone(bool isOpen)
    {
        SessionStore store = Stores.Open(_disk.OpenAs());
        Session session = Talk(store, 5), undone = Talk(store, 5), own = Talk(store, 2);
        session.Rewind(2);
        session.Say("seven");
        session.Rewind(6);
        session.Append("compaction", """{"from_seq":2,"summary":""}"""u8);
        undone.Rewind(2);
        undone.UndoRewind();
        store.AssertSound();
        if (!isOpen)
        {
            store.Close();
        }

        string path = Layout.LiveFolder(session.Id) + "/" + Layout.LogStateFile;
        _disk.Unlink(path);
        if (!isOpen)
        {
            store = Stores.Open(_disk.OpenAs());
            JsonElement report = store.Verify();
            Assert.False(report.GetProperty("ok").GetBoolean());
            JsonElement[] issues = [.. report.GetProperty("issues").EnumerateArray()];
            Assert.Equal((string[])["6 events 3 to 5", "8 events 7 to 7", "9 begin with 2"], issues.Select(i =>
                i.GetProperty("seq").GetInt64() + " " + string.Join(' ', i.GetProperty("message").GetString()!
                .Split(' ')[^(i.GetProperty("seq").GetInt64() == 9 ? 3 : 4)..])));
            Assert.All(issues, i => Assert.Equal(("log_state_lost", path),
                (i.GetProperty("code").GetString()!, i.GetProperty("file").GetString()!)));
        }

        // What is written again says it all: the process that hid the events still knows.
        using Session again = store.OpenSession(session.Id);
        again.Rewind(8);
        Assert.NotNull(_disk.Peek(path));
        store.AssertSound();
        Assert.Equal(isOpen ? 0 : 2, store.OpenSession(session.Id).Events().GetProperty("events").EnumerateArray()
            .Count(e => e.GetProperty("seq").GetInt64() is 3 or 7));
        store.Close();
    }

    [Theory]
    [InlineData("parent")]
    [InlineData("parent in the trash")]
    [InlineData("sister")]
    [InlineData("pruned log")]
    [InlineData("nowhere")]
    public void A_salvage_makes_the_links_of_a_history_again_that_were_removed(string where)
    {
        string branchId, parentId, middleId, sisterId;
        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            Session parent = Talk(store, 4);
            Session middle = parent.Fork(3);
            middle.Say("four in the middle");
            Session branch = middle.Fork(), sister = middle.Fork(2);
            branch.Say("five in the branch");
            parent.Say("goes on");
            (branchId, parentId, middleId, sisterId) = (branch.Id, parent.Id, middle.Id, sister.Id);
            if (where == "pruned log" || where == "nowhere")
            {
                parent.Prune("""{"max_events":1}"""u8, new System.Buffers.ArrayBufferWriter<byte>());
            }

            if (where is "parent in the trash" or "sister")
            {
                parent.Delete(DeletePolicy.Orphan);
            }

            if (where is "sister")
            {
                store.Purge(long.MaxValue >> 11);
            }
        }

        if (where is not "sister")
        {
            Drop(sisterId, parentId);
            Drop(middleId, parentId);
        }

        foreach (string path in _disk.Paths().Where(p => where == "nowhere"
            && p.StartsWith(Layout.PrunedFolder, StringComparison.Ordinal)).ToList())
        {
            _disk.Unlink(path);
        }

        string link = Layout.History(Layout.LiveFolder(branchId), parentId);
        byte[] bytes = _disk.Peek(link)!;
        Drop(branchId, parentId);
        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            Assert.Contains("history_missing", store.Verify().GetRawText(), StringComparison.Ordinal);
            Assert.Equal([4, 5], Seqs(store, branchId));
        }

        Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs()), b));
        using SessionStore after = Stores.Open(_disk.OpenAs());
        if (where == "nowhere")
        {
            Assert.Null(_disk.Peek(link));
            Assert.Equal([4, 5], Seqs(after, branchId));
            return;
        }

        Assert.Equal(bytes, _disk.Peek(link));
        Assert.Equal([1, 2, 3, 4, 5], Seqs(after, branchId));
        after.AssertSound();
    }

    private void Drop(string id, string ancestorId) => _disk.Unlink(Layout.History(Layout.LiveFolder(id), ancestorId));

    private static IEnumerable<int> Seqs(SessionStore store, string id) => store.OpenSession(id).Events()
        .GetProperty("events").EnumerateArray().Select(e => e.GetProperty("seq").GetInt32());

    private static Session Talk(SessionStore store, int count)
    {
        Session session = store.Create();
        for (int i = 1; i <= count; i++)
        {
            session.Say($"{i}");
        }

        return session;
    }
}
