using System.Buffers;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Commit;

/// <summary>A full disk refuses, whole, what does not fit; it never takes back what was accepted, and
/// what makes room or stops an agent still runs.</summary>
public sealed class NoSpaceTests
{
    private readonly FaultyDisk _disk = new(seed: 21);

    [Fact]
    public void When_no_segment_can_be_made_only_what_may_use_the_reserve_goes_on()
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create(), doomed = store.Create(), trashed = store.Create();
        trashed.Delete();
        FillSegment(store, session);
        long seq = session.GetStat().LastSeq;
        _disk.SpaceBytes = _disk.UsedBytes + (64 * FileNode.PageBytes); // for files, not for a segment
        for (int i = 0; i < 2; i++)
        {
            Stores.Fails(SessionStatus.NoSpace, () => Say(session));
            Stores.Fails(SessionStatus.NoSpace, () => session.UpdateTitle("refused"));
            Stores.Fails(SessionStatus.NoSpace, () => store.Create());
        }

        Assert.Equal(1, session.Abort("enough"));
        session.ClearAbort();
        doomed.Delete();
        Assert.Equal(2, store.Purge(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + 1));
        Assert.Equal((seq, "New Session"), (session.GetStat().LastSeq, Title(session)));

        _disk.SpaceBytes = null;
        Assert.Equal(seq + 1, Say(session));
        session.UpdateTitle("after");
        AssertWhole(store, session.Id, seq + 1, "after");
    }

    [Fact]
    public void A_batch_on_a_full_disk_is_split_into_what_may_go_and_what_may_not()
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create(), doomed = store.Create();
        FillSegment(store, session);
        _disk.SpaceBytes = _disk.UsedBytes + (64 * FileNode.PageBytes);
        CommitRequest append = new Probe(session.Id), delete = new Probe(doomed.Id) { Deletes = true };
        Assert.True(store.Engine.Runner.TryEnter());
        Exception? failure = store.Engine.Runner.Run([append, delete]);
        store.Engine.Runner.Exit();
        Assert.Null(failure);
        Assert.Equal(SessionStatus.NoSpace, Assert.IsType<SessionException>(append.Failure).Status);
        Assert.Null(delete.Failure);
        Assert.True(((Probe)delete).HasRun);
        _disk.SpaceBytes = null;
    }

    [Fact]
    public void The_reserve_has_an_end_and_then_an_abort_is_refused_whole()
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        FillSegment(store, session);
        _disk.SpaceBytes = _disk.UsedBytes + (16 * FileNode.PageBytes);
        int count = 0;
        string reason = new('r', 4000);
        SessionException? refusal = null;
        while (refusal is null)
        {
            try
            {
                session.Abort(reason);
                session.ClearAbort();
                count++;
                Assert.True(count < 1000);
            }
            catch (SessionException e)
            {
                refusal = e;
            }
        }

        Assert.Equal(SessionStatus.NoSpace, refusal.Status);
        Assert.True(count > 5, $"{count} aborts fitted");
        Assert.Equal(StoreHealth.Sound, store.Core.State.Health);
        _disk.SpaceBytes = null;
        session.Abort("after");
        long seq = Say(session);
        AssertWhole(store, session.Id, seq, "New Session");
    }

    [Fact]
    public void Where_there_is_no_room_for_its_results_an_abort_is_recorded_alone()
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        string calls = string.Join(',', Enumerable.Range(0, 500)
            .Select(i => "{\"type\":\"tool_call\",\"turn_id\":\"t\",\"data\":{\"tool_call_id\":\"" + i + "\"}}"));
        session.AppendBatch(Stores.Utf8($"[{calls}]"), AppendFlags.None, new ArrayBufferWriter<byte>());
        FillSegment(store, session);
        long seq = session.GetStat().LastSeq;
        _disk.SpaceBytes = _disk.UsedBytes + (64 * FileNode.PageBytes);
        Assert.Equal(1, session.Abort("enough"));
        Assert.Equal((seq, StatFlags.Aborted), (session.GetStat().LastSeq, session.GetStat().Flags));

        _disk.SpaceBytes = null;
        Assert.Equal(1, session.Abort("again"));
        Assert.Equal(seq + 500, session.GetStat().LastSeq);
        AssertWhole(store, session.Id, session.GetStat().LastSeq, "New Session");
    }

    [Fact]
    public void What_the_journal_took_is_shown_by_every_handle_while_the_files_lag()
    {
        using SessionStore store = Stores.Open(_disk);
        using SessionStore other = Stores.Open(_disk.OpenAs(), processId: 4343);
        Session session = store.Create();
        session.Say("one");
        string path = Layout.LiveFolder(session.Id) + "/" + Layout.EventsFile;
        int length = _disk.Peek(path)!.Length;
        _disk.SpaceBytes = _disk.UsedBytes;
        Assert.Equal(2, Say(session)); // the segment has room, the log has none
        foreach (SessionStore each in (SessionStore[])[store, other])
        {
            Assert.Equal(2, each.OpenSession(session.Id).Events().GetProperty("events").GetArrayLength());
            Stores.Fails(SessionStatus.NoSpace, () => each.OpenSession(session.Id).Say("x"));
            Stores.Fails(SessionStatus.NoSpace, () => each.Flush());
            Assert.Equal(1, each.OpenSession(session.Id).Abort());
            each.OpenSession(session.Id).ClearAbort();
        }

        Assert.True(_disk.Peek(path)!.Length < length + 100_000);
        _disk.SpaceBytes = null;
        Assert.Equal(3, other.OpenSession(session.Id).Say("five"));
        Assert.True(_disk.Peek(path)!.Length > length + 100_000);
        store.Flush();
        AssertWhole(store, session.Id, 3, "New Session", other);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void However_little_space_is_left_nothing_accepted_is_lost(bool killed)
    {
        for (int pages = 0; pages < 48; pages += killed ? 5 : 3)
        {
            var disk = new FaultyDisk(seed: pages);
            SessionStore store = Stores.Open(disk);
            Session session = store.Create();
            disk.SpaceBytes = disk.UsedBytes + (pages * FileNode.PageBytes);
            long seq = 0;
            string title = "New Session";
            var ids = new HashSet<string> { session.Id };
            for (int i = 0; i < 12; i++)
            {
                seq = Try(() => session.Append("x", Stores.Utf8($"\"{new string('y', 3000)}\""))) ?? seq;
                string next = $"title {i}";
                title = Try(() =>
                {
                    session.UpdateTitle(next);
                    return 0L;
                }) is null ? title : next;
                Try(() =>
                {
                    ids.Add(store.Create(session.Id).Id);
                    return 0L;
                });
                Assert.Equal((seq, title), (session.GetStat().LastSeq, Title(session)));
            }

            disk.SpaceBytes = null;
            if (killed)
            {
                disk = disk.AfterKill();
            }
            else
            {
                store.Dispose();
            }

            using SessionStore again = Stores.Open(disk.OpenAs());
            Assert.Equal(ids.Order(),
                again.List().EnumerateArray().Select(e => e.GetProperty("id").GetString()).Order());
            Session same = again.OpenSession(session.Id);
            Assert.Equal((seq, title), (same.GetStat().LastSeq, Title(same)));
            Assert.Equal(seq, same.Events().GetProperty("events").GetArrayLength());
            again.AssertSound();
        }
    }

    private static long? Try(Func<long> call)
    {
        try
        {
            return call();
        }
        catch (SessionException e) when (e.Status == SessionStatus.NoSpace)
        {
            return null;
        }
    }

    // Until the next event needs another segment.
    private static void FillSegment(SessionStore store, Session session)
    {
        while (store.Core.Replica.Offset + 100_300 + (128 * 1024) <= JournalFiles.SegmentBytesMin)
        {
            Say(session);
        }

        while (store.Core.Replica.Offset + 300 + (128 * 1024) <= JournalFiles.SegmentBytesMin)
        {
            session.Say("x");
        }
    }

    private static long Say(Session session)
        => session.Append("x", Stores.Utf8($"\"{new string('y', 100_000)}\""));

    private static string? Title(Session session) => session.Info().GetProperty("title").GetString();

    private void AssertWhole(SessionStore store, string id, long seq, string title, SessionStore? other = null)
    {
        store.AssertSound();
        other?.Dispose();
        store.Close();
        using SessionStore again = Stores.Open(_disk.OpenAs());
        Session same = again.OpenSession(id);
        Assert.Equal((seq, title), (same.GetStat().LastSeq, Title(same)));
        Assert.Equal(seq, same.Last(limit: 1).GetProperty("last_seq").GetInt64());
        again.AssertSound();
    }

    private sealed class Probe(string id) : CommitRequest
    {
        public bool Deletes { get; init; }

        public bool HasRun { get; private set; }

        public override bool MayUseReserve => Deletes;

        public override void Run(Transaction transaction)
        {
            Row row = transaction.FindLive(id)!;
            transaction.Put(row, transaction.Live(row) with { Title = new string('t', Deletes ? 10 : 100_000) });
            HasRun = true;
        }
    }
}
