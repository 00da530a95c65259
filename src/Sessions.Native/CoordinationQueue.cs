using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>coordination.h: the message queue.</summary>
internal static unsafe class CoordinationQueue
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_queue_add", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Add(nint session, byte* entryJson, nuint length, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            ReadOnlySpan<byte> entry = Argument.Utf8(entryJson, length, "entry_json");
            NativeWriter output = NativeWriter.Start(outJson);
            target.AddToQueue(entry, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_queue_list", CallConvs = [typeof(CallConvCdecl)])]
    internal static int List(nint session, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteQueue(output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_queue_update", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Update(nint session, byte* entryId, byte* mergePatchJson)
    {
        try
        {
            Session target = Handles.Session(session);
            target.UpdateQueued(Argument.Text(entryId, "entry_id"), Argument.Utf8(mergePatchJson, "merge_patch_json"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_queue_move", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Move(nint session, byte* entryId, int delta)
    {
        try
        {
            Handles.Session(session).MoveQueued(Argument.Text(entryId, "entry_id"), delta);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_queue_remove", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Remove(nint session, byte* entryId)
    {
        try
        {
            Handles.Session(session).RemoveQueued(Argument.Text(entryId, "entry_id"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_queue_clear", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Clear(nint session, uint* outCount)
    {
        try
        {
            Out.Clear(outCount);
            int count = Handles.Session(session).ClearQueue();
            Out.Set(outCount, (uint)count);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_queue_claim", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Claim(nint session, byte* turnId, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            string? turn = Argument.OptionalText(turnId, "turn_id");
            NativeWriter output = NativeWriter.Start(outJson);
            target.ClaimQueued(turn, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, waits: true); // here an abort is what cancels
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_queue_settle", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Settle(nint session, byte* entryId, int outcome, byte* detail, ulong* outSeq)
    {
        try
        {
            Out.Clear(outSeq);
            Session target = Handles.Session(session);
            string entry = Argument.Text(entryId, "entry_id");
            var became = (QueueOutcome)Argument.Choice(outcome, (int)QueueOutcome.Cancelled, "outcome");
            long sequence = target.SettleQueued(entry, became, Argument.OptionalText(detail, "detail"));
            Out.Set(outSeq, (ulong)sequence);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_queue_next_due", CallConvs = [typeof(CallConvCdecl)])]
    internal static int NextDue(nint session, long* outDueAt)
    {
        try
        {
            Out.Clear(outDueAt);
            Session target = Handles.Session(session);
            Argument.NotNull(outDueAt, "out_due_at");
            *outDueAt = target.NextQueueDue();
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
