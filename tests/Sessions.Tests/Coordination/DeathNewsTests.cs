using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Locks;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Coordination.Watching;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination;

/// <summary>No frame tells that a holder or a claimer died. Whoever comes upon it writes it down, and every watch is
/// told.</summary>
public sealed class DeathNewsTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly MemoryDisk _dying;
    private readonly SessionStore _third;
    private readonly Session _locked;
    private readonly Session _claimed;
    private readonly string _entry;

    public DeathNewsTests()
    {
        _third = LockFixture.Open(_disk.OpenAs(), processId: 3);
        _dying = _disk.OpenAs();
        SessionStore store = LockFixture.Open(_dying, processId: 1, host: "elsewhere");
        (_locked, _claimed) = (store.Create(), store.Create());
        _locked.Lock(LockMode.Try);
        Stores.Json(b => _claimed.AddToQueue("""{"message":"next"}"""u8, b));
        _entry = Stores.Json(b => _claimed.ClaimQueued("t", b)).GetProperty("id").GetString()!;
    }

    public void Dispose() => _third.Dispose();

    [Theory]
    [InlineData("look")]
    [InlineData("status")]
    [InlineData("stat")]
    [InlineData("append")]
    public void Who_comes_upon_it_tells_all(string how)
    {
        using SessionStore second = LockFixture.Open(_disk.OpenAs(), processId: 2);
        using SessionWatch watch = _third.OpenWatch(new() { Kinds = "lock,queue" });
        second.Engine.Deaths.Look();
        Assert.False(second.Engine.Deaths.IsSeen); // all live
        _dying.Kill();
        using Session same = second.OpenSession(_locked.Id);
        switch (how)
        {
            case "append": same.Say("free"); break;
            case "status": Assert.False(same.Lock().Flag("is_locked")); break;
            case "stat": Assert.Equal(StatFlags.None, same.GetStat().Flags); break;
            default: Look(second); break;
        }

        Assert.Equal(how == "append" ? ["lock"] : [], watch.Kinds());
        Assert.True(second.Engine.Deaths.IsSeen || how == "append");
        Look(second);
        second.Engine.Deaths.Sweep(second.Engine.Commit); // as its thread does
        List<JsonElement> told = watch.All();
        Assert.Equal(how == "append" ? ["queue"] : ["lock", "queue"], told.Select(Watches.Kind));
        if (how != "append")
        {
            JsonElement detail = told[0].GetProperty("detail");
            Assert.Equal(("released", JsonValueKind.Null),
                (detail.Text("what"), detail.GetProperty("holder").ValueKind));
            Assert.Equal(1, detail.GetProperty("former").Number("pid"));
        }

        JsonElement claim = told[^1].GetProperty("detail");
        JsonElement entry = Stores.Json(second.OpenSession(_claimed.Id).WriteQueue).GetProperty("entries")[0];
        Assert.Equal(("interrupted", "interrupted", _entry),
            (claim.Text("what"), entry.Text("state"), entry.Text("id")));
        Assert.Null(same.HolderPid());
        second.Engine.Deaths.WriteDown(second.Engine.Commit);
        Assert.Empty(watch.All()); // once
    }

    [Fact]
    public void Where_somebody_watches_nobody_need_call_anything()
    {
        using SessionStore second = LockFixture.Open(_disk.OpenAs(), processId: 2, background: true);
        using SessionWatch watch = second.OpenWatch(new() { Kinds = "lock,queue" });
        _dying.Kill();
        Assert.Equal(["lock", "queue"], watch.Await(2).Select(Watches.Kind));
    }

    [Fact]
    public void What_cannot_be_written_down_is_not_tried_again_and_again()
    {
        using SessionStore second = LockFixture.Open(_disk.OpenAs(), processId: 2);
        second.OpenSession(_locked.Id).Delete(); // in the trash nothing is written
        _dying.Kill();
        second.Engine.Deaths.Note();
        second.Engine.Deaths.Sweep(second.Engine.Commit);
        Look(second);
        Assert.False(second.Engine.Deaths.IsSeen);
        second.Restore(_locked.Id);
        Assert.False(second.OpenSession(_locked.Id).Lock().Flag("is_locked"));
        second.Engine.Deaths.Sweep(second.Engine.Commit);
        Assert.Null(second.OpenSession(_locked.Id).HolderPid());
    }

    [Fact]
    public void Who_closes_last_leaves_no_lock_of_a_dead_one_and_none_of_its_scratch_files()
    {
        using SessionStore second = LockFixture.Open(_disk.OpenAs(), processId: 2);
        second.Flush();
        string file = Layout.LiveFolder(_locked.Id) + "/lock.json";
        Assert.NotNull(_disk.Peek(file));
        _dying.Kill();
        second.Close();
        Assert.NotEmpty(_disk.List("tmp"));
        _third.Close();
        Assert.Null(_disk.Peek(file));
        Assert.Empty(_disk.List("tmp"));
    }

    [Fact]
    public void Who_closes_last_sweeps_though_it_wrote_nothing()
    {
        _dying.Kill();
        _third.Close(); // writes down what the dead left
        SessionStore alone = LockFixture.Open(_disk.OpenAs(), processId: 2);
        MemoryDisk killed = _disk.OpenAs();
        SessionStore beside = LockFixture.Open(killed, processId: 4);
        using (IDiskFile scratch = killed.Open("tmp/i-000000000004-9", OpenMode.CreateNew))
        {
            scratch.Write("left"u8.ToArray(), 0);
        }

        killed.Kill();
        alone.Close();
        Assert.Empty(_disk.List("tmp"));
        Assert.NotNull(beside);
    }

    [Fact]
    public void Of_many_that_close_at_once_one_is_the_last()
    {
        _dying.Kill();
        _third.Close();
        for (int round = 0; round < 30; round++)
        {
            SessionStore[] stores =
                [.. Enumerable.Range(1, 3).Select(i => LockFixture.Open(_disk.OpenAs(), processId: i))];
            Array.ForEach(stores, s => s.OpenSession(_locked.Id).Say("text", AppendFlags.Relaxed));
            Parallel.ForEach(stores, s => s.Close());
            Assert.Empty(_disk.List("tmp"));
            Assert.Equal(2, _disk.List("journal").Count()); // the one that closes it, and the next one's
        }
    }

    // Looks as the thread of watches does, whenever it last did.
    private static void Look(SessionStore store)
    {
        store.Engine.Deaths.LookAgain();
        store.Engine.Deaths.Look();
    }
}
