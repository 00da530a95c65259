using System.Text.Json;
using Sessions.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Events.Pruning;

public sealed class PruneTests : IDisposable
{
    private readonly FaultyDisk _disk = new(seed: 5);
    private readonly ManualTime _time = new();
    private SessionStore _store;

    public PruneTests() => _store = Open(_disk, _time);

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Whole_turns_go_until_the_limit_is_kept_and_numbers_stay()
    {
        Session session = Talk(turns: 5, eventsEach: 3);
        JsonElement report = Prune(session, """{"max_events":7}""");
        Assert.Equal((9, 3, 10, 15), (report.GetProperty("pruned_events").GetInt64(),
            report.GetProperty("pruned_messages").GetInt64(), report.GetProperty("first_seq").GetInt64(),
            report.GetProperty("last_seq").GetInt64()));
        Assert.Equal([10, 11, 12, 13, 14, 15], Seqs(session.Events()));
        Assert.Equal("""[{"first_seq":1,"last_seq":9,"reason":"pruned"}]""",
            session.Events().GetProperty("skipped").GetRawText());
        Assert.Equal("""[{"first_seq":1,"last_seq":9,"reason":"pruned"}]""",
            session.Last().GetProperty("skipped").GetRawText());
        Assert.Equal([14, 15], Seqs(session.Last(limit: 2)));
        Assert.Equal([10, 11], Seqs(session.Last(before: 12)));
        Assert.Equal([10], Seqs(session.Events(after: 4, limit: 1)));
        Assert.Equal(16, session.Say("more"));
        JsonElement info = session.Info();
        Assert.Equal((7, 3, 16), (info.GetProperty("event_count").GetInt64(),
            info.GetProperty("message_count").GetInt64(), info.GetProperty("last_seq").GetInt64()));
        _store.AssertSound();
        Reopen();
        Assert.Equal([10, 11, 12, 13, 14, 15, 16], Seqs(_store.OpenSession(session.Id).Events()));
        _store.AssertSound();
    }

    [Theory]
    [InlineData("""{"max_events":1}""")]
    [InlineData("""{"max_bytes":1}""")]
    [InlineData("""{"max_age_ms":1}""")]
    public void The_last_turn_never_goes(string options)
    {
        Session session = Talk(turns: 3, eventsEach: 4);
        _time.Advance(1000);
        Assert.Equal(8, Prune(session, options).GetProperty("pruned_events").GetInt64());
        Assert.Equal([9, 10, 11, 12], Seqs(session.Events()));
        Assert.Equal(0, Prune(session, options).GetProperty("pruned_events").GetInt64());
        Session single = Talk(turns: 1, eventsEach: 4);
        Assert.Equal(0, Prune(single, options).GetProperty("pruned_events").GetInt64());
        Assert.Equal(0, Prune(_store.Create(), options).GetProperty("pruned_events").GetInt64());
    }

    [Fact]
    public void A_turn_that_goes_on_among_others_is_not_parted()
    {
        Session session = _store.Create();
        foreach (string turn in new[] { "a", "a", "b", "a", "b", "c", "c" })
        {
            session.Append("note", "{}"u8, new AppendOptions { TurnId = turn });
        }

        Assert.Equal(5, Prune(session, """{"max_events":3}""").GetProperty("pruned_events").GetInt64());
        Assert.Equal([6, 7], Seqs(session.Events()));
    }

    [Fact]
    public void Age_takes_what_ended_before_and_no_more()
    {
        Session session = _store.Create();
        for (int i = 0; i < 4; i++)
        {
            session.Say("prompt");
            session.Append("agent_message", "{}"u8);
            _time.Advance(10_000);
        }

        Prune(session, """{"max_age_ms":25000}""");
        Assert.Equal([5, 6, 7, 8], Seqs(session.Events()));
    }

    [Fact]
    public void A_dry_run_says_what_would_go_and_changes_nothing()
    {
        Session session = Talk(turns: 4, eventsEach: 2);
        string before = Stores.Text(session.WriteInfo);
        JsonElement dry = Prune(session, """{"max_events":3,"dry_run":true}""");
        Assert.Equal(before, Stores.Text(session.WriteInfo));
        Assert.Equal(8, Seqs(session.Events()).Count());
        Assert.Equal(dry.GetProperty("pruned_events").GetInt64(),
            Prune(session, """{"max_events":3}""").GetProperty("pruned_events").GetInt64());
    }

