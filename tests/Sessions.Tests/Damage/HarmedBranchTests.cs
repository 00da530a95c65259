using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>What is done to the log of a session, or to the link by which a branch has it, harms neither what the other
/// name still has nor the branch's own events.</summary>
public sealed class HarmedBranchTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();

    [Fact]
    public void A_folder_in_place_of_a_history_link_hides_only_what_the_link_was_of()
    {
        string parent, branch;
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Session session = store.Create();
            session.Say("1");
            Session child = session.Fork();
            child.Say("2");
            (parent, branch) = (session.Id, child.Id);
        }

        string link = Layout.History(Layout.LiveFolder(branch), parent);
        _disk.Unlink(link);
        _disk.CreateFolder(link);
        using (SessionStore again = Stores.Open(_disk.OpenAs(), _time))
        {
            Session child = again.OpenSession(branch);
            Assert.Equal(["2"], Texts(child));
            Assert.Equal(3, child.Say("3"));
            Assert.Contains(again.Verify().GetProperty("issues").EnumerateArray(),
                i => i.GetProperty("file").GetString() == link && i.GetProperty("severity").GetString() == "error");
        }

        Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs(), _time), b));
        using SessionStore salvaged = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(["1", "2", "3"], Texts(salvaged.OpenSession(branch)));
        salvaged.AssertSound();
    }

    [Fact]
    public void A_branch_keeps_the_log_that_was_replaced_under_its_parents_name()
    {
        string parent, branch;
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Session session = store.Create();
            session.Say("1");
            parent = session.Id;
        }

        MemoryDisk opening = _disk.OpenAs();
        SessionStore open = Stores.Open(opening, _time);
        branch = open.OpenSession(parent).Fork().Id;
        string log = Layout.LiveFolder(parent) + "/" + Layout.EventsFile;
        _disk.Unlink(log);
        _disk.CreateFolder(log);
        open.OpenSession(parent).Say("2"); // into a new file, which does not have the first one
        opening.Kill();
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(["1"], Texts(again.OpenSession(branch)));
    }

    [Fact]
    public void A_branch_is_linked_to_the_log_that_was_written_and_not_to_one_put_in_its_place()
    {
        string branch;
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Session session = store.Create(), other = store.Create();
            session.Say("1");
            other.Say("x");
            PutCopy(other.Id, session.Id);
            branch = session.Fork().Id;
        }

        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(["1"], Texts(again.OpenSession(branch)));
    }

    [Fact]
    public void A_log_that_anothers_was_put_over_before_a_kill_has_what_the_journal_has()
    {
        string id;
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Session session = store.Create();
            session.Say(new string('1', 5000)); // longer than all of the other log
            id = session.Id;
        }

        MemoryDisk opening = _disk.OpenAs();
        SessionStore open = Stores.Open(opening, _time);
        Session other = open.Create();
        other.Say("x");
        other.Say("y");
        Session same = open.OpenSession(id);
        same.Say("2");
        same.Say("3");
        PutCopy(other.Id, id);
        opening.Kill();
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(["x", "2", "3"], Texts(again.OpenSession(id))); // nothing tells whose the first one is
    }

    private void PutCopy(string from, string to)
    {
        byte[] log = _disk.Peek(Layout.LiveFolder(from) + "/" + Layout.EventsFile)!;
        _disk.Unlink(Layout.LiveFolder(to) + "/" + Layout.EventsFile);
        _disk.Poke(Layout.LiveFolder(to) + "/" + Layout.EventsFile, log);
    }

    private static List<string> Texts(Session session)
        => [.. session.Events().GetProperty("events").EnumerateArray()
            .Where(e => e.GetProperty("type").GetString() == "user_prompt")
            .Select(e => e.GetProperty("data").GetProperty("text").GetString()!)];
}
