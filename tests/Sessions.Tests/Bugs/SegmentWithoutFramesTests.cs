using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>A segment that never had a frame. A checkpoint after a purge begins one; where its process is killed then,
/// the next checkpoint begins another, and retires both before a process that had read all frames has looked: that
/// one found no way to the current segment any more, and answered CORRUPT for ever. And where a process was killed
/// behind the making of a segment, whoever took over went on in it without telling the others.</summary>
public sealed class SegmentWithoutFramesTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();

    [Fact]
    public void Who_knows_all_frames_goes_on_behind_segments_that_were_retired_before_it_looked()
    {
        using SessionStore first = Stores.Open(_disk.OpenAs(), _time, processId: 1);
        using SessionStore second = Stores.Open(_disk.OpenAs(), _time, processId: 2);
        Session session = first.Create();
        session.Say("1");
        first.Create().Delete(DeletePolicy.NoTrash);
        first.Engine.Checkpointer.Flush();
        Session seen = second.OpenSession(session.Id);
        Assert.Equal(second.Core.State.Published, second.Core.Rows.Lsn);

        first.Engine.Commit(new SwitchRequest(first.Core)); // of a checkpoint that was killed then
        Assert.True(first.Engine.Checkpointer.TryRun());
        Assert.True(first.Core.State.Segment > second.Core.Replica.Segment + 1);
        Assert.Equal(2, seen.Say("2"));
        Assert.Equal(3, session.Say("3"));
        RequireEvents(session.Id);
    }

    [Fact]
    public void Who_takes_over_behind_the_making_of_a_segment_tells_the_others()
    {
        MemoryDisk dying = _disk.OpenAs();
        using SessionStore second = Stores.Open(_disk.OpenAs(), _time, processId: 2);
        using SessionStore third = Stores.Open(_disk.OpenAs(), _time, processId: 3);
        Session session = second.Create();
        Session seen = third.OpenSession(session.Id);
        seen.Say("1");
        bool dies = true;
        SessionStore first = Stores.Open(dying, _time, processId: 1, atStep: step =>
        {
            if (dies && step == Step.SegmentMade)
            {
                dies = false;
                dying.Kill();
            }
        });
        Assert.ThrowsAny<Exception>(() => first.Engine.Commit(new SwitchRequest(first.Core)));
        Assert.False(dies);

        second.Engine.Commit(new NothingRequest());
        Assert.Equal(second.Core.Replica.Segment, second.Core.State.Segment);
        Assert.Equal(2, seen.Say("2"));
        Assert.Equal(3, session.Say("3"));
        RequireEvents(session.Id);
    }

    private void RequireEvents(string id)
    {
        using SessionStore last = Stores.Open(_disk.OpenAs(), _time, processId: 4);
        Assert.Equal(3, last.OpenSession(id).Events().GetProperty("events").GetArrayLength());
        last.AssertSound();
    }

    private sealed class NothingRequest : CommitRequest
    {
        public override void Run(Transaction transaction)
        {
        }
    }
}
