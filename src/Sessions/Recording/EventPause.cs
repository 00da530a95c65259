namespace Sessions.Recording;

/// <summary>The time between two events as it was recorded.</summary>
internal static class EventPause
{
    /// <summary>Milliseconds from one event to the next, by their timestamps (unix ms; 0: none). 0 where
    /// one has none, and where the clock went back.</summary>
    public static long Between(long before, long timestamp)
        => before <= 0 || timestamp <= before ? 0 : timestamp - before;
}
