using System.Text.Json;
using Sessions.Lifecycle;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Events.Branches;

public sealed class BranchTests : IDisposable
{
    private readonly FaultyDisk _disk = new(seed: 3);
    private readonly SessionStore _store;

    public BranchTests() => _store = Open(_disk);

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_branch_sees_its_parents_events_up_to_a_number_and_then_its_own()
    {
        Session parent = Talk(5);
        Session child = parent.Fork(3);
        Assert.Equal(["p1", "p2", "p3"], Texts(child));
        Assert.Equal(4, child.Say("c4"));
        Assert.Equal(6, parent.Say("p6"));
        Assert.Equal(["p1", "p2", "p3", "c4"], Texts(child));
        Assert.Equal([1, 2, 3, 4], Seqs(child.Events()));
        Assert.Equal(["p1", "p2", "p3", "p4", "p5", "p6"], Texts(parent));
        JsonElement info = child.Info();
        Assert.Equal(parent.Id, info.GetProperty("parent_id").GetString());
        Assert.Equal(3, info.GetProperty("fork_seq").GetInt64());
        Assert.Equal(4, info.GetProperty("message_count").GetInt64());
        Assert.Equal(4, info.GetProperty("event_count").GetInt64());
        _store.AssertSound();
    }

    [Fact]
    public void Without_a_number_it_sees_all_there_is_relaxed_events_too()
    {
        Session parent = Talk(2);
        parent.Say("p3", AppendFlags.Relaxed);
        Session child = parent.Fork();
        Assert.Equal(["p1", "p2", "p3"], Texts(child));
        Assert.Equal(["p2", "p3"], Texts(child.Last(limit: 2)));
        Assert.Equal(3, child.Info().GetProperty("fork_seq").GetInt64());
        Assert.Equal(0, _store.Create().Fork().Info().GetProperty("fork_seq").GetInt64());
        Assert.True(JsonElement.DeepEquals(JsonDocument.Parse("null").RootElement,
            _store.Create(parent.Id).Info().GetProperty("fork_seq")));
    }

    [Fact]
    public void Branches_of_branches_keep_all_numbers()
    {
        Session first = Talk(4);
        Session second = first.Fork(3);
        second.Say("b4");
        second.Say("b5");
        Session third = second.Fork(4);
        third.Say("c5");
        Session fourth = third.Fork(2);
        fourth.Say("d3");
        Assert.Equal(["p1", "p2", "p3", "b4", "c5"], Texts(third));
        Assert.Equal(["p1", "p2", "d3"], Texts(fourth));
        Assert.Equal(["b4", "c5"], Texts(third.Last(limit: 2)));
        Assert.Equal(["p3", "b4"], Texts(third.Last(before: 5, limit: 2)));
        Assert.Equal(["p2", "p3"], Texts(third.Events(after: 1, limit: 2)));
        _store.AssertSound();
        string second_ = second.Id;
        second.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
        Assert.Null(_disk.Stat(Layout.LiveFolder(second_)));
        Assert.Equal(["p1", "p2", "p3", "b4", "c5"], Texts(third));
        first.Delete(DeletePolicy.Orphan);
        _store.Purge(1L << 52);
        Assert.Equal(["p1", "p2", "p3", "b4", "c5"], Texts(third));
        Assert.Equal(["p1", "p2", "d3"], Texts(fourth));
        _store.AssertSound();
    }

    [Fact]
    public void The_family_is_told_whole_from_any_of_its_members()
    {
        Session root = Talk(2);
        Session left = root.Fork(1), right = _store.Create(root.Id), leaf = left.Fork();
        string expected = Stores.Text(root.WriteTree);
        foreach (Session member in new[] { left, right, leaf })
        {
            Assert.Equal(expected, Stores.Text(member.WriteTree));
        }

        JsonElement tree = JsonDocument.Parse(expected).RootElement;
        Assert.Equal(root.Id, tree.GetProperty("root_id").GetString());
        Assert.Equal([(root.Id, 0), (left.Id, 1), (leaf.Id, 2), (right.Id, 1)], tree.GetProperty("sessions")
            .EnumerateArray().Select(s => (s.GetProperty("id").GetString()!, s.GetProperty("depth").GetInt32())));
        root.Delete(DeletePolicy.Orphan);
        Assert.Equal(left.Id, Stores.Json(leaf.WriteTree).GetProperty("root_id").GetString());
    }

