using Sessions.Bindings;
using Sessions.Native.Tests.Abi;
using Sessions.Native.Tests.Calls;
using Xunit;

namespace Sessions.Native.Tests.Handling;

/// <summary>Whatever a host passes as a handle, the answer is SESSION_E_INVALID_HANDLE.</summary>
public sealed unsafe class BadHandleTests
{
    // Whatever lies there: code of nobody, the first page, kernel space, odd addresses.
    private static readonly nint[] s_garbage =
    [
        0, 1, 8, 16, 0x1000, unchecked((nint)0xDEADBEEF), nint.MaxValue, nint.MinValue, -1, -16,
        unchecked((nint)0x7FFF_FFFF_FFF0), unchecked((nint)0x4141_4141_4141),
    ];

    [Fact]
    public void TheTablesOfCallsLackNothing()
    {
        static bool Takes(HeaderFunction function, string type) =>
            function.Parameters is [{ Type: var first }, ..] && first == type;
        static IEnumerable<string> Taking(string type) =>
            ClangReader.Header.Functions.Where(function => Takes(function, type)).Select(function => function.Name);

        Assert.Equal(Taking("session_t *").Except(["session_destroy"]).Order(), EveryCall.OnSession.Keys.Order());
        Assert.Equal(Taking("session_store_t *").Order(), EveryCall.OnStore.Keys.Order());
        Assert.Equal(Taking("session_stream_t *").Except(["session_stream_destroy"]).Order(),
            EveryCall.OnStream.Keys.Order());
        Assert.Equal(Taking("session_cursor_t *").Except(["session_cursor_destroy"]).Order(),
            EveryCall.OnCursor.Keys.Order());
        Assert.Equal(Taking("session_watch_t *").Except(["session_watch_destroy"]).Order(),
            EveryCall.OnWatch.Keys.Order());
        Assert.Equal(Taking("session_job_t *").Except(["session_job_destroy"]).Order(), EveryCall.OnJob.Keys.Order());
        Assert.Equal(Taking("void *").Except(["plue_session_destroy", "session_options_init"]).Order(),
            EveryCall.OnDropIn.Keys.Order());
    }

    [Fact]
    public void NullAndGarbageAreNoHandles()
    {
        foreach ((string name, Func<nint, int> call) in EveryCall.OnSession.Concat(EveryCall.OnStore)
            .Concat(EveryCall.OnStream).Concat(EveryCall.OnCursor).Concat(EveryCall.OnJob).Concat(EveryCall.OnWatch))
        {
            foreach (nint garbage in s_garbage)
            {
                AssertInvalid(name, call(garbage));
            }
        }
    }

