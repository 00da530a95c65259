using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>session.h: what looks at sessions.</summary>
internal static unsafe class SessionReads
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_get_id", CallConvs = [typeof(CallConvCdecl)])]
    internal static int GetId(nint session, byte** outId)
    {
        try
        {
            Out.Clear(outId);
            Session target = Handles.Session(session);
            Argument.NotNull(outId, "out_id");
            target.GetStat(); // closed, deleted, revoked: answered as every other call does
            *outId = NativeWriter.Copy(target.Id);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_get_path", CallConvs = [typeof(CallConvCdecl)])]
    internal static int GetPath(nint session, byte** outPath)
    {
        try
        {
            Out.Clear(outPath);
            Session target = Handles.Session(session);
            Argument.NotNull(outPath, "out_path");
            *outPath = NativeWriter.Copy(target.GetPath());
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_get_stat", CallConvs = [typeof(CallConvCdecl)])]
    internal static int GetStat(nint session, StatOut* outStat)
    {
        try
        {
            Session target = Handles.Session(session);
            uint size = Argument.OutStruct(outStat, (uint)sizeof(StatOut), "out_stat");
            *outStat = new StatOut { Size = size };
            SessionStat stat = target.GetStat();
            *outStat = new StatOut
            {
                Size = size,
                Flags = (uint)stat.Flags,
                Revision = (ulong)stat.Revision,
                LastSeq = (ulong)stat.LastSeq,
                EventCount = (ulong)stat.EventCount,
                MessageCount = (ulong)stat.MessageCount,
                AbortCount = (ulong)stat.AbortCount,
                CreatedAt = stat.CreatedAt,
                UpdatedAt = stat.UpdatedAt,
                LastEventAt = stat.LastEventAt,
            };
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_get_info", CallConvs = [typeof(CallConvCdecl)])]
    internal static int GetInfo(nint session, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteInfo(output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_get_infos", CallConvs = [typeof(CallConvCdecl)])]
    internal static int GetInfos(nint store, byte* idsJson, byte* fields, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            SessionStore target = Handles.Store(store);
            ReadOnlySpan<byte> ids = Argument.Utf8(idsJson, "ids_json");
            string? names = Argument.OptionalText(fields, "fields");
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteInfos(ids, names, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_list", CallConvs = [typeof(CallConvCdecl)])]
    internal static int List(nint store, ListOptions* options, byte** outJson, nuint* outLength, byte** outNextCursor)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Out.Clear(outNextCursor);
            SessionStore target = Handles.Store(store);
            SessionListOptions? how = ListOptions.Read(options);
            NativeWriter output = NativeWriter.Start(outJson);
            string? next = target.WriteList(how, output);
            byte* cursor = next is null || outNextCursor == null ? null : NativeWriter.Copy(next);
            output.Finish(outJson, outLength);
            Out.Set(outNextCursor, cursor);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_is_aborted", CallConvs = [typeof(CallConvCdecl)])]
    internal static int IsAborted(nint session, int* outAborted)
    {
        try
        {
            Out.Clear(outAborted);
            Session target = Handles.Session(session);
            Argument.NotNull(outAborted, "out_aborted");
            *outAborted = target.IsAborted ? 1 : 0;
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
