namespace Sessions;

/// <summary>How a call ended. The numbers are those of the C header (types.h) and never reused.</summary>
public enum SessionStatus
{
#pragma warning disable CS1591 // the header documents each; the names are the same there
    Ok = 0,
    Internal = -1,
    InvalidArgument = -2,
    InvalidHandle = -3,
    InvalidUtf8 = -4,
    InvalidJson = -5,
    Version = -6,
    Unsupported = -7,
    Misuse = -8,
    Forked = -9,
    Closed = -10,
    NoMemory = -11,
    NotFound = -20,
    Exists = -21,
    Deleted = -22,
    HasChildren = -23,
    AccessDenied = -24,
    Conflict = -25,
    InvalidTransition = -26,
    Limit = -27,
    QueueFull = -28,
    DecisionNeeded = -29,
    Timeout = -40,
    Busy = -41,
    Cancelled = -42,
    Locked = -43,
    LockLost = -44,
    Processing = -45,
    WaitingPermission = -46,
    Io = -60,
    NoSpace = -61,
    Poisoned = -62,
    Corrupt = -63,
    ReadOnly = -64,
    NotLocal = -65,
#pragma warning restore CS1591
}
