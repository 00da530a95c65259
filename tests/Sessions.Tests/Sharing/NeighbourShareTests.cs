using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Sharing;

/// <summary>Shares of a session that a neighbour deletes and brings back.</summary>
public sealed class NeighbourShareTests
{
    [Fact]
    public void A_share_looked_for_while_its_session_was_deleted_is_found_after_the_restore()
    {
        var disk = new MemoryDisk();
        using SessionStore store = Stores.Open(disk);
        using SessionStore other = Stores.Open(disk.OpenAs(), processId: 4343);
        Session session = store.Create();
        string url = Stores.Json(b => session.WriteShare(null, b)).GetProperty("url").GetString()!;
        session.Delete();
        Stores.Fails(SessionStatus.NotFound, () => other.ResolveShare(url).Dispose());
        store.Restore(session.Id);
        other.ResolveShare(url).Dispose();
    }
}
