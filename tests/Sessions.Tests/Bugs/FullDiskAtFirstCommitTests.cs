using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>The first commit of an opening found no segment and could make none on a full disk, so that
/// an abort was signalled and not recorded.</summary>
public sealed class FullDiskAtFirstCommitTests
{
    [Fact]
    public void An_abort_is_recorded_though_the_disk_filled_while_the_store_was_closed()
    {
        var disk = new FaultyDisk(seed: 1);
        string id;
        using (SessionStore store = Stores.Open(disk.OpenAs()))
        {
            id = store.Create().Id;
            store.Close();
        }

        disk.SpaceBytes = disk.UsedBytes;
        using (SessionStore store = Stores.Open(disk.OpenAs()))
        {
            using Session session = store.OpenSession(id);
            Assert.Equal(1, session.Abort("enough"));
            Stores.Fails(SessionStatus.NoSpace, () => session.Say(new string('x', 100_000)));
        }

        disk.SpaceBytes = null;
        using SessionStore again = Stores.Open(disk.OpenAs());
        Assert.Equal("enough", again.OpenSession(id).Info().GetProperty("abort_reason").GetString());
        again.AssertSound();
    }
}
