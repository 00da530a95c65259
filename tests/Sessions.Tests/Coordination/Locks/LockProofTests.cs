using Sessions.Coordination.Locks;
using Sessions.Storage.Commit;
using Sessions.Storage.Rows;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Locks;

/// <summary>What proves that a holder is gone, and what counts where nothing does: hosts that were renamed, containers
/// of one machine, disks whose locks say nothing.</summary>
public sealed class LockProofTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ShiftedTime _time = new();

    [Theory]
    [InlineData("try")]
    [InlineData("wait")]
    [InlineData("append")]
    public void A_holder_that_died_under_another_host_name_keeps_nobody_out(string how)
    {
        MemoryDisk disk = _disk.OpenAs();
        Session session = Open(1, host: "laptop", on: disk).Create();
        session.Lock(LockMode.Try);
        using SessionStore second = Open(2, host: "renamed");
        disk.Kill();
        using SessionStore third = Open(3, host: "again");
        foreach (SessionStore store in (SessionStore[])[second, third])
        {
            using Session other = store.OpenSession(session.Id);
            if (how == "append")
            {
                other.Say("free");
            }
            else
            {
                Assert.False(other.Lock().Flag("is_locked"));
                other.Lock(how == "try" ? LockMode.Try : LockMode.Wait, new LockOptions { TimeoutMs = 60_000 });
                other.Say("mine");
                other.Unlock();
            }
        }
    }

    [Fact]
    public void A_copied_store_has_no_holders()
    {
        using SessionStore store = Open(1, host: "laptop");
        using Session session = store.Create();
        session.Lock(LockMode.Try);
        store.Flush();
        using SessionStore copy = Open(2, host: "server", on: _disk.Copy().OpenAs());
        using Session same = copy.OpenSession(session.Id);
        same.Lock(LockMode.Try);
        same.Say("mine");
        Assert.True(session.Lock().Flag("is_mine"));
    }

    [Fact]
    public void Without_a_proof_a_holder_counts_as_gone_after_a_minute_for_everybody()
    {
        _disk.Capabilities = _disk.Capabilities with { IsLocal = false };
        MemoryDisk disk = _disk.OpenAs();
        using SessionStore second = Open(2);
        SessionStore store = Open(1, host: "elsewhere", on: disk);
        Session session = store.Create(), appended = store.Create();
        Session[] both = [session, appended];
        Array.ForEach(both, s => s.Lock(LockMode.Try));
        session.SetActivity("processing");
        using Session other = second.OpenSession(session.Id), written = second.OpenSession(appended.Id);
        _time.Shift(600_000);
        Assert.False(other.Lock().Flag("is_stale")); // its byte is held: it lives
        store.Engine.Commit(new HeartbeatRequest(store.Engine.Locks) { Full = false });
        disk.Kill();
        _time.Shift(50_000);
        Stores.Fails(SessionStatus.Processing, () => other.Lock(LockMode.Force));
        Stores.Fails(SessionStatus.Locked, () => other.Lock(LockMode.Try));
        Stores.Fails(SessionStatus.Locked, () => written.Say("too soon"));
        _time.Shift(11_000);
        Assert.True(other.Lock().Flag("is_stale"));
        Assert.False(other.Lock().Flag("is_locked"));
        Assert.Matches("nothing was heard of it for 6[1-9] s; the session is free", other.Message());
        other.Lock(LockMode.Try);
        other.Say("mine");
        written.Say("free");
        Assert.Null(written.HolderPid()); // and whoever comes back has lost it
    }

    [Fact]
    public void A_holder_that_counted_as_gone_and_comes_back_has_lost_the_lock()
    {
        using SessionStore store = Open(1), second = Open(2);
        using Session session = store.Create(), other = second.OpenSession(session.Id);
        session.Lock(LockMode.Try);
        second.Engine.Commit(new Releasing(second.Engine, session.Id) { Full = false }); // as a write that met it
        other.Say("theirs");
        Stores.Fails(SessionStatus.LockLost, () => session.Say("mine"));
        Stores.Fails(SessionStatus.LockLost, session.Unlock);
        session.Lock(LockMode.Try);
        session.Say("mine again");
    }

    [Theory]
    [InlineData("laptop", 7, 70, true)]   // its process is gone, under whatever name
    [InlineData("here", 7, 71, false)]    // a container of the same name: its processes are counted apart
    [InlineData("here", 8, 70, false)]    // another machine, or another start of this one
    [InlineData("here", 0, 70, true)]     // nothing but the name is known
    [InlineData("laptop", 0, 70, false)]
    public void A_process_id_counts_where_processes_are_counted_together(string host, ulong bootId, long pids,
        bool isGone)
    {
        _disk.Capabilities = _disk.Capabilities with { IsLocal = false };
        MemoryDisk disk = _disk.OpenAs();
        using SessionStore second = Open(2, startedAt: _ => 0); // no process with any number
        Session session = Open(1, host, disk, bootId: bootId, pids: pids).Create();
        session.Lock(LockMode.Try);
        disk.Kill();
        using Session other = second.OpenSession(session.Id);
        Assert.Equal(!isGone, other.Lock().Flag("is_locked"));
        if (!isGone)
        {
            Stores.Fails(SessionStatus.Locked, () => other.Say("too soon"));
            return;
        }

        other.Say("free");
    }

    [Theory]
    [InlineData(1_000_001L, false)] // the very process, as far as is known
    [InlineData(1_600_000L, true)]  // another process has its number
    [InlineData(0L, true)]          // there is no process with it
    [InlineData(-1L, false)]        // the system does not say
    public void On_a_disk_whose_locks_say_nothing_the_process_tells(long startedAt, bool isGone)
    {
        _disk.Capabilities = _disk.Capabilities with { IsLocal = false };
        MemoryDisk disk = _disk.OpenAs();
        using SessionStore second = Open(2, startedAt: _ => startedAt < 0 ? null : startedAt);
        Session session = Open(1, on: disk).Create();
        session.Lock(LockMode.Try);
        disk.Kill();
        using Session other = second.OpenSession(session.Id);
        Assert.Equal(!isGone, other.Lock().Flag("is_locked"));
        if (isGone)
        {
            other.Lock(LockMode.Try);
        }
        else
        {
            Stores.Fails(SessionStatus.Locked, () => other.Lock(LockMode.Try));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_opens_alone_knows_that_nobody_holds_anything(bool isReader)
    {
        _disk.Capabilities = _disk.Capabilities with { IsLocal = false };
        MemoryDisk disk = _disk.OpenAs();
        SessionStore store = Open(1, host: "elsewhere", on: disk);
        Session session = store.Create();
        session.Lock(LockMode.Try);
        store.Flush();
        disk.Kill();
        using SessionStore alone = isReader ? Stores.Open(_disk.OpenAs(), options: new SessionStoreOptions
        {
            Flags = StoreFlags.ReadOnly | StoreFlags.AllowNetwork,
        }) : Open(2, startedAt: _ => null);
        using Session found = alone.OpenSession(session.Id);
        Assert.False(found.Lock().Flag("is_locked"));
        if (isReader)
        {
            return;
        }

        using SessionStore next = Open(3, startedAt: _ => null); // and who comes later has to wait for a sign
        Stores.Fails(SessionStatus.Locked, () => next.OpenSession(session.Id).Say("too soon"));
        found.Say("free");
        next.OpenSession(session.Id).Say("free, as the file says now");
        alone.AssertSound();
    }

    private SessionStore Open(int pid, string host = "here", MemoryDisk? on = null, Func<long, long?>? startedAt = null,
        ulong bootId = 7, long pids = 70) => LockFixture.Open(on ?? _disk.OpenAs(), _time, pid, host, startedAt,
        bootId: bootId, pidNamespace: pids);

    private sealed class Releasing(StoreEngine engine, string id) : CommitRequest
    {
        public override void Run(Transaction transaction)
        {
            Row row = engine.Core.Rows.Find(id)!;
            engine.Locks.ReleaseGone(transaction, row, engine.Locks.Read(row, isSettled: true));
        }
    }
}
