using System.Buffers;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests;

/// <summary>What no call takes, and that it then has done nothing.</summary>
public sealed class ArgumentTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly SessionStore _store;
    private readonly Session _session;

    public ArgumentTests()
    {
        _store = Stores.Open(_disk);
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
            Stores.Fails(SessionStatus.InvalidArgument, () => SessionStore.Open(folder, each));
        }

        foreach (string path in (string[])["", "a\0b"])
        {
            Stores.Fails(SessionStatus.InvalidArgument, () => SessionStore.Open(path));
            Stores.Fails(SessionStatus.InvalidArgument,
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
        => Stores.Fails(SessionStatus.InvalidArgument,
            () => Stores.Text(b => _store.WriteInfos(Stores.Utf8(json), null, b)));

    [Fact]
    public void A_refused_word_is_answered_with_those_that_there_are()
    {
        var output = new ArrayBufferWriter<byte>();
        (string First, Action Call)[] calls =
        [
            ("strict_lock", () => _store.Configure(null, """{"strict":true}"""u8)),
            ("enabled", () => _store.Configure(null, """{"queue":{"on":true}}"""u8)),
            ("image_bytes_max", () => _store.Configure(null, """{"limits":{"x":1}}"""u8)),
            ("title", () => _session.Update("""{"name":"x"}"""u8)),
            ("message", () => _session.AddToQueue("""{"text":"x"}"""u8, output)),
            ("every_ms", () => _session.AddToQueue("""{"message":"m","repeat":{"every":1}}"""u8, output)),
            ("label", () => _session.SetButtons("""[{"text":"x"}]"""u8)),
            ("type", () => _session.AppendBatch("""[{"kind":"x","data":{}}]"""u8, AppendFlags.None, output)),
            ("max_events", () => _session.Prune("""{"events":1}"""u8, output)),
            ("max_sessions", () => _store.Retain("""{"sessions":1}"""u8, output)),
            ("after_seq", () => TranscriptOptions.Read("""{"from":1}"""u8)),
            ("created", () => _store.OpenWatch(new WatchOptions { Kinds = "created,nothing" })),
            ("id", () => _store.WriteList(new SessionListOptions { Fields = "id,secret" }, output)),
            ("idle", () => _session.SetActivity("busy")),
            ("flush", () => SessionJob.Start(_store, "fluhs", "{}"u8)),
            ("job_id", () => SessionJob.Start(_store, "verify", """{"deep":true}"""u8)),
            ("shared_owners", () => SessionStore.Salvage("/nowhere", """{"shared":true}"""u8, output)),
        ];
        foreach ((string first, Action call) in calls)
        {
            SessionException e = Stores.Fails(SessionStatus.InvalidArgument, call);
            Assert.Contains($" must be one of {first}", e.Message, StringComparison.Ordinal);
            Assert.Contains($"\"expected\":\"one of {first}", e.Details, StringComparison.Ordinal);
        }
    }

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

        Stores.Fails(SessionStatus.InvalidJson, () => _session.Append("x", ""u8));
        Stores.Fails(SessionStatus.InvalidJson, () => _session.UpdateMetadata("{"u8));
        Stores.Fails(SessionStatus.NotFound,
            () => _store.Create(null, new SessionCreateOptions { DecisionId = "d-1" }));
        Stores.Fails(SessionStatus.NotFound, () => _store.Create("session_1"));
        Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(""));
        Stores.Fails(SessionStatus.NotFound, () => _session.RevokeShare("sh_unknown"));
        Stores.Fails(SessionStatus.Limit, () => _session.Abort(new string('r', (4 << 10) + 1)));
        Assert.Equal(published, _store.Core.State.Published);
        Assert.False(_session.IsAborted);
    }

    private void Share(SessionShareOptions options) => Stores.Text(b => _session.WriteShare(options, b));
}