    [Fact]
    public void What_is_asked_wrongly_makes_no_branch()
    {
        Session parent = Talk(2);
        int before = _store.List().GetArrayLength();
        Fails(SessionStatus.InvalidArgument, () => parent.Fork(3));
        Fails(SessionStatus.InvalidArgument, () => parent.Fork(-1));
        Fails(SessionStatus.NotFound, () => parent.Fork(1, new SessionCreateOptions { DecisionId = "d_1" }));
        Fails(SessionStatus.InvalidArgument, () => parent.Rewind(3));
        Fails(SessionStatus.NotFound, parent.UndoRewind);
        Assert.Equal(before, _store.List().GetArrayLength());
        Session child = parent.Fork(1, new SessionCreateOptions { IdempotencyKey = "k", Title = "T" });
        Assert.Equal(child.Id, parent.Fork(2, new SessionCreateOptions { IdempotencyKey = "k" }).Id);
        Assert.Equal("T", child.Info().GetProperty("title").GetString());
        parent.Delete(DeletePolicy.Orphan);
        Fails(SessionStatus.Deleted, () => parent.Fork());
        Fails(SessionStatus.Deleted, () => parent.Rewind(1));
        Fails(SessionStatus.Deleted, () => parent.WriteTree(new System.Buffers.ArrayBufferWriter<byte>()));
    }

    [Fact]
    public void A_repeated_id_is_known_in_the_branch()
    {
        Session parent = _store.Create();
        parent.Say("one", id: "e1");
        parent.Say("two", id: "e2");
        Session child = parent.Fork(1);
        Assert.Equal(1, child.Say("again", id: "e1"));
        Assert.Equal(2, child.Say("not yet seen here", id: "e2"));
    }

    [Fact]
    public void A_rewind_hides_and_an_undo_shows_again()
    {
        Session session = Talk(5);
        session.Rewind(2);
        Assert.Equal(["p1", "p2"], Texts(session));
        JsonElement page = session.Events();
        Assert.Equal("""[{"first_seq":3,"last_seq":5,"reason":"rewound"}]""",
            page.GetProperty("skipped").GetRawText());
        Assert.Equal("rewind", page.GetProperty("events")[2].GetProperty("type").GetString());
        session.Say("p7");
        Assert.Equal(["p1", "p2", "p7"], Texts(session));
        Assert.Equal(["p2", "p7"], Texts(session.Last(limit: 3)));
        session.Rewind(1);
        Assert.Equal(["p1"], Texts(session));
        session.Rewind(session.GetStat().LastSeq); // nothing is behind it
        session.UndoRewind();
        Assert.Equal(["p1", "p2", "p7"], Texts(session));
        session.UndoRewind();
        Assert.Equal(["p1", "p2", "p3", "p4", "p5", "p7"], Texts(session));
        Fails(SessionStatus.NotFound, session.UndoRewind);
        Assert.Equal("[]", session.Events().GetProperty("skipped").GetRawText());
        _store.AssertSound();
    }

    [Fact]
    public void A_branch_of_a_rewound_session_does_not_see_what_was_hidden()
    {
        Session session = Talk(4);
        session.Rewind(2);
        session.Say("p6");
        Session child = session.Fork();
        Assert.Equal(["p1", "p2", "p6"], Texts(child));
        child.UndoRewind();
        Assert.Equal(["p1", "p2", "p3", "p4", "p6"], Texts(child));
        Assert.Equal(["p1", "p2", "p6"], Texts(session));
        Assert.Equal(["p1", "p2", "p3"], Texts(session.Fork(3))); // the rewind came later
    }

