namespace Sessions.Storage.Log;

/// <summary>What the rows know of a session's log.</summary>
/// <param name="Rewrites">How often it was replaced.</param>
/// <param name="Identity">The file that was looked at under the store lock; 0: none yet.</param>
internal readonly record struct KnownLog(int Rewrites, ulong Identity);
