using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>events.h.</summary>
internal static unsafe class Events
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_append_event", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Append(nint session, byte* type, byte* dataJson, nuint dataLength, uint flags, ulong* outSeq)
    {
        try
        {
            Out.Clear(outSeq);
            Session target = Handles.Session(session);
            var options = new AppendOptions { Flags = AppendOptionsIn.ReadFlags(flags) };
            long sequence = target.Append(TypeNames.Get(type, "type"),
                Argument.Utf8(dataJson, dataLength, "data_json"), options);
            Out.Set(outSeq, (ulong)sequence);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_append_event_ex", CallConvs = [typeof(CallConvCdecl)])]
    internal static int AppendEx(nint session, byte* type, byte* dataJson, nuint dataLength,
        AppendOptionsIn* options, ulong* outSeq)
    {
        try
        {
            Out.Clear(outSeq);
            Session target = Handles.Session(session);
            long sequence = target.Append(TypeNames.Get(type, "type"),
                Argument.Utf8(dataJson, dataLength, "data_json"), AppendOptionsIn.Read(options));
            Out.Set(outSeq, (ulong)sequence);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_append_events", CallConvs = [typeof(CallConvCdecl)])]
    internal static int AppendBatch(nint session, byte* eventsJson, nuint length, uint flags, byte** outJson,
        nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            ReadOnlySpan<byte> events = Argument.Utf8(eventsJson, length, "events_json");
            AppendFlags how = AppendOptionsIn.ReadFlags(flags);
            NativeWriter output = NativeWriter.Start(outJson);
            target.AppendBatch(events, how, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_read_events", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Read(nint session, ulong afterSeq, uint limit, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            long after = Argument.Integer(afterSeq, "after_seq");
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteEvents(after, limit, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_read_last_events", CallConvs = [typeof(CallConvCdecl)])]
    internal static int ReadLast(nint session, ulong beforeSeq, uint limit, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            long before = Argument.Integer(beforeSeq, "before_seq");
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteLastEvents(before, limit, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_repair", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Repair(nint session, uint flags, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            const uint Known = (uint)(RepairFlags.DryRun | RepairFlags.Force);
            var how = (RepairFlags)Argument.Flags(flags, Known);
            NativeWriter output = NativeWriter.Start(outJson);
            target.Repair(how, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
