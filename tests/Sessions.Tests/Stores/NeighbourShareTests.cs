using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.StoreTests;

/// <summary>Shares of a session that a neighbour deletes and brings back.</summary>
public sealed class NeighbourShareTests
{
    [Fact]
    public void A_share_looked_for_while_its_session_was_deleted_is_found_after_the_restore()
    {
        var disk = new MemoryDisk();
        using SessionStore store = Support.Stores.Open(disk);
        using SessionStore other = Support.Stores.Open(disk.OpenAs(), processId: 4343);
        Session session = store.Create();
        string url = Support.Stores.Json(b => session.WriteShare(null, b)).GetProperty("url").GetString()!;
        session.Delete();
        Support.Stores.Fails(SessionStatus.NotFound, () => other.ResolveShare(url).Dispose());
        store.Restore(session.Id);
        other.ResolveShare(url).Dispose();
    }
}
