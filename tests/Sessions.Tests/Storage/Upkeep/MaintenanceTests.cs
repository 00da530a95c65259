using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Upkeep;

/// <summary>What the store's own thread does by itself, sooner or later: awaited, not timed.</summary>
public sealed class MaintenanceTests : IDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    private readonly FaultyDisk _disk = new(seed: 41);
    private readonly SessionStore _store;
    private readonly Session _session;

    public MaintenanceTests()
    {
        _store = Stores.Open(_disk, background: true);
        _session = _store.Create();
    }

    private SharedState State => _store.Core.State;

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Relaxed_events_reach_the_disk_and_the_journal_its_end_without_another_call()
    {
        for (int round = 1; round <= 2; round++) // the second wakes a thread that sleeps
        {
            _session.Say("relaxed", AppendFlags.Relaxed);
            Await(() => State.Synced == State.Published && State.Indexed == State.Published);
            string path = Layout.LiveFolder(_session.Id) + "/" + Layout.EventsFile;
            Assert.Equal(round, _disk.Peek(path)!.Count(b => b == '\n'));
            using SessionStore cut = Stores.Open(_disk.Copy().AfterPowerCut(seed: round));
            Assert.Equal(round, cut.OpenSession(_session.Id).GetStat().LastSeq);
        }
    }

    [Fact]
    public void A_segment_has_its_successor_made_ahead_and_goes_once_the_files_have_it_all()
    {
        byte[] text = Stores.Utf8($"\"{new string('x', 200_000)}\"");
        while (_store.Core.Replica.Offset < JournalFiles.SegmentBytesMin * 6 / 10)
        {
            _session.Append("x", text);
        }

        Await(() => _disk.Stat(Layout.SpareSegment) is not null);
        while (_store.Core.Replica.Segment == 1)
        {
            _session.Append("x", text);
        }

        Await(() => _disk.Stat(Layout.Segment(1)) is null && State.Indexed == State.Published);
        Assert.NotNull(_disk.Stat(Layout.Segment(2)));
        _session.Say("after");
        _store.AssertSound();
    }

    [Fact]
    public void What_fails_in_the_background_is_tried_again_and_fails_no_call()
    {
        int failures = 0;
        _disk.FailIf = o => o is { Name: "pwrite", Path: Layout.IndexFile } or { Name: "open", Path: Layout.IndexFile }
            && Interlocked.Increment(ref failures) <= 2;
        _session.Say("one");
        Await(() => Volatile.Read(ref failures) > 0);
        Assert.Equal(2, _session.Say("two"));
        _disk.FailIf = null;
        Await(() => State.Indexed == State.Published);
        Assert.Equal(StoreHealth.Sound, State.Health);
        _store.AssertSound();
    }

    [Fact]
    public void A_checkpoint_whose_sync_fails_poisons_and_the_thread_lets_be_until_a_recovery()
    {
        _disk.HasSyncAll = false;
        _disk.FailIf = o => o.Name == "fdatasync" && o.Path.StartsWith("sessions/", StringComparison.Ordinal);
        _session.Say("one");
        Await(() => State.Health == StoreHealth.Poisoned);
        _disk.FailIf = null;
        Stores.Fails(SessionStatus.Poisoned, () => _session.Say("two"));
        using (SessionStore other = Stores.Open(_disk.OpenAs(), processId: 4343))
        {
            Assert.Equal(2, other.OpenSession(_session.Id).Say("two"));
        }

        Assert.Equal(3, _session.Say("three"));
        Await(() => State.Indexed == State.Published);
        _store.AssertSound();
    }

    [Fact]
    public void Who_looks_on_at_a_stream_makes_no_checkpoints_for_its_writer()
    {
        var steps = new System.Collections.Concurrent.ConcurrentBag<Step>();
        using SessionStore looking = Stores.Open(_disk.OpenAs(), atStep: steps.Add, background: true,
            processId: 4343);
        using Session seen = looking.OpenSession(_session.Id);
        FaultyDisk writers = _disk.OpenAs();
        SessionStore writer = Stores.Open(writers, processId: 4444);
        SessionStream stream = writer.OpenSession(_session.Id).BeginStream("agent_message");
        for (int i = 0; i < 3; i++)
        {
            stream.Write("text "u8);
            Assert.Single(seen.Streams());
            Assert.False(SpinWait.SpinUntil(() => !steps.IsEmpty, TimeSpan.FromMilliseconds(400))); // over a tick
        }

        writers.KillAt = writers.OwnChanges + 1;
        Assert.ThrowsAny<Exception>(() => stream.Write("lost"u8));
        _disk.RestorePages();
        Await(() => seen.Streams().Count == 0);
        Assert.Equal(1, seen.GetStat().LastSeq);
    }

    [Fact]
    public void A_checkpoint_waits_for_that_of_another_process()
    {
        using ILockFile other = _disk.OpenAs().OpenLocks(Layout.StoreFile, readOnly: false);
        Assert.True(other.TryLock(StoreLock.Checkpoint, exclusive: true));
        _session.Say("one");
        Assert.False(_store.Engine.Checkpointer.TryRun());
        Assert.False(SpinWait.SpinUntil(() => State.Indexed == State.Published, TimeSpan.FromSeconds(2)));
        other.Unlock(StoreLock.Checkpoint);
        Await(() => State.Indexed == State.Published);
    }

    private static void Await(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Guard));
}
