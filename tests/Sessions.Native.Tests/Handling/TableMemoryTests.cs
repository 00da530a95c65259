using Xunit;
using Table = Sessions.Native.Handles;

namespace Sessions.Native.Tests.Handling;

/// <summary>What the handle table keeps of handles that are over: in this process, with a range of its own.</summary>
[Collection("the one handle table")]
public sealed class TableMemoryTests
{
    private const nint Start = 0x4000_0000;
    private const int BlockSize = 1024;
    private const int GroupSize = 256 * BlockSize;

    public TableMemoryTests() => OwnBoundary.Need();

    [Fact]
    public void HandlesThatAreOpenedAndClosedOneAtATimeLeaveNoBlockBehind()
    {
        Table.Reserve((nuint)Start, (nuint)(2 * GroupSize * 16)); // all of it is used, and begun again
        nint first = Table.Add(this);
        nint last = 0;
        for (int i = 0; i < (2 * GroupSize) + (3 * BlockSize); i++)
        {
            last = Table.Add(this);
            Assert.NotNull(Table.Remove<TableMemoryTests>(last));
            if (i % BlockSize == 0)
            {
                Assert.InRange(Table.BlockCount(), 1, 2); // that of the first, and the one for the next
            }
        }

        Assert.Same(this, Table.Find(first));
        Assert.Null(Table.Find(last));
        Assert.NotNull(Table.Remove<TableMemoryTests>(first));
        Assert.Equal(1, Table.BlockCount());
    }

    [Fact]
    public void ABlockGoesWithItsLastHandle()
    {
        Table.Reserve((nuint)Start, (nuint)(3 * GroupSize * 16));
        nint[] handles = new nint[GroupSize + BlockSize];
        for (int i = 0; i < handles.Length; i++)
        {
            handles[i] = Table.Add(this);
        }

        Assert.Equal(handles.Length / BlockSize, Table.BlockCount());
        foreach (nint handle in handles)
        {
            Assert.NotNull(Table.Remove<TableMemoryTests>(handle));
        }

        Assert.Equal(1, Table.BlockCount()); // for the next one
        Assert.Null(Table.Find(handles[0]));
        Assert.Same(this, Table.Find(Table.Add(this)));
    }
}
