using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>coordination.h: the lock of a session.</summary>
internal static unsafe class CoordinationLocks
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_lock", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Lock(nint session, int mode, LockOptionsIn* options)
    {
        try
        {
            Session target = Handles.Session(session);
            var how = (LockMode)Argument.Choice(mode, (int)LockMode.Interrupt, "mode");
            target.Lock(how, LockOptionsIn.Read(options));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, waits: true);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_lock_answer", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Answer(nint session, byte* requestId, int accept)
    {
        try
        {
            Session target = Handles.Session(session);
            string request = Argument.Text(requestId, "request_id");
            target.AnswerLock(request, Argument.Choice(accept, 1, "accept") == 1);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_lock_status", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Status(nint session, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteLockStatus(output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_set_activity", CallConvs = [typeof(CallConvCdecl)])]
    internal static int SetActivity(nint session, byte* status, byte* message)
    {
        try
        {
            Session target = Handles.Session(session);
            target.SetActivity(Argument.Text(status, "status"), Argument.OptionalText(message, "message"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_unlock", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Unlock(nint session)
    {
        try
        {
            Handles.Session(session).Unlock();
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_release_all_locks", CallConvs = [typeof(CallConvCdecl)])]
    internal static int ReleaseAll(nint store)
    {
        try
        {
            Handles.Store(store).ReleaseAllLocks();
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_active_lock_count", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Count(nint store, uint* outCount)
    {
        try
        {
            Out.Clear(outCount);
            int count = Handles.Store(store).ActiveLockCount;
            Out.Set(outCount, (uint)count);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
