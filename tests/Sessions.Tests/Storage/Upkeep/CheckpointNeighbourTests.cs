using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Upkeep;

/// <summary>A checkpoint syncs files by their path and without the store lock, so that others may
/// move a session while it looks for its files.</summary>
public sealed class CheckpointNeighbourTests
{
    [Theory]
    [InlineData("fdatasync")] // its files are still to come
    [InlineData("fsync")]     // they are synced, the folder is not
    public void A_session_moved_to_the_trash_while_a_checkpoint_syncs_it_was_not_synced(string operation)
    {
        var disk = new FaultyDisk(seed: 3);
        using SessionStore store = Stores.Open(disk);
        using SessionStore other = Stores.Open(disk.OpenAs(), processId: 4343);
        Session session = store.Create();
        session.Say("one");
        store.Engine.Checkpointer.TryRun();
        session.Say("two");
        store.Flush();
        bool isMoved = false;
        disk.FailIf = o =>
        {
            if (!isMoved && o.Name == operation && o.Path.StartsWith("sessions/", StringComparison.Ordinal))
            {
                isMoved = true;
                other.OpenSession(session.Id).Delete();
            }

            return false;
        };
        long indexed = store.Core.State.Indexed;

        Assert.False(store.Engine.Checkpointer.TryRun());
        Assert.True(isMoved);
        Assert.Equal(indexed, store.Core.State.Indexed);
        using (SessionStore cut = Stores.Open(disk.Copy().AfterPowerCut(seed: 4)))
        {
            cut.Restore(session.Id);
            Assert.Equal(2, cut.OpenSession(session.Id).Events().GetProperty("events").GetArrayLength());
            cut.AssertSound();
        }

        Assert.True(store.Engine.Checkpointer.TryRun());
        Assert.True(store.Core.State.Indexed > indexed);
        store.Restore(session.Id);
        store.AssertSound();
    }

    [Fact]
    public void An_empty_trash_folder_may_be_removed_by_a_neighbours_recovery_first()
    {
        var disk = new FaultyDisk(seed: 5);
        using SessionStore store = Stores.Open(disk);
        using SessionStore other = Stores.Open(disk.OpenAs(), processId: 4343);
        Session session = store.Create();
        session.Delete();
        store.Restore(session.Id);
        bool isRecovered = false;
        disk.FailIf = o =>
        {
            if (!isRecovered && o.Name == "opendir" && o.Path.StartsWith("trash/", StringComparison.Ordinal))
            {
                isRecovered = true;
                disk.Unlink(Layout.SharedPage);
                disk.RemoveFolder(Layout.Locks);
                other.Create();
            }

            return false;
        };

        store.Engine.Checkpointer.TryRun();
        Assert.True(isRecovered);
        Assert.Equal(2, store.List().GetArrayLength());
        store.AssertSound();
    }

    [Theory]
    [InlineData(nameof(Step.CheckpointImages))]
    [InlineData(nameof(Step.CheckpointSynced))]
    [InlineData(nameof(Step.CheckpointIndexed))]
    public void An_index_from_before_a_neighbours_recovery_answers_nothing(string step)
    {
        var disk = new MemoryDisk();
        Action? atStep = null;
        using SessionStore store = Stores.Open(disk, atStep: s =>
        {
            if (s == Enum.Parse<Step>(step))
            {
                Interlocked.Exchange(ref atStep, null)?.Invoke();
            }
        });
        using SessionStore other = Stores.Open(disk.OpenAs(), processId: 4343);
        Session parent = store.Create();
        Session child = store.Create(parent.Id);
        child.Say("one");
        atStep = () =>
        {
            Session same = other.OpenSession(child.Id);
            same.Say("two");
            same.UpdateTitle("told");
            disk.Unlink(Layout.SharedPage);
            disk.RemoveFolder(Layout.Locks);
            other.Create(); // the first commit recovers
        };

        store.Engine.Checkpointer.TryRun();
        Assert.Null(atStep);
        Assert.Equal("told", TitleOfChild(store, parent));
        Assert.Equal(3, child.Say("three"));
        using (SessionStore third = Stores.Open(disk.OpenAs(), processId: 4444))
        {
            Assert.Equal("told", TitleOfChild(third, parent));
            Assert.Equal(4, third.OpenSession(child.Id).Say("four"));
            third.AssertSound();
        }

        other.Dispose();
        store.Engine.Checkpointer.TryRun();
        store.Close();
        using SessionStore again = Stores.Open(disk.OpenAs());
        Assert.Equal("told", TitleOfChild(again, parent));
        Assert.Equal(5, again.OpenSession(child.Id).Say("five"));
        again.AssertSound();
    }

    private static string? TitleOfChild(SessionStore store, Session parent)
        => store.List(new SessionListOptions { ParentId = parent.Id })[0].GetProperty("title").GetString();
}
