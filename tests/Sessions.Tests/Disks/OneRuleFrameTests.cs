using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Rows;
using Sessions.Tests.Support;

namespace Sessions.Tests.Disks;

/// <summary>
/// The check of the one rule took the journal as a whole: where frames that were synced could only be applied later,
/// and relaxed ones had come behind them, it saw a breach. It knows frames now: what a frame that is not on
/// stable storage says may not be seen in a file, and nothing else is forbidden.
/// </summary>
public sealed class OneRuleFrameTests
{
    private readonly FaultyDisk _disk = new(seed: 4);
    private readonly SessionStore _store; // never closed: a disk that saw a breach does nothing any more
    private readonly Session _one;
    private readonly Session _other;
    private readonly byte[] _line;

    public OneRuleFrameTests()
    {
        _store = Stores.Open(_disk.OpenAs());
        _one = _store.Create();
        _other = _store.Create();
        _one.Say("durable");
        _line = _disk.Peek(Log(_one))!;
    }

    [Fact]
    public void The_lines_of_an_unsynced_frame_may_not_be_written_and_those_before_them_may()
    {
        _one.Say("relaxed", AppendFlags.Relaxed);
        using IDiskFile log = _disk.Open(Log(_one), OpenMode.ReadWrite);
        log.Write(_line, 0);
        _disk.Poke("tmp/x", "x"u8);
        _disk.Rename("tmp/x", Layout.Folder(_other.Id, 0) + "/" + Layout.EventsFile);
        Assert.Null(_disk.Violation);
        OneRuleException e = Assert.Throws<OneRuleException>(() => log.Write("x"u8, _line.Length));
        Assert.Contains("frame", e.Message);
    }

    [Fact]
    public void The_image_of_an_unsynced_frame_may_not_be_seen_and_an_older_one_may()
    {
        Session same = _store.OpenSession(_one.Id);
        string path = Layout.Folder(_one.Id, 0) + "/" + Layout.SessionFile;
        byte[] before = _disk.Peek(path)!;
        same.UpdateTitle("durable");
        byte[] durable = _disk.Peek(path)!;
        Relaxed(t => t.Put(Row(_one), t.Live(Row(_one)) with { Title = "relaxed" }));
        Place(path, before);
        Place(path, durable);
        Assert.Null(_disk.Violation);
        _store.Flush();
        byte[] relaxed = _disk.Peek(path)!;
        Relaxed(t => t.Put(Row(_one), t.Live(Row(_one)) with { Title = "more" }));
        Place(path, relaxed);
        FaultyDisk copy = _disk.Copy();
        Stores.Open(copy).Dispose();
        Assert.Throws<OneRuleException>(() => Place(path, copy.Peek(path)!));
    }

    [Fact]
    public void A_move_waits_for_its_own_frame_alone()
    {
        _one.Say("relaxed", AppendFlags.Relaxed);
        _disk.Rename(Layout.Folder(_other.Id, 0), "tmp/other");
        _disk.Rename("tmp/other", Layout.Folder(_other.Id, 0));
        _disk.Rename(Layout.Folder(_one.Id, 0), "tmp/one"); // a frame that adds a line says nothing of its place
        _disk.Rename("tmp/one", Layout.Folder(_one.Id, 0));
        Assert.Null(_disk.Violation);
        Relaxed(t => t.Trash(Row(_other), t.Lsn, t.Live(Row(_other))));
        Assert.Throws<OneRuleException>(() => _disk.Rename(Layout.Folder(_other.Id, 0), "tmp/other"));
    }

    [Fact]
    public void A_frame_that_a_failed_sync_dropped_is_not_on_stable_storage()
    {
        for (int seed = 0; ; seed++)
        {
            var disk = new FaultyDisk(seed);
            FaultyDisk own = disk.OpenAs();
            using SessionStore store = Stores.Open(own);
            using Session session = store.Create();
            session.Say("relaxed", AppendFlags.Relaxed);
            own.FailIf = o => o.Name == "fdatasync";
            Stores.Fails(SessionStatus.Io, () => session.Say("failed"));
            own.FailIf = null;
            using IDiskFile log = disk.Open(Log(session), OpenMode.OpenOrCreate);
            try
            {
                log.Write("x"u8, 0); // its page came through
            }
            catch (OneRuleException)
            {
                return;
            }
        }
    }

    private static string Log(Session session) => Layout.Folder(session.Id, 0) + "/" + Layout.EventsFile;

    private Row Row(Session session) => _store.Core.Rows.Find(session.Id)!;

    private void Place(string path, byte[] content)
    {
        _disk.Poke("tmp/placed", content);
        _disk.Rename("tmp/placed", path);
    }

    private void Relaxed(Action<Transaction> change) => _store.Commit(new RelaxedRequest(change) { Full = false });

    private sealed class RelaxedRequest(Action<Transaction> change) : CommitRequest
    {
        public override void Run(Transaction transaction) => change(transaction);
    }
}
