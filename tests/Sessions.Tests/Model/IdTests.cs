using System.Text.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Model;

/// <summary>An id is given once, whatever the clock says and whatever was removed since.</summary>
public sealed class IdTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();

    [Fact]
    public void Sessions_of_one_millisecond_are_numbered()
    {
        using SessionStore store = Open();
        string first = store.Create().Id;
        Assert.Equal($"session_{_time.NowMs}", first);
        Assert.Equal(first + "_2", store.Create().Id);
        Assert.Equal(first + "_3", store.Create().Id);
        _time.Advance(1);
        Assert.Equal($"session_{_time.NowMs}", store.Create().Id);
    }

    [Fact]
    public void A_clock_that_steps_back_goes_on_with_the_last_id()
    {
        using SessionStore store = Open();
        string first = store.Create().Id;
        _time.Advance(-86_400_000);
        Assert.Equal(first + "_2", store.Create().Id);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void An_id_never_comes_back(bool closes, bool trash)
    {
        var seen = new List<string>();
        for (int round = 0; round < 4; round++)
        {
            MemoryDisk opening = _disk.OpenAs();
            SessionStore store = Stores.Open(opening, _time);
            for (int i = 0; i < 3; i++)
            {
                Session session = store.Create();
                seen.Add(session.Id);
                session.Delete(trash ? DeletePolicy.Cascade : DeletePolicy.Cascade | DeletePolicy.NoTrash);
            }

            Assert.Equal(trash ? 3 : 0, store.Purge(_time.NowMs + 1));
            if (closes)
            {
                store.Close();
            }
            else
            {
                opening.Kill();
            }

            _time.Advance(-3_600_000);
        }

        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Equal(seen, seen.OrderBy(Number));
    }

    [Fact]
    public void An_id_in_the_trash_is_not_given_again_when_the_journal_and_the_index_are_gone()
    {
        string id;
        using (SessionStore store = Open())
        {
            Session session = store.Create();
            id = session.Id;
            session.Delete();
        }

        RemoveJournal();
        _disk.Unlink(Layout.IndexFile);
        _time.Advance(-1000);
        using SessionStore again = Open();
        Assert.Equal(id + "_2", again.Create().Id);
        again.AssertSound();
    }

    [Fact]
    public void A_purged_id_is_not_given_again_when_the_journal_is_gone()
    {
        string id;
        using (SessionStore store = Open())
        {
            Session session = store.Create();
            id = session.Id;
            session.Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        }

        RemoveJournal();
        using SessionStore again = Open();
        Assert.Equal(id + "_2", again.Create().Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../x")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a b")]
    [InlineData("é")]
    [InlineData("a\0")]
    [InlineData("\ud800")]
    public void An_id_that_could_be_a_path_is_refused(string id)
    {
        using SessionStore store = Open();
        Stores.Fails(SessionStatus.InvalidArgument, () => store.OpenSession(id));
        Stores.Fails(SessionStatus.InvalidArgument, () => store.Create(id));
        Stores.Fails(SessionStatus.InvalidArgument, () => store.Restore(id));
        Stores.Fails(SessionStatus.NotFound, () => store.OpenSession("session_1"));
        Stores.Fails(SessionStatus.NotFound, () => store.OpenSession(new string('a', 128)));
        Stores.Fails(SessionStatus.InvalidArgument, () => store.OpenSession(new string('a', 129)));
        Assert.Equal("[null,null]", Stores.Text(b => store.WriteInfos(
            Stores.Utf8(JsonSerializer.Serialize(new[] { id.Replace("\ud800", "..", StringComparison.Ordinal), "x" })),
            null, b)));
    }

    [Theory]
    [InlineData("session_1795158388123", 1795158388123, 1)]
    [InlineData("session_1795158388123_2", 1795158388123, 2)]
    [InlineData("session_0", 0, 1)]
    public void The_parts_of_an_id_come_back(string id, long ms, long n)
    {
        Assert.True(SessionIds.TryParse(id, out long foundMs, out long foundN));
        Assert.Equal((ms, n), (foundMs, foundN));
        Assert.Equal(id, SessionIds.Format(ms, n));
    }

    [Theory]
    [InlineData("session_")]
    [InlineData("session_01")]
    [InlineData("session_1_1")]
    [InlineData("session_1_02")]
    [InlineData("session_1_2_3")]
    [InlineData("session_-1")]
    [InlineData("session_253402300800000")]
    [InlineData("session_9999999999999999999999")]
    [InlineData("Session_1")]
    public void What_is_not_written_as_we_write_it_is_no_id_of_ours(string id)
        => Assert.False(SessionIds.TryParse(id, out _, out _));

    private SessionStore Open() => Stores.Open(_disk.OpenAs(), _time);

    private void RemoveJournal()
    {
        foreach (string path in _disk.Paths().Where(p => p.StartsWith("journal/", StringComparison.Ordinal)))
        {
            _disk.Unlink(path);
        }

        _disk.RemoveFolder(Layout.Journal);
    }

    private static (long, long) Number(string id)
        => SessionIds.TryParse(id, out long ms, out long n) ? (ms, n) : default;
}
