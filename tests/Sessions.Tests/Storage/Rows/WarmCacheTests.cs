using Sessions.Storage.Rows;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Rows;

/// <summary>What is kept warm is little and not for ever.</summary>
public sealed class WarmCacheTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void The_longest_unused_goes_when_there_are_too_many()
    {
        var cache = new WarmCache(_time, countMax: 2);
        cache.Keep("a", new Thing(1));
        cache.Keep("b", new Thing(1));
        cache.Keep("a", new Thing(2));
        cache.Keep("c", new Thing(1));
        Assert.Equal(2, cache.Count);
        Assert.Equal(2, cache.Find<Thing>("a")!.Bytes);
        Assert.Null(cache.Find<Thing>("b"));
        Assert.NotNull(cache.Find<Thing>("c"));
    }

    [Fact]
    public void What_is_too_large_goes_with_all_that_is_older()
    {
        var cache = new WarmCache(_time, bytesMax: 10);
        cache.Keep("a", new Thing(4));
        cache.Keep("b", new Thing(4));
        cache.Keep("c", new Thing(4));
        Assert.Null(cache.Find<Thing>("a"));
        Assert.Equal(2, cache.Count);
        cache.Keep("d", new Thing(11));
        Assert.Equal(0, cache.Count);
    }

    [Fact]
    public void What_nobody_asks_for_goes_after_a_while()
    {
        var cache = new WarmCache(_time);
        int filled = 0;
        cache.Filled = () => filled++;
        cache.Keep("a", new Thing(4));
        _time.Advance(30_000);
        cache.Keep("b", new Thing(4));
        _time.Advance(30_000);
        cache.DropIdle();
        Assert.Null(cache.Find<Thing>("a"));
        Assert.NotNull(cache.Find<Thing>("b"));
        _time.Advance(30_000);
        cache.DropIdle();
        Assert.Equal(0, cache.Count);
        cache.Keep("c", new Thing(4));
        Assert.Equal(2, filled);
        cache.Clear();
        Assert.Equal(0, cache.Count);
    }

    private sealed record Thing(long Bytes) : IWarm;
}
