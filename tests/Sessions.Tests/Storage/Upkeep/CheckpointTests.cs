using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Upkeep;

/// <summary>Segments and the index as they come and go, and what may be missing or in the way.</summary>
public sealed class CheckpointTests
{
    private readonly FaultyDisk _disk = new(seed: 71);

    [Fact]
    public void A_segment_full_of_relaxed_frames_is_durable_before_the_next_one_begins()
    {
        long published = 0, synced = 0, seq = 0, switched = 0;
        SessionStore? store = null;
        store = Stores.Open(_disk, atStep: step =>
        {
            if (step == Step.SegmentMade && seq > 0)
            {
                (published, synced, switched) = (store!.Core.State.Published, store.Core.State.Synced, seq);
            }
        });
        Session session = store.Create();
        byte[] text = Stores.Utf8($"\"{new string('x', 100_000)}\"");
        while (switched == 0)
        {
            seq = session.Append("x", text, new AppendOptions { Flags = AppendFlags.Relaxed });
            Assert.True(seq < 100);
        }

        Assert.True(published > 30);
        Assert.Equal(published, synced);
        using SessionStore cut = Stores.Open(_disk.AfterPowerCut(seed: 1));
        Assert.True(cut.OpenSession(session.Id).GetStat().LastSeq >= switched);
        cut.AssertSound();
    }

    [Fact]
    public void An_index_with_a_torn_end_is_made_anew()
    {
        Make("first");
        byte[] whole = _disk.Peek(Layout.IndexFile)!;
        _disk.Poke(Layout.IndexFile, [.. whole, .. "{\"id\":\"session_1\",\"ti"u8]);
        Make("second");
        Assert.NotNull(IndexFile.ReadClosing(_disk));
        Assert.Equal(-1, _disk.Peek(Layout.IndexFile).AsSpan().IndexOf("session_1\",\"ti"u8));
        using SessionStore store = Stores.Open(_disk.OpenAs());
        Assert.Equal(["first", "second"], Titles(store));
        store.AssertSound();
    }

    [Fact]
    public void An_index_that_goes_while_it_is_added_to_is_made_anew()
    {
        Make("first");
        using SessionStore store = Stores.Open(_disk);
        store.Create(null, new SessionCreateOptions { Title = "second" });
        int opens = 0;
        _disk.FailIf = o =>
        {
            if (o is { Name: "open", Path: Layout.IndexFile } && ++opens == 2) // after it was read
            {
                _disk.OpenAs().Unlink(Layout.IndexFile);
            }

            return false;
        };
        Assert.True(store.Engine.Checkpointer.TryRun());
        Assert.Equal(2, opens);
        _disk.FailIf = null;
        store.Close();
        using SessionStore again = Stores.Open(_disk.OpenAs());
        Assert.Equal(["first", "second"], Titles(again));
        again.AssertSound();
    }

    [Fact]
    public void A_flush_leaves_a_session_that_cannot_be_read_as_it_is()
    {
        Make("first");
        _disk.Unlink(Layout.IndexFile);
        using SessionStore store = Stores.Open(_disk);
        using SessionStore other = Stores.Open(_disk.OpenAs(), processId: 4343);
        Session broken = store.OpenSession(store.List()[0].GetProperty("id").GetString()!);
        broken.Say("one"); // the other knows the counters and has never read the rest
        string path = Layout.LiveFolder(broken.Id) + "/" + Layout.SessionFile;
        _disk.Poke(path, "harm"u8);
        other.Flush();
        other.Flush();
        Assert.Equal("harm"u8, _disk.Peek(path)!);
        other.Create();
        Stores.Fails(SessionStatus.Corrupt, () => other.OpenSession(broken.Id));
        store.Flush(); // this one has it all, and mends the file
        Assert.Equal(1, other.OpenSession(broken.Id).GetStat().LastSeq);
    }

