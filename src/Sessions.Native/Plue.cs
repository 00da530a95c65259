using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>plue_session.h: the exports of the drop-in. What they do is in <see cref="PlueStore"/>.</summary>
internal static unsafe class Plue
{
    [UnmanagedCallersOnly(EntryPoint = "managed_plue_init", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Init(byte* configJson)
    {
        try
        {
            PlueStore.Init(configJson == null ? "{}"u8 : Argument.Utf8(configJson, "config_json"));
            return 0;
        }
        catch (Exception exception)
        {
            return Failed(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_plue_shutdown", CallConvs = [typeof(CallConvCdecl)])]
    internal static void Shutdown()
    {
        try
        {
            if (PlueStore.Take() is { } store)
            {
                Stores.Close(store);
            }
        }
        catch (Exception exception)
        {
            Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_plue_session_create", CallConvs = [typeof(CallConvCdecl)])]
    internal static nint Create(byte* parentId)
    {
        try
        {
            string? parent = Argument.OptionalText(parentId, "parent_id");
            return PlueStore.Create(string.IsNullOrEmpty(parent) ? null : parent);
        }
        catch (Exception exception)
        {
            Errors.Report(exception);
            return 0;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_plue_session_get_info", CallConvs = [typeof(CallConvCdecl)])]
    internal static byte* GetInfo(nint session)
    {
        try
        {
            return PlueStore.GetInfo(PlueStore.Find(session));
        }
        catch (Exception exception)
        {
            Errors.Report(exception);
            return null;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_plue_session_list", CallConvs = [typeof(CallConvCdecl)])]
    internal static byte* List()
    {
        try
        {
            SessionStore store = PlueStore.Current();
            NativeWriter output = NativeWriter.Start();
            store.WriteList(new SessionListOptions { Archived = ArchivedFilter.Include }, output);
            return output.Finish();
        }
        catch (Exception exception)
        {
            Errors.Report(exception);
            return null;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_plue_session_update_title", CallConvs = [typeof(CallConvCdecl)])]
    internal static int UpdateTitle(nint session, byte* title)
    {
        try
        {
            PlueStore.Find(session).UpdateTitle(Argument.Text(title, "title"));
            return 0;
        }
        catch (Exception exception)
        {
            return Failed(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_plue_session_delete", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Delete(nint session)
    {
        try
        {
            PlueStore.Find(session).Delete(PlueStore.Deletion);
            return 0;
        }
        catch (Exception exception)
        {
            return Failed(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_plue_session_abort", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Abort(nint session)
    {
        try
        {
            PlueStore.Find(session).Abort();
            return 0;
        }
        catch (Exception exception)
        {
            return Failed(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_plue_session_create_share", CallConvs = [typeof(CallConvCdecl)])]
    internal static byte* CreateShare(nint session)
    {
        try
        {
            Session target = PlueStore.Find(session);
            NativeWriter output = NativeWriter.Start();
            target.WriteShare(null, output);
            return output.Finish();
        }
        catch (Exception exception)
        {
            Errors.Report(exception);
            return null;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_plue_session_destroy", CallConvs = [typeof(CallConvCdecl)])]
    internal static void Destroy(nint session)
    {
        try
        {
            PlueStore.Destroy(session);
        }
        catch (Exception exception)
        {
            LogRing.Add("error", $"plue_session_destroy: {exception}");
        }
    }

    private static int Failed(Exception exception)
    {
        Errors.Report(exception);
        return -1;
    }
}
