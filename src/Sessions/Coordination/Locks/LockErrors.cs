using Sessions.Images;
using Sessions.Json;

namespace Sessions.Coordination.Locks;

/// <summary>What calls that meet a lock answer; details.holder says who has it.</summary>
internal static class LockErrors
{
    /// <summary>What an attempt that was judged so answers.</summary>
    public static SessionException Of(LockVerdict verdict, LockState state) => verdict switch
    {
        LockVerdict.Processing => Make(SessionStatus.Processing, "Who holds the session is at work.", state),
        LockVerdict.WaitingPermission => Make(SessionStatus.WaitingPermission,
            "Who holds the session waits for a permission.", state),
        _ => Locked(state),
    };

    public static SessionException Locked(LockState state) => Make(SessionStatus.Locked, state.Holder is not null
        ? "Another owner holds the session." : "The session is kept for somebody who asked for it.", state);

    /// <summary>Nobody has it, but writing needs it.</summary>
    public static SessionException Needed() => new(SessionStatus.Locked,
        "This session is written only by who holds its lock.",
        Errors.Details(b => b.Name("holder").Raw("null"u8).Member("rule", "strict_lock")));

    public static SessionException Refused(LockState state) => new(SessionStatus.Locked,
        "Who holds the session was asked for it and refused.",
        Errors.Details(b => WriteHolder(state, b).Member("refused", true)));

    public static SessionException Lost(string id) => new(SessionStatus.LockLost,
        "Another owner has taken the session over; nothing was changed.",
        Errors.Details(b => b.Member("session_id", id)));

    public static SessionException NotHeld(string what) => new(SessionStatus.InvalidTransition,
        "This handle does not hold the lock of the session.",
        Errors.Details(b => b.Member("state", "unlocked").Member("event", what)));

    public static SessionException TimeIsOver(LockState state)
        => Make(SessionStatus.Timeout, "The lock was not to be had in time.", state);

    private static SessionException Make(SessionStatus status, string message, LockState state)
        => new(status, message, Errors.Details(b => WriteHolder(state, b)));

    private static Utf8Buffer WriteHolder(LockState state, Utf8Buffer b)
    {
        b.Name("holder");
        return state.Holder is not { } holder ? b.Raw("null"u8)
            : b.Byte('{').Member("pid", holder.Pid).Member("client_type", holder.ClientType)
                .Member("status", holder.Status).Byte('}');
    }
}
