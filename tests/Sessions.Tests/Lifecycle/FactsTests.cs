using System.Text.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Lifecycle;

/// <summary>Metadata and facts: the host's, token for token, changed by merge patch.</summary>
public sealed class FactsTests : IDisposable
{
    private const string Odd =
        """{"b":1.0,"a":9007199254740993,"a":-0,"\u00e9":"\u0041\/","n":1E+2"""
        + ""","null":null,"deep":{"x":[1,{"y":null}]},"\ud800\udc00":"\\udc00"}""";

    private readonly MemoryDisk _disk = new();
    private SessionStore _store;

    public FactsTests() => _store = Stores.Open(_disk.OpenAs());

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Every_token_stays_as_the_host_wrote_it()
    {
        Session session = _store.Create(null,
            new SessionCreateOptions { Metadata = Stores.Utf8(" " + Odd + "\n"), Facts = Stores.Utf8(Odd) });
        session.UpdateMetadata(" { \"z\" : 1.50 } "u8);
        session.Update("""{"facts":{"b":null}}"""u8);
        string metadata = Odd[..^1] + ",\"z\":1.50}", facts = Odd.Replace("\"b\":1.0,", "", StringComparison.Ordinal);
        for (int round = 0; round < 3; round++)
        {
            string info = Stores.Text(_store.OpenSession(session.Id).WriteInfo);
            Assert.EndsWith($"\"metadata\":{metadata},\"facts\":{facts}}}", info, StringComparison.Ordinal);
            Assert.Contains($"\"metadata\":{metadata},\"facts\":{facts}}}", Stores.Text(b => _store.WriteList(null, b)),
                StringComparison.Ordinal);
            _store.Close();
            if (round == 1)
            {
                _disk.Unlink(Layout.IndexFile);
            }

            _store = Stores.Open(_disk.OpenAs());
        }

        _store.AssertSound();
    }

    [Fact]
    public void An_expected_revision_must_be_the_current_one()
    {
        Session session = _store.Create();
        long first = session.GetStat().Revision;
        long second = session.Update("""{"title":"a","archived":true,"metadata":{"x":1},"facts":{"y":2}}"""u8, first);
        Assert.True(second > first);
        Assert.Equal(second, session.GetStat().Revision);
        SessionException e = Stores.Fails(SessionStatus.Conflict, () => session.Update("""{"title":"b"}"""u8, first));
        Assert.Equal($"{{\"expected\":{first},\"actual\":{second}}}", e.Details);
        Assert.Equal(second, session.Update("{}"u8, second));
        Assert.Equal(second, session.Update("""{"title":"a","archived":true,"metadata":{"x":1}}"""u8));
        session.Say("events do not count as a change of facts");
        Assert.True(session.Update("""{"title":null,"metadata":null,"facts":null,"archived":false}"""u8,
            second) > second);
        JsonElement info = session.Info();
        Assert.Equal("New Session", info.GetProperty("title").GetString());
        Assert.Equal("{}", info.GetProperty("metadata").GetRawText());
        Assert.Equal("{}", info.GetProperty("facts").GetRawText());
        Assert.False(info.GetProperty("archived").GetBoolean());
    }

    [Theory]
    [InlineData("""{"title":5}""", SessionStatus.InvalidArgument)]
    [InlineData("""{"archived":null}""", SessionStatus.InvalidArgument)]
    [InlineData("""{"archived":"true"}""", SessionStatus.InvalidArgument)]
    [InlineData("""{"metadata":[]}""", SessionStatus.InvalidArgument)]
    [InlineData("""{"facts":1}""", SessionStatus.InvalidArgument)]
    [InlineData("""{"revision":1}""", SessionStatus.InvalidArgument)]
    [InlineData("""{"\ud800":1}""", SessionStatus.InvalidArgument)]
    [InlineData("""[]""", SessionStatus.InvalidArgument)]
    [InlineData("""{"title":"x",}""", SessionStatus.InvalidJson)]
    [InlineData("", SessionStatus.InvalidJson)]
    public void What_an_update_cannot_be_is_refused_whole(string patch, SessionStatus status)
    {
        Session session = _store.Create(null, new SessionCreateOptions { Title = "Mine" });
        string before = Stores.Text(session.WriteInfo);
        Stores.Fails(status, () => session.Update(Stores.Utf8(patch)));
        Stores.Fails(SessionStatus.InvalidArgument, () => session.Update("{}"u8, -1));
        Stores.Fails(SessionStatus.InvalidArgument, () => session.Update("{}"u8, 1L << 53));
        Assert.Equal(before, Stores.Text(session.WriteInfo));
    }

    [Fact]
    public void A_mebibyte_of_metadata_is_the_most()
    {
        Session session = _store.Create();
        byte[] largest = Stores.Utf8($"{{\"a\":\"{new string('x', (1 << 20) - 8)}\"}}");
        session.UpdateMetadata(largest);
        SessionException e = Stores.Fails(SessionStatus.Limit, () => session.UpdateMetadata("""{"b":1}"""u8));
        Assert.Equal("""{"limit":"metadata_bytes_max","max":1048576,"actual":1048582}""", e.Details);
        Stores.Fails(SessionStatus.Limit,
            () => session.Update("""{"facts":{"a":"""u8.ToArray().Concat(largest).Concat("}}"u8.ToArray()).ToArray()));
        Stores.Fails(SessionStatus.Limit, () => _store.Create(null, new SessionCreateOptions
        {
            Metadata = Stores.Utf8("{\"c\":1," + System.Text.Encoding.UTF8.GetString(largest)[1..]),
        }));
        Assert.Equal(1, _store.List().GetArrayLength());
    }

    [Fact]
    public void Metadata_nested_as_deep_as_it_may_be_does_not_poison_the_store()
    {
        string deepest = string.Concat(Enumerable.Repeat("{\"a\":", 127)) + "{}" + new string('}', 127);
        Session session = _store.Create(null,
            new SessionCreateOptions { Metadata = Stores.Utf8(deepest), Facts = Stores.Utf8(deepest) });
        session.Append("note", Stores.Utf8(deepest));
        Stores.Fails(SessionStatus.InvalidJson, () => session.UpdateMetadata(Stores.Utf8("{\"a\":" + deepest + "}")));
        Reopen(kill: true);
        Assert.Contains(deepest, Stores.Text(_store.OpenSession(session.Id).WriteInfo), StringComparison.Ordinal);
        Assert.Contains(deepest, Stores.Text(b => _store.OpenSession(session.Id).WriteEvents(0, 0, b)),
            StringComparison.Ordinal);
        Assert.Single(_store.List(new SessionListOptions { Fields = "id" }).EnumerateArray());
        _store.AssertSound();
    }

    [Fact]
    public void A_name_that_is_half_of_a_surrogate_pair_does_not_poison_the_store()
    {
        Session session = _store.Create();
        Stores.Fails(SessionStatus.InvalidJson, () => session.UpdateMetadata("""{"\ud800":1}"""u8));
        session.UpdateTitle("writable still");
    }

    private void Reopen(bool kill)
    {
        if (kill)
        {
            MemoryDisk copy = _disk.Copy();
            _store.Close();
            _store = Stores.Open(copy);
        }
    }
}
