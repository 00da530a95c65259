using System.Text.Json;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Rows;

/// <summary>Lists: orders, pages, filters, projections.</summary>
public sealed class ListTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();
    private SessionStore _store;

    public ListTests() => _store = Stores.Open(_disk.OpenAs(), _time);

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Sessions_come_in_the_order_that_was_asked_for()
    {
        var ids = new List<string>();
        for (int i = 0; i < 12; i++)
        {
            ids.Add(_store.Create().Id);
            _time.Advance(i % 3 == 0 ? 1 : 0);
        }

        _time.Advance(5);
        _store.OpenSession(ids[4]).Say("now newest");
        var updated = ids.Where(i => i != ids[4]).Append(ids[4]).ToList();
        for (int round = 0; round < 2; round++)
        {
            Assert.Equal(ids, Ids(new SessionListOptions { Order = ListOrder.CreatedAscending }));
            Assert.Equal(ids.AsEnumerable().Reverse(),
                Ids(new SessionListOptions { Order = ListOrder.CreatedDescending }));
            Assert.Equal(updated, Ids(new SessionListOptions { Order = ListOrder.UpdatedAscending }));
            Assert.Equal(updated.AsEnumerable().Reverse(), Ids(new SessionListOptions()));
            _store.Close();
            _store = Stores.Open(_disk.OpenAs(), _time);
        }

        Stores.Fails(SessionStatus.InvalidArgument, () => Ids(new SessionListOptions { Order = (ListOrder)5 }));
        Stores.Fails(SessionStatus.InvalidArgument, () => Ids(new SessionListOptions { Archived = (ArchivedFilter)3 }));
        Stores.Fails(SessionStatus.InvalidArgument, () => Ids(new SessionListOptions { Flags = (ListFlags)4 }));
    }

    [Fact]
    public void A_rename_does_not_make_a_session_the_last_conversation()
    {
        var options = new SessionListOptions { Order = ListOrder.ActiveDescending };
        var ids = new List<string>();
        for (int i = 0; i < 5; i++)
        {
            ids.Add(_store.Create().Id);
            _time.Advance(10);
        }

        _store.OpenSession(ids[1]).Say("full");
        _time.Advance(10);
        _store.OpenSession(ids[3]).Say("in no file for a while", AppendFlags.Relaxed);
        _time.Advance(10);
        _store.OpenSession(ids[0]).UpdateTitle("renamed last");
        string[] expected = [ids[3], ids[1], ids[4], ids[2], ids[0]];
        Assert.Equal(ids[0], Ids(new SessionListOptions())[0]);
        for (int round = 0; round < 3; round++)
        {
            Assert.Equal(expected, Ids(options));
            Page(options with { Limit = 2 }, out string? cursor);
            Assert.Equal(expected[2..4], Page(options with { Limit = 2, Cursor = cursor }, out cursor));
            Assert.Equal(expected[4..], Page(options with { Limit = 2, Cursor = cursor }, out _));
            if (round == 0)
            {
                // A neighbour that has read no list yet hears of an event before it reads the index.
                using SessionStore neighbour = Stores.Open(_disk.OpenAs(), _time);
                _time.Advance(10);
                _store.OpenSession(ids[2]).Say("news", AppendFlags.Relaxed);
                expected = [ids[2], ids[3], ids[1], ids[4], ids[0]];
                Assert.Equal(1, neighbour.OpenSession(ids[2]).GetStat().LastSeq);
                Assert.Equal(expected, Stores.Json(b => neighbour.WriteList(options, b)).EnumerateArray()
                    .Select(e => e.GetProperty("id").GetString()!));
            }
            else
            {
                _store.Close();
                _store = Stores.Open(_disk.OpenAs(), _time);
            }
        }
    }

    [Fact]
    public void Pages_in_created_order_are_exact_while_sessions_come_and_go()
    {
        var options = new SessionListOptions { Order = ListOrder.CreatedAscending, Limit = 3 };
        var ids = Enumerable.Range(0, 10).Select(_ => _store.Create().Id).ToList();
        List<string> first = Page(options, out string? cursor);
        _store.OpenSession(ids[1]).Delete();
        _store.OpenSession(ids[2]).UpdateTitle("behind us");
        _store.OpenSession(ids[5]).Delete();
        ids.Add(_store.Create().Id);
        _store.Close();
        _store = Stores.Open(_disk.OpenAs(), _time);
        var seen = new List<string>(first);
        while (cursor is not null)
        {
            seen.AddRange(Page(options with { Cursor = cursor }, out cursor));
        }

        Assert.Equal(ids.Where(i => i != ids[5]), seen);
    }

    [Fact]
    public void Pages_in_updated_order_show_an_unchanged_session_once()
    {
        var ids = new List<string>();
        for (int i = 0; i < 20; i++)
        {
            ids.Add(_store.Create().Id);
            _time.Advance(1);
        }

        foreach (ListOrder order in (ListOrder[])[ListOrder.UpdatedDescending, ListOrder.UpdatedAscending])
        {
            var random = new Random(5);
            var changed = new HashSet<string>();
            var seen = new List<string>();
            string? cursor = null;
            do
            {
                seen.AddRange(Page(new SessionListOptions { Order = order, Limit = 3, Cursor = cursor }, out cursor));
                _time.Advance(1);
                string id = ids[random.Next(ids.Count)];
                changed.Add(id);
                _store.OpenSession(id).Say("again");
            }
            while (cursor is not null && seen.Count < 200);

            Assert.All(ids.Where(i => !changed.Contains(i)), i => Assert.Single(seen, i));
        }
    }

    [Fact]
    public void A_cursor_belongs_to_its_options()
    {
        for (int i = 0; i < 3; i++)
        {
            _store.Create();
        }

        var options = new SessionListOptions { Limit = 1, TitleContains = "new" };
        Page(options, out string? cursor);
        Assert.NotNull(cursor);
        Page(options with { Cursor = cursor, Limit = 2, Fields = "id" }, out string? next);
        Assert.Null(next);
        foreach (SessionListOptions other in (SessionListOptions[])
            [
                options with { Order = ListOrder.CreatedAscending }, options with { Archived = ArchivedFilter.Include },
                options with { TitleContains = "ne" }, options with { ParentId = "session_1" },
                options with { Flags = ListFlags.Roots },
                options with { Filter = """{"state":"created"}"""u8.ToArray() },
            ])
        {
            Stores.Fails(SessionStatus.InvalidArgument, () => Page(other with { Cursor = cursor }, out _));
        }

        foreach (string bad in (string[])["", "x", "AAAA", cursor + "A", "é", cursor[1..]])
        {
            Stores.Fails(SessionStatus.InvalidArgument, () => Page(options with { Cursor = bad }, out _));
        }
    }

    [Fact]
    public void Filters_take_what_they_say()
    {
        string a = Make("Über den Wolken", """{"agent_id":"coder","n":1.0}""").Id,
            b = Make("ΑΘΗΝΑ", """{"agent_id":"tester","x":null}""").Id;
        Session c = Make("Straße 😀", "{}", a);
        _store.OpenSession(b).UpdateMetadata("""{"starred":true,"agent_id":1}"""u8);
        c.Update("""{"archived":true}"""u8);
        for (int round = 0; round < 2; round++)
        {
            AssertIds([a, b], new SessionListOptions());
            AssertIds([c.Id], new SessionListOptions { Archived = ArchivedFilter.Only });
            AssertIds([a, b, c.Id], new SessionListOptions { Archived = ArchivedFilter.Include });
            AssertIds([a, b], new SessionListOptions { Archived = ArchivedFilter.Include, Flags = ListFlags.Roots });
            AssertIds([c.Id], new SessionListOptions { Archived = ArchivedFilter.Include, ParentId = a });
            AssertIds([], new SessionListOptions { ParentId = "session_1" });
            AssertIds([a], new SessionListOptions { TitleContains = "üBER" });
            AssertIds([b], new SessionListOptions { TitleContains = "αθηνα" });
            AssertIds([c.Id], new SessionListOptions { TitleContains = "😀", Archived = ArchivedFilter.Only });
            AssertIds([a, b], new SessionListOptions { TitleContains = "" });
            AssertIds([a], Filter("""{"agent_id":"coder"}"""));
            AssertIds([a, b], Filter("""{"agent_id":["coder", "tester"], "state":"created"}"""));
            AssertIds([a], Filter("""{"facts":{"n":1.0}}"""));
            AssertIds([], Filter("""{"facts":{"n":1}}"""));
            AssertIds([b], Filter("""{"facts":{"agent_id":["tester"],"x":null},"agent_id":"tester"}"""));
            AssertIds([b], Filter("""{"metadata":{"starred":true,"agent_id":["a",1]}}"""));
            AssertIds([], Filter("""{"metadata":{"starred":true},"agent_id":"coder"}"""));
            AssertIds([a, b], Filter("""{"facts":{"x":null},"metadata":{}}"""));
            AssertIds([], Filter("""{"state":["active","stopped"]}"""));
            AssertIds([], Filter("""{"agent_id":[]}"""));
            _store.Close();
            _store = Stores.Open(_disk.OpenAs(), _time);
        }

        Stores.Fails(SessionStatus.InvalidArgument, () => Page(Filter("""{"state":"happy"}"""), out _));
        Stores.Fails(SessionStatus.InvalidArgument, () => Page(Filter("""{"state":["\ud800"]}"""), out _));
        Stores.Fails(SessionStatus.InvalidArgument, () => Page(Filter("""{"agent_id":{}}"""), out _));
        Stores.Fails(SessionStatus.InvalidArgument, () => Page(Filter("""{"metadata":{"a":{}}}"""), out _));
        Stores.Fails(SessionStatus.InvalidArgument, () => Page(Filter("""{"facts":[]}"""), out _));
        Stores.Fails(SessionStatus.InvalidArgument, () => Page(Filter("[]"), out _));
        Stores.Fails(SessionStatus.InvalidJson, () => Page(Filter("{"), out _));
    }

    [Fact]
    public void A_misspelled_filter_says_what_there_is_and_lists_nothing()
    {
        Make("t", """{"agent":"coder"}""");
        SessionException e = Stores.Fails(SessionStatus.InvalidArgument,
            () => Page(Filter("""{"agent":"coder"}"""), out _));
        Assert.Equal("filter_json: \"agent\" must be one of state, agent_id, type, provider, role, workspace_id, "
            + "workspace_path, channel, facts, metadata.", e.Message);
        Assert.StartsWith("""{"argument":"filter_json","expected":"one of state, """, e.Details,
            StringComparison.Ordinal);
        e = Stores.Fails(SessionStatus.InvalidArgument, () => Page(Filter("""{"state":"happy"}"""), out _));
        Assert.Equal("filter_json: \"happy\" must be one of created, spawning, active, idle, stopping, stopped, "
            + "failed, cleaning, terminated.", e.Message);
    }

    [Fact]
    public void A_list_shows_the_fields_that_were_asked_for()
    {
        Session session = Make("t", """{"a":1}""");
        session.Say("x", AppendFlags.Relaxed);
        for (int round = 0; round < 2; round++)
        {
            Assert.Equal($$"""[{"id":"{{session.Id}}","title":"t","last_seq":1,"facts":{"a":1} }]""".Replace(" }", "}",
                StringComparison.Ordinal),
                Stores.Text(b => _store.WriteList(new SessionListOptions { Fields = "last_seq, id,title,facts" }, b)));
            Assert.Equal($$"""[null,{"id":"{{session.Id}}"},{"id":"{{session.Id}}"}]""",
                Stores.Text(b => _store.WriteInfos(
                Stores.Utf8($"[\"session_1\",\"{session.Id}\",\"{session.Id}\"]"), "id", b)));
            Assert.Equal("[" + Stores.Text(_store.OpenSession(session.Id).WriteInfo) + "]",
                Stores.Text(b => _store.WriteList(null, b)));
            _store.Close();
            _store = Stores.Open(_disk.OpenAs(), _time);
        }

        Stores.Fails(SessionStatus.InvalidArgument, () => _store.List(new SessionListOptions { Fields = "id,secret" }));
        Stores.Fails(SessionStatus.InvalidArgument, () => _store.List(new SessionListOptions { Fields = "" }));
        foreach (string bad in (string[])["{}", "[1]", "\"x\""])
        {
            Stores.Fails(SessionStatus.InvalidArgument,
                () => Stores.Text(b => _store.WriteInfos(Stores.Utf8(bad), null, b)));
        }

        Assert.Equal("[]", Stores.Text(b => _store.WriteInfos("[]"u8, null, b)));
        Assert.Equal("[null]", Stores.Text(b => _store.WriteInfos("""["\ud800"]"""u8, null, b)));
    }

    private Session Make(string title, string facts, string? parent = null)
        => _store.Create(parent, new SessionCreateOptions { Title = title, Facts = Stores.Utf8(facts) });

    private static SessionListOptions Filter(string json) => new() { Filter = Stores.Utf8(json) };

    private void AssertIds(IEnumerable<string> expected, SessionListOptions options)
        => Assert.Equal(expected, Page(options with { Order = ListOrder.CreatedAscending }, out _));

    private List<string> Ids(SessionListOptions options) => Page(options, out _);

    private List<string> Page(SessionListOptions options, out string? cursor)
    {
        string? next = null;
        JsonElement page = Stores.Json(b => next = _store.WriteList(options, b));
        cursor = next;
        return [.. page.EnumerateArray().Select(e => e.GetProperty("id").GetString()!)];
    }
}
