using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Pruning;

/// <summary>A prune whose frame is on stable storage happens, whatever stands in its way then.</summary>
public sealed class CommittedPruneTests
{
    private const int Turns = 6;

    private readonly FaultyDisk _disk = new(seed: 66);

    [Theory]
    [InlineData(DiskError.AccessDenied)]
    [InlineData(DiskError.NotFolder)]
    internal void A_prune_whose_attachments_may_not_be_looked_at_answers_that_it_is_done(DiskError error)
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = Talk(store);
        Stores.Text(b => session.PutFile("a.txt", "content"u8, b));
        string files = $"{Layout.LiveFolder(session.Id)}/{Layout.FilesFolder}";
        _disk.FailWith = error;
        _disk.FailIf = o => o.Name == "opendir" && o.Path == files;
        Prune(session);
        Assert.True(_disk.Failures > 0);
        _disk.FailIf = null;
        Assert.Equal([5, 6], Seqs(session));
        store.AssertSound();
    }

    [Theory]
    [InlineData("link", false)]
    [InlineData("link", true)]
    [InlineData("mkdir", false)]
    [InlineData("mkdir", true)]
    [InlineData("rename", false)]
    [InlineData("rename", true)]
    [InlineData("unlink", false)]
    [InlineData("unlink", true)]
    public void A_prune_that_the_files_cannot_follow_waits_and_loses_no_kept_event(string operation, bool isKilled)
    {
        SessionStore store = Stores.Open(_disk);
        Session session = Talk(store), branch = session.Fork();
        bool isFull = false, isSynced = false;
        string segment = "";
        _disk.FailWith = DiskError.NoSpace; // inodes: writes into what is there go on
        _disk.FailIf = o =>
        {
            isSynced |= isFull && o.Name == "fdatasync" && o.Path == segment;
            return isSynced && o.Name == operation;
        };
        segment = Layout.Segment(store.Core.Replica.Segment);
        isFull = true;
        Prune(session);
        Assert.True(_disk.Failures > 0);
        Assert.Equal([5, 6], Seqs(session));
        Stores.Fails(SessionStatus.NoSpace, () => session.Say("no"));
        Assert.Equal([5, 6], Seqs(session));
        _disk.FailIf = null;
        FaultyDisk disk = _disk;
        if (isKilled)
        {
            disk = _disk.AfterKill();
            store = Stores.Open(disk);
            (session, branch) = (store.OpenSession(session.Id), store.OpenSession(branch.Id));
        }

        Assert.Equal(7, session.Say("7"));
        Assert.Equal([5, 6, 7], Seqs(session));
        Assert.Equal([1, 2, 3, 4, 5, 6], Seqs(branch));
        store.AssertSound();
        store.Close();
        using SessionStore again = Stores.Open(disk.OpenAs());
        Assert.Equal([5, 6, 7], Seqs(again.OpenSession(session.Id)));
        Assert.Equal([1, 2, 3, 4, 5, 6], Seqs(again.OpenSession(branch.Id)));
        Assert.DoesNotContain(disk.Paths(), p => p.Contains(".new", StringComparison.Ordinal));
        again.AssertSound();
    }

    [Theory]
    [InlineData(DiskError.Unsupported)]
    [InlineData(DiskError.AccessDenied)]
    internal void Links_that_are_refused_in_the_middle_of_a_prune_are_copies(DiskError refusal)
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = Talk(store), branch = session.Fork();
        _disk.FailWith = refusal;
        _disk.FailIf = o => o.Name == "link";
        Prune(session);
        Assert.True(_disk.Failures > 0);
        session.Say("7");
        Session second = session.Fork();
        _disk.FailIf = null;
        Assert.Equal([5, 6, 7], Seqs(session));
        Assert.Equal([5, 6, 7], Seqs(second));
        Assert.Equal([1, 2, 3, 4, 5, 6], Seqs(branch));
        Assert.Contains(_disk.Paths(), p => p.StartsWith(Layout.PrunedFolder + "/", StringComparison.Ordinal));
        Assert.DoesNotContain(_disk.Paths(), p => p.Contains(".new", StringComparison.Ordinal));
        store.AssertSound();
    }

    [Fact]
    public void A_plain_file_in_the_place_of_the_pruned_logs_is_moved_aside()
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = Talk(store), branch = session.Fork();
        _disk.Poke(Layout.PrunedFolder, "not a folder"u8);
        Prune(session);
        session.Say("7");
        Assert.Equal([5, 6, 7], Seqs(session));
        Assert.Equal([1, 2, 3, 4, 5, 6], Seqs(branch));
        Assert.Contains(_disk.Paths(), p => p.StartsWith(Layout.PrunedFolder + "/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_staged_log_that_is_gone_between_its_frame_and_its_place_is_made_again(bool isKilled)
    {
        SessionStore store = Stores.Open(_disk);
        Session session = Talk(store), branch = session.Fork();
        bool isStuck = true;
        _disk.FailWith = DiskError.NoSpace;
        _disk.FailIf = o => isStuck && o.Name == "rename" && o.Path.EndsWith(".swap", StringComparison.Ordinal);
        Prune(session);
        _disk.FailIf = null;
        FaultyDisk disk = isKilled ? _disk.AfterKill() : _disk;
        foreach (string left in disk.Paths().Where(p => p.Contains(".new", StringComparison.Ordinal)).ToList())
        {
            disk.Unlink(left);
        }

        store = isKilled ? Stores.Open(disk) : store;
        session = store.OpenSession(session.Id);
        Assert.Equal(7, session.Say("7"));
        Assert.Equal([5, 6, 7], Seqs(session));
        Assert.Equal([1, 2, 3, 4, 5, 6], Seqs(store.OpenSession(branch.Id)));
        store.AssertSound();
        store.Close();
    }

    [Fact]
    public void A_prune_whose_sync_failed_takes_nothing_away_that_its_frame_may_speak_of()
    {
        SessionStore store = Stores.Open(_disk);
        Session session = Talk(store);
        string segment = Layout.Segment(store.Core.Replica.Segment);
        bool fails = false;
        _disk.FailIf = o =>
        {
            fails |= o.Name == "pwrite" && o.Path == segment; // the frame's
            return fails && o.Name == "fdatasync" && o.Path == segment;
        };
        Stores.Fails(SessionStatus.Io, () => Prune(session));
        _disk.FailIf = null;
        Assert.Contains(_disk.Paths(), p => p.EndsWith(".new", StringComparison.Ordinal));
        FaultyDisk disk = _disk.AfterKill();
        using SessionStore again = Stores.Open(disk);
        long[] left = Seqs(again.OpenSession(session.Id));
        Assert.Equal(6, left[^1]);
        again.OpenSession(session.Id).Say("7");
        Assert.Equal(left.Append(7), Seqs(again.OpenSession(session.Id)));
        again.AssertSound();
    }

    private static Session Talk(SessionStore store)
    {
        Session session = store.Create();
        for (int i = 1; i <= Turns; i++)
        {
            session.Append("user_prompt", Stores.Utf8($"{{\"text\":\"{i}\"}}"), new AppendOptions { TurnId = $"t{i}" });
        }

        return session;
    }

    private static void Prune(Session session)
        => session.Prune("""{"max_events":2}"""u8, new System.Buffers.ArrayBufferWriter<byte>());

    private static long[] Seqs(Session session)
    {
        JsonElement events = session.Events().GetProperty("events");
        Assert.All(events.EnumerateArray(), e => Assert.NotEqual("damaged", e.GetProperty("type").GetString()));
        return [.. events.EnumerateArray().Select(e => e.GetProperty("seq").GetInt64())];
    }
}
