using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>session.h: share links.</summary>
internal static unsafe class SessionShares
{
    [UnmanagedCallersOnly(EntryPoint = "managed_session_create_share", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Create(nint session, ShareOptions* options, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            SessionShareOptions? terms = ShareOptions.Read(options);
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteShare(terms, output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_list_shares", CallConvs = [typeof(CallConvCdecl)])]
    internal static int List(nint session, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            Session target = Handles.Session(session);
            NativeWriter output = NativeWriter.Start(outJson);
            target.WriteShares(output);
            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_resolve_share", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Resolve(nint store, byte* secretOrUrl, nint* outSession)
    {
        try
        {
            Out.Clear(outSession);
            SessionStore target = Handles.Store(store);
            Argument.NotNull(outSession, "out_session");
            *outSession = SessionChanges.Give(target.ResolveShareUtf8(Argument.Utf8(secretOrUrl, "secret_or_url")));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_revoke_share", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Revoke(nint session, byte* shareId)
    {
        try
        {
            Handles.Session(session).RevokeShare(Argument.Text(shareId, "share_id"));
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }
}