    // 10,000 sessions made one after the other had 13,494 rows: the folders, which the first index was made from, had
    // all that came meanwhile, and the next checkpoint wrote those once more.
    [Fact]
    public void The_first_index_has_no_session_that_came_after_it()
    {
        SessionStore? store = null;
        bool isWithin = false;
        store = Stores.Open(_disk, atStep: step =>
        {
            if (step == Step.CheckpointSynced && isWithin)
            {
                isWithin = false;
                store!.Create(null, new SessionCreateOptions { Title = "second" });
            }
        });
        store.Create(null, new SessionCreateOptions { Title = "first" });
        isWithin = true;
        Assert.True(store.Engine.Checkpointer.TryRun());
        Assert.False(isWithin);
        Assert.Equal((1, 1), Counts());
        store.Close();
        Assert.Equal((1, 2), Counts());
        using SessionStore again = Stores.Open(_disk.OpenAs());
        Assert.Equal(["first", "second"], Titles(again));
        again.AssertSound();

        (long, long) Counts() => IndexFile.ReadClosing(_disk) is { } closing ? (closing.Count, closing.Rows) : default;
    }

    // The first checkpoint had taken the sessions and written the index; the next made one of the newer sessions alone.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_checkpoint_that_could_not_end_loses_no_session_of_an_index_that_is_made_anew(bool isTorn)
    {
        SessionStore? other = null;
        bool isWithin = false;
        SessionStore store = Stores.Open(_disk, options: new SessionStoreOptions { BusyTimeoutMs = 50 }, atStep: step =>
        {
            if (step == Step.CheckpointIndexed && isWithin)
            {
                isWithin = false;
                Assert.True(other!.Core.Lock!.TryTake(other.Core.State, 1000));
            }
        });
        store.Create(null, new SessionCreateOptions { Title = "first" });
        other = Stores.Open(_disk.OpenAs(), processId: 4343);
        isWithin = true;
        Stores.Fails(SessionStatus.Busy, () => store.Engine.Checkpointer.TryRun());
        other.Core.Lock!.Release(other.Core.State);
        store.Create(null, new SessionCreateOptions { Title = "second" });
        if (isTorn)
        {
            int writes = 0;
            _disk.FailWith = DiskError.NoSpace;
            _disk.FailIf = o => o is { Name: "pwrite", Path: Layout.IndexFile } && ++writes == 1;
            Assert.ThrowsAny<Exception>(() => store.Engine.Checkpointer.TryRun());
            _disk.FailIf = null;
            Assert.Equal(1, writes);
        }
        else
        {
            _disk.OpenAs().Unlink(Layout.IndexFile);
        }

        Assert.True(store.Engine.Checkpointer.TryRun());
        Assert.Equal(["first", "second"], Titles(store));
        other.Close();
        store.Close();
        using SessionStore again = Stores.Open(_disk.OpenAs());
        Assert.Equal(["first", "second"], Titles(again));
        again.AssertSound();
    }

    [Fact]
    public void The_first_index_has_a_session_that_was_copied_in()
    {
        var source = new FaultyDisk(seed: 72);
        string id;
        using (SessionStore old = Stores.Open(source.OpenAs()))
        {
            id = old.Create(null, new SessionCreateOptions { Title = "copied" }).Id;
        }

        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            store.Create(null, new SessionCreateOptions { Title = "own" });
            foreach (string path in source.Paths().Where(p => p.Contains(id, StringComparison.Ordinal)))
            {
                _disk.Poke(path, source.Peek(path)!);
            }

            Assert.True(store.Engine.Checkpointer.TryRun());
        }

        using SessionStore again = Stores.Open(_disk.OpenAs());
        Assert.Equal(["copied", "own"], Titles(again));
    }

    private void Make(string title)
    {
        using SessionStore store = Stores.Open(_disk.OpenAs());
        store.Create(null, new SessionCreateOptions { Title = title });
    }

    private static IEnumerable<string> Titles(SessionStore store)
        => store.List().EnumerateArray().Select(e => e.GetProperty("title").GetString()!).Order();
}
