using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Streams;

/// <summary>Streams between open stores: who sees them, who may end them, and what is left of those
/// whose writer is gone, through checkpoints and crashes.</summary>
public sealed class StreamNeighbourTests
{
    private readonly FaultyDisk _disk = new(seed: 32);
    private readonly ManualTime _time = new();

    [Fact]
    public void A_neighbour_and_a_reader_see_text_when_its_write_returns()
    {
        using SessionStore writer = Open(1), other = Open(2);
        using Session session = writer.Create(), seen = other.OpenSession(session.Id);
        using SessionStream stream = session.BeginStream("agent_message");
        using SessionStore reader = Stores.Open(_disk.OpenAs(), _time,
            new SessionStoreOptions { Flags = StoreFlags.ReadOnly }, processId: 3);
        using Session read = reader.OpenSession(session.Id);
        string text = "";
        for (int i = 0; i < 300; i++)
        {
            stream.Write(Stores.Utf8($"{i} "));
            text += $"{i} ";
            Assert.Equal([$"{stream.Id}: {text}"], seen.Streams());
            Assert.Equal([$"{stream.Id}: {text}"], read.Streams());
            if (i % 100 == 50)
            {
                Assert.True(writer.Engine.Checkpointer.TryRun()); // and through one
                Assert.Contains("50 ", Text(_disk.Peek(Layout.StreamsFile)!), StringComparison.Ordinal);
            }
        }

        stream.End();
        Assert.Empty(seen.Streams());
        Assert.Empty(read.Streams());
        Assert.Equal(text, EventText(read.Events(), 0));
        Stores.Fails(SessionStatus.ReadOnly, () => read.BeginStream("agent_message"));
        Assert.True(writer.Engine.Checkpointer.TryRun());
        Assert.Null(_disk.Peek(Layout.StreamsFile));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_is_ended_by_a_neighbour_hears_its_number(bool throughCheckpoints)
    {
        using SessionStore writer = Open(1), other = Open(2);
        using Session session = writer.Create(), others = other.OpenSession(session.Id);
        SessionStream stream = session.BeginStream("agent_message", new AppendOptions { TurnId = "t" });
        stream.Write("so far"u8);
        Assert.Equal(1, others.Append("note", "1"u8)); // of no turn, and its writer lives
        Assert.Equal(3, others.Append("note", "2"u8, new AppendOptions { TurnId = "t" }));
        for (int i = 0; i < (throughCheckpoints ? 3 : 0); i++)
        {
            others.Say(new string('x', 3_000_000)); // segment after segment, so that the writer starts over
            Assert.True(other.Engine.Checkpointer.TryRun());
        }

        Assert.Empty(others.Streams());
        Stores.Fails(SessionStatus.InvalidTransition, () => stream.Write("x"u8));
        Stores.Fails(SessionStatus.InvalidTransition, () => stream.End(Stores.Utf8("{}")));
        Assert.Equal((2, 2), (stream.End(), stream.End()));
        Assert.Equal("""{"text":"so far"}""",
            others.Events().GetProperty("events")[1].GetProperty("data").GetRawText());

        // Having been told, it is forgotten.
        writer.Engine.Streams.Sweep(writer.Engine.Commit);
        Assert.Empty(writer.Core.Rows.Streams.All);
        Assert.Equal(2, stream.End());
        stream.Dispose();
        Assert.True(other.Engine.Checkpointer.TryRun());
        Assert.Null(_disk.Peek(Layout.StreamsFile));
        writer.AssertSound();
    }

    [Fact]
    public void A_stream_goes_on_when_its_segments_are_gone_and_its_writer_starts_over()
    {
        using SessionStore writer = Open(1), other = Open(2);
        using Session session = writer.Create(), others = other.OpenSession(session.Id);
        using SessionStream stream = session.BeginStream("agent_message");
        string text = "";
        for (int i = 0; i < 3; i++)
        {
            stream.Write(Stores.Utf8($"{i} "));
            text += $"{i} ";
            while (_disk.Peek(Layout.Segment(writer.Core.Replica.Segment)) is not null)
            {
                Assert.True(others.Say(new string('x', 3_000_000)) < 60);
                Assert.True(other.Engine.Checkpointer.TryRun());
            }

            Assert.Equal([$"{stream.Id}: {text}"], session.Streams());
            Assert.Equal([$"{stream.Id}: {text}"], others.Streams());
        }

        Assert.Equal(others.GetStat().LastSeq + 1, stream.End());
        Assert.Equal(text, EventText(session.Last(limit: 1), 0));
        writer.AssertSound();
    }

    [Fact]
    public void A_neighbours_delete_interrupts_and_the_owner_hears_it_after_a_restore()
    {
        using SessionStore writer = Open(1), other = Open(2);
        using Session session = writer.Create(), others = other.OpenSession(session.Id);
        using SessionStream stream = session.BeginStream("agent_message");
        stream.Write("so far"u8);
        others.Delete();
        Stores.Fails(SessionStatus.Deleted, () => stream.Write("x"u8));
        other.Restore(session.Id);
        Assert.Equal(1, stream.End());
        Assert.Equal("""{"text":"so far","interrupted":true}""",
            others.Events().GetProperty("events")[0].GetProperty("data").GetRawText());
    }

    [Fact]
    public void A_dead_writers_text_becomes_an_event_with_the_next_append_or_sweep()
    {
        FaultyDisk victims = _disk.OpenAs();
        using SessionStore survivor = Open(1);
        using Session first = survivor.Create(), second = survivor.Create();
        SessionStore victim = Stores.Open(victims, _time, processId: 2);
        foreach (string id in (string[])[first.Id, second.Id])
        {
            victim.OpenSession(id).BeginStream("agent_message").Write(Stores.Utf8($"of {id}"));
        }

        survivor.Engine.Streams.Sweep(survivor.Engine.Commit);
        Assert.Equal((1, 1), (first.Streams().Count, second.Streams().Count)); // it lives
        Kill(victims, victim);
        Assert.Equal((1, 1), (first.Streams().Count, second.Streams().Count)); // reading writes nothing
        Assert.True(survivor.Engine.Streams.IsWatching);
        Assert.Equal(2, first.Say("after"));
        Assert.Equal($$"""{"text":"of {{first.Id}}","interrupted":true}""",
            first.Events().GetProperty("events")[0].GetProperty("data").GetRawText());
        survivor.Engine.Streams.Sweep(survivor.Engine.Commit);
        Assert.Equal($"of {second.Id}", EventText(second.Events(), 0));
        Assert.Empty(second.Streams());
        Assert.False(survivor.Engine.Streams.IsWatching);
        survivor.AssertSound();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void The_next_opening_ends_what_a_killed_process_was_writing(bool afterCheckpoint, bool keptTurn)
    {
        SessionStore store = Open(1);
        Session session = store.Create();
        SessionStream stream = session.BeginStream("agent_message", new AppendOptions { TurnId = "t", Id = "k" });
        stream.Write("before "u8);
        if (afterCheckpoint)
        {
            Assert.True(store.Engine.Checkpointer.TryRun());
        }

        stream.Write("after"u8);
        if (keptTurn)
        {
            using SessionStore other = Open(2);
            other.OpenSession(session.Id).Append("note", "1"u8, new AppendOptions { TurnId = "t" });
        }

        FaultyDisk left = _disk.AfterKill();
        using (SessionStore reader = Stores.Open(left.OpenAs(), _time,
            new SessionStoreOptions { Flags = StoreFlags.ReadOnly }))
        {
            using Session read = reader.OpenSession(session.Id);
            Assert.Equal(keptTurn ? [] : [$"{stream.Id}: before after"], read.Streams());
        }

        SessionStore again = Stores.Open(left.OpenAs(), _time);
        using Session found = again.OpenSession(session.Id);
        Assert.Equal(keptTurn ? """{"text":"before after"}""" : """{"text":"before after","interrupted":true}""",
            found.Events().GetProperty("events")[0].GetProperty("data").GetRawText());
        Assert.Equal(keptTurn ? 2 : 1, found.GetStat().LastSeq);
        Assert.Empty(again.Core.Rows.Streams.All);
        again.AssertSound();
        again.Close();
        Assert.Null(left.Peek(Layout.StreamsFile));
        Assert.Null(left.Violation);
    }

    [Fact]
    public void What_is_in_the_file_already_comes_no_second_time()
    {
        // A recovery writes streams.json and dies before it retires the journal: the next one finds both.
        SessionStore store = Open(1);
        Session session = store.Create();
        SessionStream open = session.BeginStream("agent_message"), ended = session.BeginStream("agent_message");
        open.Write("one "u8);
        ended.Write("ended"u8);
        store.Flush();
        open.Write("two"u8);
        ended.End();
        FaultyDisk left = _disk.AfterKill();
        foreach (Step step in (Step[])[Step.RecoveryApplied, Step.RecoverySynced, Step.RecoveryIndexed])
        {
            FaultyDisk dying = left.OpenAs();
            Assert.ThrowsAny<Exception>(() => Stores.Open(dying, _time, atStep: s =>
            {
                if (s == step)
                {
                    throw new InvalidOperationException("dies here");
                }
            }));
            left = left.AfterKill();
            Assert.Contains("one two", Text(left.Peek(Layout.StreamsFile)!), StringComparison.Ordinal);
        }

        using SessionStore again = Stores.Open(left.OpenAs(), _time);
        using Session found = again.OpenSession(session.Id);
        Assert.Equal(("ended", "one two", 2), (EventText(found.Events(), 0), EventText(found.Events(), 1),
            found.GetStat().LastSeq));
        again.AssertSound();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_damaged_streams_file_is_kept_aside_and_costs_nothing_else(bool journalIsGone)
    {
        SessionStore store = Open(1);
        Session session = store.Create();
        session.BeginStream("agent_message").Write("so far"u8);
        Assert.True(store.Engine.Checkpointer.TryRun());
        session.Say("event");
        FaultyDisk left = _disk.AfterKill();
        if (journalIsGone)
        {
            // Recovered, but no event is made of the text: it opens all the same, and shows it.
            using Session open = Stores.Open(left.OpenAs(), _time, atStep: s =>
            {
                if (s == Step.CommitLocked)
                {
                    throw new InvalidOperationException("not now");
                }
            }).OpenSession(session.Id);
            Assert.Single(open.Streams());
            left = left.AfterKill();
        }

        left.Poke(Layout.StreamsFile, new byte[100]);
        using SessionStore again = Stores.Open(left.OpenAs(), _time);
        using Session found = again.OpenSession(session.Id);
        Assert.Equal(journalIsGone ? ["event"] : ["event", "so far"], found.Events().GetProperty("events")
            .EnumerateArray().Select(e => e.GetProperty("data").GetProperty("text").GetString()!));
        Assert.Equal("zeros", again.Info().GetProperty("quarantined")[0].GetProperty("reason").GetString());
        found.Say("on");
        Assert.True(again.Engine.Checkpointer.TryRun());
        Assert.Null(left.Peek(Layout.StreamsFile));
        again.AssertSound();
    }

    [Fact]
    public void A_salvage_keeps_the_text_that_the_journal_still_has()
    {
        SessionStore store = Open(1);
        Session session = store.Create();
        SessionStream stream = session.BeginStream("agent_message");
        stream.Write("one "u8);
        Assert.True(store.Engine.Checkpointer.TryRun());
        stream.Write("two "u8);
        store.Flush();
        stream.Write("lost "u8);
        long lost = store.Core.Replica.Offset;
        stream.Write("three"u8);
        session.Say("synced");
        FaultyDisk left = _disk.AfterKill();
        string segment = Layout.Segment(left.List("journal")
            .Select(n => Layout.TrySegment(n.Name, out long number) ? number : 0).Max());
        byte[] bytes = left.Peek(segment)!;
        bytes[lost - 12] ^= 1;
        left.Poke(segment, bytes);
        Stores.Text(b => SessionStore.Salvage(Stores.Environment(left.OpenAs(), _time), b));
        using SessionStore again = Stores.Open(left.OpenAs(), _time);
        using Session found = again.OpenSession(session.Id);
        Assert.Equal(["synced", "one two "], found.Events().GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("data").GetProperty("text").GetString()!));
        again.AssertSound();
    }

    [Fact]
    public void A_poisoned_store_keeps_what_was_written_and_its_writer_goes_on()
    {
        FaultyDisk failing = _disk.OpenAs();
        using SessionStore store = Stores.Open(failing, _time);
        using Session session = store.Create();
        using SessionStream stream = session.BeginStream("agent_message");
        stream.Write("kept "u8);
        failing.FailIf = o => o.Name == "fdatasync" && o.Path.StartsWith("journal/", StringComparison.Ordinal);
        Stores.Fails(SessionStatus.Io, () => session.Say("refused"));
        failing.FailIf = null;
        Stores.Fails(SessionStatus.Poisoned, () => stream.Write("refused"u8));
        Stores.Fails(SessionStatus.Poisoned, () => stream.End());
        using SessionStore other = Open(2); // recovers under the eyes of the first
        Assert.Equal([$"{stream.Id}: kept "], other.OpenSession(session.Id).Streams());
        stream.Write("and on"u8);
        Assert.Equal([$"{stream.Id}: kept and on"], other.OpenSession(session.Id).Streams());
        Assert.Equal(1, stream.End());
        Assert.Equal("kept and on", EventText(other.OpenSession(session.Id).Events(), 0));
        other.AssertSound();
    }

    [Fact]
    public void On_a_full_disk_a_begin_and_a_write_are_refused_whole_and_a_close_says_what_is_left()
    {
        SessionStore store = Open(1);
        Session session = store.Create();
        SessionStream stream = session.BeginStream("agent_message");
        stream.Write("so far"u8);
        byte[] large = Stores.Utf8($"\"{new string('x', 100_000)}\"");
        while (store.Core.Replica.Offset + 100_300 + (128 * 1024) <= JournalFiles.SegmentBytesMin)
        {
            session.Append("x", large);
        }

        // What is left is less than the frame of any of the three below.
        long Left() => JournalFiles.SegmentBytesMin - (128 * 1024) - store.Core.Replica.Offset;
        long before = Left();
        session.Append("x", "\"\""u8);
        long smallest = before - Left();
        while (Left() >= smallest)
        {
            int more = (int)Math.Clamp(Left() - smallest - 8, 0, 10_000);
            session.Append("x", Stores.Utf8($"\"{new string('x', more)}\""));
        }

        _disk.SpaceBytes = _disk.UsedBytes;
        Stores.Fails(SessionStatus.NoSpace, () => stream.Write(Stores.Utf8(new string('y', 1000))));
        Stores.Fails(SessionStatus.NoSpace, () => session.BeginStream("agent_message", new AppendOptions
        {
            TurnId = new string('t', 100),
            Id = new string('i', 100),
        }));
        Stores.Fails(SessionStatus.NoSpace, () => stream.End());
        Assert.Equal([$"{stream.Id}: so far"], session.Streams());
        Stores.Fails(SessionStatus.NoSpace, store.Close);
        _disk.SpaceBytes = null;
        using SessionStore again = Open(2);
        using Session found = again.OpenSession(session.Id);
        JsonElement last = found.Last(limit: 1).GetProperty("events")[0];
        Assert.Equal("""{"text":"so far","interrupted":true}""", last.GetProperty("data").GetRawText());
        again.AssertSound();
    }

    [Fact]
    public void Text_that_comes_while_a_checkpoint_runs_is_in_the_file_or_the_journal()
    {
        SessionStream? stream = null;
        int writes = 0;
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time, atStep: step =>
        {
            if (stream is not null
                && step is Step.CheckpointImages or Step.CheckpointSynced or Step.CheckpointIndexed)
            {
                stream.Write(Stores.Utf8($"{++writes} "));
                if (step == Step.CheckpointImages)
                {
                    stream.End();
                    stream = null;
                }
            }
        });
        using Session session = store.Create();
        stream = session.BeginStream("agent_message");
        using SessionStream stays = session.BeginStream("agent_thought");
        stays.Write("stays"u8);
        bool ran = store.Engine.Checkpointer.TryRun() || store.Engine.Checkpointer.TryRun();
        Assert.True(ran);
        FaultyDisk left = _disk.Copy().AfterPowerCut(seed: 3);
        using SessionStore again = Stores.Open(left.OpenAs(), _time);
        using Session found = again.OpenSession(session.Id);
        Assert.Equal(["1 ", "stays"], found.Events().GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("data").GetProperty("text").GetString()!));
        again.AssertSound();
    }

    private SessionStore Open(int processId) => Stores.Open(_disk.OpenAs(), _time, processId: processId);

    private static void Kill(FaultyDisk disk, SessionStore store)
    {
        disk.KillAt = disk.OwnChanges + 1;
        Assert.ThrowsAny<Exception>(() => store.Create());
        disk.RestorePages();
    }

    private static string EventText(JsonElement page, int index)
        => page.GetProperty("events")[index].GetProperty("data").GetProperty("text").GetString()!;

    private static string Text(byte[] bytes) => System.Text.Encoding.UTF8.GetString(bytes);
}
