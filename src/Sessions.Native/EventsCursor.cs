using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>events.h: turns and cursors.</summary>
internal static unsafe class EventsCursor
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_read_turns", CallConvs = [typeof(CallConvCdecl)])]
    internal static int ReadTurns(nint session, ulong afterSeq, uint limit, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            long after = Argument.Integer(afterSeq, "after_seq");
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteTurns(after, limit, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_cursor_open", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Open(nint session, CursorOptions* options, nint* outCursor)
    {
        try
        {
            Out.Clear(outCursor);
            Session target = Handles.Session(session);
            Argument.NotNull(outCursor, "out_cursor");
            *outCursor = Handles.Add(target.OpenCursor(CursorOptions.Read(options)));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_cursor_next", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Next(nint cursor, uint limit, uint timeoutMs, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            EventCursor target = Handles.Cursor(cursor);
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

    [UnmanagedCallersOnly(EntryPoint = "managed_session_cursor_previous", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Previous(nint cursor, uint limit, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            EventCursor target = Handles.Cursor(cursor);
            NativeWriter output = NativeWriter.Start(outJson);
            target.WritePrevious(limit, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, type: "cursor");
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_cursor_seek", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Seek(nint cursor, ulong afterSeq)
    {
        try
        {
            Handles.Cursor(cursor).Seek(Argument.Integer(afterSeq, "after_seq"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, type: "cursor");
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_cursor_seek_time", CallConvs = [typeof(CallConvCdecl)])]
    internal static int SeekTime(nint cursor, long at)
    {
        try
        {
            Handles.Cursor(cursor).SeekTime(Argument.Time(at, "at"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, type: "cursor");
        }
    }

    /// <summary>The end of a handle; like that of a session it leaves the thread's error alone.</summary>
    [UnmanagedCallersOnly(EntryPoint = "managed_session_cursor_destroy", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Destroy(nint cursor)
    {
        try
        {
            if (Handles.Remove<EventCursor>(cursor) is not { } target)
            {
                return (int)SessionStatus.InvalidHandle;
            }

            target.Dispose();
            return 0;
        }
        catch (Exception exception)
        {
            LogRing.Add("error", $"session_cursor_destroy: {exception}");
            return (int)SessionStatus.Internal;
        }
    }
}
