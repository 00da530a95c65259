using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Page;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>
/// Without a thread to be had, and where memory ran out inside a commit, a call answered INTERNAL and every process got
/// POISONED. Before the write nothing has happened, and the call says what was missing. Behind it the
/// commit is ended in the same call, as that of a holder that died; a store without a thread works on its callers'.
/// </summary>
public sealed class BehindTheWriteTests
{
    private readonly FaultyDisk _disk = new(seed: 9);

    public static TheoryData<int, string> Ends
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (Step step in (Step[])[Step.CommitWritten, Step.CommitSynced, Step.CommitApplied,
                Step.CommitPublished])
            {
                data.Add((int)step, nameof(OutOfMemoryException));
                data.Add((int)step, nameof(InvalidOperationException));
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public void What_ends_a_commit_behind_its_write_is_no_end_of_the_commit(int step, string failure)
    {
        bool fails = false, refuses = false;
        SessionStore store = Stores.Open(_disk.OpenAs(), atStep: Throw); // ends with the power
        SessionStore other = Stores.Open(_disk.OpenAs(), processId: 4343);
        Session session = store.Create(), seen = other.OpenSession(session.Id);
        session.Say("relaxed", AppendFlags.Relaxed);
        fails = true;
        Assert.Equal(2, session.Say("ended"));
        Assert.False(fails);
        Assert.Equal(StoreHealth.Sound, store.Core.State.Health);
        Assert.Equal((2, 2), (session.GetStat().LastSeq, seen.GetStat().LastSeq));
        refuses = true;
        Stores.Fails(SessionStatus.Io, () => session.Say("refused before its write"));
        refuses = false;
        fails = (Step)step is not (Step.CommitSynced or Step.CommitApplied);
        Assert.Equal(3, session.Say("relaxed, too", AppendFlags.Relaxed));
        Assert.False(fails);
        Assert.Equal(4, seen.Say("of another process"));
        Assert.Equal(4, session.Events().GetProperty("events").GetArrayLength());
        session.UpdateTitle("goes on");
        store.AssertSound();
        other.AssertSound();
        using SessionStore cut = Stores.Open(_disk.AfterPowerCut(seed: 3));
        Assert.Equal(4, cut.OpenSession(session.Id).GetStat().LastSeq);
        cut.AssertSound();

        void Throw(Step at)
        {
            if (refuses && at == Step.CommitLocked)
            {
                throw new DiskException(DiskError.Io, "pread", Layout.Journal, 5);
            }

            if (fails && at == (Step)step)
            {
                fails = false;
                throw failure == nameof(OutOfMemoryException)
                    ? new OutOfMemoryException() : new InvalidOperationException("a bug");
            }
        }
    }

    [Fact]
    public void Where_it_cannot_be_ended_either_the_store_is_poisoned()
    {
        FaultyDisk own = _disk.OpenAs();
        bool fails = false;
        using SessionStore store = Stores.Open(own, atStep: s => _ = fails && s == Step.CommitWritten
            ? throw new OutOfMemoryException() : 0);
        using Session session = store.Create();
        fails = true;
        own.FailIf = o => o.Name == "fdatasync";
        Stores.Fails(SessionStatus.NoMemory, () => session.Say("lost"));
        own.FailIf = null;
        fails = false;
        Stores.Fails(SessionStatus.Poisoned, () => session.Say("refused"));
    }

    [Fact]
    public void Memory_that_runs_out_before_the_write_is_no_memory_and_nothing_happened()
    {
        bool fails = false;
        using SessionStore store = Stores.Open(_disk.OpenAs(), atStep: s => _ = fails && s == Step.CommitCaughtUp
            ? throw new OutOfMemoryException() : 0);
        using Session session = store.Create();
        long before = store.Core.State.Published;
        fails = true;
        Stores.Fails(SessionStatus.NoMemory, () => session.Say("lost"));
        fails = false;
        Stores.Fails(SessionStatus.NoMemory, () => store.Commit(new HungryRequest()));
        Assert.Equal((before, StoreHealth.Sound), (store.Core.State.Published, store.Core.State.Health));
        Assert.Equal(1, session.Say("goes on"));
        store.AssertSound();
    }

    [Fact]
    public void Descriptors_are_had_before_the_write()
    {
        FaultyDisk own = _disk.OpenAs();
        own.FailWith = DiskError.NoDescriptor;
        using SessionStore store = Stores.Open(own);
        bool isWritten = false;
        own.FailIf = o => o.Name == "open" && o.Path == Layout.StoreFile;
        Stores.Fails(SessionStatus.Io, () => store.Create());
        Assert.Equal(0, store.List().GetArrayLength());
        own.FailIf = null;
        using Session session = store.Create();
        own.FailIf = o =>
        {
            bool fails = isWritten && o.Name == "open" && o.Path.StartsWith("tmp/", StringComparison.Ordinal);
            isWritten = !fails && (isWritten || (o.Name == "pwrite" && o.Path.StartsWith("journal/",
                StringComparison.Ordinal)));
            return fails;
        };
        session.UpdateTitle("with the last descriptors");
        Assert.True(own.Failures > 1);
        Assert.Equal(store.Core.State.Published, store.Core.State.Applied); // the reserve was for this
        own.FailIf = null;
        store.AssertSound();
    }

    [Fact]
    public void A_store_without_a_thread_works_on_the_threads_of_its_callers()
    {
        var environment = new StoreEnvironment
        {
            Disk = _disk.OpenAs(),
            BootId = 7,
            StartThread = _ => throw new OutOfMemoryException(),
        };
        SessionStore store = SessionStore.Open(environment); // ends with the power
        Session session = store.Create();
        Stores.Fails(SessionStatus.NoMemory, () => store.OpenWatch());
        Stores.Fails(SessionStatus.NoMemory, () => store.OpenWatch()); // and none is left behind
        SharedState page = store.Core.State;
        for (int i = 0; i < 12; i++)
        {
            session.Say(new string('x', 1 << 20), AppendFlags.Relaxed); // more than the first segment takes
            Assert.Equal(page.Published, page.Synced); // nobody would sync it later
        }

        Assert.True(page.Indexed > 0, "Nobody made a checkpoint.");
        store.AssertSound();
        using SessionStore cut = Stores.Open(_disk.AfterPowerCut(seed: 1));
        Assert.Equal(12, cut.OpenSession(session.Id).GetStat().LastSeq);
    }

    private sealed class HungryRequest : CommitRequest
    {
        public override void Run(Transaction transaction) => throw new OutOfMemoryException();
    }
}
