using System.Text.Json;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Lifecycle;

public sealed class RetainTests : IDisposable
{
    private readonly FaultyDisk _disk = new(seed: 6);
    private readonly ManualTime _time = new();
    private readonly SessionStore _store;
    private readonly List<string> _ids = [];

    public RetainTests()
    {
        _store = Open(_disk, _time);
        for (int i = 0; i < 6; i++)
        {
            Session session = _store.Create(i == 3 ? _ids[0] : null);
            session.Say(new string('x', 1000));
            _ids.Add(session.Id);
            _time.Advance(3_600_000);
        }
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void The_oldest_changes_go_until_the_count_is_kept()
    {
        JsonElement report = Retain("""{"max_sessions":4}""");
        Assert.Equal([_ids[0], _ids[1]], Ids(report));
        Assert.Equal(2, report.GetProperty("count").GetInt64());
        Assert.All(report.GetProperty("sessions").EnumerateArray(),
            s => Assert.Equal("max_sessions", s.GetProperty("reason").GetString()));
        Assert.Equal(4, _store.List().GetArrayLength());
        using Session child = _store.OpenSession(_ids[3]);
        Assert.Equal(JsonValueKind.Null, child.Info().GetProperty("parent_id").ValueKind);
        _store.Restore(_ids[0]);
        Assert.Equal(5, _store.List().GetArrayLength());
        _store.AssertSound();
    }

    [Fact]
    public void Age_and_bytes_are_kept_and_the_floor_wins()
    {
        Assert.Equal(_ids[..3], Ids(Retain("""{"max_age_ms":12000000,"dry_run":true}""")));
        Assert.Equal(_ids[..2], Ids(Retain("""{"max_age_ms":12000000,"min_sessions":4,"dry_run":true}""")));
        Assert.Equal(_ids[..4], Ids(Retain("""{"max_bytes":2500,"dry_run":true}""")));
        Assert.Empty(Ids(Retain("""{"max_sessions":1,"min_sessions":6,"dry_run":true}""")));
        Assert.Equal(6, _store.List().GetArrayLength());
    }

    [Fact]
    public void What_was_changed_lately_stays_and_so_does_what_is_not_archived_where_asked()
    {
        _store.OpenSession(_ids[0]).Say("awake");
        Assert.Equal(_ids[1..4], Ids(Retain("""{"max_sessions":3,"dry_run":true}""")));
        Assert.Equal(_ids[1..5], Ids(Retain("""{"max_sessions":1,"idle_ms":3600001,"dry_run":true}"""))!);
        _store.OpenSession(_ids[2]).Update("""{"archived":true}"""u8);
        Assert.Equal([_ids[2]], Ids(Retain("""{"max_sessions":1,"archived_only":true,"idle_ms":0,"dry_run":true}""")));
    }

    [Fact]
    public void A_session_with_an_open_stream_stays()
    {
        using SessionStream stream = _store.OpenSession(_ids[0]).BeginStream("agent_message");
        stream.Write("still talking"u8);
        Assert.Equal([_ids[1], _ids[2]], Ids(Retain("""{"max_sessions":4}""")));
        stream.End();
        Assert.Equal([_ids[3]], Ids(Retain("""{"max_sessions":3,"idle_ms":0}"""))); // ended just now, it is the newest
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"max_sessions":0}""")]
    [InlineData("""{"min_sessions":1}""")]
    [InlineData("""{"max_sessions":1,"idle_ms":-1}""")]
    [InlineData("""{"max_sessions":1,"what":1}""")]
    [InlineData("""{"max_sessions":1,"dry_run":"yes"}""")]
    public void What_is_asked_wrongly_is_refused(string policy)
    {
        Fails(SessionStatus.InvalidArgument, () => Retain(policy));
        _store.Close();
        Fails(SessionStatus.Closed, () => Retain("""{"max_sessions":1}"""));
        using SessionStore reader = Open(_disk, _time, new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        Fails(SessionStatus.ReadOnly, () => Stores.Json(b => reader.Retain("""{"max_sessions":1}"""u8, b)));
    }

    private JsonElement Retain(string policy) => Stores.Json(b => _store.Retain(Utf8(policy), b));

    private static IEnumerable<string> Ids(JsonElement report)
        => report.GetProperty("sessions").EnumerateArray().Select(s => s.GetProperty("id").GetString()!);
}
