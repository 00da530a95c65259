using System.Text.Json;
using Sessions.Model;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Watching;

/// <summary>Watches that tell one change a session: for lists, which never want a gap.</summary>
public sealed class CoalescedWatchTests : IDisposable
{
    private static readonly WatchOptions Coalesced = new() { Flags = WatchFlags.Coalesce };

    private readonly MemoryDisk _disk = new();
    private readonly SessionStore _store;

    public CoalescedWatchTests() => _store = Stores.Open(_disk.OpenAs());

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Many_changes_of_a_session_are_one_with_its_newest_numbers()
    {
        Session one = _store.Create(), two = _store.Create();
        using SessionWatch watch = _store.OpenWatch(Coalesced);
        for (int i = 0; i < 100; i++)
        {
            one.Say("more");
        }

        two.Abort();
        one.UpdateTitle("one");
        List<JsonElement> changes = watch.All();
        Assert.Equal([one.Id, two.Id], changes.Select(c => c.Text("session_id")));
        Assert.All(changes, c => Assert.Equal("changed", Watches.Kind(c)));
        Assert.Equal("""{"kinds":["renamed","event_appended"]}""", changes[0].GetProperty("detail").GetRawText());
        Assert.Equal((one.GetStat().Revision, 100), (changes[0].Number("revision"), changes[0].Number("last_seq")));
        Assert.Equal(one.GetStat().Revision, changes[0].Number("lsn"));
        Assert.Contains("abort", KindsOf(changes[1]));
        Assert.Empty(watch.All());
    }

    [Fact]
    public void A_position_is_before_all_that_it_has_not_told()
    {
        Session one = _store.Create(), two = _store.Create();
        using SessionWatch watch = _store.OpenWatch(Coalesced);
        one.Say("1");
        long first = Published;
        two.Say("2");
        one.Say("3");
        JsonElement page = watch.Next(1);
        Assert.Equal(first, page.Number("next_lsn"));
        Assert.True(page.GetProperty("has_more").GetBoolean());
        using SessionWatch again = _store.OpenWatch(Coalesced with { AfterLsn = first });
        Assert.Equal([two.Id, one.Id], again.All().Select(c => c.Text("session_id")));
        one.Say("4");
        page = watch.Next();
        Assert.Equal([two.Id, one.Id], page.GetProperty("changes").EnumerateArray().Select(c => c.Text("session_id")));
        Assert.Equal(Published, page.Number("next_lsn"));
    }

    [Fact]
    public void Filters_choose_what_counts_as_a_change()
    {
        Session one = _store.Create(), two = _store.Create();
        using SessionWatch kinds = _store.OpenWatch(Coalesced with { Kinds = "renamed,notice" });
        using SessionWatch session = _store.OpenWatch(Coalesced with { SessionId = two.Id });
        one.Say("1");
        two.Say("2");
        Assert.Empty(kinds.All());
        Assert.Equal([two.Id], session.All().Select(c => c.Text("session_id")));
        one.UpdateTitle("one");
        _store.Configure(null, """{"unique_roles":true}"""u8);
        _store.Engine.Feed.Announce(WatchKinds.Job, null, "{}"u8.ToArray());
        Assert.Equal([one.Id, null], kinds.All().Select(c => c.Text("session_id")));
        Assert.Empty(session.All());
    }

    [Fact]
    public void After_a_reset_all_sessions_may_have_changed_and_gone_ones_have_no_numbers()
    {
        Session[] sessions = [.. Enumerable.Range(0, 5).Select(_ => _store.Create())];
        _store.List();
        using SessionWatch watch = _store.OpenWatch(Coalesced);
        using SessionWatch one = _store.OpenWatch(Coalesced with { SessionId = sessions[3].Id, Kinds = "renamed" });
        sessions[0].Say("before it");
        lock (_store.Core.Rows.Gate)
        {
            _store.Core.Replica.Reset();
            _store.Core.Replica.CatchUp();
        }

        List<JsonElement> changes = watch.All(limit: 2);
        Assert.Equal(sessions.Select(s => s.Id).Order(), changes.Select(c => c.Text("session_id")!).Order());
        JsonElement first = changes.Single(c => c.Text("session_id") == sessions[0].Id);
        Assert.Contains("gap", KindsOf(first));
        Assert.Equal(1, first.Number("last_seq"));
        Assert.Equal([sessions[3].Id], one.All().Select(c => c.Text("session_id")));

        sessions[1].Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        JsonElement gone = watch.All().Single();
        Assert.Contains("deleted", KindsOf(gone));
        Assert.Equal(JsonValueKind.Null, gone.GetProperty("revision").ValueKind);
    }

    [Fact]
    public void It_begins_behind_any_LSN_and_what_the_journal_has_no_more_may_be_anything()
    {
        Session old = _store.Create();
        long start = Published;
        Session one = _store.Create();
        string text = new('x', 500_000);
        for (int i = 0; i < 30; i++)
        {
            one.Say(text, AppendFlags.Relaxed);
        }

        using SessionWatch all = _store.OpenWatch(Coalesced with { AfterLsn = start });
        JsonElement change = all.All().Single();
        Assert.Equal((one.Id, 30), (change.Text("session_id"), change.Number("last_seq")));
        Assert.DoesNotContain("gap", KindsOf(change));
        Assert.True(_store.Engine.Checkpointer.TryRun());
        using SessionWatch late = _store.OpenWatch(Coalesced with { AfterLsn = start });
        Assert.Equal([old.Id, one.Id], late.All().Select(c => c.Text("session_id")!).Order());
    }

    [Fact]
    public void Pages_hold_so_many_bytes()
    {
        for (int i = 0; i < 8000; i++)
        {
            _store.Create(options: new SessionCreateOptions()).Dispose();
        }

        using SessionWatch watch = _store.OpenWatch(Coalesced with { AfterLsn = 1 });
        JsonElement page = watch.Next();
        int first = page.GetProperty("changes").GetArrayLength();
        Assert.InRange(page.GetRawText().Length, 1_000_000, (1 << 20) + 200);
        Assert.True(page.GetProperty("has_more").GetBoolean());
        Assert.Equal(7999, first + watch.All().Count);
    }

    private long Published => _store.Core.State.Published;

    private static List<string?> KindsOf(JsonElement change)
        => [.. change.GetProperty("detail").GetProperty("kinds").EnumerateArray().Select(k => k.GetString())];
}
