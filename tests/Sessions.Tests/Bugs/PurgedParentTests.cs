using Sessions.Tests.Disks;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Bugs;

/// <summary>A power cut behind the frame of a purge lost the history of branches made since the last
/// checkpoint: the parent's folder was gone with all other names, and nothing was left to link from.</summary>
public sealed class PurgedParentTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_branch_keeps_its_history_wherever_the_power_goes_while_its_parent_is_purged(bool ordered)
    {
        for (long extra = 1; ; extra++)
        {
            var disk = new FaultyDisk(seed: (int)extra);
            SessionStore store = Open(disk);
            Session parent = store.Create();
            parent.Say("one");
            parent.Say("two", AppendFlags.Relaxed);
            Session branch = parent.Fork();
            disk.CutAt = disk.Changes + extra;
            bool isCut = Record.Exception(() =>
            {
                parent.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
                store.Close();
            }) is not null;
            if (!isCut)
            {
                Assert.True(extra > 10);
                return;
            }

            FaultyDisk left = disk.AfterPowerCut((int)extra, new PowerCutOptions { MetadataOrdered = ordered });
            using SessionStore again = Open(left);
            Assert.Equal(2, again.OpenSession(branch.Id).Events().GetProperty("events").GetArrayLength());
            again.AssertSound();
        }
    }
}
