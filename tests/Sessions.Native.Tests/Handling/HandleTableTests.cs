using Xunit;
using Table = Sessions.Native.Handles;

namespace Sessions.Native.Tests.Handling;

/// <summary>The table behind the handles, in this process and with a small range.</summary>
[Collection("the one handle table")]
public sealed class HandleTableTests
{
    private const nint Start = 0x4000_0000;

    [Fact]
    public void AnAddressComesBackOnlyAfterAllOthers()
    {
        const int Count = 5000;
        Table.Reserve((nuint)Start, Count * 16);
        var seen = new HashSet<nint>();
        for (int i = 0; i < Count; i++)
        {
            var target = new object();
            nint handle = Table.Add(target);
            Assert.True(seen.Add(handle), "an address came back early");
            Assert.InRange(handle, Start, Start + (Count * 16) - 1);
            Assert.Same(target, Table.Remove<object>(handle));
        }

        nint again = Table.Add(this);
        Assert.Contains(again, seen);
        Assert.Same(this, Table.Remove<object>(again));
    }

    [Fact]
    public void AFullTableIsALimitAndTakesMoreAfterARemove()
    {
        const int Count = 3000;
        Table.Reserve((nuint)Start, Count * 16);
        var open = new List<nint>();
        for (int i = 0; i < Count; i++)
        {
            open.Add(Table.Add(this));
        }

        SessionException full = Assert.Throws<SessionException>(() => Table.Add(this));
        Assert.Equal(SessionStatus.Limit, full.Status);
        Assert.Equal("""{"limit":"handles_max","max":3000,"actual":3000}""", full.Details);
        nint freed = open[1234];
        Assert.Same(this, Table.Remove<object>(freed));
        Assert.Equal(freed, Table.Add(this));
        foreach (nint handle in open)
        {
            Assert.Same(this, Table.Find(handle));
            Assert.Null(Table.Remove<string>(handle)); // what stands there is of another type
            Assert.Same(this, Table.Remove<HandleTableTests>(handle));
            Assert.Null(Table.Remove<HandleTableTests>(handle));
            Assert.Null(Table.Find(handle));
        }
    }

    [Fact]
    public void OneOfManyRemovesOfAHandleSucceeds()
    {
        Table.Reserve((nuint)Start, 1 << 20);
        for (int round = 0; round < 200; round++)
        {
            var target = new object();
            nint handle = Table.Add(target);
            int removed = 0;
            Parallel.For(0, 4, _ =>
            {
                object? found = Table.Find(handle);
                Assert.True(found is null || ReferenceEquals(found, target));
                if (Table.Remove<object>(handle) is not null)
                {
                    Interlocked.Increment(ref removed);
                }
            });
            Assert.Equal(1, removed);
        }
    }

    [Fact]
    public void HandlesOfManyThreadsNeverMix()
    {
        Table.Reserve((nuint)Start, 1 << 20);
        Parallel.For(0, 8, worker =>
        {
            var mine = new Queue<(nint Handle, object Target)>();
            for (int i = 0; i < 5000; i++)
            {
                var target = new object();
                mine.Enqueue((Table.Add(target), target));
                foreach ((nint handle, object expected) in mine)
                {
                    Assert.Same(expected, Table.Find(handle));
                }

                if (mine.Count > worker)
                {
                    (nint handle, object expected) = mine.Dequeue();
                    Assert.Same(expected, Table.Remove<object>(handle));
                    Assert.NotSame(expected, Table.Find(handle));
                }
            }

            while (mine.TryDequeue(out (nint Handle, object Target) last))
            {
                Assert.Same(last.Target, Table.Remove<object>(last.Handle));
            }
        });
    }
}
