using System.Text;

namespace Sessions.Native;

/// <summary>Turns what was thrown into a status and the thread's error.</summary>
internal static unsafe class Errors
{
    // Made before memory is short.
    private static readonly SessionException s_noMemory =
        new(SessionStatus.NoMemory, "There is not enough memory.");

    [ThreadStatic]
    private static SessionException? t_last;

    /// <summary>Keeps what this thread's call failed with for the handle it was made on; nothing where that is none
    /// any more.</summary>
    internal static void Keep(nint handle)
    {
        SessionException? failure = t_last;
        t_last = null; // it has a stack and causes
        if (failure is { Status: not SessionStatus.InvalidHandle } && Handles.Find(handle) is { } target)
        {
            KeptErrors.Keep(target, failure);
        }
    }

    /// <summary>The end of every export's catch. Never throws.</summary>
    /// <param name="exception">What ended the call.</param>
    /// <param name="waits">Whether the call answers SESSION_E_CANCELLED: those do that wait, when their
    /// handle is destroyed. Any other that finds it so came too late.</param>
    /// <param name="type">What the handle stands for.</param>
    internal static int Report(Exception exception, bool waits = false, string type = "session")
    {
        try
        {
            NativeWriter.Abandon();
            switch (exception)
            {
                case SessionException { Status: SessionStatus.Timeout }:
                    return (int)SessionStatus.Timeout;
                case SessionException { Status: SessionStatus.Cancelled } when !waits:
                    return Report(Handles.Invalid(type));
                case SessionException known:
                    Set(known);
                    return (int)known.Status;
                case OutOfMemoryException:
                    return NoMemory();
                default:
                    string what = $"{exception.GetType().Name}: {exception.Message}";
                    Set(new SessionException(SessionStatus.Internal, $"A bug in the library: {what}"));
                    LogRing.Add("error", $"{what}{Environment.NewLine}{exception.StackTrace}");
                    return (int)SessionStatus.Internal;
            }
        }
        catch (OutOfMemoryException)
        {
            return NoMemory();
        }
    }

    private static int NoMemory()
    {
        t_last = s_noMemory;
        Boundary.SetFixedError((int)SessionStatus.NoMemory);
        return (int)SessionStatus.NoMemory;
    }

    private static void Set(SessionException exception)
    {
        t_last = exception;
        ReadOnlySpan<byte> message = Encoding.UTF8.GetBytes(exception.Message);
        ReadOnlySpan<byte> details = Encoding.UTF8.GetBytes(exception.Details);
        fixed (byte* messagePointer = message, detailsPointer = details)
        {
            Boundary.SetError((int)exception.Status, exception.OsError, exception.Offset, messagePointer,
                (nuint)message.Length, detailsPointer, (nuint)details.Length);
        }
    }
}
