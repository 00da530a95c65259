using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>sessions/events.h: branches, rewinds, prunes; and the retention of sessions/store.h.</summary>
internal static unsafe class EventsBranches
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_fork", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Fork(nint session, ulong atSeq, CreateOptions* options, nint* outChild)
    {
        try
        {
            Out.Clear(outChild);
            Session target = Handles.Session(session);
            Argument.NotNull(outChild, "out_child");
            long seq = Argument.Integer(atSeq, "at_seq");
            *outChild = SessionChanges.Give(target.Fork(seq, CreateOptions.Read(options)));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_tree", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Tree(nint session, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteTree(output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_rewind", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Rewind(nint session, ulong toSeq)
    {
        try
        {
            Handles.Session(session).Rewind(Argument.Integer(toSeq, "to_seq"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_undo_rewind", CallConvs = [typeof(CallConvCdecl)])]
    internal static int UndoRewind(nint session)
    {
        try
        {
            Handles.Session(session).UndoRewind();
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_prune", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Prune(nint session, byte* optionsJson, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            ReadOnlySpan<byte> options = Argument.Utf8(optionsJson, "options_json");
            NativeWriter output = NativeWriter.Start(outJson);
            target.Prune(options, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_retain", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Retain(nint store, byte* policyJson, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            SessionStore target = Handles.Store(store);
            ReadOnlySpan<byte> policy = Argument.Utf8(policyJson, "policy_json");
            NativeWriter output = NativeWriter.Start(outJson);
            target.Retain(policy, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
