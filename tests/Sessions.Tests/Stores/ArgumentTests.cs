using System.Buffers;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.StoreTests;

/// <summary>What no call takes, and that it then has done nothing.</summary>
public sealed class ArgumentTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly SessionStore _store;
    private readonly Session _session;

    public ArgumentTests()
    {
        _store = Support.Stores.Open(_disk);
        _session = _store.Create();
        _store.Flush();
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Options_that_nobody_knows_open_nothing()
    {
        string folder = Path.Combine(Path.GetTempPath(), "sessions-none-" + Guid.NewGuid().ToString("n"));
        SessionStoreOptions[] options =
        [
            new() { Flags = (StoreFlags)32 },
            new() { Durability = (Durability)9 },
            new() { ClientType = "a\nb" },
            new() { ClientType = "" },
            new() { ClientType = new string('c', 200) },
        ];
        foreach (SessionStoreOptions each in options)
        {
            Support.Stores.Fails(SessionStatus.InvalidArgument, () => SessionStore.Open(folder, each));
        }

        foreach (string path in (string[])["", "a\0b"])
        {
            Support.Stores.Fails(SessionStatus.InvalidArgument, () => SessionStore.Open(path));
            Support.Stores.Fails(SessionStatus.InvalidArgument,
                () => SessionStore.Salvage(path, "{}"u8, new ArrayBufferWriter<byte>()));
        }

        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[null]")]
    [InlineData("\"x\"")]
    public void A_list_of_ids_is_an_array_of_strings(string json)
        => Support.Stores.Fails(SessionStatus.InvalidArgument,
            () => Support.Stores.Text(b => _store.WriteInfos(Support.Stores.Utf8(json), null, b)));

    [Fact]
    public void What_no_call_takes_changes_nothing()
    {
        long published = _store.Core.State.Published;
        Action[] calls =
        [
            () => _store.Create("../x"),
            () => _store.Create(null, new SessionCreateOptions { IdempotencyKey = "" }),
            () => _store.Create(null, new SessionCreateOptions { Metadata = "[]"u8.ToArray() }),
            () => _store.Create(null, new SessionCreateOptions { Facts = "null"u8.ToArray() }),
            () => _store.OpenSession(""),
            () => _store.Restore("a/b"),
            () => _store.Purge(-1),
            () => _store.Configure("", "{}"u8),
            () => _store.Configure(null, "[]"u8),
            () => _session.SuggestTitle(""),
            () => _session.Update("{}"u8, -1),
            () => _session.Update("""{"id":"x"}"""u8),
            () => _session.UpdateMetadata("1"u8),
            () => _session.Delete((DeletePolicy)3),
            () => _session.Abort(null, (AbortFlags)4),
            () => _session.Append("", "1"u8),
            () => _session.WriteLastEvents(-1, 0, new ArrayBufferWriter<byte>()),
            () => _session.RevokeShare(""),
            () => Share(new SessionShareOptions { FirstSeq = 3, LastSeq = 2 }),
            () => Share(new SessionShareOptions { FirstSeq = -1 }),
            () => Share(new SessionShareOptions { LastSeq = -1 }),
            () => Share(new SessionShareOptions { ExpiresAt = -1 }),
            () => Share(new SessionShareOptions { Flags = (ShareFlags)4 }),
        ];
        for (int i = 0; i < calls.Length; i++)
        {
            SessionException e = Assert.Throws<SessionException>(calls[i]);
            Assert.True(e.Status == SessionStatus.InvalidArgument, $"call {i}: {e.Status} {e.Message}");
        }

        Support.Stores.Fails(SessionStatus.InvalidJson, () => _session.Append("x", ""u8));
        Support.Stores.Fails(SessionStatus.InvalidJson, () => _session.UpdateMetadata("{"u8));
        Support.Stores.Fails(SessionStatus.NotFound,
            () => _store.Create(null, new SessionCreateOptions { DecisionId = "d-1" }));
        Support.Stores.Fails(SessionStatus.NotFound, () => _store.Create("session_1"));
        Support.Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(""));
        Support.Stores.Fails(SessionStatus.NotFound, () => _session.RevokeShare("sh_unknown"));
        Support.Stores.Fails(SessionStatus.Limit, () => _session.Abort(new string('r', (4 << 10) + 1)));
        Assert.Equal(published, _store.Core.State.Published);
        Assert.False(_session.IsAborted);
    }

    private void Share(SessionShareOptions options) => Support.Stores.Text(b => _session.WriteShare(options, b));
}
