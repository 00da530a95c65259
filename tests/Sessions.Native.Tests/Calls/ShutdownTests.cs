using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>What touches all stores of the process; no other test may run beside it.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class WholeProcess
{
    internal const string Name = "the whole process";
}

/// <summary>session_shutdown closes all stores; opening works afterwards.</summary>
[Collection(WholeProcess.Name)]
public sealed unsafe class ShutdownTests
{
    [Fact]
    public void ShutdownClosesEveryStoreAndOpeningWorksAgain()
    {
        using var first = new TestStore();
        using var second = new TestStore();
        session_s* session = first.Create();
        string id = TestStore.Id(session);
        Call.Works(Methods.session_shutdown(Methods.SESSION_WAIT_FOREVER));
        sbyte* json;
        Call.Fails(Methods.SESSION_E_CLOSED, Methods.session_get_info(session, &json, null));
        Call.Fails(Methods.SESSION_E_CLOSED, Methods.session_store_flush(first.Handle));
        Call.Fails(Methods.SESSION_E_CLOSED, Methods.session_store_flush(second.Handle));
        Call.Works(first.Close()); // still ends the handle, as a host's own cleaning up does
        Call.Works(Methods.session_destroy(session));

        session_store_s* again = TestStore.Open(first.Folder);
        Call.Works(Call.With(id, text =>
        {
            session_s* opened;
            int status = Methods.session_open(again, text, &opened);
            Methods.session_destroy(opened);
            return status;
        }));
        Call.Works(Methods.session_store_close(again));
    }

    [Fact]
    public void ShutdownEndsWaits()
    {
        using var store = new TestStore();
        nint session = (nint)store.Create();
        int ended = 0;
        using var waiting = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            waiting.Set();
            ended = Methods.session_wait_abort((session_s*)session, Methods.SESSION_WAIT_FOREVER);
        });
        thread.Start();
        waiting.Wait(TestContext.Current.CancellationToken);
        Call.Works(Methods.session_shutdown(Methods.SESSION_WAIT_FOREVER));
        thread.Join();
        Assert.Equal(Methods.SESSION_E_CLOSED, ended);
        Call.Works(Methods.session_destroy((session_s*)session));
    }

    [Fact]
    public void ShutdownWithNothingOpenWorksTwice()
    {
        Call.Works(Methods.session_shutdown(0));
        Call.Works(Methods.session_shutdown(Methods.SESSION_WAIT_FOREVER));
    }
}
