namespace Sessions;

/// <summary>Times that only go forwards, and are still the real time after a clock that was far ahead once.</summary>
internal static class RealTime
{
    /// <summary>What is further ahead of the clock than this was told by a clock that was wrong: one day.</summary>
    public const long AheadMsMax = 86_400_000;

    /// <summary>The time of a change behind an earlier one.</summary>
    public static long After(long previous, long now) => IsAhead(previous, now) ? now : Math.Max(now, previous);

    /// <summary>True for a time that the clock cannot have shown.</summary>
    public static bool IsAhead(long time, long now) => time - now > AheadMsMax;
}
