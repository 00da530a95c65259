namespace Sessions;

/// <summary>A call failed. <see cref="Status"/> says how, in the same terms as the C API; nothing
/// should branch on the text.</summary>
public sealed class SessionException : Exception
{
    /// <summary>Makes one.</summary>
    public SessionException(SessionStatus status, string message, string details = "{}", long offset = -1,
        int osError = 0, Exception? inner = null)
        : base(message, inner)
    {
        Status = status;
        Details = details;
        Offset = offset;
        OsError = osError;
    }

    /// <summary>How the call ended; never <see cref="SessionStatus.Ok"/>.</summary>
    public SessionStatus Status { get; }

    /// <summary>A JSON object with what a program may want to know; "{}" when there is nothing.</summary>
    public string Details { get; }

    /// <summary>The byte at fault in a JSON or UTF-8 argument, or -1.</summary>
    public long Offset { get; }

    /// <summary>errno or GetLastError, else 0.</summary>
    public int OsError { get; }

    /// <summary>The same for another thread: an exception object belongs to one, so what another thread met is
    /// the pattern for the caller's.</summary>
    internal SessionException Again() => new(Status, Message, Details, Offset, OsError, this);
}
