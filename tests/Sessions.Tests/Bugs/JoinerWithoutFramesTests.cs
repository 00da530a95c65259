using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>A process that joined when the checkpoint had everything knew no position in the journal: its
/// first commit began a segment that claimed the one in use was empty, and the others were lost.</summary>
public sealed class JoinerWithoutFramesTests
{
    [Fact]
    public void Who_joins_after_a_checkpoint_writes_behind_the_last_frame()
    {
        var disk = new FaultyDisk(seed: 1);
        using SessionStore first = Stores.Open(disk.OpenAs(), processId: 1);
        using Session session = first.Create();
        session.Say("one");
        Assert.True(first.Engine.Checkpointer.TryRun());
        using SessionStore second = Stores.Open(disk.OpenAs(), processId: 2);
        using Session seen = second.OpenSession(session.Id);
        Assert.Equal(2, seen.Say("two"));
        Assert.Equal(first.Core.State.Segment, second.Core.Replica.Segment);
        Assert.Equal(3, session.Say("three"));
        Assert.Equal(3, seen.GetStat().LastSeq);
        using SessionStore cut = Stores.Open(disk.Copy().AfterPowerCut(seed: 2));
        Assert.Equal(3, cut.OpenSession(session.Id).Events().GetProperty("events").GetArrayLength());
        cut.AssertSound();
    }
}
