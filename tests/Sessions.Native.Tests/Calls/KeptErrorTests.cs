using System.Text.Json;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>session_get_error: the last failures of a handle, whatever thread asks.</summary>
public sealed unsafe class KeptErrorTests
{
    [Fact]
    public void TheNewestFailureWithAStatusIsFoundOnItsHandle()
    {
        using var store = new TestStore();
        nint session = (nint)store.Create();
        Assert.Equal(Methods.SESSION_E_NOT_FOUND, Get(session, Methods.SESSION_E_INVALID_JSON, out _));
        ErrorTests.OnThread(() => Call.Fails(Methods.SESSION_E_INVALID_JSON, Call.With("""{"a":}""",
            patch => Methods.session_update_metadata((session_s*)session, patch))));
        Assert.Equal(0, Get(session, Methods.SESSION_E_INVALID_JSON, out string json));
        JsonElement error = JsonDocument.Parse(json).RootElement;
        Assert.Equal((Methods.SESSION_E_INVALID_JSON, 5, 0), (error.GetProperty("status").GetInt32(),
            error.GetProperty("offset").GetInt32(), error.GetProperty("os_error").GetInt32()));
        Assert.Equal("merge_patch_json", error.GetProperty("details").GetProperty("argument").GetString());
        for (int i = 0; i < 8; i++)
        {
            Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Methods.session_update_title((session_s*)session, null));
        }

        Assert.Equal(Methods.SESSION_E_NOT_FOUND, Get(session, Methods.SESSION_E_INVALID_JSON, out _));
        Assert.Equal(0, Get(session, Methods.SESSION_E_INVALID_ARGUMENT, out _));
        Assert.Equal(Methods.SESSION_E_INVALID_ARGUMENT, Get(session, 0, out _));
        Call.Fails(Methods.SESSION_E_INVALID_HANDLE, Methods.session_store_flush((session_store_s*)session));
        Assert.Equal(Methods.SESSION_E_NOT_FOUND, Get(session, Methods.SESSION_E_INVALID_HANDLE, out _));
        Call.Works(Methods.session_destroy((session_s*)session));
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Get(session, Methods.SESSION_E_INVALID_ARGUMENT, out _));
        ErrorTests.OnThread(() => Errors.Keep(session)); // there is no failure on that thread, and no handle
    }

    [Fact]
    public void ABackupIsMadeAndToldOf()
    {
        using var store = new TestStore();
        nint handle = (nint)store.Handle;
        string path = store.Folder + ".backup";
        try
        {
            sbyte* json = null;
            nuint length = 0;
            nint place = (nint)(&json), lengthPlace = (nint)(&length);
            Call.Works(Call.With(path, t => Methods.session_store_backup((session_store_s*)handle, t, (sbyte**)place,
                (nuint*)lengthPlace)));
            Assert.Contains("\"sessions\":0", Call.Take(json, length), StringComparison.Ordinal);
            Call.Works(Methods.session_store_close(TestStore.Open(path)));
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static int Get(nint handle, int status, out string json)
    {
        sbyte* text = null;
        nuint length = 0;
        int answer = Methods.session_get_error((void*)handle, status, &text, &length);
        json = answer == 0 ? Call.Take(text, length) : "";
        return answer;
    }
}
