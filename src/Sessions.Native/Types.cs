using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sessions.Platform;

namespace Sessions.Native;

/// <summary>types.h: the start of the runtime, the description of the ABI, the notes, the end.
/// What needs no runtime is in c/types.c.</summary>
internal static unsafe class Types
{
    /// <summary>Not an export of the library: the C side's first call, before any other.</summary>
    [ExcludeFromCodeCoverage(Justification = "Only a process without memory for two small objects gets to the catch.")]
    [UnmanagedCallersOnly(EntryPoint = "managed_start", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Start(void* handleSpace, nuint bytes)
    {
        try
        {
            Handles.Reserve((nuint)handleSpace, bytes);
            ForkGuard.DescriptorOpened = Boundary.DescriptorOpened;
            ForkGuard.DescriptorClosed = Boundary.DescriptorClosed;
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_abi_json", CallConvs = [typeof(CallConvCdecl)])]
    internal static int AbiJson(byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            NativeWriter output = NativeWriter.Start(outJson);
            AbiText.Json.CopyTo(output.GetSpan(AbiText.Json.Length));
            output.Advance(AbiText.Json.Length);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_log_read", CallConvs = [typeof(CallConvCdecl)])]
    internal static int LogRead(ulong after, uint limit, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Argument.Integer(after, "after");
            NativeWriter output = NativeWriter.Start(outJson);
            LogRing.Write(after, limit, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    /// <summary>Not an export of the library: what the C side calls after a call on a handle has failed.</summary>
    [ExcludeFromCodeCoverage(Justification = "Only a process without memory for an error gets to the catch.")]
    [UnmanagedCallersOnly(EntryPoint = "managed_keep_error", CallConvs = [typeof(CallConvCdecl)])]
    internal static void KeepError(nint handle)
    {
        try
        {
            Errors.Keep(handle);
        }
        catch (OutOfMemoryException)
        {
            LogRing.Add("debug", "There was no memory to keep an error for session_get_error.");
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_get_error", CallConvs = [typeof(CallConvCdecl)])]
    internal static int GetError(void* handle, int status, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            object target = Handles.Find((nint)handle) ?? throw Handles.Invalid("object");
            if (status >= 0)
            {
                throw new SessionException(SessionStatus.InvalidArgument, "status must be one of SESSION_E_*.",
                    """{"argument":"status"}""");
            }

            NativeWriter output = NativeWriter.Start(outJson);
            if (!KeptErrors.TryWrite(target, (SessionStatus)status, output))
            {
                throw new SessionException(SessionStatus.NotFound,
                    $"None of the last failures of this handle has the status {status}.");
            }

            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_shutdown", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Shutdown(uint timeoutMs)
    {
        try
        {
            List<SessionStore> stores = Handles.Stores();
            if (PlueStore.Take() is { } dropIn)
            {
                stores.Add(dropIn);
            }

            return Stores.CloseAll(stores, timeoutMs) ? 0 : (int)SessionStatus.Timeout;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
