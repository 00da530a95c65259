using Sessions.Platform;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>A flush went on for as long as others appended: each of its commits found the same session behind once
/// more. A checkpoint, too, and a close; under load every tenth event cost an image.</summary>
public sealed class FlushUnderLoadTests
{
    private const int CommitsMax = 4; // an image, a sync, and what has to be synced before each

    [Fact]
    public void A_flush_ends_though_another_process_appends_after_each_of_its_commits()
    {
        var disk = new FaultyDisk(seed: 1);
        int commits = 0;
        bool isFlushing = false;
        Action say = () => { };
        using SessionStore first = Stores.Open(disk.OpenAs(), processId: 1, atStep: step =>
        {
            if (isFlushing && step == Step.CommitUnlocked && commits++ < 10 * CommitsMax)
            {
                say();
            }
        });
        using Session session = first.Create();
        using SessionStore second = Stores.Open(disk.OpenAs(), processId: 2);
        using Session seen = second.OpenSession(session.Id);
        say = () => seen.Say("more");
        session.Say("one");
        isFlushing = true;
        first.Flush();
        isFlushing = false;
        Assert.InRange(commits, 1, CommitsMax);
        Assert.Equal(1 + commits, session.GetStat().LastSeq);
        first.Flush();
        first.AssertSound();
    }
}
