using System.Text.Json;
using Sessions.Events;
using Sessions.Events.Repair;
using Sessions.Storage.Rows;
using Sessions.Tests.Coordination.Locks;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Repair;

/// <summary>What is being worked in is ended by nobody but its writer, unless somebody insists: not by a repair, a
/// lock, an abort or the sweeps of streams.</summary>
public sealed class LivingTurnTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly ShiftedTime _time = new();
    private readonly MemoryDisk _writers;
    private readonly SessionStore _writer;
    private readonly SessionStore _other;
    private readonly Session _session;
    private readonly Session _same;

    public LivingTurnTests()
    {
        _writers = _disk.OpenAs();
        _other = LockFixture.Open(_disk.OpenAs(), _time, processId: 2);
        _writer = LockFixture.Open(_writers, _time, processId: 1);
        _session = _writer.Create();
        _same = _other.OpenSession(_session.Id);
        Add(_session, "turn_start", "{}");
        Add(_session, "tool_call", """{"tool_call_id":"c","name":"n","arguments":{}}""");
    }

    public void Dispose() => _other.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_repair_leaves_a_turn_with_an_open_stream_to_its_writer(bool isLocked)
    {
        using SessionStream stream = Begin("t");
        stream.Write("so "u8);
        _time.Shift(600_000); // however long it is silent
        if (isLocked)
        {
            _same.Lock(LockMode.Try); // which settles the log
        }

        JsonElement report = Repair(_same);
        Assert.Equal("error: turn_not_stopped 2 t", Named(report));
        Assert.False(report.GetProperty("applied").GetBoolean());
        Assert.Equal(2, _same.GetStat().LastSeq);
        if (isLocked)
        {
            _same.Unlock();
        }

        stream.Write("far"u8);
        Assert.Equal(3, stream.End());
        Assert.Contains("so far", _same.LogText(), StringComparison.Ordinal);
        Assert.DoesNotContain("interrupted", _same.LogText(), StringComparison.Ordinal);
        _writer.Close();
    }

    [Fact]
    public void Other_turns_are_mended_beside_one_that_is_alive()
    {
        using SessionStream stream = Begin("u");
        stream.Write("so far"u8);
        Add(_session, "turn_start", "{}", "u");
        using SessionStream again = Begin("u");
        _time.Shift(61_000);
        JsonElement report = Repair(_same);
        Assert.Equal("error: turn_not_stopped 3 u", Named(report));
        Assert.Equal(["append_interrupted_tool_result t", "append_terminal_error t"], report.GetProperty("actions")
            .EnumerateArray().Select(a => $"{a.GetProperty("code")} {a.GetProperty("turn_id")}"));
        again.Write("goes on"u8);
        Assert.Equal(8, again.End());
        _writer.Close();
    }

    [Fact]
    public void A_turn_whose_writer_lives_is_left_for_a_minute_after_its_last_event()
    {
        _same.Lock(LockMode.Try);
        Assert.Equal(2, _same.GetStat().LastSeq); // no result for the tool call
        _same.Unlock();
        Assert.Equal("error: turn_not_stopped 2 t", Named(Repair(_same)));
        _time.Shift(59_000);
        Assert.Equal("error: turn_not_stopped 2 t", Named(Repair(_same)));
        _time.Shift(2_000);
        Assert.Equal("", Named(Repair(_same, RepairFlags.DryRun)));
        _same.Lock(LockMode.Try); // it did not settle before, so it does now
        Assert.Equal(3, _same.GetStat().LastSeq);
        Assert.True(Repair(_same).GetProperty("applied").GetBoolean());
        _writer.Close();
    }

    [Fact]
    public void A_turn_whose_writer_died_is_mended_at_once_by_who_saw_it_write()
    {
        _writers.Kill();
        JsonElement report = Repair(_same);
        Assert.Equal("", Named(report));
        Assert.True(report.GetProperty("applied").GetBoolean());
    }

    [Fact]
    public void Who_came_later_waits_for_the_others_and_alone_for_nobody()
    {
        Assert.True(_writer.Engine.Checkpointer.TryRun()); // no frame says any more who wrote
        using (SessionStore late = LockFixture.Open(_disk.OpenAs(), _time, processId: 3))
        {
            Assert.Equal("error: turn_not_stopped 2 t", Named(Repair(late.OpenSession(_session.Id))));
            _time.Shift(61_000);
            Assert.Equal("", Named(Repair(late.OpenSession(_session.Id), RepairFlags.DryRun)));
            _time.Shift(-61_000);
        }

        _writers.Kill();
        _other.Close();
        using SessionStore alone = LockFixture.Open(_disk.OpenAs(), _time, processId: 3);
        Assert.True(Repair(alone.OpenSession(_session.Id)).GetProperty("applied").GetBoolean());
    }

    [Fact]
    public void Force_and_the_writer_itself_end_it_and_so_does_a_handle_beside_one_that_is_gone()
    {
        using Session beside = _writer.OpenSession(_session.Id);
        Assert.Equal("error: turn_not_stopped 2 t", Named(Repair(beside)));
        using (SessionJob job = SessionJob.Start(_writer, "repair",
            Stores.Utf8($$"""{"session_id":"{{_session.Id}}","flags":1}""")))
        {
            Assert.True(job.Wait(60_000)); // a job is of no handle: what its store wrote is its
            Assert.Equal("", Named(Stores.Json(b => Assert.True(job.TryWriteResult(b)))));
        }

        Assert.Equal("", Named(Repair(_session, RepairFlags.DryRun)));
        _session.Dispose();
        Assert.Equal("", Named(Repair(beside, RepairFlags.DryRun)));
        JsonElement forced = Repair(_same, RepairFlags.Force);
        Assert.Equal("warning: turn_not_stopped 2 t", Named(forced));
        Assert.True(forced.GetProperty("applied").GetBoolean());
        _writer.Close();
    }

    [Fact]
    public void Who_took_the_lock_over_settles_what_the_former_holder_left()
    {
        _session.Lock(LockMode.Try);
        Add(_session, "tool_call", """{"tool_call_id":"d","name":"n","arguments":{}}""");
        long last = _session.GetStat().LastSeq;
        _same.Lock(LockMode.Interrupt);
        Assert.True(_same.GetStat().LastSeq > last); // its calls have results, though it lives
        Stores.Fails(SessionStatus.LockLost, () => Add(_session, "note", "{}"));
        _writer.Close();
    }

    [Fact]
    public void A_stream_that_began_after_a_repair_looked_is_not_ended_by_it()
    {
        _time.Shift(61_000);
        using SessionStream stream = Begin("t");
        stream.Write("so far"u8);
        var request = new RepairRequest(_other.Core, RowOf(_other),
            [new NewEvent("turn_end", "{}"u8.ToArray(), 0, "t", null)], lastSeq: 2) { Full = false };
        _other.Engine.Commit(request);
        Assert.True(request.HasMoved);
        Assert.Equal(3, stream.End());
        _writer.Close();
    }

    [Fact]
    public void An_abort_ends_neither_a_living_turn_nor_its_stream()
    {
        using SessionStream stream = Begin("t");
        stream.Write("so far"u8);
        _same.Abort("enough");
        Stores.Fails(SessionStatus.Cancelled, () => stream.Write("more"u8));
        Assert.Single(_same.Streams());
        Assert.DoesNotContain("turn_end", _same.LogText(), StringComparison.Ordinal);
        Assert.True(stream.End() > 0); // what was written is kept, uninterrupted
        Add(_session, "turn_end", """{"stop_reason":"cancelled"}""");
        _writer.Close();
    }

    private static void Add(Session session, string type, string data, string turn = "t")
        => session.Append(type, Stores.Utf8(data), new AppendOptions { TurnId = turn });

    private static JsonElement Repair(Session session, RepairFlags flags = RepairFlags.None)
        => Stores.Json(b => session.Repair(flags, b));

    private static string Named(JsonElement report) => string.Join(", ", report.GetProperty("issues").EnumerateArray()
        .Where(i => i.GetProperty("code").GetString() == "turn_not_stopped")
        .Select(i => $"{i.GetProperty("severity")}: {i.GetProperty("code")} {i.GetProperty("seq")} "
            + i.GetProperty("turn_id")));

    private SessionStream Begin(string turn)
        => _session.BeginStream("agent_message", new AppendOptions { TurnId = turn });

    private Row RowOf(SessionStore store)
    {
        lock (store.Core.Rows.Gate)
        {
            return store.Core.Rows.Find(_session.Id)!;
        }
    }
}