    [Fact]
    public void All_of_it_is_there_after_closing_and_opening()
    {
        Session session = Talk(4);
        session.Rewind(2);
        Session child = session.Fork();
        child.Say("c6");
        string[] expected = [.. Texts(child)];
        _store.Close();
        using SessionStore again = Open(_disk);
        Assert.Equal(expected, Texts(again.OpenSession(child.Id)));
        Assert.Equal(["p1", "p2"], Texts(again.OpenSession(session.Id)));
        again.AssertSound();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Branches_can_be_had_without_hard_links(bool has)
    {
        var disk = new FaultyDisk(seed: 4)
        {
            Capabilities = new DiskCapabilities("plain", true, has, has),
        };
        using SessionStore store = Open(disk);
        Session parent = store.Create();
        parent.Say("p1");
        parent.Say("p2");
        Session child = parent.Fork();
        parent.Say("p3");
        parent.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
        Assert.Equal(["p1", "p2"], Texts(child));
    }

    [Fact]
    public void A_history_that_was_removed_leaves_the_rest_readable()
    {
        Session parent = Talk(3);
        Session child = parent.Fork(2);
        child.Say("c3");
        _disk.Unlink(Layout.History(Layout.LiveFolder(child.Id), parent.Id));
        Assert.Equal(["c3"], Texts(child));
        Assert.Equal("""[{"first_seq":1,"last_seq":2,"reason":"missing"}]""",
            child.Events().GetProperty("skipped").GetRawText());
        Assert.False(_store.Verify().GetProperty("ok").GetBoolean());
        Assert.Contains("history_missing", _store.Verify().GetRawText(), StringComparison.Ordinal);
        Assert.Equal(4, child.Say("c4"));
    }

    [Fact]
    public void A_torn_line_at_the_end_of_a_history_swallows_nothing()
    {
        Session parent = Talk(2);
        string log = Layout.LiveFolder(parent.Id) + "/" + Layout.EventsFile;
        _store.Close();
        byte[] lines = _disk.Peek(log)!;
        _disk.Poke(log, lines.AsSpan(0, lines.Length - 5));
        using SessionStore again = Open(_disk);
        Session child = again.OpenSession(parent.Id).Fork();
        child.Say("c3");
        JsonElement events = child.Events().GetProperty("events");
        Assert.Equal(["user_prompt", "damaged", "user_prompt"],
            events.EnumerateArray().Select(e => e.GetProperty("type").GetString()!));
        Assert.Equal($"history/{parent.Id}.jsonl",
            events[1].GetProperty("data").GetProperty("file").GetString());
    }

    [Fact]
    public void A_compaction_says_where_the_context_starts()
    {
        Session session = Talk(3);
        session.Append("compaction", Utf8("""{"from_seq":2,"summary":"One was said."}"""));
        session.Append("compaction", Utf8("""{"from_seq":99,"summary":"of the future"}"""));
        session.Append("compaction", Utf8("[]"));
        Row row = _store.Core.Rows.Find(session.Id)!;
        Assert.Equal(2, _store.Core.Rows.ReadLog(row).ContextFrom);
        session.Rewind(3);
        Assert.Equal(1, _store.Core.Rows.ReadLog(row).ContextFrom);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_log_json_that_is_lost_is_made_anew_from_what_bears_witness_of_it(bool isRemoved)
    {
        Session first = Talk(6);
        Session second = first.Fork(5);
        second.Say("b6");
        second.Rewind(4);
        second.Say("b8");
        Session third = second.Fork();
        third.Append("compaction", """{"from_seq":3}"""u8);
        third.Rewind(9);
        third.UndoRewind();
        third.Say("c10");
        first.Say("p7");
        second.Say("b9");
        string path = Layout.LiveFolder(third.Id) + "/" + Layout.LogStateFile;
        string expected = Text(b => third.WriteEvents(0, 0, b));
        string image = System.Text.Encoding.UTF8.GetString(_disk.Peek(path)!);
        _store.Close();
        if (isRemoved)
        {
            _disk.Unlink(path);
        }
        else
        {
            _disk.Poke(path, new byte[60]);
        }

        using (SessionStore again = Open(_disk))
        {
            Assert.Equal(expected, Text(b => again.OpenSession(third.Id).WriteEvents(0, 0, b)));
        }

        SessionStore.Salvage(Environment(_disk), new System.Buffers.ArrayBufferWriter<byte>());
        Assert.Equal(image, System.Text.Encoding.UTF8.GetString(_disk.Peek(path)!));
        using SessionStore salvaged = Open(_disk);
        salvaged.AssertSound();
    }

    [Fact]
    public async Task Branches_made_while_the_parent_is_written_to_end_at_a_whole_event()
    {
        Session parent = Talk(1);
        using SessionStore other = Open(_disk.OpenAs());
        using var stop = new CancellationTokenSource();
        Task writing = Task.Run(() =>
        {
            using Session same = other.OpenSession(parent.Id);
            for (int i = 2; i < 3000 && !stop.IsCancellationRequested; i++)
            {
                same.Say($"p{i}", i % 2 == 0 ? AppendFlags.Relaxed : AppendFlags.None);
            }
        }, TestContext.Current.CancellationToken);
        for (int i = 0; i < 25; i++)
        {
            using Session child = parent.Fork();
            long last = child.GetStat().LastSeq;
            Assert.Equal(Enumerable.Range(1, (int)last).Select(n => $"p{n}"), Texts(child));
        }

        await stop.CancelAsync();
        await writing;
        _store.AssertSound();
    }

    [Fact]
    public void An_event_that_comes_before_the_commit_is_behind_the_number_that_was_asked_for()
    {
        Session parent = Talk(3);
        using SessionStore other = Open(_disk.OpenAs());
        Row row = _store.Core.Rows.Find(parent.Id)!;
        var request = new ForkRequest(_store.Core, SessionStore.NewInfo(parent.Id, null), row, 3, null);
        other.OpenSession(parent.Id).Say("p4");
        _store.Commit(request);
        Assert.True(request.IsStale);
        Assert.Equal(["p1", "p2", "p3"], Texts(parent.Fork(3)));
    }

    [Fact]
    public void A_prune_that_comes_before_the_commit_makes_it_look_again()
    {
        Session first = Talk(4);
        Session second = first.Fork();
        second.Say("b5");
        second.Say("b6");
        Row row = _store.Core.Rows.Find(second.Id)!;
        LogState seen = _store.Core.Rows.ReadLog(row);
        var found = new FoundBranchPoint(new BranchPoint(seen, default), seen, row.Rewrites);
        Stores.Json(b => second.Prune("""{"max_events":2}"""u8, b));
        var request = new ForkRequest(_store.Core, SessionStore.NewInfo(second.Id, null), row, 5, found);
        _store.Commit(request);
        Assert.True(request.IsStale);
        Session third = second.Fork(5);
        Assert.Equal(["b5"], Texts(third));
        Assert.Equal(1, third.Info().GetProperty("message_count").GetInt64());
        _store.AssertSound();
    }

    private Session Talk(int count)
    {
        Session session = _store.Create();
        for (int i = 1; i <= count; i++)
        {
            session.Say($"p{i}");
        }

        return session;
    }

    private static IEnumerable<string> Texts(Session session) => Texts(session.Events());

    private static IEnumerable<string> Texts(JsonElement page) => page.GetProperty("events").EnumerateArray()
        .Where(e => e.GetProperty("type").GetString() == "user_prompt")
        .Select(e => e.GetProperty("data").GetProperty("text").GetString()!);

    private static IEnumerable<long> Seqs(JsonElement page)
        => page.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("seq").GetInt64());
}