    [Fact]
    public void What_went_is_in_the_trash_until_a_purge()
    {
        Session session = Talk(turns: 4, eventsEach: 2);
        byte[] log = _disk.Peek(Layout.LiveFolder(session.Id) + "/" + Layout.EventsFile)!;
        Prune(session, """{"max_events":3}""");
        string kept = Assert.Single(_disk.Paths(), p => p.StartsWith("trash/pruned/", StringComparison.Ordinal));
        Assert.Equal(log, _disk.Peek(kept));
        _store.Purge(1);
        Assert.Equal(log, _disk.Peek(kept));
        _time.Advance(1);
        _store.Purge(_time.NowMs);
        Assert.Null(_disk.Peek(kept));
        Talk(turns: 4, eventsEach: 2, session);
        Prune(session, """{"max_events":3,"trash":false}""");
        Assert.DoesNotContain(_disk.Paths(), p => p.StartsWith("trash/pruned/", StringComparison.Ordinal));
    }

    [Fact]
    public void Branches_keep_what_their_parent_loses()
    {
        Session parent = Talk(turns: 4, eventsEach: 2);
        Session early = parent.Fork(5), late = parent.Fork();
        Prune(parent, """{"max_events":3}""");
        Session after = parent.Fork();
        Assert.Equal([1, 2, 3, 4, 5], Seqs(early.Events()));
        Assert.Equal(8, Seqs(late.Events()).Count());
        Assert.Equal([7, 8], Seqs(after.Events()));
        Talk(turns: 2, eventsEach: 2, late);
        Prune(late, """{"max_events":5}""");
        Assert.Equal([9, 10, 11, 12], Seqs(late.Events()));
        Assert.DoesNotContain(_disk.Paths(), p => p.StartsWith($"{Layout.LiveFolder(late.Id)}/history/",
            StringComparison.Ordinal));
        Prune(early, """{"max_events":1}""");
        Assert.Equal([5], Seqs(early.Events()));
        _store.AssertSound();
        Reopen();
        Assert.Equal([5], Seqs(_store.OpenSession(early.Id).Events()));
        Assert.Equal([7, 8], Seqs(_store.OpenSession(after.Id).Events()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_event_id_that_a_branch_no_longer_has_after_a_prune_is_a_new_event(bool isReopened)
    {
        Session parent = _store.Create();
        for (int i = 1; i <= 10; i++)
        {
            parent.Say($"prompt {i}", id: $"e{i}");
        }

        Session branch = parent.Fork(), own = parent.Fork();
        for (int i = 11; i <= 14; i++)
        {
            own.Say($"prompt {i}", id: $"e{i}");
        }

        using SessionStore other = Open(_disk.OpenAs(), _time);
        Session theirs = other.OpenSession(branch.Id);
        Assert.All([branch, own, theirs], s => Assert.Equal(2, s.Say("again", id: "e2"))); // all know the ids now
        Prune(branch, """{"max_events":3}""");
        Prune(own, """{"max_events":2}""");
        if (isReopened)
        {
            other.Close();
            Reopen();
            (branch, own, parent) = (_store.OpenSession(branch.Id), _store.OpenSession(own.Id),
                _store.OpenSession(parent.Id));
        }

        Assert.Equal(11, branch.Say("new", id: "e2"));
        Assert.Equal(11, branch.Say("new", id: "e2"));
        Assert.Equal(9, branch.Say("still there", id: "e9"));
        Assert.Equal([8, 9, 10, 11], Seqs(branch.Events()));
        using (SessionStream stream = branch.BeginStream("agent_message", new AppendOptions { Id = "e3" }))
        {
            Assert.Equal(12, stream.End());
        }

        Assert.Equal(15, own.Say("new", id: "e11"));
        Assert.Equal(16, own.Say("new", id: "e2"));
        Assert.Equal(13, own.Say("still there", id: "e13"));
        Assert.Equal(2, parent.Say("still there", id: "e2"));
        if (!isReopened)
        {
            Assert.Equal(11, theirs.Say("new", id: "e2"));
            Assert.Equal(13, theirs.Say("new", id: "e4"));
        }

        _store.AssertSound();
    }

    [Fact]
    public void The_id_of_a_line_that_readers_see_as_damage_is_no_event_that_the_session_has()
    {
        Session session = _store.Create();
        session.Say("one", id: "a");
        session.Say("two");
        _store.Close();
        string path = Layout.LiveFolder(session.Id) + "/" + Layout.EventsFile;
        var lines = new Utf8Buffer();
        lines.Raw(_disk.Peek(path)!);
        EventLine.Write(lines, 1, "user_prompt", 1, null, "b", "{\"text\":\"not in its place\"}"u8);
        EventLine.Write(lines, 90, "user_prompt", 1, null, "c", "{\"text\":\"not counted\"}"u8);
        _disk.Poke(path, lines.ToArray());
        _store = Open(_disk, _time);
        session = _store.OpenSession(session.Id);
        Assert.Equal(1, session.Say("one", id: "a"));
        Assert.Equal(3, session.Say("three", id: "b"));
        Assert.Equal(4, session.Say("four", id: "c"));
    }

    [Fact]
    public void Rewinds_and_compactions_go_on_to_count()
    {
        Session session = Talk(turns: 4, eventsEach: 2);
        session.Append("compaction", """{"from_seq":7}"""u8, new AppendOptions { TurnId = "t3" });
        session.Rewind(8);
        session.Append("note", "1"u8, new AppendOptions { TurnId = "t9" });
        Prune(session, """{"max_events":4}""");
        Assert.Equal([10, 11], Seqs(session.Events()));
        session.UndoRewind();
        Assert.Contains(9, Seqs(session.Events()));
    }

    [Fact]
    public void Damage_that_goes_is_kept_aside()
    {
        Session session = Talk(turns: 3, eventsEach: 2);
        string path = Layout.LiveFolder(session.Id) + "/" + Layout.EventsFile;
        _store.Close();
        byte[] log = _disk.Peek(path)!;
        log[20] ^= 1;
        _disk.Poke(path, log);
        _store = Open(_disk, _time);
        session = _store.OpenSession(session.Id);
        Prune(session, """{"max_events":2,"trash":false}""");
        Assert.Equal([5, 6], Seqs(session.Events()));
        byte[] line = log.AsSpan(0, log.AsSpan().IndexOf((byte)'\n')).ToArray();
        Assert.Contains(_disk.Paths(), p => p.StartsWith("quarantine/", StringComparison.Ordinal)
            && _disk.Peek(p).AsSpan().SequenceEqual(line));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"max_events":0}""")]
    [InlineData("""{"max_events":-1}""")]
    [InlineData("""{"max_events":1.5}""")]
    [InlineData("""{"max_events":"1"}""")]
    [InlineData("""{"max_age":1}""")]
    [InlineData("""{"max_events":1,"dry_run":1}""")]
    public void What_is_asked_wrongly_is_refused(string options)
    {
        Session session = Talk(turns: 3, eventsEach: 2);
        Fails(SessionStatus.InvalidArgument, () => Prune(session, options));
        session.Delete();
        Fails(SessionStatus.Deleted, () => Prune(session, """{"max_events":1}"""));
    }

    [Fact]
    public void Appends_of_others_while_it_copies_are_taken_along()
    {
        Session session = Talk(turns: 4, eventsEach: 2);
        bool isDone = false;
        using SessionStore other = Open(_disk.OpenAs(), _time);
        _disk.FailIf = o =>
        {
            if (!isDone && o.Name == "fdatasync" && o.Path.EndsWith(".new", StringComparison.Ordinal))
            {
                isDone = true;
                other.OpenSession(session.Id).Say("meanwhile");
                other.OpenSession(session.Id).Say("meanwhile too", AppendFlags.Relaxed);
            }

            return false;
        };
        Prune(session, """{"max_events":3}""");
        Assert.True(isDone);
        Assert.Equal([7, 8, 9, 10], Seqs(session.Events()));
        Assert.Equal([7, 8, 9, 10], Seqs(other.OpenSession(session.Id).Events()));
        Assert.Equal(11, other.OpenSession(session.Id).Say("after"));
        Assert.Equal(12, session.Say("and again"));
        Assert.Equal([7, 8, 9, 10, 11, 12], Seqs(other.OpenSession(session.Id).Events()));
        other.AssertSound();
    }

    [Fact]
    public void A_disk_that_fills_up_in_the_middle_changes_nothing()
    {
        Session session = Talk(turns: 4, eventsEach: 2);
        string before = Stores.Text(b => session.WriteEvents(0, 0, b));
        foreach (string operation in new[] { "pwrite", "open", "link" })
        {
            int failures = 1;
            _disk.FailIf = o => o.Name == operation && o.Path.EndsWith(".new", StringComparison.Ordinal)
                && failures-- > 0;
            _disk.FailWith = DiskError.NoSpace;
            SessionException? e = Record.Exception(() => Prune(session, """{"max_events":3}""")) as SessionException;
            _disk.FailIf = null;
            if (e is null)
            {
                continue; // the call is not made, or comes when the frame is durable: then it is done
            }

            Assert.Equal(SessionStatus.NoSpace, e.Status);
            Assert.Equal(before, Stores.Text(b => session.WriteEvents(0, 0, b)));
            Assert.DoesNotContain(_disk.Paths(), p => p.EndsWith(".new", StringComparison.Ordinal));
        }

        Prune(session, """{"max_events":3}""");
        Assert.Equal([7, 8], Seqs(session.Events()));
        _store.AssertSound();
    }

    [Fact]
    public void Files_that_nothing_refers_to_go_and_branches_keep_theirs()
    {
        Session session = _store.Create();
        string first = Put(session, "one"), second = Put(session, "two"), kept = Put(session, "three");
        foreach (string id in new[] { first, second, kept })
        {
            session.Append("user_prompt", Utf8($"{{\"text\":\"look\",\"files\":[{{\"file_id\":\"{id}\"}}]}}"),
                new AppendOptions { TurnId = id });
        }

        Session branch = session.Fork();
        _time.Advance(SessionFiles.SparedMs + 1);
        string late = Put(session, "put just now");
        Assert.Equal(6, Prune(session, """{"max_events":1}""").GetProperty("removed_file_bytes").GetInt64());
        Fails(SessionStatus.NotFound, () => session.GetFilePath(first));
        Fails(SessionStatus.NotFound, () => session.GetFilePath(second));
        Assert.EndsWith(".txt", session.GetFilePath(kept), StringComparison.Ordinal);
        Assert.EndsWith(".txt", session.GetFilePath(late), StringComparison.Ordinal);
        Assert.EndsWith(".txt", branch.GetFilePath(first), StringComparison.Ordinal);
        session.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
        Assert.EndsWith(".txt", branch.GetFilePath(second), StringComparison.Ordinal);
        _store.AssertSound();
    }

    [Fact]
    public void A_salvage_takes_neither_a_pruned_log_nor_a_branch_back_to_what_was_before()
    {
        Session session = Talk(turns: 4, eventsEach: 2);
        Session branch = session.Fork(3);
        Prune(session, """{"max_events":3}""");
        Talk(turns: 1, eventsEach: 2, session);
        string kept = Stores.Text(b => session.WriteEvents(0, 0, b));
        FaultyDisk left = _disk.AfterKill();
        SessionStore.Salvage(Environment(left), new System.Buffers.ArrayBufferWriter<byte>());
        _store = Open(left, _time);
        Assert.Equal(kept, Stores.Text(b => _store.OpenSession(session.Id).WriteEvents(0, 0, b)));
        Assert.Equal([1, 2, 3], Seqs(_store.OpenSession(branch.Id).Events()));
        _store.AssertSound();
    }

    private void Reopen()
    {
        _store.Close();
        _store = Open(_disk, _time);
    }

    private Session Talk(int turns, int eventsEach, Session? session = null)
    {
        session ??= _store.Create();
        for (int turn = 0; turn < turns; turn++)
        {
            var options = new AppendOptions { TurnId = $"t{session.GetStat().LastSeq}-{turn}" };
            session.Append("user_prompt", "{\"text\":\"hello\"}"u8, options);
            for (int i = 1; i < eventsEach; i++)
            {
                session.Append("note", "{}"u8, options);
            }
        }

        return session;
    }

    private static string Put(Session session, string text)
        => Stores.Json(b => session.PutFile("a.txt", Utf8(text), b)).GetProperty("file_id").GetString()!;

    private static JsonElement Prune(Session session, string options)
        => Stores.Json(b => session.Prune(Utf8(options), b));

    private static IEnumerable<long> Seqs(JsonElement page)
        => page.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("seq").GetInt64());
}
