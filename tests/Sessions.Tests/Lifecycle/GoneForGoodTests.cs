using System.Text;
using Sessions.Platform;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Lifecycle;

/// <summary>What was removed for good is in no file below the store once a flush has returned, whatever was killed
/// on the way and whoever else has the store open.</summary>
public sealed class GoneForGoodTests
{
    private const string Word = "TOPSECRET";

    private readonly ManualTime _time = new();

    public static TheoryData<string, bool, bool> Ways
    {
        get
        {
            var ways = new TheoryData<string, bool, bool>();
            foreach (string way in (string[])["delete", "purge", "prune", "pruned before", "pruned and purged"])
            {
                ways.Add(way, false, false);
                ways.Add(way, true, false);
                ways.Add(way, true, true);
            }

            return ways;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void No_file_has_it_after_a_flush(string way, bool hasNeighbour, bool wasIndexed)
    {
        var disk = new FaultyDisk(seed: 11);
        using SessionStore store = Open(disk, 4242);
        using SessionStore? other = hasNeighbour ? Open(disk.OpenAs(), 4343) : null;
        Session kept = store.Create();
        kept.Say("stays");
        Session session = Fill(store, other, way.StartsWith("prune", StringComparison.Ordinal));
        if (wasIndexed)
        {
            Assert.True(store.Engine.Checkpointer.TryRun());
        }

        Assert.NotEmpty(Holding(disk));
        Remove(store, session, way);
        store.Flush();
        Assert.Empty(Holding(disk));
        Assert.False(store.Core.State.OwesErasure);
        long segment = store.Core.State.Segment;
        store.Flush();
        Assert.Equal(segment, store.Core.State.Segment); // once is enough
        kept.Say("goes on");
        other?.OpenSession(kept.Id).UpdateTitle("goes on too");
        store.AssertSound();
        other?.AssertSound();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_file_has_it_after_a_close(bool staysOpen)
    {
        var disk = new FaultyDisk(seed: 12);
        SessionStore? other = staysOpen ? Open(disk.OpenAs(), 4343) : null;
        using (SessionStore store = Open(disk, 4242))
        {
            Remove(store, Fill(store, other, onlyEvents: false), "delete");
        }

        Assert.Empty(Holding(disk));
        other?.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_kill_at_any_call_leaves_it_to_the_next_flush(bool hasNeighbour)
    {
        for (int calls = 1; ; calls++)
        {
            var disk = new FaultyDisk(seed: calls);
            using SessionStore? other = hasNeighbour ? Open(disk.OpenAs(), 4343) : null;
            SessionStore store = Open(disk, 4242);
            Session session = Fill(store, other, onlyEvents: false);
            int left = calls;
            disk.FailIf = _ =>
            {
                if (--left == 0)
                {
                    disk.Kill();
                }

                return false;
            };
            try
            {
                session.Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
                store.Flush();
            }
            catch (Exception e) when (e is PowerCutException || e.InnerException is PowerCutException)
            {
                // killed, which is what this is about
            }

            bool isOver = left > 0;
            disk.FailIf = null;
            if (!isOver)
            {
                disk.Kill();
            }

            SessionStore next = isOver ? store : Open(disk.OpenAs(), 4444);
            if (next.List().GetArrayLength() == 0) // else it was killed before the delete was recorded
            {
                next.Flush();
                Assert.True(Holding(disk).Count == 0, $"killed at call {calls}: {string.Join(' ', Holding(disk))}");
            }

            next.Flush();
            next.AssertSound();
            next.Close();
            if (isOver)
            {
                return;
            }
        }
    }

    [Fact]
    public void A_branch_keeps_what_it_shows()
    {
        var disk = new FaultyDisk(seed: 13);
        using SessionStore store = Open(disk, 4242);
        Session session = Fill(store, null, onlyEvents: true);
        Session branch = session.Fork();
        session.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
        store.Flush();
        Assert.All(Holding(disk), p => Assert.Contains($"{branch.Id}/history/", p, StringComparison.Ordinal));
        Assert.Contains(Word, Stores.Text(b => branch.WriteEvents(0, 0, b)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_removed_while_a_checkpoint_runs_is_left_to_the_next()
    {
        var disk = new FaultyDisk(seed: 14);
        Session? second = null;
        bool isDone = false;
        using SessionStore other = Open(disk.OpenAs(), 4343);
        using SessionStore store = Stores.Open(disk, _time, atStep: s =>
        {
            if (s == Step.CheckpointSynced && !isDone && second is not null)
            {
                isDone = true;
                other.OpenSession(second.Id).Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
            }
        });
        Session first = Fill(store, null, onlyEvents: false);
        second = Fill(store, null, onlyEvents: false);
        Remove(store, first, "delete");
        store.Flush();
        Assert.True(isDone);
        store.Flush();
        Assert.Empty(Holding(disk));
    }

    [Fact]
    public void A_flush_that_erases_nothing_makes_no_segment()
    {
        var disk = new FaultyDisk(seed: 15);
        using SessionStore store = Open(disk, 4242);
        Session session = Fill(store, null, onlyEvents: false);
        long segment = store.Core.State.Segment;
        store.Flush();
        session.Delete();
        store.Flush();
        Assert.Equal(segment, store.Core.State.Segment);
        Assert.NotEmpty(Holding(disk)); // it is in the trash
    }

    private SessionStore Open(IDisk disk, int processId) => Stores.Open(disk, _time, processId: processId);

    // A session with the word in all that a session has, written by both.
    private Session Fill(SessionStore store, SessionStore? other, bool onlyEvents)
    {
        Session session = store.Create(null, new SessionCreateOptions { Title = onlyEvents ? "Plain" : Word });
        foreach (SessionStore by in other is null ? new[] { store } : [store, other])
        {
            Session handle = by.OpenSession(session.Id);
            Append(handle, "t-1");
            if (onlyEvents)
            {
                continue;
            }

            for (int i = 0; i < 3; i++)
            {
                _time.Advance(300);
                handle.UpdateTitle($"{Word} {i} {by.Core.InstanceId}");
                handle.UpdateMetadata(Stores.Utf8($$"""{"a":"{{Word}}{{i}}"}"""));
            }

            Stores.Text(b => handle.AddToQueue(Stores.Utf8($$"""{"message":"{{Word}}"}"""), b));
            handle.SetButtons(Stores.Utf8($$"""[{"label":"{{Word}}"}]"""));
            Stores.Text(b => handle.PutFile($"{by.Core.InstanceId}.txt",
                Stores.Utf8($"{Word} {by.Core.InstanceId}"), b));
            handle.BeginStream("agent_message").Write(Stores.Utf8(Word));
        }

        return session;
    }

    private static void Append(Session session, string turn)
        => session.Append("user_prompt", Stores.Utf8($$"""{"text":"{{Word}}"}"""), new AppendOptions { TurnId = turn });

    private void Remove(SessionStore store, Session session, string way)
    {
        if (way.StartsWith("prune", StringComparison.Ordinal))
        {
            session.Append("user_prompt", """{"text":"stays"}"""u8, new AppendOptions { TurnId = "t-2" });
            bool isKept = way != "prune";
            Stores.Text(b => session.Prune(
                Stores.Utf8($$"""{"max_events":1,"trash":{{(isKept ? "true" : "false")}}}"""), b));
        }

        switch (way)
        {
            case "delete" or "pruned and purged":
                session.Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
                break;
            case "purge":
                session.Delete();
                Assert.Equal(1, store.Purge(_time.NowMs + 1));
                break;
            case "pruned before":
                store.Purge(_time.NowMs + 1);
                break;
            default:
                break;
        }
    }

    private static List<string> Holding(ModelDisk disk)
        => [.. disk.Paths().Where(p => disk.Peek(p) is { } bytes
            && bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Word)) >= 0)];
}
