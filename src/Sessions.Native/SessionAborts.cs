using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>session.h: the abort signal.</summary>
internal static unsafe class SessionAborts
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_abort", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Abort(nint session, byte* reason)
    {
        try
        {
            Handles.Session(session).Abort(Argument.OptionalText(reason, "reason"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_abort_ex", CallConvs = [typeof(CallConvCdecl)])]
    internal static int AbortEx(nint session, byte* reason, uint flags, uint* outCount)
    {
        try
        {
            Out.Clear(outCount);
            const uint Known = (uint)(AbortFlags.Tree | AbortFlags.Relaxed);
            int count = Handles.Session(session).Abort(Argument.OptionalText(reason, "reason"),
                (AbortFlags)Argument.Flags(flags, Known));
            Out.Set(outCount, (uint)count);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_clear_abort", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Clear(nint session)
    {
        try
        {
            Handles.Session(session).ClearAbort();
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_wait_abort", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Wait(nint session, uint timeoutMs)
    {
        try
        {
            return Handles.Session(session).WaitAbort(timeoutMs) ? 0 : (int)SessionStatus.Timeout;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, waits: true);
        }
    }
}
