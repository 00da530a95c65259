using Sessions.Recording;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Recording;

/// <summary>The player: moves, filters, times and pauses, against the list of all events.</summary>
public sealed class PlayerTests : IDisposable
{
    private readonly SessionStore _store = Stores.Open(new MemoryDisk().OpenAs());
    private readonly Session _session;

    public PlayerTests() => _session = _store.Create();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void It_stands_between_two_events_and_sees_what_is_appended()
    {
        var player = new Player(_session);
        Assert.Null(player.Next());
        Assert.Null(player.Previous());
        Add("note", 100);
        Add("note", 200, turn: "t", id: "k");
        Assert.Equal(1, player.Peek()!.Seq);
        Assert.Equal((1, 0), (player.Next()!.Seq, player.Previous()!.PauseMs));
        Assert.Equal(0, player.Position);
        player.Next();
        PlayedEvent second = player.Next()!;
        Assert.Equal((2, "note", 200, "t", "k", null, 100), (second.Seq, second.Type, second.Timestamp, second.TurnId,
            second.Id, second.Damage, second.PauseMs));
        Assert.Equal("{\"text\":\"x\"}"u8.ToArray(), second.Data.ToArray());
        Assert.Null(player.Next());
        Add("note", 250);
        Assert.Equal(50, player.Next()!.PauseMs);
        Assert.Equal(3, player.Position);
        Assert.Equal(3, player.Previous()!.Seq);
        Assert.Equal(2, player.Position);
    }

    [Fact]
    public void Random_moves_are_those_of_a_list_in_memory()
    {
        var random = new Random(7);
        string[] types = ["note", "tool_call", "custom:a", "custom:b"];
        var all = new List<(long Seq, string Type, string? Turn)>();
        for (int i = 1; i <= 700; i++)
        {
            string type = types[random.Next(4)];
            string? turn = random.Next(3) == 0 ? null : $"t{random.Next(3)}";
            Add(type, i, turn, length: random.Next(30) == 0 ? 9000 : 5);
            all.Add((i, type, turn));
        }

        foreach ((string? filter, string? turn) in ((string?, string?)[])
            [(null, null), ("tool_call", null), ("note, custom:*", "t1"), ("absent", null), ("*", "t2")])
        {
            var player = new Player(_session, filter, turn);
            var wanted = all.FindAll(e => (turn is null || e.Turn == turn) && (filter is null or "*"
                || (filter[0] == 't' ? e.Type == "tool_call" : filter[0] == 'n' && e.Type != "tool_call")));
            long position = 0;
            for (int step = 0; step < 400; step++)
            {
                switch (random.Next(8))
                {
                    case 0:
                        player.Seek(position = random.Next(710));
                        break;
                    case 1:
                        player.Seek(long.MaxValue);
                        position = 700;
                        break;
                    case 2 or 3:
                        (long Seq, string, string?) before = wanted.FindLast(e => e.Seq <= position);
                        Assert.Equal(before.Seq, player.Previous()?.Seq ?? 0);
                        position = before.Seq == 0 ? position : before.Seq - 1;
                        break;
                    case 4:
                        Assert.Equal(wanted.Find(e => e.Seq > position).Seq, player.Peek()?.Seq ?? 0);
                        break;
                    default:
                        long next = wanted.Find(e => e.Seq > position).Seq;
                        Assert.Equal(next, player.Next()?.Seq ?? 0);
                        position = next == 0 ? position : next;
                        break;
                }

                Assert.Equal(position, player.Position);
            }
        }
    }

