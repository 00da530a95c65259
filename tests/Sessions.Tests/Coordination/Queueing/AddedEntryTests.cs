using Sessions.Images;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Queueing;

/// <summary>
/// Each add to a queue of 4 MiB wrote all of it into the journal and waited for the disk. The frame of an add has the
/// entry alone where the segment has an image already: whoever reads the frames, and whatever becomes of the files, has
/// the queue that was acknowledged.
/// </summary>
public sealed class AddedEntryTests
{
    private static readonly SessionStoreOptions s_relaxed = new() { Durability = Durability.Relaxed };
    private readonly ManualTime _time = new();

    [Fact]
    public void An_add_to_a_large_queue_costs_the_journal_no_more_than_the_entry()
    {
        var disk = new FaultyDisk(1);
        using SessionStore store = Open(disk);
        using Session session = Fill(store, 3, 1_000_000);
        session.Say("makes room"); // the image below fills the segment
        session.Add("""{"message":"with an image"}""");
        long before = End(store), image = Entries(disk, store).Count(c => c.Entry.IsEmpty);
        for (int i = 0; i < 50; i++)
        {
            session.Add($$"""{"message":"{{i}}"}""");
        }

        Assert.InRange(End(store) - before, 50 * 200, 50 * 1000);
        Assert.Equal(image, Entries(disk, store).Count(c => c.Entry.IsEmpty));
        Assert.Equal(54, session.Count());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_store_that_dies_leaves_all_that_was_added(bool isPowerCut)
    {
        var disk = new FaultyDisk(2);
        SessionStore store = Open(disk);
        Session session = Fill(store, 3, 100);
        session.Claim();
        for (int i = 3; i < 9; i++)
        {
            session.Add($$"""{"message":"{{i}}"}""");
        }

        string id = session.Id;
        using SessionStore again = Open(isPowerCut ? disk.AfterPowerCut(3) : disk.AfterKill());
        Assert.Equal("interrupted 0, queued 1, queued 2, queued 3, queued 4, queued 5, queued 6, queued 7, queued 8",
            Short(again, id));
        again.AssertSound();
    }

    [Fact]
    public void A_power_cut_after_a_checkpoint_leaves_all_that_was_added()
    {
        var disk = new FaultyDisk(2);
        SessionStore store = Open(disk);
        Session session = Fill(store, 3, 100);
        session.Add("""{"message":"3"}""");
        store.Run(() => store.Engine.Checkpointer.TryRun());
        session.Add("""{"message":"4"}""");
        Assert.False(Entries(disk, store)[^1].Entry.IsEmpty);
        session.Dispose();
        Session purged = store.Create();
        purged.Delete(DeletePolicy.NoTrash); // has the next checkpoint begin another segment
        store.Run(() => store.Engine.Checkpointer.TryRun());
        session = store.OpenSession(session.Id);
        session.Add("""{"message":"5"}""");
        Assert.True(Entries(disk, store)[^1].Entry.IsEmpty);
        session.Add("""{"message":"6"}""");
        Assert.False(Entries(disk, store)[^1].Entry.IsEmpty);
        for (int seed = 0; seed < 20; seed++)
        {
            using SessionStore again = Open(disk.AfterPowerCut(seed));
            Assert.Equal("queued 0, queued 1, queued 2, queued 3, queued 4, queued 5, queued 6",
                Short(again, session.Id));
            again.AssertSound();
        }
    }

    [Fact]
    public void Where_an_add_begins_a_segment_it_brings_the_image_along()
    {
        var disk = new FaultyDisk(4);
        SessionStore store = Open(disk);
        Session session = Fill(store, 3, 100);
        long segment = store.Core.Replica.Segment;
        while (End(store) < JournalFiles.SegmentBytesMin - 400_000)
        {
            session.Say(new string('x', 50_000));
        }

        session.Add($$"""{"message":"3 {{new string('x', 300_000)}}"}""");
        Assert.Equal(segment + 1, store.Core.Replica.Segment);
        Assert.True(Entries(disk, store)[^1].Entry.IsEmpty);
        session.Add("""{"message":"4"}""");
        Assert.False(Entries(disk, store)[^1].Entry.IsEmpty);
        const string seen = "queued 0, queued 1, queued 2, queued 3, queued 4";
        Assert.Equal(seen, Short(store, session.Id));
        using SessionStore again = Open(disk.AfterPowerCut(1));
        Assert.Equal(seen, Short(again, session.Id));
        again.AssertSound();
    }

    [Theory]
    [InlineData(Durability.Full)]
    [InlineData(Durability.Relaxed)]
    public void A_neighbour_takes_in_what_was_added_whether_it_knows_the_queue_or_not(Durability durability)
    {
        var disk = new FaultyDisk(5);
        var options = new SessionStoreOptions { Durability = durability };
        using SessionStore store = Stores.Open(disk.OpenAs(), _time, options);
        using Session session = Fill(store, 2, 100);
        using SessionStore knows = Stores.Open(disk.OpenAs(), _time, options, processId: 2);
        using SessionStore learns = Stores.Open(disk.OpenAs(), _time, options, processId: 3);
        using SessionStore reads = Stores.Open(disk.OpenAs(), _time,
            new SessionStoreOptions { Flags = StoreFlags.ReadOnly }, processId: 4);
        Assert.Equal("queued 0, queued 1", Short(knows, session.Id));
        session.Add("""{"message":"2"}""");
        session.Add("""{"message":"3"}""");
        foreach (SessionStore each in (SessionStore[])[knows, learns, reads])
        {
            Assert.Equal("queued 0, queued 1, queued 2, queued 3", Short(each, session.Id));
        }

        using Session theirs = learns.OpenSession(session.Id);
        theirs.Add("""{"message":"4"}"""); // with an image, since none of the segment is known here
        Assert.Equal("0 x", theirs.Claim().Message()[..3]);
        theirs.Add("""{"message":"5"}""");
        session.Add("""{"message":"6"}""");
        foreach (SessionStore each in (SessionStore[])[store, knows, learns, reads])
        {
            Assert.Equal("claimed 0, queued 1, queued 2, queued 3, queued 4, queued 5, queued 6",
                Short(each, session.Id));
        }

        store.AssertSound();
    }

    [Fact]
    public void A_neighbour_applies_what_was_added_and_not_applied()
    {
        var disk = new FaultyDisk(6);
        FaultyDisk first = disk.OpenAs();
        SessionStore victim = Stores.Open(first, _time, s_relaxed);
        Session session = Fill(victim, 2, 100);
        victim.Flush();
        using SessionStore store = Stores.Open(disk.OpenAs(), _time, processId: 2);
        session.Add("""{"message":"2"}""");
        session.Add("""{"message":"3"}""");
        first.KillAt = first.OwnChanges + 1;
        Assert.ThrowsAny<Exception>(() => session.Add("""{"message":"absent"}"""));
        disk.RestorePages();
        store.Create().Dispose(); // applies what waits
        string path = Layout.LiveFolder(session.Id) + "/" + Layout.QueueFile;
        QueueState inFile = QueueCodec.Read(CheckedJson.Read(disk.Peek(path))!);
        Assert.Equal(4, inFile.Entries.Count);
        Assert.Null(disk.Violation);
        Assert.Equal("queued 0, queued 1, queued 2, queued 3", Short(store, session.Id));
    }

    [Fact]
    public void A_file_that_somebody_removed_is_made_from_the_image_and_what_was_added()
    {
        var disk = new FaultyDisk(7);
        FaultyDisk first = disk.OpenAs();
        SessionStore victim = Stores.Open(first, _time, s_relaxed);
        Session session = Fill(victim, 2, 100);
        session.Add("""{"message":"2"}""");
        victim.Flush();
        using SessionStore store = Stores.Open(disk.OpenAs(), _time, processId: 2);
        session.Add("""{"message":"3"}""");
        first.KillAt = first.OwnChanges + 1;
        Assert.ThrowsAny<Exception>(() => session.Add("""{"message":"absent"}"""));
        disk.RestorePages();
        disk.Poke(Layout.LiveFolder(session.Id) + "/" + Layout.QueueFile, "damaged"u8);
        store.Create().Dispose();
        Assert.Equal("queued 0, queued 1, queued 2, queued 3", Short(store, session.Id));
    }

    [Fact]
    public void What_is_added_twice_is_there_once_and_what_was_settled_stays_so()
    {
        byte[] image = QueueCodec.Write(new QueueState
        {
            Entries = [new QueueEntry { Id = "q-1-00000001" }],
            Settled = [new QueueEntry { Id = "q-1-00000002", State = QueueEntryState.Sent }],
        }, "session_1");
        ReadOnlyMemory<byte>[] added = [.. ((string[])["q-1-00000001", "q-1-00000002", "q-1-00000003", "q-1-00000003"])
            .Select(id => (ReadOnlyMemory<byte>)QueueCodec.WriteEntry(new QueueEntry { Id = id }))];
        KnownQueue known = QueueCodec.WithAdded(QueueCodec.ReadKnown(image), added, "session_1");
        Assert.Equal(["q-1-00000001", "q-1-00000003"], known.State.Entries.Select(e => e.Id));
        Assert.Equal(known.Image, QueueCodec.Write(known.State, "session_1"));
        Assert.Same(known, QueueCodec.WithAdded(known, added, "session_1"));
        KnownQueue fromNothing = QueueCodec.WithAdded(QueueCodec.ReadKnown([]), added[2..], "session_1");
        Assert.Equal(["q-1-00000003"], QueueCodec.Read(fromNothing.Image).Entries.Select(e => e.Id));
    }

    [Fact]
    public void Entries_behind_the_limit_of_a_queue_are_left_out()
    {
        ReadOnlyMemory<byte> message = Stores.Utf8($"\"{new string('x', 1_000_000)}\"");
        ReadOnlyMemory<byte>[] added = [.. Enumerable.Range(0, 9).Select(i => (ReadOnlyMemory<byte>)
            QueueCodec.WriteEntry(new QueueEntry { Id = $"q-1-0000000{i}", Message = message }))];
        KnownQueue known = QueueCodec.WithAdded(QueueCodec.ReadKnown([]), added, "session_1");
        Assert.Equal(4, known.State.Entries.Count);
        Assert.InRange(known.Image.Length, 4_000_000, Limits.QueueBytesMax);
    }

    private static long End(SessionStore store) => store.Core.Replica.Offset;

    private static string Short(SessionStore store, string id)
    {
        using Session session = store.OpenSession(id);
        return string.Join(", ", session.Queue().GetProperty("entries").EnumerateArray()
            .Select(e => $"{e.State()} {e.Message().Split(' ')[0]}"));
    }

    // The changes of queues in the journal, as others read them.
    private static List<Change> Entries(FaultyDisk disk, SessionStore store)
    {
        using var journal = new JournalFiles(disk.OpenAs(), store.Core.Seed, "i-000000000000");
        return [.. JournalScan.Read(disk.OpenAs(), journal).Frames.SelectMany(f => f.Changes)
            .Where(c => c.Small == SmallFileKind.Queue)];
    }

    private SessionStore Open(FaultyDisk disk) => Stores.Open(disk.OpenAs(), _time);

    private static Session Fill(SessionStore store, int count, int bytes)
    {
        store.Configure(null, """{"queue":{"max_size":1000}}"""u8);
        Session session = store.Create();
        for (int i = 0; i < count; i++)
        {
            session.Add($$"""{"message":"{{i}} {{new string('x', bytes)}}"}""");
        }

        return session;
    }
}
