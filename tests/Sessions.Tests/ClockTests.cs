using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests;

/// <summary>A clock that was far ahead once: ids go on from there, times are the real ones again.</summary>
public sealed class ClockTests
{
    private const long Day = 86_400_000;

    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Later_sessions_and_changes_have_the_real_time_after_a_clock_that_was_far_ahead(bool isKilled)
    {
        long ahead = 3650 * Day;
        var opening = (MemoryDisk)_disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        string early = store.Create().Id;
        _time.Advance(ahead);
        string wrong = store.Create().Id, untouched = store.Create().Id;
        store.OpenSession(wrong).Say("far ahead");
        Assert.Equal([untouched, wrong, early], Ids(store, ListOrder.UpdatedDescending));
        if (isKilled)
        {
            opening.Kill();
        }
        else
        {
            store.Close();
        }

        _time.Advance(-ahead + 5000);
        long now = _time.NowMs;
        store = Stores.Open(_disk.OpenAs(), _time);
        using SessionStore other = Stores.Open(_disk.OpenAs(), _time, processId: 7);
        Assert.Equal(3, other.List().GetArrayLength()); // as slices of the index, or of what the journal had
        string next = store.Create().Id;
        using Session branch = store.OpenSession(wrong).Fork();
        Assert.True(Number(next).CompareTo(Number(untouched)) > 0);
        Assert.True(Number(branch.Id).CompareTo(Number(next)) > 0);
        foreach (string id in (string[])[next, branch.Id])
        {
            SessionStat stat = store.OpenSession(id).GetStat();
            Assert.Equal((now, now), (stat.CreatedAt, stat.UpdatedAt));
        }

        // The order goes by the time: what the wrong clock said stays until it is changed.
        Assert.Equal([untouched, wrong, branch.Id, next, early], Ids(store, ListOrder.UpdatedDescending));
        _time.Advance(1000);
        store.OpenSession(wrong).Say("now");
        _time.Advance(1000);
        store.OpenSession(untouched).UpdateTitle("now");
        _time.Advance(1000);
        branch.Say("now");
        for (int round = 0; round < 3; round++)
        {
            Assert.Equal(now + 1000, store.OpenSession(wrong).GetStat().UpdatedAt);
            Assert.Equal(now + 2000, store.OpenSession(untouched).GetStat().UpdatedAt);
            Assert.Equal(now + ahead - 5000, store.OpenSession(wrong).GetStat().CreatedAt);
            string[] updated = [branch.Id, untouched, wrong, next, early];
            Assert.Equal(updated, Ids(store, ListOrder.UpdatedDescending));
            Assert.Equal([early, next, branch.Id, wrong, untouched], Ids(store, ListOrder.CreatedAscending));
            if (round == 0)
            {
                Assert.Equal(updated, Ids(other, ListOrder.UpdatedDescending));
                other.Close();
            }

            store.AssertSound();
            store.Close();
            store = Stores.Open(_disk.OpenAs(), _time);
        }

        store.Close();
    }

    [Fact]
    public void A_clock_that_steps_back_by_less_than_a_day_takes_no_time_back()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session session = store.Create();
        session.Say("x");
        long first = _time.NowMs;
        _time.Advance(-Day);
        session.Say("y");
        session.UpdateTitle("z");
        Assert.Equal((first, first), (session.GetStat().UpdatedAt, session.GetStat().LastEventAt));
        Session next = store.Create();
        Assert.Equal((first, first), (next.GetStat().CreatedAt, next.GetStat().UpdatedAt));
        _time.Advance(-1);
        session.UpdateTitle("real");
        Assert.Equal(_time.NowMs, session.GetStat().UpdatedAt);
        Assert.Equal(_time.NowMs, store.Create().GetStat().CreatedAt);
    }

    [Fact]
    public void A_salvage_believes_no_time_that_is_far_ahead()
    {
        SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        _time.Advance(400 * Day);
        Session session = store.Create();
        session.Say("x");
        store.Close();
        _time.Advance(-400 * Day);
        _disk.Poke(Layout.LiveFolder(session.Id) + "/" + Layout.SessionFile, "{"u8.ToArray());
        _disk.Unlink(Layout.IndexFile);
        Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs(), _time), b));
        store = Stores.Open(_disk.OpenAs(), _time);
        SessionStat stat = store.OpenSession(session.Id).GetStat();
        Assert.Equal((_time.NowMs, 1), (stat.CreatedAt, stat.EventCount));
        Assert.InRange(stat.UpdatedAt, 0, _time.NowMs);
        store.Close();
    }

    private static (long Ms, long N) Number(string id)
        => SessionIds.TryParse(id, out long ms, out long n) ? (ms, n) : throw new InvalidOperationException(id);

    private static string[] Ids(SessionStore store, ListOrder order)
        => [.. store.List(new SessionListOptions { Order = order, Fields = "id" }).EnumerateArray()
            .Select(s => s.GetProperty("id").GetString()!)];
}
