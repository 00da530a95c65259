using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>An opening that looked for store.json a moment before another process made the store took
/// what that one had made for the remains of a damaged store.</summary>
public sealed class StoreMadeMeanwhileTests
{
    [Fact]
    public void A_store_that_was_made_since_it_was_looked_for_is_no_damage()
    {
        var disk = new FaultyDisk(seed: 1);
        FaultyDisk late = disk.OpenAs();
        bool made = false;
        late.FailIf = operation =>
        {
            // The call that follows the look at store.json.
            if (!made && operation.Path == Layout.Sessions)
            {
                made = true;
                using SessionStore first = Stores.Open(disk.OpenAs(), processId: 1);
                first.Create().Say("here");
            }

            return false;
        };
        disk.CreateFolder("");
        using SessionStore second = Stores.Open(late, processId: 2);
        Assert.True(made);
        Assert.Equal(1, second.List().GetArrayLength());
    }

    [Fact]
    public void Remains_without_their_file_are_damage()
    {
        var disk = new MemoryDisk();
        disk.Poke("journal/000000000001.log", "x"u8);
        Stores.Fails(SessionStatus.Corrupt, () => Stores.Open(disk));
        Assert.Equal(DiskError.NotFound, Assert.Throws<DiskException>(() => disk.ReadAll(Layout.StoreFile)).Error);
    }
}
