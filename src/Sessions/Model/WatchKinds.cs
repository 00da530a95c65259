namespace Sessions.Model;

/// <summary>The kinds of change that a watch tells, as a set.</summary>
[Flags]
internal enum WatchKinds
{
#pragma warning disable CS1591
    None = 0,
    Created = 1 << 0,
    Updated = 1 << 1,
    Renamed = 1 << 2,
    Deleted = 1 << 3,
    Restored = 1 << 4,
    EventAppended = 1 << 5,
    StreamText = 1 << 6,
    StreamEnded = 1 << 7,
    Lock = 1 << 8,
    Queue = 1 << 9,
    Buttons = 1 << 10,
    Abort = 1 << 11,
    Share = 1 << 12,
    State = 1 << 13,
    Decision = 1 << 14,
    Job = 1 << 15,
    Notice = 1 << 16,
    Gap = 1 << 17,
    All = (1 << 18) - 1,
#pragma warning restore CS1591
}
