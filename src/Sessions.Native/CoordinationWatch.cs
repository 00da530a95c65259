using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>coordination.h: watches.</summary>
internal static unsafe class CoordinationWatch
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_watch_open", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Open(nint store, WatchOptionsIn* options, nint* outWatch)
    {
        try
        {
            Out.Clear(outWatch);
            SessionStore target = Handles.Store(store);
            WatchOptions? how = WatchOptionsIn.Read(options);
            Argument.NotNull(outWatch, "out_watch");
            *outWatch = Give(target.OpenWatch(how));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_watch_next", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Next(nint watch, uint limit, uint timeoutMs, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            SessionWatch target = Handles.Watch(watch);
            NativeWriter output = NativeWriter.Start(outJson);
            if (!target.WriteNext(limit, timeoutMs, output))
            {
                NativeWriter.Abandon();
                return (int)SessionStatus.Timeout;
            }

            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, waits: true);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_watch_get_fd", CallConvs = [typeof(CallConvCdecl)])]
    internal static int GetFd(nint watch, uint flags, nint* outFd)
    {
        try
        {
            Out.Set(outFd, -1); // 0 is a descriptor
            SessionWatch target = Handles.Watch(watch);
            const uint Duplicate = 1;
            bool isDuplicate = Argument.Flags(flags, Duplicate) != 0;
            Argument.NotNull(outFd, "out_fd");
            *outFd = target.GetSocket(isDuplicate);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, type: "watch");
        }
    }

    /// <summary>The end of a handle; like every destroy it leaves the thread's error alone.</summary>
    [UnmanagedCallersOnly(EntryPoint = "managed_session_watch_destroy", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Destroy(nint watch)
    {
        try
        {
            if (Handles.Remove<SessionWatch>(watch) is not { } target)
            {
                return (int)SessionStatus.InvalidHandle;
            }

            target.Dispose();
            return 0;
        }
        catch (Exception exception)
        {
            LogRing.Add("error", $"session_watch_destroy: {exception}");
            return (int)SessionStatus.Internal;
        }
    }

    private static nint Give(SessionWatch watch)
    {
        try
        {
            return Handles.Add(watch);
        }
        catch
        {
            watch.Dispose();
            throw;
        }
    }
}
