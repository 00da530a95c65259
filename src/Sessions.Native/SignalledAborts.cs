using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>
/// The managed side of session_signal_abort (c/aborts.c). Not exports of the library: the C side calls
/// them, on a thread of its own or on one that is about to destroy or close. An abort that cannot be done
/// has nobody to be told, so it is noted for session_log_read.
/// </summary>
internal static unsafe class SignalledAborts
{
    private static readonly Queue<Session> s_taken = new();
    private static readonly Lock s_recording = new(); // a close waits for a record that another thread is at

    /// <summary>Gives each session its signal, and keeps it for <see cref="Record"/>, whatever becomes of its
    /// handle. Returns how many were left out.</summary>
    [UnmanagedCallersOnly(EntryPoint = "managed_take_aborts", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Take(nint* sessions, int count)
    {
        int leftOut = 0;
        foreach (nint handle in new ReadOnlySpan<nint>(sessions, count))
        {
            leftOut += Try("signalled", () =>
            {
                Session session = Handles.Session(handle);
                session.SignalAbort();
                lock (s_taken)
                {
                    s_taken.Enqueue(session);
                }
            }) ? 0 : 1;
        }

        return leftOut;
    }

    /// <summary>Records all that were taken and returns how many.</summary>
    [UnmanagedCallersOnly(EntryPoint = "managed_record_aborts", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Record()
    {
        int recorded = 0;
        lock (s_recording)
        {
            while (Next() is { } session)
            {
                Try("recorded", session.RecordAbort);
                recorded++;
            }
        }

        return recorded;
    }

    private static Session? Next()
    {
        lock (s_taken)
        {
            return s_taken.TryDequeue(out Session? session) ? session : null;
        }
    }

    private static bool Try(string what, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception exception)
        {
            LogRing.Add(exception is SessionException ? "warning" : "error",
                $"An abort that a signal handler asked for was not {what}: {exception.Message}");
            return false;
        }
    }
}
