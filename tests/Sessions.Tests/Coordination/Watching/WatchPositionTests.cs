using System.Text.Json;
using Sessions.Coordination.Watching;
using Sessions.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Watching;

/// <summary>Where a watch goes on: behind what it has told, in memory, in the journal, or behind a gap.</summary>
public sealed class WatchPositionTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly SessionStore _store;

    public WatchPositionTests() => _store = Stores.Open(_disk.OpenAs());

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(0)]
    public void It_goes_on_from_wherever_another_one_stood(int limit)
    {
        Session session = _store.Create();
        long start = session.GetStat().Revision;
        for (int i = 0; i < 20; i++)
        {
            session.Say($"{i}");
        }

        long position = start;
        List<long> seqs = [];
        while (true)
        {
            using SessionWatch watch = _store.OpenWatch(new() { AfterLsn = position });
            JsonElement page = watch.Next((uint)limit);
            seqs.AddRange(Seqs(page));
            position = page.Number("next_lsn");
            if (!page.GetProperty("has_more").GetBoolean())
            {
                break;
            }
        }

        Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), seqs);
    }

    [Fact]
    public void Behind_the_memory_it_reads_the_journal_over_any_number_of_segments()
    {
        Session session = _store.Create();
        using SessionWatch slow = _store.OpenWatch();
        using SessionWatch rare = _store.OpenWatch(new() { Kinds = "renamed" });
        nint socket = rare.GetSocket(duplicate: false);
        const int count = 9000; // more than are kept, and several segments of them
        string text = new('x', 1500);
        for (int i = 1; i <= count; i++)
        {
            session.Say(text, AppendFlags.Relaxed);
        }

        session.UpdateTitle("found");
        Assert.True(_store.Core.Replica.Segment > 2);
        Assert.InRange(_store.Engine.Feed.Ring.Count, 1, FeedRing.CountMax);
        Assert.InRange(_store.Engine.Feed.Ring.Bytes, 1, FeedRing.BytesMax);
        List<JsonElement> changes = slow.All(limit: 1000);
        Assert.Equal(Enumerable.Range(1, count).Select(i => (long)i), changes.SkipLast(1).Select(Seq));
        Assert.Equal("renamed", Watches.Kind(changes[^1]));
        Assert.True(Watches.IsReadable(socket, (int)Watches.GuardMs));
        Assert.Equal(["renamed"], rare.Kinds());
        using SessionWatch late = _store.OpenWatch(new() { Kinds = "renamed,created", AfterLsn = 1 });
        Assert.True(Watches.IsReadable(late.GetSocket(duplicate: false)));
        Assert.Equal(["renamed"], late.Kinds());
    }

    [Fact]
    public async Task Many_readers_of_all_speeds_get_everything_once_and_in_order()
    {
        using SessionStore others = Stores.Open(_disk.OpenAs(), processId: 7);
        Session session = others.Create();
        long start = session.GetStat().Revision;
        const int count = 6000;
        var done = new ManualResetEventSlim();
        Task<List<long>>[] readers = [.. Enumerable.Range(0, 6).Select(n => Task.Factory.StartNew(() =>
        {
            using SessionWatch watch = _store.OpenWatch(new() { AfterLsn = start, Kinds = "event_appended,gap" });
            List<long> seqs = [];
            if (n % 2 == 1)
            {
                done.Wait();
            }

            while (seqs.Count < count)
            {
                seqs.AddRange(Seqs(watch.Next((uint)(n * 17), Watches.GuardMs)));
            }

            return seqs;
        }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        string text = new('x', 900);
        for (int i = 0; i < count; i++)
        {
            session.Say(text, AppendFlags.Relaxed);
        }

        done.Set();
        foreach (Task<List<long>> reader in readers)
        {
            Assert.Equal(Enumerable.Range(1, count).Select(i => (long)i), await reader);
        }
    }

    [Fact]
    public void It_goes_on_after_its_store_was_closed_and_opened_again_beside_others()
    {
        Session session = _store.Create();
        SessionStore mine = Stores.Open(_disk.OpenAs(), processId: 7);
        SessionWatch watch = mine.OpenWatch();
        session.Say("1");
        Assert.Equal([1], Seqs(watch.Next()));
        long position = watch.Next().Number("next_lsn");
        mine.Close();
        session.Say("2");
        session.Say("3", AppendFlags.Relaxed);
        using SessionStore again = Stores.Open(_disk.OpenAs(), processId: 7);
        using SessionWatch next = again.OpenWatch(new() { AfterLsn = position });
        session.Say("4");
        Assert.Equal([2, 3, 4], next.All().Select(Seq));
    }

    [Fact]
    public void After_a_clean_close_who_had_heard_everything_is_told_of_no_gap()
    {
        Session session = _store.Create();
        long before = session.GetStat().Revision;
        using SessionWatch watch = _store.OpenWatch();
        session.Say("1", AppendFlags.Relaxed);
        watch.All();
        long position = watch.Next().Number("next_lsn");
        _store.Close();
        SessionStore again = Stores.Open(_disk.OpenAs());
        Assert.True(again.Core.Rows.Lsn > position); // the close had something to commit, of which nobody is told
        again.Close();
        using SessionStore third = Stores.Open(_disk.OpenAs());
        using SessionWatch knows = third.OpenWatch(new() { AfterLsn = position });
        using SessionWatch coalesced = third.OpenWatch(new() { AfterLsn = position, Flags = WatchFlags.Coalesce });
        using SessionWatch behind = third.OpenWatch(new() { AfterLsn = before });
        Assert.Empty(knows.All());
        Assert.Empty(coalesced.All());
        Assert.Equal(["gap"], behind.Kinds());
        third.OpenSession(session.Id).Say("2");
        Assert.Equal([2], knows.All().Select(Seq));
        Assert.Equal([2], behind.All().Select(Seq));
        Assert.Equal(["changed"], coalesced.Kinds());
    }

    [Fact]
    public void Where_segments_are_gone_a_gap_says_from_where_and_it_goes_on_behind_it()
    {
        Session session = _store.Create();
        long start = session.GetStat().Revision;
        Fill(session);
        using SessionWatch before = _store.OpenWatch(new() { AfterLsn = start });
        before.Next(1); // it has its place in the journal, and its file is still open
        Assert.True(_store.Engine.Checkpointer.TryRun());
        session.Say("after");
        List<JsonElement> changes = before.All();
        Assert.Single(changes, c => Watches.Kind(c) == "gap");
        Check(changes);

        using SessionWatch late = _store.OpenWatch(new() { AfterLsn = start });
        changes = late.All();
        Assert.Equal("gap", Watches.Kind(changes[0]));
        long lsn = changes[0].Number("lsn");
        string head = $$"""{"lsn":{{lsn}},"at":null,"session_id":null,"kind":"gap","revision":null,""";
        Assert.Equal($$"""{{head}}"last_seq":null,"by":null,"detail":{"from_lsn":{{start + 1}}}""" + "}",
            changes[0].GetRawText());
        Check(changes);
        Assert.Empty(late.All());
        session.Say("more");
        Assert.Equal(["event_appended"], late.Kinds());
    }

    [Fact]
    public void A_gap_reaches_no_further_than_to_what_the_journal_still_has()
    {
        Session session = _store.Create();
        long created = session.GetStat().Revision;
        Fill(session);
        Assert.True(_store.Engine.Checkpointer.TryRun()); // the segments before the current one go
        long first = _store.Engine.Runner.Journal.Segments()[0];
        long start = _store.Engine.Runner.Journal.ReadHeader(first)!.PreviousLsn;
        long afterwards = session.GetStat().LastSeq;
        Fill(session);
        Assert.True(_store.Core.Replica.Segment > first);
        using SessionWatch late = _store.OpenWatch(new() { AfterLsn = created });
        List<JsonElement> changes = late.All(limit: 1000);
        Assert.Equal("gap", Watches.Kind(changes[0]));
        Assert.Equal(start, changes[0].Number("lsn"));
        Assert.DoesNotContain(changes.Skip(1), c => Watches.Kind(c) == "gap");
        long[] seqs = [.. changes.Skip(1).Where(c => Watches.Kind(c) == "event_appended").Select(Seq)];
        Assert.InRange(seqs[0], 2, afterwards + 1);
        Assert.Equal(Enumerable.Range(0, seqs.Length).Select(i => seqs[0] + i), seqs);
        Assert.Equal(session.GetStat().LastSeq, seqs[^1]);
    }

    [Fact]
    public void A_gap_is_told_whatever_the_filter_says_and_in_a_page_of_its_own_if_need_be()
    {
        Session session = _store.Create();
        Fill(session);
        Assert.True(_store.Engine.Checkpointer.TryRun());
        using SessionWatch watch = _store.OpenWatch(new() { AfterLsn = 1, Kinds = "abort", SessionId = session.Id });
        Assert.True(Watches.IsReadable(watch.GetSocket(duplicate: false)));
        JsonElement page = watch.Next(1);
        JsonElement gap = page.GetProperty("changes").EnumerateArray().Single();
        Assert.Equal("gap", Watches.Kind(gap));
        Assert.True(gap.Number("lsn") < page.Number("next_lsn")); // what the journal still has is passed over
        Assert.Equal(_store.Core.Rows.Lsn, page.Number("next_lsn"));
        Assert.False(page.GetProperty("has_more").GetBoolean());
    }

    [Fact]
    public void An_LSN_that_this_store_never_gave_out_is_a_gap_from_the_first()
    {
        using SessionWatch empty = _store.OpenWatch(new() { AfterLsn = 5 });
        Assert.Equal(1, empty.All().Single().GetProperty("detail").Number("from_lsn"));
        Session session = _store.Create();
        using SessionWatch watch = _store.OpenWatch(new() { AfterLsn = 1L << 50 });
        using SessionWatch coalesced = _store.OpenWatch(new() { AfterLsn = 1L << 50, Flags = WatchFlags.Coalesce });
        session.Say("x");
        Assert.Equal(["gap", "event_appended"], watch.Kinds());
        Assert.Equal(["created"], empty.Kinds().Take(1));
        Assert.Equal([session.Id], coalesced.All().Select(c => c.Text("session_id")));
    }

    [Fact]
    public void A_recovery_beside_it_is_a_gap()
    {
        var disk = new FaultyDisk(seed: 11);
        using SessionStore store = Stores.Open(disk);
        Session session = store.Create();
        using SessionWatch watch = store.OpenWatch();
        using SessionWatch coalesced = store.OpenWatch(new() { Flags = WatchFlags.Coalesce });
        session.Say("before");
        watch.All();
        coalesced.All();
        disk.Unlink(Layout.SharedPage); // with it goes what all of them know
        using SessionStore other = Stores.Open(disk.OpenAs(), processId: 7);
        other.OpenSession(session.Id).Say("after");
        List<JsonElement> changes = [];
        Watches.Until(() =>
        {
            changes.AddRange(watch.All());
            return changes.Exists(c => Watches.Kind(c) == "event_appended");
        });
        Assert.Equal(["gap", "event_appended"], changes.Select(Watches.Kind));
        Assert.Equal([session.Id], coalesced.All().Select(c => c.Text("session_id")));
        store.AssertSound();
    }

    [Fact]
    public void A_store_that_only_reads_is_told_too()
    {
        Session session = _store.Create();
        using SessionStore reader = Stores.Open(_disk.OpenAs(),
            options: new SessionStoreOptions { Flags = StoreFlags.ReadOnly }, processId: 7);
        using SessionWatch watch = reader.OpenWatch(new() { AfterLsn = session.GetStat().Revision });
        using SessionWatch coalesced = reader.OpenWatch(new() { Flags = WatchFlags.Coalesce });
        nint socket = watch.GetSocket(duplicate: false);
        for (int i = 1; i <= 10; i++)
        {
            session.Say("more");
            Assert.True(Watches.IsReadable(socket, (int)Watches.GuardMs));
            Assert.Equal([i], watch.All().Select(Seq));
            Assert.False(Watches.IsReadable(socket));
        }

        Assert.Single(coalesced.All());
    }

    [Fact]
    public void A_store_that_nobody_writes_has_nothing_to_tell()
    {
        long lsn = _store.Create().GetStat().Revision;
        _store.Close();
        using SessionStore reader = Stores.Open(_disk.OpenAs(),
            options: new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        using SessionWatch watch = reader.OpenWatch();
        Assert.False(watch.WriteNext(0, 30, new Utf8Buffer()));
        using SessionWatch behind = reader.OpenWatch(new() { AfterLsn = lsn });
        Assert.Empty(behind.All());
    }

    [Fact]
    public void What_cannot_be_read_is_told_to_who_asks_and_read_when_it_can_be()
    {
        var disk = new FaultyDisk(seed: 12);
        using SessionStore store = Stores.Open(disk);
        Session session = store.Create();
        long start = session.GetStat().Revision;
        session.Say("x");
        disk.FailIf = o => o.Path.StartsWith("journal", StringComparison.Ordinal);
        using SessionWatch watch = store.OpenWatch(new() { AfterLsn = start });
        Stores.Fails(SessionStatus.Io, () => watch.Next());
        disk.FailIf = null;
        Assert.Equal([1], watch.All().Select(Seq));
    }

    // Before and behind the gap everything is there, once; the gap may reach up to now.
    private void Check(List<JsonElement> changes)
    {
        long last = 0, seq = 0;
        bool isBehindGap = true;
        foreach (JsonElement change in changes)
        {
            Assert.True(change.Number("lsn") > last);
            last = change.Number("lsn");
            bool isGap = Watches.Kind(change) == "gap";
            Assert.True(isGap || isBehindGap || Seq(change) == seq + 1);
            isBehindGap = isGap;
            seq = isGap ? seq : Seq(change);
        }

        Assert.Equal(_store.Core.State.Published, last);
    }

    private static void Fill(Session session)
    {
        string text = new('x', 500_000);
        for (int i = 0; i < 40; i++) // three segments, each larger than the one before
        {
            session.Say(text);
        }
    }

    private static long Seq(JsonElement change) => change.GetProperty("detail").Number("seq");

    private static IEnumerable<long> Seqs(JsonElement page)
        => page.GetProperty("changes").EnumerateArray().Select(Seq);
}
