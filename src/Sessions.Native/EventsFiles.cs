using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>events.h: files that are kept with a session.</summary>
internal static unsafe class EventsFiles
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_put_file", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Put(nint session, byte* name, void* data, nuint length, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            string text = Argument.Text(name, "name");
            ReadOnlySpan<byte> content = Argument.Bytes(data, length, "data", "file_bytes_max");
            NativeWriter output = NativeWriter.Start(outJson);
            target.PutFile(text, content, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_get_file_path", CallConvs = [typeof(CallConvCdecl)])]
    internal static int GetPath(nint session, byte* fileId, byte** outPath)
    {
        try
        {
            Out.Clear(outPath);
            Session target = Handles.Session(session);
            string id = Argument.Text(fileId, "file_id");
            Argument.NotNull(outPath, "out_path");
            *outPath = NativeWriter.Copy(target.GetFilePath(id));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
