using System.Text.Json;
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
    public void ShutdownClosesTheStoreOfTheDropInToo()
    {
        string folder = Directory.CreateTempSubdirectory("sessions-native-").FullName;
        string config = $$"""{"data_dir":{{JsonSerializer.Serialize(folder)}}}""";
        Assert.Equal(0, Call.With(config, text => Methods.plue_init(text)));
        Call.Works(Methods.session_shutdown(Methods.SESSION_WAIT_FOREVER));
        Call.Works(Call.With(folder, path => // needs the store to itself
        {
            sbyte* json;
            int status = Methods.session_store_salvage(path, null, &json, null);
            Methods.session_string_free(json);
            return status;
        }));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void ShutdownSaysWhatAStoreMetWhileItClosed()
    {
        using var store = new TestStore();
        session_s* session = store.Create();
        HeldStore.Poison(store.Folder);
        Call.Fails(Methods.SESSION_E_POISONED, Methods.session_shutdown(Methods.SESSION_WAIT_FOREVER));
        Call.Works(Methods.session_shutdown(Methods.SESSION_WAIT_FOREVER));
        Call.Works(Methods.session_destroy(session));
    }

    [Fact]
    public void ShutdownAnswersTimeoutAndGoesOnClosing()
    {
        HeldStore.Need();
        string folder = Directory.CreateTempSubdirectory("sessions-native-").FullName;
        nint handle = 0;
        Call.Works(Call.With(folder, path =>
        {
            var options = new session_store_options
            {
                size = (uint)sizeof(session_store_options),
                busy_timeout_ms = 600_000,
            };
            session_store_s* opened;
            int status = Methods.session_store_open(path, &options, &opened);
            handle = (nint)opened;
            return status;
        }));
        session_s* session;
        Call.Works(Methods.session_create((session_store_s*)handle, null, null, &session));
        TestStore.Append(session, "note", "{}"); // what the close has yet to bring to the files
        using (new HeldStore(folder))
        {
            Assert.Equal(Methods.SESSION_E_TIMEOUT, Methods.session_shutdown(0));
            Assert.Equal(Methods.SESSION_E_TIMEOUT, Methods.session_shutdown(1));
        }

        Call.Works(Methods.session_shutdown(600_000));
        Call.Works(Methods.session_store_close((session_store_s*)handle));
        Call.Works(Methods.session_destroy(session));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void ShutdownWithNothingOpenWorksTwice()
    {
        Call.Works(Methods.session_shutdown(Methods.SESSION_WAIT_FOREVER)); // a thread of jobs may be idle yet
        Call.Works(Methods.session_shutdown(0));
    }
}
