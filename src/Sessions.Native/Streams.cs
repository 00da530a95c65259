using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>events.h: text that arrives in pieces.</summary>
internal static unsafe class Streams
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_stream_begin", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Begin(nint session, byte* type, AppendOptionsIn* options, nint* outStream)
    {
        try
        {
            Out.Clear(outStream);
            Session target = Handles.Session(session);
            string name = TypeNames.Get(type, "type");
            AppendOptions how = AppendOptionsIn.Read(options);
            Argument.NotNull(outStream, "out_stream");
            SessionStream stream = target.BeginStream(name, how);
            *outStream = Give(stream);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_stream_write", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Write(nint stream, byte* text, nuint length)
    {
        try
        {
            SessionStream target = Handles.Stream(stream);
            target.Write(Argument.Bytes(text, length, "text")); // may end inside a character
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, waits: true); // here an abort is what cancels
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_stream_end", CallConvs = [typeof(CallConvCdecl)])]
    internal static int End(nint stream, byte* dataPatchJson, ulong* outSeq)
    {
        try
        {
            Out.Clear(outSeq);
            SessionStream target = Handles.Stream(stream);
            long sequence = target.End(Argument.OptionalCopy(dataPatchJson, "data_patch_json"));
            Out.Set(outSeq, (ulong)sequence);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    /// <summary>The end of a handle; like every destroy it leaves the thread's error alone.</summary>
    [UnmanagedCallersOnly(EntryPoint = "managed_session_stream_destroy", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Destroy(nint stream)
    {
        try
        {
            if (Handles.Remove<SessionStream>(stream) is not { } target)
            {
                return (int)SessionStatus.InvalidHandle;
            }

            target.Dispose();
            return 0;
        }
        catch (Exception exception)
        {
            LogRing.Add("error", $"session_stream_destroy: {exception}");
            return (int)SessionStatus.Internal;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_read_streams", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Read(nint session, byte* streamId, ulong fromOffset, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            string? id = Argument.OptionalText(streamId, "stream_id");
            long from = Argument.Integer(fromOffset, "from_offset");
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteStreams(id, from, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    private static nint Give(SessionStream stream)
    {
        try
        {
            return Handles.Add(stream);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }
}
