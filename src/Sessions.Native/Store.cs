using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>store.h.</summary>
internal static unsafe class Store
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_open", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Open(byte* path, StoreOptions* options, nint* outStore)
    {
        try
        {
            Argument.NotNull(outStore, "out_store");
            *outStore = 0;
            SessionStore store = SessionStore.Open(Argument.OptionalText(path, "path"), StoreOptions.Read(options));
            try
            {
                *outStore = Handles.Add(store);
            }
            catch
            {
                Stores.Close(store);
                throw;
            }

            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_get_info", CallConvs = [typeof(CallConvCdecl)])]
    internal static int GetInfo(nint store, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            SessionStore target = Handles.Store(store);
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

    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_configure", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Configure(nint store, byte* workspaceId, byte* mergePatchJson)
    {
        try
        {
            Handles.Store(store).Configure(Argument.OptionalText(workspaceId, "workspace_id"),
                Argument.Utf8(mergePatchJson, "merge_patch_json"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_flush", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Flush(nint store)
    {
        try
        {
            Handles.Store(store).Flush();
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_verify", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Verify(nint store, byte** outJson, nuint* outLength) =>
        VerifyAs(store, 0, outJson, outLength);

    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_verify_ex", CallConvs = [typeof(CallConvCdecl)])]
    internal static int VerifyEx(nint store, uint flags, byte** outJson, nuint* outLength) =>
        VerifyAs(store, flags, outJson, outLength);

    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_purge", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Purge(nint store, long deletedBefore, uint* outCount)
    {
        try
        {
            Out.Clear(outCount);
            int count = Handles.Store(store).Purge(Argument.Time(deletedBefore, "deleted_before"));
            Out.Set(outCount, (uint)count);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_backup", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Backup(nint store, byte* path, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            SessionStore target = Handles.Store(store);
            string folder = Argument.Text(path, "path");
            NativeWriter output = NativeWriter.Start(outJson);
            target.Backup(folder, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_salvage", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Salvage(byte* path, byte* optionsJson, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            string? folder = Argument.OptionalText(path, "path");
            ReadOnlySpan<byte> options = optionsJson == null ? "{}"u8 : Argument.Utf8(optionsJson, "options_json");
            NativeWriter output = NativeWriter.Start(outJson);
            SessionStore.Salvage(folder, options, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_store_close", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Close(nint store)
    {
        try
        {
            Stores.Close(Handles.Remove<SessionStore>(store) ?? throw Handles.Invalid("store"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    private static int VerifyAs(nint store, uint flags, byte** outJson, nuint* outLength)
    {
        const uint Quick = 1;
        try
        {
            NativeWriter.Clear(outJson, outLength);
            SessionStore target = Handles.Store(store);
            bool deep = Argument.Flags(flags, Quick) == 0;
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteVerifyReport(deep, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
