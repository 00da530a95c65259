using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>coordination.h: action buttons.</summary>
internal static unsafe class CoordinationButtons
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_get_buttons", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Get(nint session, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteButtons(output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_set_buttons", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Set(nint session, byte* buttonsJson, ulong forSeq)
    {
        try
        {
            Session target = Handles.Session(session);
            target.SetButtons(Argument.Utf8(buttonsJson, "buttons_json"), Argument.Integer(forSeq, "for_seq"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
