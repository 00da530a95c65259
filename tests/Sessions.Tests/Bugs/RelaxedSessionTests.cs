using System.Text.Json;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Bugs;

/// <summary>In a relaxed store a new session has no folder yet. Calls that put something there failed, and
/// a branch of it showed nothing.</summary>
public sealed class RelaxedSessionTests : IDisposable
{
    private readonly SessionStore _store = Open(new FaultyDisk(seed: 8),
        options: new SessionStoreOptions { Durability = Durability.Relaxed });

    private readonly Session _session;

    public RelaxedSessionTests()
    {
        _session = _store.Create();
        _session.Say("one");
        _session.Say("two");
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void It_can_be_shared()
    {
        string secret = Stores.Json(b => _session.WriteShare(null, b)).GetProperty("secret").GetString()!;
        Assert.Equal(2, Count(_store.ResolveShare(secret)));
    }

    [Fact]
    public void It_can_be_branched() => Assert.Equal(2, Count(_session.Fork()));

    [Fact]
    public void It_can_be_pruned()
    {
        Stores.Json(b => _session.Prune("""{"max_events":1}"""u8, b));
        Assert.Equal(1, Count(_session));
        Assert.Equal(3, _session.Say("three"));
    }

    [Fact]
    public void It_can_keep_files()
    {
        JsonElement file = Stores.Json(b => _session.PutFile("a.txt", "text"u8, b));
        Assert.NotEmpty(_session.GetFilePath(file.GetProperty("file_id").GetString()!));
    }

    private static int Count(Session session) => session.Events().GetProperty("events").GetArrayLength();
}
