namespace Sessions.Tests.Support;

/// <summary>What work allocates.</summary>
internal static class Allocations
{
    private const int Times = 5;

    /// <summary>The bytes that work takes from the heap on this thread: the least of a few times, since a collection
    /// meanwhile counts what was left of the thread's piece of it.</summary>
    public static long LeastOf(Action work)
    {
        long least = long.MaxValue;
        for (int i = 0; i < Times; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
