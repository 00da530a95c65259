using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>
/// The checkpoint after a store's first delete made it durable that a session was gone from its folder
/// before the name of trash/ itself was: a power cut between the two left the session nowhere.
/// </summary>
public sealed class FirstTrashTests
{
    [Fact]
    public void A_session_is_in_the_trash_for_good_before_it_is_gone_from_its_folder()
    {
        for (int cut = 1; CutAt(cut); cut++)
        {
        }
    }

    private static bool CutAt(int cut)
    {
        var disk = new FaultyDisk(seed: 1) { HasSyncAll = false };
        string id;
        using (SessionStore first = Stores.Open(disk))
        {
            using Session made = first.Create();
            made.Say("text");
            id = made.Id;
        }

        SessionStore store = Stores.Open(disk.OpenAs()); // its journal knows nothing of the text any more
        store.OpenSession(id).Delete();
        disk.CutAt = disk.Changes + cut;
        try
        {
            Assert.True(store.Engine.Checkpointer.TryRun());
            return false;
        }
        catch (Exception) when (disk.IsCut)
        {
            for (int seed = 0; seed < 8; seed++)
            {
                FaultyDisk left = disk.AfterPowerCut(seed, new PowerCutOptions { MetadataOrdered = false });
                using SessionStore again = Stores.Open(left);
                again.AssertSound();
                again.Restore(id);
                Assert.Equal(1, again.OpenSession(id).Events().GetProperty("events").GetArrayLength());
            }

            return true;
        }
    }
}
