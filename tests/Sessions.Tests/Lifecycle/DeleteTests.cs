using System.Text.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Lifecycle;

/// <summary>Delete, trash, restore and purge: all or nothing, and nothing by itself.</summary>
public sealed class DeleteTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();
    private SessionStore _store;

    public DeleteTests() => _store = Stores.Open(_disk.OpenAs(), _time);

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_cascade_takes_all_descendants_and_restore_brings_them_back()
    {
        (Session root, Session child, Session grandchild, Session other) = Family();
        grandchild.Say("kept");
        _time.Advance(1000);
        child.Delete();
        Assert.Equal([root.Id, other.Id], Ids(_store.List()).Order());
        JsonElement trash = _store.List(new SessionListOptions { Flags = ListFlags.Trash });
        Assert.Equal([child.Id, grandchild.Id], Ids(trash).Order());
        string[] deletions = [.. trash.EnumerateArray().Select(t => t.GetProperty("deletion_id").GetString()!)];
        Assert.Equal(deletions[0], deletions[1]);
        Assert.All(trash.EnumerateArray(), t => Assert.Equal(_time.NowMs, t.GetProperty("deleted_at").GetInt64()));
        foreach (Session gone in (Session[])[child, grandchild])
        {
            Stores.Fails(SessionStatus.Deleted, () => gone.UpdateTitle("x"));
            Stores.Fails(SessionStatus.Deleted, () => gone.Say("x"));
            Stores.Fails(SessionStatus.Deleted, () => gone.Info());
            Stores.Fails(SessionStatus.Deleted, () => gone.GetStat());
            Stores.Fails(SessionStatus.Deleted, () => gone.Events());
            Stores.Fails(SessionStatus.Deleted, () => gone.Delete());
            Stores.Fails(SessionStatus.Deleted, () => gone.Abort());
            Stores.Fails(SessionStatus.Deleted, () => gone.WaitAbort(0));
            Stores.Fails(SessionStatus.Deleted, () => _store.OpenSession(gone.Id));
        }

        Reopen();
        _store.Restore(grandchild.Id);
        Assert.Equal(4, _store.List().GetArrayLength());
        Assert.Equal(0, _store.List(new SessionListOptions { Flags = ListFlags.Trash }).GetArrayLength());
        Assert.Equal(child.Id, _store.OpenSession(grandchild.Id).Info().GetProperty("parent_id").GetString());
        Assert.Equal(1, _store.OpenSession(grandchild.Id).Events().GetProperty("events").GetArrayLength());
        Assert.Equal(2, _store.OpenSession(grandchild.Id).Say("goes on"));
        Assert.DoesNotContain("deletion_id", Stores.Text(_store.OpenSession(child.Id).WriteInfo),
            StringComparison.Ordinal);
        _store.Restore(grandchild.Id);
        Stores.Fails(SessionStatus.NotFound, () => _store.Restore("session_1"));
        _store.AssertSound();
        Reopen();
        Assert.Equal(4, _store.List().GetArrayLength());
    }

    [Fact]
    public void A_handle_from_before_a_delete_works_again_after_a_restore()
    {
        Session session = _store.Create();
        session.Say("one");
        session.Delete();
        _store.Restore(session.Id);
        Assert.Equal(2, session.Say("two"));
        Assert.Equal(2, session.Events().GetProperty("events").GetArrayLength());
    }

    [Fact]
    public void Orphans_lose_their_parent_and_refusing_names_the_children()
    {
        (Session root, Session child, Session grandchild, _) = Family();
        SessionException e = Stores.Fails(SessionStatus.HasChildren, () => root.Delete(DeletePolicy.Refuse));
        Assert.Equal("""{"children":1}""", e.Details);
        Assert.Equal(4, _store.List().GetArrayLength());
        root.Delete(DeletePolicy.Orphan);
        Assert.Equal(JsonValueKind.Null, child.Info().GetProperty("parent_id").ValueKind);
        Assert.Equal(child.Id, grandchild.Info().GetProperty("parent_id").GetString());
        grandchild.Delete(DeletePolicy.Refuse);
        child.Delete(DeletePolicy.Refuse);
        Assert.Equal(1, _store.List().GetArrayLength());
        Stores.Fails(SessionStatus.InvalidArgument, () => _store.Create().Delete((DeletePolicy)3));
        Stores.Fails(SessionStatus.InvalidArgument, () => _store.Create().Delete((DeletePolicy)0x200));
    }

    [Fact]
    public void Who_comes_back_without_the_parent_has_none()
    {
        (Session root, Session child, Session grandchild, _) = Family();
        child.Delete();
        root.Delete();
        _store.Restore(child.Id);
        Assert.Equal(JsonValueKind.Null, child.Info().GetProperty("parent_id").ValueKind);
        Assert.Equal(child.Id, grandchild.Info().GetProperty("parent_id").GetString());
        _store.Restore(root.Id);
        Assert.Equal(4, _store.List().GetArrayLength());
    }

    [Fact]
    public void Without_the_trash_a_session_is_gone_for_good()
    {
        (Session root, Session child, _, _) = Family();
        child.Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        Assert.Equal(0, _store.List(new SessionListOptions { Flags = ListFlags.Trash }).GetArrayLength());
        Stores.Fails(SessionStatus.NotFound, () => _store.OpenSession(child.Id));
        Stores.Fails(SessionStatus.NotFound, () => _store.Restore(child.Id));
        Stores.Fails(SessionStatus.Deleted, () => child.Info());
        Assert.DoesNotContain(_disk.Paths(), p => p.Contains(child.Id, StringComparison.Ordinal)
            && !p.StartsWith("journal/", StringComparison.Ordinal));
        Reopen();
        Stores.Fails(SessionStatus.NotFound, () => _store.OpenSession(child.Id));
        Assert.Equal(root.Id, _store.OpenSession(root.Id).Id);
        _store.AssertSound();
    }

    [Fact]
    public void A_purge_takes_what_is_old_enough_and_nothing_by_itself()
    {
        Session old = _store.Create(), young = _store.Create();
        const long day = 86_400_000;
        old.Delete();
        _time.Advance(20 * day);
        young.Delete();
        _time.Advance(10 * day);
        Assert.Equal(0, _store.Purge());
        _time.Advance(1);
        Reopen();
        Assert.Equal(2, _store.List(new SessionListOptions { Flags = ListFlags.Trash }).GetArrayLength());
        Assert.Equal(1, _store.Purge());
        Assert.Equal([young.Id], Ids(_store.List(new SessionListOptions { Flags = ListFlags.Trash })));
        Stores.Fails(SessionStatus.NotFound, () => _store.Restore(old.Id));
        Stores.Fails(SessionStatus.InvalidArgument, () => _store.Purge(-1));
        Assert.Equal(1, _store.Purge(_time.NowMs));
        Assert.DoesNotContain(_disk.Paths(), p => p.StartsWith("trash/", StringComparison.Ordinal));
        _store.AssertSound();
    }

    [Fact]
    public void A_purge_of_more_than_a_frame_takes_all()
    {
        Session root = _store.Create();
        for (int i = 0; i < 620; i++)
        {
            _store.Create(root.Id);
        }

        root.Delete();
        Assert.Equal(621, _store.Purge(_time.NowMs + 1));
        Assert.Equal(0, _store.Info().GetProperty("trash").GetInt64());
        _store.AssertSound();
    }

    [Fact]
    public void A_trash_that_was_emptied_by_hand_has_nothing_to_restore()
    {
        Session session = _store.Create();
        session.Delete();
        _store.Close();
        string folder = Layout.Parent(_disk.Paths().Single(p => p.StartsWith("trash/", StringComparison.Ordinal)));
        _disk.Unlink(folder + "/session.json");
        _disk.RemoveFolder(folder);
        _disk.RemoveFolder(Layout.Parent(folder));
        _store = Stores.Open(_disk.OpenAs(), _time);
        Stores.Fails(SessionStatus.NotFound, () => _store.Restore(session.Id));
        _store.Purge(_time.NowMs + 1);
        Assert.Equal(1, _store.Create().GetStat().Revision > 0 ? 1 : 0);
        _store.AssertSound();
    }

    private (Session Root, Session Child, Session Grandchild, Session Other) Family()
    {
        Session root = _store.Create(), child = _store.Create(root.Id);
        return (root, child, _store.Create(child.Id), _store.Create());
    }

    private void Reopen()
    {
        _store.Close();
        _store = Stores.Open(_disk.OpenAs(), _time);
    }

    private static IEnumerable<string> Ids(JsonElement list)
        => list.EnumerateArray().Select(e => e.GetProperty("id").GetString()!);
}
