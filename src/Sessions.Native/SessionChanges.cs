using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>session.h: beginning, changing and ending sessions.</summary>
internal static unsafe class SessionChanges
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_create", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Create(nint store, byte* parentId, CreateOptions* options, nint* outSession)
    {
        try
        {
            Out.Clear(outSession);
            SessionStore target = Handles.Store(store);
            Argument.NotNull(outSession, "out_session");
            string? parent = Argument.OptionalText(parentId, "parent_id");
            *outSession = Give(target.Create(parent, CreateOptions.Read(options)));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_open", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Open(nint store, byte* id, nint* outSession)
    {
        try
        {
            Out.Clear(outSession);
            SessionStore target = Handles.Store(store);
            Argument.NotNull(outSession, "out_session");
            *outSession = Give(target.OpenSession(Argument.Text(id, "id")));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_update_title", CallConvs = [typeof(CallConvCdecl)])]
    internal static int UpdateTitle(nint session, byte* title)
    {
        try
        {
            Handles.Session(session).UpdateTitle(Argument.Text(title, "title"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_suggest_title", CallConvs = [typeof(CallConvCdecl)])]
    internal static int SuggestTitle(nint session, byte* title, int* outApplied)
    {
        try
        {
            Out.Clear(outApplied);
            bool applied = Handles.Session(session).SuggestTitle(Argument.Text(title, "title"));
            Out.Set(outApplied, applied ? 1 : 0);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_update_metadata", CallConvs = [typeof(CallConvCdecl)])]
    internal static int UpdateMetadata(nint session, byte* mergePatchJson)
    {
        try
        {
            Handles.Session(session).UpdateMetadata(Argument.Utf8(mergePatchJson, "merge_patch_json"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_update", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Update(nint session, byte* mergePatchJson, ulong expectedRevision, ulong* outRevision)
    {
        try
        {
            Out.Clear(outRevision);
            long revision = Handles.Session(session).Update(Argument.Utf8(mergePatchJson, "merge_patch_json"),
                Argument.Integer(expectedRevision, "expected_revision"));
            Out.Set(outRevision, (ulong)revision);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_delete", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Delete(nint session, int policy)
    {
        try
        {
            const int NoTrash = (int)DeletePolicy.NoTrash;
            Session target = Handles.Session(session);
            target.Delete((DeletePolicy)(Argument.Choice(policy & ~NoTrash, (int)DeletePolicy.Refuse, "policy")
                | (policy & NoTrash)));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_restore", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Restore(nint store, byte* id)
    {
        try
        {
            Handles.Store(store).Restore(Argument.Text(id, "id"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    /// <summary>The end of a handle. It never touches the thread's error, so that finalizers of a
    /// host may call it between a failed call and the host's look at the error.</summary>
    [UnmanagedCallersOnly(EntryPoint = "managed_session_destroy", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Destroy(nint session)
    {
        try
        {
            if (Handles.Remove<Session>(session) is not { } target)
            {
                return (int)SessionStatus.InvalidHandle;
            }

            target.Dispose();
            return 0;
        }
        catch (Exception exception)
        {
            LogRing.Add("error", $"session_destroy: {exception}");
            return (int)SessionStatus.Internal;
        }
    }

    /// <summary>A handle for a session; without one the session is let go of.</summary>
    internal static nint Give(Session session)
    {
        try
        {
            return Handles.Add(session);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}