    [Fact]
    public void Seeking_a_time_stands_before_its_first_event()
    {
        foreach (long at in (long[])[100, 200, 200, 300, 500])
        {
            Add("note", at);
        }

        var player = new Player(_session);
        foreach ((long at, long next) in ((long, long)[])[(0, 1), (100, 1), (101, 2), (200, 2), (201, 4), (300, 4),
            (301, 5), (500, 5), (501, 0)])
        {
            player.SeekTime(at);
            Assert.Equal(next, player.Peek()?.Seq ?? 0);
        }

        // A clock that went back: one of the places from which on the events are of that time.
        Add("note", 50);
        Add("note", 600);
        player.SeekTime(550);
        Assert.Equal(7, player.Peek()!.Seq);
        Stores.Fails(SessionStatus.InvalidArgument, () => player.SeekTime(-1));
        Stores.Fails(SessionStatus.InvalidArgument, () => player.Seek(-1));
    }

    [Fact]
    public void Pauses_are_those_that_were_recorded()
    {
        foreach (long at in (long[])[1000, 1500, 1200, 1700, 1700, 61700])
        {
            Add("note", at);
        }

        var player = new Player(_session);
        Assert.Equal([0, 500, 0, 200, 0, 60000], All(player).Select(e => e.PauseMs));
        player.Seek(1);
        Assert.Equal([0, 0, 200, 0, 60000], All(player).Select(e => e.PauseMs));
        player.Seek(4);
        player.Next();
        Assert.Equal(TimeSpan.FromMinutes(1), player.DelayBeforeNext());
        Assert.Equal(TimeSpan.FromSeconds(15), player.DelayBeforeNext(4));
        Assert.Equal(TimeSpan.FromMinutes(2), player.DelayBeforeNext(0.5));
        Assert.Equal(TimeSpan.FromSeconds(2), player.DelayBeforeNext(4, longestMs: 2000));
        Assert.Equal(TimeSpan.Zero, player.DelayBeforeNext(double.PositiveInfinity));
        Assert.True(player.DelayBeforeNext(double.Epsilon) > TimeSpan.FromDays(365));
        foreach (double speed in (double[])[0, -1, double.NaN])
        {
            Stores.Fails(SessionStatus.InvalidArgument, () => player.DelayBeforeNext(speed));
        }

        player.Next();
        Assert.Equal(TimeSpan.Zero, player.DelayBeforeNext());
        Assert.Equal([0, 5, 0, 0], [EventPause.Between(0, 9), EventPause.Between(4, 9), EventPause.Between(9, 4),
            EventPause.Between(3, 0)]);
    }

    [Fact]
    public void A_share_is_played_within_its_range()
    {
        for (int i = 1; i <= 9; i++)
        {
            Add("note", i);
        }

        string secret = Stores.Json(b => _session.WriteShare(new SessionShareOptions { FirstSeq = 3, LastSeq = 6 }, b))
            .GetProperty("secret").GetString()!;
        using Session shared = _store.ResolveShare(secret);
        var player = new Player(shared);
        Assert.Equal([3L, 4, 5, 6], All(player).Select(e => e.Seq));
        Assert.Equal(6, player.Previous()!.Seq);
        player.Seek(long.MaxValue);
        Assert.Equal(6, player.Position);
        player.SeekTime(0);
        Assert.Equal(3, player.Next()!.Seq);
        Assert.Equal(3, player.Previous()!.Seq);
        Assert.Null(player.Previous());
    }

    [Theory]
    [InlineData("")]
    [InlineData("note,")]
    [InlineData("cust*m")]
    [InlineData("**")]
    public void A_list_of_types_is_checked(string types)
        => Stores.Fails(SessionStatus.InvalidArgument, () => new Player(_session, types));

    private static List<PlayedEvent> All(Player player)
    {
        var all = new List<PlayedEvent>();
        while (player.Next() is { } played)
        {
            all.Add(played);
        }

        return all;
    }

    private void Add(string type, long at, string? turn = null, string? id = null, int length = 1)
        => _session.Append(type, Stores.Utf8($"{{\"text\":\"{new string('x', length)}\"}}"),
            new AppendOptions { Timestamp = at, TurnId = turn, Id = id, Flags = AppendFlags.Relaxed });
}
