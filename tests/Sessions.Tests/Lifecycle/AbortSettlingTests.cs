using System.Text.Json;
using Sessions.Events;
using Sessions.Events.Repair;
using Sessions.Lifecycle;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Lifecycle;

/// <summary>What an abort does to the log: calls and turns that are open end in its own commit.</summary>
public sealed class AbortSettlingTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private SessionStore _store;
    private Session _session;

    public AbortSettlingTests()
    {
        _store = Stores.Open(_disk.OpenAs());
        _session = _store.Create();
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Open_calls_end_as_interrupted_in_the_commit_of_the_abort()
    {
        Add("user_prompt", """{"text":"one"}""", "t-1");
        Add("tool_call", """{"tool_call_id":"a","status":"pending"}""", "t-1");
        Add("tool_call", """{"tool_call_id":"b"}""", "t-1");
        Add("tool_call_update", """{"tool_call_id":"b","status":"completed"}""", "t-1");
        Add("turn_end", """{"stop_reason":"end_turn"}""", "t-1");
        Add("tool_call", """{"tool_call_id":"a"}""", "t-2");
        long lsn = _store.Core.Rows.Lsn;
        Assert.Equal(1, _session.Abort("enough"));
        Assert.Equal(lsn + 1, _store.Core.Rows.Lsn);
        Assert.Equal("""
            tool_call_update t-1 {"tool_call_id":"a","status":"interrupted","aborted":true}
            tool_call_update t-2 {"tool_call_id":"a","status":"interrupted","aborted":true}
            """.ReplaceLineEndings("\n"), Shown(_session, after: 6));
        AssertSettled(_session);
        Assert.Equal(1, _session.Abort("twice"));
        Assert.Equal(8, _session.GetStat().LastSeq);
        _store.Close();
        _store = Stores.Open(_disk.OpenAs());
        _session = _store.OpenSession(_session.Id);
        Assert.Equal((8, 2), (_session.GetStat().LastSeq, _session.GetStat().AbortCount));
        AssertSettled(_session);
        _store.AssertSound();
    }

    [Fact]
    public void A_tree_is_settled_session_by_session()
    {
        Session child = _store.Create(_session.Id), branch = _store.Create(child.Id), other = _store.Create();
        foreach (Session each in (Session[])[_session, branch, other])
        {
            each.Append("tool_call", """{"tool_call_id":"c"}"""u8, new AppendOptions { TurnId = "t" });
        }

        Session fork = _session.Fork(0);
        long lsn = _store.Core.Rows.Lsn;
        Assert.Equal(4, _session.Abort(null, AbortFlags.Tree | AbortFlags.Relaxed));
        Assert.Equal(lsn + 1, _store.Core.Rows.Lsn);
        Assert.Equal([2, 0, 2, 1, 2], ((Session[])[_session, child, branch, other, fork])
            .Select(s => s.GetStat().LastSeq));
        Array.ForEach([_session, branch, fork], AssertSettled);
    }

    [Fact]
    public void What_stands_open_for_a_reason_stays_so_as_for_a_repair()
    {
        Add("tool_call", """{"tool_call_id":"a"}""", "t");
        Add("turn_end", """{"stop_reason":"cancelled"}""", "t");
        Add("tool_call", """{"tool_call_id":"hidden"}""", "h");
        _session.Rewind(2);
        _session.Abort();
        Assert.Equal(4, _session.GetStat().LastSeq);
        Add("tool_call", """{"tool_call_id":"b"}""", null);
        _session.UndoRewind();
        _session.Abort();
        Assert.Equal("""
            tool_call_update h {"tool_call_id":"hidden","status":"interrupted","aborted":true}
            tool_call_update  {"tool_call_id":"b","status":"interrupted","aborted":true}
            """.ReplaceLineEndings("\n"), Shown(_session, after: 6));
        AssertSettled(_session);
    }

    [Fact]
    public void Streams_are_left_to_their_writers()
    {
        Add("user_prompt", """{"text":"one"}""", "t");
        using SessionStream stream = _session.BeginStream("agent_message", new AppendOptions { TurnId = "t" });
        stream.Write("so far"u8);
        _session.Abort();
        Assert.Equal(1, _session.GetStat().LastSeq);
        Stores.Fails(SessionStatus.Cancelled, () => stream.Write("more"u8));
        Assert.Equal(2, stream.End("""{"stopped":true}"""u8.ToArray()));
        Assert.Equal("""agent_message t {"text":"so far","stopped":true}""", Shown(_session, after: 1));
        AssertSettled(_session);
    }

    [Fact]
    public void A_large_log_is_not_read_under_the_store_lock()
    {
        var disk = new FaultyDisk(1);
        bool isInside = false;
        int reads = 0;
        using SessionStore store = Stores.Open(disk, atStep: s =>
            isInside = s is not (Step.CommitUnlocked or Step.CommitPublished) && (s == Step.CommitLocked || isInside));
        Session session = store.Create();
        session.Append("tool_call", """{"tool_call_id":"c"}"""u8, new AppendOptions { TurnId = "t" });
        for (int i = 0; i < 20; i++)
        {
            session.Append("note", Stores.Utf8($"\"{new string('n', 100_000)}\""));
        }

        store.Flush();
        disk.FailIf = o =>
        {
            reads += isInside && o.Name == "pread" && o.Path.EndsWith(Layout.EventsFile, StringComparison.Ordinal)
                ? 1 : 0;
            return false;
        };
        session.Abort();
        Assert.Equal(22, session.GetStat().LastSeq);
        Assert.True(reads <= 2, $"{reads} reads"); // where the log ends, at most
        AssertSettled(session);
    }

    [Fact]
    public void What_was_appended_since_the_log_was_read_is_read_under_the_lock_as_long_as_it_is_little()
    {
        Add("tool_call", """{"tool_call_id":"a"}""", "t");
        WarmLedger ledger = Brought();
        Add("tool_call", """{"tool_call_id":"b"}""", "t");
        AbortRequest request = Request(ledger);
        _store.Commit(request);
        Assert.False(request.IsStale);
        Assert.Equal(4, _session.GetStat().LastSeq);
        AssertSettled(_session);

        ledger = Brought();
        Add("tool_call", """{"tool_call_id":"c"}""", "u");
        _session.Append("note", Stores.Utf8($"\"{new string('n', 2 << 20)}\""));
        Add("note", "1", "u");
        request = Request(ledger);
        _store.Commit(request);
        Assert.Equal((true, 0, 7, 1), (request.IsStale, request.Count, _session.GetStat().LastSeq,
            _session.GetStat().AbortCount));
        request = Request(ledger, isByItself: true); // again, for the last time: it went on from where it was
        _store.Commit(request);
        Assert.Equal((false, 8, 2), (request.IsStale, _session.GetStat().LastSeq, _session.GetStat().AbortCount));
        AssertSettled(_session);
    }

    [Fact]
    public void What_a_batch_appends_before_the_abort_makes_it_try_again()
    {
        Add("tool_call", """{"tool_call_id":"a"}""", "t");
        AbortRequest request = Request(Brought());
        var append = new AppendRequest(_store.Core, Row(),
            [new NewEvent("tool_call", """{"tool_call_id":"b"}"""u8.ToArray(), 0, "t", null)]);
        Assert.True(_store.Engine.Runner.TryEnter());
        Assert.Null(_store.Engine.Runner.Run([append, request]));
        _store.Engine.Runner.Exit();
        Assert.Null(request.Failure);
        Assert.True(request.IsStale);
        Assert.False(_session.IsAborted);
    }

    [Fact]
    public void A_log_that_cannot_be_read_does_not_stand_in_the_way_of_an_abort()
    {
        var disk = new FaultyDisk(2);
        using SessionStore store = Stores.Open(disk);
        Session session = store.Create();
        session.Append("tool_call", """{"tool_call_id":"c"}"""u8);
        disk.FailIf = o => o.Path.EndsWith(Layout.EventsFile, StringComparison.Ordinal);
        Assert.Equal(1, session.Abort("now"));
        Assert.Equal((1, StatFlags.Aborted), (session.GetStat().LastSeq, session.GetStat().Flags));
        disk.FailIf = null;
        Assert.Equal(1, session.Abort("again"));
        AssertSettled(session);
    }

    [Fact]
    public void Aborts_beside_appends_settle_all_that_came_before_them()
    {
        const int Rounds = 40;
        using SessionStore other = Stores.Open(_disk.OpenAs(), processId: 7);
        using Session same = other.OpenSession(_session.Id);
        Parallel.Invoke(
            () => Repeat(i => Add("tool_call", $$"""{"tool_call_id":"a{{i}}"}""", $"t{i % 3}")),
            () => Repeat(i => same.Append("tool_call", Stores.Utf8($$"""{"tool_call_id":"b{{i}}"}"""))),
            () => Repeat(_ => _session.Abort(null, AbortFlags.Relaxed)),
            () => Repeat(_ => same.Abort(null, AbortFlags.Tree)));
        _session.Abort();
        Assert.Equal((2 * Rounds) + 1, _session.GetStat().AbortCount);
        AssertSettled(_session);
        AssertSettled(same);
        JsonElement[] events = [.. All(_session)];
        Assert.Equal(2 * Rounds, events.Count(e => e.GetProperty("type").GetString() == "tool_call"));
        Assert.Equal(2 * Rounds, events.Count(e => e.GetProperty("type").GetString() == "tool_call_update"));
        _store.AssertSound();

        static void Repeat(Action<int> action)
        {
            for (int i = 0; i < Rounds; i++)
            {
                action(i);
            }
        }
    }

    private Row Row() => _store.Core.Rows.Find(_session.Id)!;

    // What was read of the log until now.
    private WarmLedger Brought()
    {
        var ledger = new WarmLedger();
        lock (_store.Core.Rows.Gate)
        {
            using LogView log = RowLog.Open(_store.Core.Disk, Row(), LogState.Plain);
            long lastSeq = _session.GetStat().LastSeq;
            Assert.True(ledger.TryBring(log, LogState.Plain, Row().Rewrites, lastSeq, long.MaxValue));
        }

        return ledger;
    }

    private AbortRequest Request(WarmLedger ledger, bool isByItself = false) => new(_store.Core, Row(), null, false)
    {
        Ledgers = new Dictionary<Row, WarmLedger> { [Row()] = ledger },
        IsByItself = isByItself,
    };

    private void Add(string type, string data, string? turn)
        => _session.Append(type, Stores.Utf8(data), new AppendOptions { TurnId = turn });

    private static void AssertSettled(Session session)
    {
        JsonElement report = Stores.Json(b => session.Repair(RepairFlags.DryRun, b));
        Assert.DoesNotContain("append_interrupted_tool_result", report.GetRawText(), StringComparison.Ordinal);
    }

    private static IEnumerable<JsonElement> All(Session session, long after = 0)
        => session.Events(after).GetProperty("events").EnumerateArray();

    private static string Shown(Session session, long after) => string.Join('\n', All(session, after).Select(e =>
        $"{e.GetProperty("type").GetString()} {Turn(e)} {e.GetProperty("data").GetRawText()}"));

    private static string? Turn(JsonElement e)
        => e.TryGetProperty("turn_id", out JsonElement turn) ? turn.GetString() : "";
}
