using Sessions.Storage.Rows;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Rows;

/// <summary>What is read without the rows' gate, held against what is read under it, while everything changes.
/// Writers do a fixed number of things; readers look until they are done.</summary>
public sealed class FastPathTests : IDisposable
{
    private readonly SessionStore _store = Stores.Open(new MemoryDisk().OpenAs());
    private int _phase; // counts up before each thing that a writer does

    public void Dispose() => _store.Dispose();

    [Fact]
    public void An_abort_that_nobody_clears_stays_seen_while_it_is_recorded()
    {
        Session session = _store.Create();
        Race(writer: i =>
        {
            session.Abort(null, AbortFlags.Relaxed); // signalled first, recorded then
            Interlocked.Increment(ref _phase); // from here on it is cleared
            session.ClearAbort();
            Interlocked.Increment(ref _phase);
        }, times: 2000, reader: () =>
        {
            int phase = Volatile.Read(ref _phase);
            bool first = session.IsAborted, second = session.IsAborted;
            bool third = session.GetStat().Flags.HasFlag(StatFlags.Aborted);
            if (phase == Volatile.Read(ref _phase))
            {
                // An abort goes from false to true, a clear from true to false, and neither goes back.
                bool isAborting = (phase & 1) == 0;
                Assert.False(isAborting ? (first && !second) || (second && !third)
                    : (!first && second) || (!second && third), $"{first}, {second}, {third} in {phase}");
            }
        });
    }

    [Fact]
    public void No_info_is_older_than_one_that_was_seen_before()
    {
        Session session = _store.Create();
        Row row = RowOf(session);
        Race(writer: i =>
        {
            if (i % 3 == 0)
            {
                session.Say("event", AppendFlags.Relaxed);
            }
            else
            {
                session.UpdateTitle(i % 2 == 0 ? "even" : "odd");
            }

            if (i % 20 == 0)
            {
                StartOver();
            }

            if (i % 100 == 0)
            {
                Assert.True(_store.Engine.Checkpointer.TryRun());
            }
        }, times: 1000, reader: () =>
        {
            SessionInfo before = _store.Core.Read(row);
            SessionStat seen = session.GetStat();
            SessionInfo? fast = _store.Core.TryRead(row);
            SessionInfo after = _store.Core.Read(row);
            Assert.InRange(seen.Revision, before.Revision, after.Revision);
            Assert.InRange(seen.LastSeq, before.LastSeq, after.LastSeq);
            Assert.InRange(fast?.Revision ?? after.Revision, seen.Revision, after.Revision);
            Assert.InRange(fast?.LastSeq ?? after.LastSeq, seen.LastSeq, after.LastSeq);
        });
    }

    [Fact]
    public void Nobody_sees_a_parent_deleted_and_its_child_not_yet()
    {
        Session parent = _store.Create(), child = _store.Create(parent.Id);
        Race(writer: i =>
        {
            parent.Delete();
            Interlocked.Increment(ref _phase);
            _store.Restore(parent.Id);
            Interlocked.Increment(ref _phase);
            if (i % 10 == 0)
            {
                StartOver();
            }
        }, times: 100, reader: () =>
        {
            int phase = Volatile.Read(ref _phase);
            bool first = IsThere(parent), second = IsThere(child), third = IsThere(parent), last = IsThere(child);
            if (phase == Volatile.Read(ref _phase))
            {
                bool[] seen = [first, second, third, last];
                bool[] inOrder = (phase & 1) == 0 ? [.. seen.OrderDescending()] : [.. seen.Order()];
                Assert.Equal(inOrder, seen);
            }
        });
    }

    [Fact]
    public void A_session_that_was_taken_back_is_written_to_at_once()
    {
        var disk = new MemoryDisk();
        using SessionStore mine = Stores.Open(disk.OpenAs()), other = Stores.Open(disk.OpenAs(), processId: 7);
        Session session = mine.Create(), theirs = other.OpenSession(session.Id);
        session.Delete();
        Stores.Fails(SessionStatus.Deleted, () => theirs.Say("too late"));
        mine.Restore(session.Id);
        Assert.Equal(1, theirs.Say("in time"));
    }

    [Fact]
    public void A_stream_that_others_ended_has_its_number_while_the_rows_start_over()
    {
        Session session = _store.Create();
        SessionStream stream = session.BeginStream("agent_message", new AppendOptions { TurnId = "t" });
        stream.Write("text"u8);
        session.Append("turn_end", "{}"u8, new AppendOptions { TurnId = "t" });
        Race(writer: _ => StartOver(), times: 300, reader: () => Assert.Equal(1, stream.End()), readers: 1);
    }

    private static bool IsThere(Session session)
    {
        try
        {
            return session.GetStat().Revision > 0;
        }
        catch (SessionException e) when (e.Status == SessionStatus.Deleted)
        {
            return false;
        }
    }

    private Row RowOf(Session session)
    {
        lock (_store.Core.Rows.Gate)
        {
            return _store.Core.Rows.Find(session.Id)!;
        }
    }

    // As where the journal goes under a reader, or is recovered; by the one who writes, so in no commit.
    private void StartOver()
    {
        lock (_store.Core.Rows.Gate)
        {
            _store.Core.Replica.Reset();
            _store.Core.Replica.CatchUp();
        }
    }

    private static void Race(Action<int> writer, int times, Action reader, int readers = 2)
    {
        bool isOver = false;
        Task[] looking = [.. Enumerable.Range(0, readers).Select(_ => Looking())];
        try
        {
            for (int i = 0; i < times && !Array.Exists(looking, r => r.IsFaulted); i++)
            {
                writer(i);
            }
        }
        finally
        {
            Volatile.Write(ref isOver, true);
        }

        Task.WaitAll(looking);

        Task Looking() => Task.Factory.StartNew(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                reader();
            }
        }, TaskCreationOptions.LongRunning);
    }
}