    [Fact]
    public void GarbageIsNoSessionOfTheDropIn()
    {
        foreach ((string name, Func<nint, bool> failed) in EveryCall.OnDropIn)
        {
            foreach (nint garbage in s_garbage)
            {
                Assert.True(failed(garbage), name);
                Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Call.LastError().Status);
                Assert.NotEqual("", Call.Text(Methods.plue_get_last_error()));
                Methods.plue_session_destroy((void*)garbage);
            }
        }
    }

    [Fact]
    public void DestroyTakesNullAndRefusesTheRestWithoutAWord()
    {
        Error before = Call.LastError();
        Assert.Equal(Methods.SESSION_OK, Methods.session_destroy(null));
        Assert.Equal(Methods.SESSION_OK, Methods.session_stream_destroy(null));
        Assert.Equal(Methods.SESSION_OK, Methods.session_cursor_destroy(null));
        Assert.Equal(Methods.SESSION_OK, Methods.session_watch_destroy(null));
        Assert.Equal(Methods.SESSION_OK, Methods.session_job_destroy(null));
        foreach (nint garbage in s_garbage.Where(value => value != 0))
        {
            Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_destroy((session_s*)garbage));
            Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_stream_destroy((session_stream_s*)garbage));
            Assert.Equal(Methods.SESSION_E_INVALID_HANDLE,
                Methods.session_cursor_destroy((session_cursor_s*)garbage));
            Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_watch_destroy((session_watch_s*)garbage));
            Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_job_destroy((session_job_s*)garbage));
        }

        Assert.Equal(before, Call.LastError());
    }

    [Fact]
    public void AHandleOfAnotherTypeIsNoHandle()
    {
        using var store = new TestStore();
        nint session = (nint)store.Create();
        foreach ((string name, Func<nint, int> call) in EveryCall.OnSession)
        {
            AssertInvalid(name, call((nint)store.Handle));
        }

        foreach ((string name, Func<nint, int> call) in EveryCall.OnStore.Concat(EveryCall.OnStream))
        {
            AssertInvalid(name, call(session));
        }

        foreach ((string name, Func<nint, bool> failed) in EveryCall.OnDropIn)
        {
            Assert.True(failed(session), name);
        }

        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_destroy((session_s*)store.Handle));
        Assert.Equal(Methods.SESSION_OK, Methods.session_destroy((session_s*)session));
    }

    [Fact]
    public void ADestroyedSessionIsNoHandle()
    {
        using var store = new TestStore();
        nint session = (nint)store.Create();
        nint neighbour = (nint)store.Create();
        Assert.Equal(Methods.SESSION_OK, Methods.session_destroy((session_s*)session));
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_destroy((session_s*)session));
        foreach ((string name, Func<nint, int> call) in EveryCall.OnSession)
        {
            AssertInvalid(name, call(session));
        }

        session_stream_s* stream;
        nint place = (nint)(&stream);
        Call.Works(Call.With("note",
            t => Methods.session_stream_begin((session_s*)neighbour, t, null, (session_stream_s**)place)));
        Call.Works(Methods.session_stream_destroy(stream));
        foreach ((string name, Func<nint, int> call) in EveryCall.OnStream)
        {
            AssertInvalid(name, call((nint)stream));
        }

        Call.Works(EveryCall.OnSession["session_get_info"](neighbour));
        Call.Works(Methods.session_destroy((session_s*)neighbour));
    }

    [Fact]
    public void AClosedStoreIsNoHandleAndItsSessionsAnswerClosed()
    {
        using var store = new TestStore();
        nint handle = (nint)store.Handle;
        nint session = (nint)store.Create();
        Call.Works(store.Close());
        foreach ((string name, Func<nint, int> call) in EveryCall.OnStore)
        {
            AssertInvalid(name, call(handle));
        }

        foreach ((string name, Func<nint, int> call) in EveryCall.OnSession)
        {
            if (name == "session_signal_abort")
            {
                continue; // is noted, and nothing comes of it
            }

            int status = call(session);
            Assert.True(status == Methods.SESSION_E_CLOSED, $"{name}: {Call.Name(status)}");
        }

        Call.Works(Methods.session_destroy((session_s*)session));
    }

    [Fact]
    public void ACursorIsNoSessionAndOutlivesTheOneItCameFrom()
    {
        using var store = new TestStore();
        session_s* session = store.Create();
        session_cursor_s* cursor;
        Call.Works(Methods.session_cursor_open(session, null, &cursor));
        nint handle = (nint)cursor;
        foreach ((string name, Func<nint, int> call) in EveryCall.OnSession.Concat(EveryCall.OnStore))
        {
            AssertInvalid(name, call(handle));
        }

        foreach ((string name, Func<nint, int> call) in EveryCall.OnCursor)
        {
            AssertInvalid(name, call((nint)session));
        }

        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_cursor_destroy((session_cursor_s*)session));
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_destroy((session_s*)cursor));
        Call.Works(Methods.session_destroy(session));
        foreach ((string name, Func<nint, int> call) in EveryCall.OnCursor)
        {
            Assert.True(call(handle) == 0, name);
        }

        Call.Works(store.Close());
        foreach ((string name, Func<nint, int> call) in EveryCall.OnCursor)
        {
            Assert.True(call(handle) == Methods.SESSION_E_CLOSED, name);
        }

        Call.Works(Methods.session_cursor_destroy(cursor));
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_cursor_destroy(cursor));
        foreach ((string name, Func<nint, int> call) in EveryCall.OnCursor)
        {
            AssertInvalid(name, call(handle));
        }
    }

    [Fact]
    public void AJobIsNothingElseAndOutlivesItsStore()
    {
        using var store = new TestStore();
        nint session = (nint)store.Create();
        nint done = (nint)JobTests.Start(store.Handle, "verify");
        Call.Works(Methods.session_job_wait((session_job_s*)done, Methods.SESSION_WAIT_FOREVER));
        foreach ((string name, Func<nint, int> call) in EveryCall.OnSession.Concat(EveryCall.OnStore))
        {
            AssertInvalid(name, call(done));
        }

        foreach ((string name, Func<nint, int> call) in EveryCall.OnJob)
        {
            AssertInvalid(name, call(session));
            AssertInvalid(name, call((nint)store.Handle));
        }

        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_job_destroy((session_job_s*)session));
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_destroy((session_s*)done));
        Call.Works(store.Close());
        foreach ((string name, Func<nint, int> call) in EveryCall.OnJob)
        {
            Assert.True(call(done) == 0, name);
        }

        Call.Works(Methods.session_job_destroy((session_job_s*)done));
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_job_destroy((session_job_s*)done));
        foreach ((string name, Func<nint, int> call) in EveryCall.OnJob)
        {
            AssertInvalid(name, call(done));
        }

        Call.Works(Methods.session_destroy((session_s*)session));
    }

    [Fact]
    public void AWatchIsNoStoreAndAnswersClosedAfterIt()
    {
        using var store = new TestStore();
        session_watch_s* watch;
        Call.Works(Methods.session_watch_open(store.Handle, null, &watch));
        nint handle = (nint)watch;
        foreach ((string name, Func<nint, int> call) in EveryCall.OnSession.Concat(EveryCall.OnStore)
            .Concat(EveryCall.OnCursor))
        {
            AssertInvalid(name, call(handle));
        }

        foreach ((string name, Func<nint, int> call) in EveryCall.OnWatch)
        {
            AssertInvalid(name, call((nint)store.Handle));
            Assert.True(call(handle) == 0, name);
        }

        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_watch_destroy((session_watch_s*)store.Handle));
        Call.Works(store.Close());
        foreach ((string name, Func<nint, int> call) in EveryCall.OnWatch)
        {
            int status = call(handle);
            Assert.True(status == Methods.SESSION_E_CLOSED, $"{name}: {Call.Name(status)}");
        }

        Call.Works(Methods.session_watch_destroy(watch));
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Methods.session_watch_destroy(watch));
        foreach ((string name, Func<nint, int> call) in EveryCall.OnWatch)
        {
            AssertInvalid(name, call(handle));
        }
    }

    [Fact]
    public void WhatLiesAroundAHandleIsNoHandle()
    {
        using var store = new TestStore();
        nint session = (nint)store.Create();
        foreach (nint distance in (nint[])[1, 2, 4, 8, 15, -1, -8, 16 * 1000, 16 * 100_000, 1 << 30, -(1 << 30)])
        {
            AssertInvalid($"{distance} bytes off", EveryCall.OnSession["session_get_info"](session + distance));
        }

        Call.Works(Methods.session_destroy((session_s*)session));
    }

    private static void AssertInvalid(string name, int status)
    {
        Assert.True(status == Methods.SESSION_E_INVALID_HANDLE, $"{name}: {Call.Name(status)}");
        Error error = Call.LastError();
        Assert.Equal((Methods.SESSION_E_INVALID_HANDLE, "{}", -1), (error.Status, error.Details, error.Offset));
    }
}
