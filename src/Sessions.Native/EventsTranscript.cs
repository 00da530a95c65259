using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>events.h: the conversation as text.</summary>
internal static unsafe class EventsTranscript
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_transcript", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Transcript(nint session, int format, byte* optionsJson, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            var kind = (TranscriptFormat)Argument.Choice(format, (int)TranscriptFormat.Html, "format");
            TranscriptOptions? options = optionsJson == null
                ? null : TranscriptOptions.Read(Argument.Utf8(optionsJson, "options_json"));
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteTranscript(kind, options, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
