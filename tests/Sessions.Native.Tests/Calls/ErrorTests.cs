using System.Text.Json;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>session_last_error: per thread, rewritten by failing calls alone.</summary>
public sealed unsafe class ErrorTests
{
    [Fact]
    public void BeforeTheFirstFailureThereIsAnErrorThatSaysSo() => OnThread(() =>
    {
        Error error = Call.LastError();
        Assert.Equal((Methods.SESSION_OK, "{}", -1L, 0), (error.Status, error.Details, error.Offset, error.OsError));
        Assert.NotEqual("", error.Message);
        Assert.Equal((uint)sizeof(session_error), error.Size);
        Assert.Equal("", Call.Text(Methods.plue_get_last_error()));
    });

    [Fact]
    public void EachThreadHasItsOwn()
    {
        Call.Fails(Methods.SESSION_E_INVALID_HANDLE, Methods.session_store_flush(null));
        OnThread(() =>
        {
            Assert.Equal(Methods.SESSION_OK, Call.LastError().Status);
            sbyte* json;
            Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Methods.session_log_read(ulong.MaxValue, 0, &json, null));
        });
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Call.LastError().Status);
    }

    [Fact]
    public void ManyThreadsNeverReadEachOthersErrors() => Parallel.For(0, 8, worker =>
    {
        for (int i = 0; i < 2000; i++)
        {
            byte[] text = [.. Enumerable.Repeat((byte)'x', worker * 100 + i % 50), 0xFF];
            Error error = Call.Fails(Methods.SESSION_E_INVALID_UTF8, Call.With(text,
                path => { session_store_s* store; return Methods.session_store_open(path, null, &store); }));
            Assert.Equal(text.Length - 1, error.Offset);
        }
    });

    [Fact]
    public void SuccessDestroyFreeAndTimeoutLeaveItAlone()
    {
        using var store = new TestStore();
        session_s* session = store.Create();
        session_s* other = store.Create();
        Error error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Methods.session_update_title(session, null));
        string info = TestStore.Info(session);
        Assert.NotEqual("", info);
        Assert.Equal(error, Call.LastError());
        Assert.Equal(Methods.SESSION_E_TIMEOUT, Methods.session_wait_abort(session, 0));
        Assert.Equal(error, Call.LastError());
        Call.Works(Methods.session_destroy(other));
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_destroy(other));
        Methods.plue_session_destroy(other);
        Methods.session_string_free(null);
        Methods.plue_free_string(null);
        Assert.Equal(error, Call.LastError());
        Call.Works(Methods.session_destroy(session));
    }

    [Fact]
    public void TheMessageOfTheDropInIsTheMessageOfTheThread()
    {
        Assert.Equal(-1, Methods.plue_session_abort(null));
        Assert.Equal(Call.LastError().Message, Call.Text(Methods.plue_get_last_error()));
    }

    [Fact]
    public void StatusesAndDetailsOfTheEngineArriveWhole()
    {
        using var store = new TestStore();
        nint handle = (nint)store.Handle;
        Error error = Call.Fails(Methods.SESSION_E_NOT_FOUND, Call.With("session_1",
            id => { session_s* s; return Methods.session_open((session_store_s*)handle, id, &s); }));
        using (JsonDocument details = JsonDocument.Parse(error.Details))
        {
            Assert.Equal(JsonValueKind.Object, details.RootElement.ValueKind);
        }

        nint session = (nint)store.Create();
        error = Call.Fails(Methods.SESSION_E_INVALID_JSON, Call.With("""{"a":}""",
            patch => Methods.session_update_metadata((session_s*)session, patch)));
        Assert.Equal(5, error.Offset);
        Assert.Contains("\"offset\":5", error.Details, StringComparison.Ordinal);
        Call.Works(Methods.session_destroy((session_s*)session));
    }

    [Fact]
    public void AStorePathThatIsAFileIsAnIoErrorWithTheSystemsNumber()
    {
        string file = Path.GetTempFileName();
        try
        {
            Error error = Call.Fails(Methods.SESSION_E_IO,
                Call.With(file, path => { session_store_s* s; return Methods.session_store_open(path, null, &s); }));
            Assert.NotEqual(0, error.OsError);
        }
        finally
        {
            File.Delete(file);
        }
    }

    internal static void OnThread(Action action)
    {
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }
}
