using System.Text.Json;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Lifecycle;

/// <summary>Titles: whose they are, and what may be one.</summary>
public sealed class TitleTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private SessionStore _store;

    public TitleTests() => _store = Stores.Open(_disk.OpenAs());

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_title_is_the_default_the_users_or_a_generated_one()
    {
        Session session = _store.Create();
        AssertTitle(session, "New Session", "default");
        Assert.True(session.SuggestTitle("Cart"));
        AssertTitle(session, "Cart", "generated");
        Assert.True(session.SuggestTitle("Cart, fixed"));
        AssertTitle(session, "Cart, fixed", "generated");
        session.UpdateTitle("Mine");
        AssertTitle(session, "Mine", "user");
        Assert.False(session.SuggestTitle("Yours"));
        AssertTitle(session, "Mine", "user");
        session.UpdateTitle("");
        AssertTitle(session, "New Session", "default");
        Assert.True(session.SuggestTitle("Again"));
        AssertTitle(session, "Again", "generated");
    }

    [Fact]
    public void A_title_that_is_there_already_makes_no_revision()
    {
        Session session = _store.Create(null, new SessionCreateOptions { Title = "Mine" });
        AssertTitle(session, "Mine", "user");
        long revision = session.GetStat().Revision;
        session.UpdateTitle("Mine");
        Assert.False(session.SuggestTitle("Yours"));
        Assert.Equal(revision, session.GetStat().Revision);
        session.UpdateTitle("New Session");
        AssertTitle(session, "New Session", "user");
        Assert.True(session.GetStat().Revision > revision);
    }

    [Theory]
    [InlineData("two\nlines\ttab \"quoted\" \\ back")]
    [InlineData("😀 émoji ﷽ \u0001\u001f\u007f")]
    [InlineData(" ")]
    [InlineData("\0")]
    public void Any_text_is_a_title(string title)
    {
        Session session = _store.Create();
        session.UpdateTitle(title);
        Reopen();
        AssertTitle(_store.OpenSession(session.Id), title, "user");
        Assert.Equal(title, _store.List()[0].GetProperty("title").GetString());
    }

    [Theory]
    [InlineData("a")]
    [InlineData("é")]
    [InlineData("😀")]
    public void Sixteen_kibibytes_are_a_title_and_one_more_is_none(string letter)
    {
        Session session = _store.Create();
        int each = System.Text.Encoding.UTF8.GetByteCount(letter);
        string longest = string.Concat(Enumerable.Repeat(letter, 16 * 1024 / each));
        session.UpdateTitle(longest);
        SessionException e = Stores.Fails(SessionStatus.Limit, () => session.UpdateTitle(longest + "x"));
        Assert.Equal("""{"limit":"title_bytes_max","max":16384,"actual":16385}""", e.Details);
        Stores.Fails(SessionStatus.Limit, () => session.SuggestTitle(longest + "x"));
        Stores.Fails(SessionStatus.Limit,
            () => _store.Create(null, new SessionCreateOptions { Title = longest + "x" }));
        Stores.Fails(SessionStatus.Limit,
            () => session.Update(JsonSerializer.SerializeToUtf8Bytes(new { title = longest + "x" })));
        Reopen();
        AssertTitle(_store.OpenSession(session.Id), longest, "user");
        Assert.Equal(1, _store.List().GetArrayLength());
    }

    [Fact]
    public void Half_of_a_surrogate_pair_is_no_title()
    {
        Session session = _store.Create();
        SessionException e = Stores.Fails(SessionStatus.InvalidUtf8, () => session.UpdateTitle("a\ud800b"));
        Assert.Equal("""{"argument":"title","offset":1}""", e.Details);
        Assert.Equal(1, e.Offset);
        Stores.Fails(SessionStatus.InvalidUtf8, () => session.SuggestTitle("\udc00"));
        Stores.Fails(SessionStatus.InvalidUtf8, () => session.Update("""{"title":"\ud800"}"""u8));
        Stores.Fails(SessionStatus.InvalidArgument, () => session.SuggestTitle(""));
        AssertTitle(session, "New Session", "default");
    }

    private static void AssertTitle(Session session, string title, string source)
    {
        JsonElement info = session.Info();
        Assert.Equal((title, source),
            (info.GetProperty("title").GetString(), info.GetProperty("title_source").GetString()));
    }

    private void Reopen()
    {
        _store.Close();
        _store = Stores.Open(_disk.OpenAs());
    }
}
