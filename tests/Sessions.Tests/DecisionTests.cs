using System.Buffers;
using System.Text.Json;
using Sessions.Storage.Page;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Coordination.Watching;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests;

/// <summary>What was decided where it could have been otherwise; docs/ABI.md and docs/EVENTS.md have a line on each.
/// </summary>
public sealed class DecisionTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly SessionStore _store;

    public DecisionTests() => _store = Stores.Open(_disk.OpenAs());

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_coalesced_watch_tells_sessions_by_their_first_change_and_not_commits_in_their_order()
    {
        Session one = _store.Create(), two = _store.Create();
        using SessionWatch watch = _store.OpenWatch(new WatchOptions { Flags = WatchFlags.Coalesce });
        one.UpdateTitle("first");
        two.UpdateTitle("second");
        one.UpdateTitle("third");
        List<JsonElement> changes = watch.All();
        Assert.Equal([one.Id, two.Id], changes.Select(c => c.Text("session_id")));
        Assert.Equal([one.GetStat().Revision, two.GetStat().Revision], changes.Select(c => c.Number("lsn")));
        Assert.True(changes[0].Number("lsn") > changes[1].Number("lsn"));
    }

    [Fact]
    public void A_seek_by_time_in_a_context_finds_nothing_before_the_context()
    {
        Session session = _store.Create();
        for (int i = 1; i <= 4; i++)
        {
            session.Append("note", "{}"u8, new AppendOptions { Timestamp = i * 10 });
        }

        session.Append("compaction", """{"from_seq":3,"summary":""}"""u8, new AppendOptions { Timestamp = 50 });
        using EventCursor all = session.OpenCursor();
        using EventCursor context = session.OpenCursor(new EventCursorOptions
        {
            Flags = ReadFlags.Context,
            Types = "compaction", // a filter does not count
        });
        all.SeekTime(10);
        context.SeekTime(10);
        Assert.Equal((0, 2), (all.Position, context.Position));
        context.SeekTime(40);
        Assert.Equal(3, context.Position);
        context.SeekTime(51);
        Assert.Equal(5, context.Position);
    }

    [Fact]
    public void A_context_read_of_a_pruned_log_names_no_hole_before_its_beginning()
    {
        Session session = Talk(6);
        session.Append("compaction", """{"from_seq":2,"summary":""}"""u8);
        session.Prune("""{"max_events":3}"""u8, new ArrayBufferWriter<byte>());
        using EventCursor context = session.OpenCursor(new EventCursorOptions { Flags = ReadFlags.Context });
        JsonElement page = Stores.Json(b => context.WriteNext(0, 0, b));
        Assert.Equal("[]", page.GetProperty("skipped").GetRawText());
        Assert.Equal([5, 6, 7], Seqs(page));
        Assert.Equal("""[{"first_seq":1,"last_seq":4,"reason":"pruned"}]""",
            session.Events().GetProperty("skipped").GetRawText());
    }

    [Fact]
    public void A_branch_from_below_the_marker_of_a_rewind_shows_what_it_hid()
    {
        Session session = Talk(5);
        session.Rewind(2);
        Assert.Equal([1, 2, 6], Seqs(session.Events()));
        using Session below = session.Fork(4), at = session.Fork(6);
        Assert.Equal([1, 2, 3, 4], Seqs(below.Events()));
        Assert.Equal("[]", below.Events().GetProperty("skipped").GetRawText());
        Stores.Fails(SessionStatus.NotFound, below.UndoRewind);
        Assert.Equal([1, 2, 6], Seqs(at.Events()));
        at.UndoRewind();
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], Seqs(at.Events()));
        Assert.Equal([1, 2, 6], Seqs(session.Events()));
    }

    [Fact]
    public void An_undo_after_a_prune_shows_what_is_left_and_passes_rewinds_of_which_nothing_is()
    {
        Session part = Talk(5), gone = Talk(3);
        part.Rewind(1);
        part.Say("seven");
        part.Prune("""{"max_events":4}"""u8, new ArrayBufferWriter<byte>());
        Assert.Equal([6, 7], Seqs(part.Events()));
        part.UndoRewind();
        Assert.Equal([4, 5, 6, 7, 8], Seqs(part.Events()));

        gone.Rewind(1);
        gone.Say("five");
        gone.Say("six");
        gone.Prune("""{"max_events":2}"""u8, new ArrayBufferWriter<byte>());
        Assert.Equal([5, 6], Seqs(gone.Events()));
        Stores.Fails(SessionStatus.NotFound, gone.UndoRewind);
    }

    [Fact]
    public void An_entry_whose_claimer_is_gone_is_settled_by_anybody_and_once()
    {
        Session session = _store.Create();
        string id = session.Add("""{"message":"a"}""").Id();
        using (SessionStore claimer = Stores.Open(_disk.OpenAs(), processId: 7))
        {
            claimer.OpenSession(session.Id).Claim();
            Stores.Fails(SessionStatus.Conflict, () => session.SettleQueued(id, QueueOutcome.Sent));
        }

        Assert.Equal("interrupted a", session.Line());
        using SessionStore other = Stores.Open(_disk.OpenAs(), processId: 8);
        long seq = other.OpenSession(session.Id).SettleQueued(id, QueueOutcome.Sent);
        Assert.Equal((1, 1), (seq, session.SettleQueued(id, QueueOutcome.Sent)));
        Stores.Fails(SessionStatus.InvalidTransition, () => session.SettleQueued(id, QueueOutcome.Failed));
        Assert.Equal(1, session.GetStat().LastSeq);
    }

    [Fact]
    public void A_close_that_wrote_nothing_may_answer_busy_and_is_final()
    {
        Session session = _store.Create();
        SessionStore idle = Stores.Open(_disk.OpenAs(), options: new SessionStoreOptions { BusyTimeoutMs = 20 });
        using SessionStore stopped = Stores.Open(_disk.OpenAs());
        Assert.Equal(1, idle.List().GetArrayLength());
        session.Say("relaxed", AppendFlags.Relaxed);
        Assert.True(stopped.Core.Lock!.Locks.TryLock(StoreLock.Writer, exclusive: true));
        Stores.Fails(SessionStatus.Busy, idle.Close);
        Stores.Fails(SessionStatus.Closed, () => idle.List());
        stopped.Core.Lock.Locks.Unlock(StoreLock.Writer);
        idle.Close();
        Assert.Equal(1, session.GetStat().LastSeq);
        _store.AssertSound();
    }

    private Session Talk(int count)
    {
        Session session = _store.Create();
        for (int i = 1; i <= count; i++)
        {
            session.Say($"{i}");
        }

        return session;
    }

    private static IEnumerable<int> Seqs(JsonElement page)
        => page.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("seq").GetInt32());
}
