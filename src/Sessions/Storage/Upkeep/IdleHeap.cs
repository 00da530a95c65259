namespace Sessions.Storage.Upkeep;

/// <summary>
/// Gives the memory of garbage back to the system when a store becomes idle. The runtime collects when a program
/// allocates, so a host that is left alone would keep what its last burst of work needed until the next one.
/// </summary>
internal static class IdleHeap
{
    /// <summary>Garbage below this is not worth a collection.</summary>
    private const long GarbageBytesMin = 256 << 10;

    /// <summary>A collection stops all calls, the longer the larger the heap. One that is larger than this is left to
    /// the runtime.</summary>
    private const long HeapBytesMax = 64 << 20;

    private static long _allocatedBefore; // at the last collection

    /// <summary>Collects, if enough was allocated since the last time to pay for it.</summary>
    public static void Release()
    {
        long allocated = GC.GetTotalAllocatedBytes(), before = Volatile.Read(ref _allocatedBefore);
        if (allocated - before < GarbageBytesMin || GC.GetTotalMemory(forceFullCollection: false) > HeapBytesMax
            || Interlocked.CompareExchange(ref _allocatedBefore, allocated, before) != before)
        {
            return; // or another store does it now
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
