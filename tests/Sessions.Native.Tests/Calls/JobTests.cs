using System.Text;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>Jobs through the C API: their arguments, their outcome, and whose error it is. One of the tests
/// shuts the library down, which ends the stores and jobs of all others.</summary>
[Collection(WholeProcess.Name)]
public sealed unsafe class JobTests : IDisposable
{
    private const uint Guard = 60_000;

    private readonly TestStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void EachKindHandsOutWhatItsCallHandsOut()
    {
        session_s* session = _store.Create();
        TestStore.Append(session, "user_prompt", """{"text":"what"}""");
        string id = TestStore.Id(session);
        Assert.StartsWith("{\"lsn\":", Result("flush", "{}"), StringComparison.Ordinal);
        Assert.StartsWith("{\"ok\":true,\"deep\":false,", Result("verify", """{"flags":1}"""),
            StringComparison.Ordinal);
        Assert.Equal("""{"purged":0}""", Result("purge", """{"deleted_before":0}"""));
        Assert.StartsWith("{\"dry_run\":false,", Result("retain", """{"policy":{"max_sessions":9}}"""),
            StringComparison.Ordinal);
        Assert.StartsWith("{\"dry_run\":true,\"pruned_events\":0,",
            Result("prune", $$$"""{"session_id":"{{{id}}}","options":{"max_events":9,"dry_run":true}}"""),
            StringComparison.Ordinal);
        Assert.StartsWith("{\"dry_run\":true,", Result("repair", $$"""{"session_id":"{{id}}","flags":1}"""),
            StringComparison.Ordinal);
        Assert.StartsWith("# ", Result("transcript", $$"""{"session_id":"{{id}}","format":2}"""),
            StringComparison.Ordinal);
        Call.Works(Methods.session_destroy(session));
        Call.Works(_store.Close());
        string path = System.Text.Json.JsonSerializer.Serialize(_store.Folder);
        Assert.StartsWith("{\"sessions\":1,", Result("salvage", $$"""{"path":{{path}}}"""), StringComparison.Ordinal);
        Assert.Equal("""{"from_version":1,"to_version":1}""", Result("migrate", $$"""{"path":{{path}}}"""));
    }

    [Fact]
    public void AJobThatRunsAnswersTimeoutAndLeavesTheErrorAlone()
    {
        HeldStore.Need();
        TestStore.Append(_store.Create(), "note", "{}"); // what a flush has to bring to the files
        session_job_s* job;
        using (new HeldStore(_store.Folder))
        {
            job = Start(_store.Handle, "flush");
            Call.Fails(Methods.SESSION_E_INVALID_HANDLE, Methods.session_job_cancel(null));
            Error before = Call.LastError();
            sbyte* json = (sbyte*)1;
            nuint length = 1;
            Assert.Equal(Methods.SESSION_E_TIMEOUT, Methods.session_job_result(job, &json, &length));
            Assert.True(json == null && length == 0);
            Assert.Equal(Methods.SESSION_E_TIMEOUT, Methods.session_job_wait(job, 0));
            Assert.Equal(Methods.SESSION_E_TIMEOUT, Methods.session_job_wait(job, 5));
            var progress = new session_progress { size = (uint)sizeof(session_progress) };
            Call.Works(Methods.session_job_get_progress(job, &progress));
            Assert.Equal((1, 0UL), (progress.running, progress.done));
            Assert.Equal(before, Call.LastError());
        }

        Assert.StartsWith("{\"lsn\":", Result(job), StringComparison.Ordinal);
        Call.Works(Methods.session_job_destroy(job));
    }

    [Fact]
    public void AnErrorIsRaisedAgainOnTheThreadThatCollectsIt()
    {
        session_job_s* job = Start(_store.Handle, "repair", """{"session_id":"session_1"}""");
        Call.Works(Methods.session_job_wait(job, Guard));
        nint handle = (nint)job;
        for (int i = 0; i < 3; i++)
        {
            Exception? met = null;
            var thread = new Thread(() => met = Record.Exception(() =>
            {
                Assert.Equal(Methods.SESSION_OK, Call.LastError().Status);
                sbyte* json;
                Error error = Call.Fails(Methods.SESSION_E_NOT_FOUND,
                    Methods.session_job_result((session_job_s*)handle, &json, null));
                Assert.Equal("""{"session_id":"session_1"}""", error.Details);
                Assert.True(json == null);
            }));
            thread.Start();
            thread.Join();
            Assert.Null(met);
        }

        Call.Works(Methods.session_job_cancel(job)); // done, it stays as it is
        sbyte* again;
        Call.Fails(Methods.SESSION_E_NOT_FOUND, Methods.session_job_result(job, &again, null));
        Call.Works(Methods.session_job_destroy(job));
    }

    [Fact]
    public void ACancelledJobAnswersCancelledAndSoDoesAWaitForOneThatIsDestroyed()
    {
        HeldStore.Need();
        TestStore.Append(_store.Create(), "note", "{}");
        sbyte* json;
        session_job_s* waiting;
        int status = 0;
        using (new HeldStore(_store.Folder))
        {
            session_job_s* first = Start(_store.Handle, "flush");
            waiting = Start(_store.Handle, "flush"); // flushes come one after the other
            Call.Works(Methods.session_job_cancel(waiting));
            Call.Works(Methods.session_job_cancel(waiting));
            Call.Works(Methods.session_job_wait(waiting, 0));
            Assert.Equal("The job was cancelled.", Call.Fails(Methods.SESSION_E_CANCELLED,
                Methods.session_job_result(waiting, &json, null)).Message);
            nint handle = (nint)first;
            using var isThere = new ManualResetEventSlim();
            var thread = new Thread(() =>
            {
                isThere.Set();
                status = Methods.session_job_wait((session_job_s*)handle, Methods.SESSION_WAIT_FOREVER);
            });
            thread.Start();
            isThere.Wait(TestContext.Current.CancellationToken);
            Call.Works(Methods.session_job_destroy(first)); // which nothing holds up
            thread.Join();
        }

        // Which of the two came first is the machine's choice.
        Assert.Contains(status, (int[])[Methods.SESSION_E_CANCELLED, Methods.SESSION_E_INVALID_HANDLE]);
        Call.Works(Methods.session_job_destroy(waiting));
    }

    [Fact]
    public void ACloseEndsJobsWithClosedAndAShutdownEndsThoseOfNoStore()
    {
        HeldStore.Need();
        TestStore.Append(_store.Create(), "note", "{}");
        session_job_s* first;
        session_job_s* second;
        nint store = (nint)_store.Handle;
        int closed = 1;
        var closing = new Thread(() => closed = Methods.session_store_close((session_store_s*)store));
        using (new HeldStore(_store.Folder))
        {
            first = Start(_store.Handle, "flush");
            second = Start(_store.Handle, "flush");
            closing.Start();
            Call.Fails(Methods.SESSION_E_CLOSED, Methods.session_job_wait(second, Guard)); // it never began
        }

        closing.Join();
        Assert.Equal(Methods.SESSION_OK, closed);
        sbyte* json;
        Call.Fails(Methods.SESSION_E_CLOSED, Methods.session_job_result(second, &json, null));
        Assert.NotEqual(Methods.SESSION_E_TIMEOUT, Methods.session_job_wait(first, 0)); // over, whichever way
        Call.Works(Methods.session_job_destroy(first));
        Call.Works(Methods.session_job_destroy(second));
        string path = System.Text.Json.JsonSerializer.Serialize(_store.Folder);
        session_job_s* salvage = Start(null, "salvage", $$"""{"path":{{path}}}""");
        Call.Works(Methods.session_shutdown(Methods.SESSION_WAIT_FOREVER));
        Call.Works(Methods.session_job_wait(salvage, 0));
        Assert.Contains(Methods.session_job_result(salvage, &json, null),
            (int[])[Methods.SESSION_OK, Methods.SESSION_E_CANCELLED]);
        Methods.session_string_free(json);
        Call.Works(Methods.session_job_destroy(salvage));
        salvage = Start(null, "salvage", $$"""{"path":{{path}}}"""); // a shutdown is no end for good
        Assert.StartsWith("{\"sessions\":1,", Result(salvage), StringComparison.Ordinal);
        Call.Works(Methods.session_job_destroy(salvage));
    }

    [Fact]
    public void ProgressFillsWhatItKnowsAndLeavesTheRest()
    {
        session_job_s* job = Start(_store.Handle, "verify");
        Call.Works(Methods.session_job_wait(job, Guard));
        int known = sizeof(session_progress);
        byte* memory = stackalloc byte[4096];
        foreach (int size in (int[])[known, known + 8, 4096])
        {
            new Span<byte>(memory, 4096).Fill(0xAB);
            *(uint*)memory = (uint)size;
            Call.Works(Methods.session_job_get_progress(job, (session_progress*)memory));
            Assert.Equal(new session_progress { size = (uint)size, done = 1, total = 1 }, *(session_progress*)memory);
            Assert.DoesNotContain((byte)0, new Span<byte>(memory, 4096)[known..].ToArray());
        }

        foreach (uint size in (uint[])[0, 8, (uint)known - 1, 4097, uint.MaxValue])
        {
            *(uint*)memory = size;
            Error error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT,
                Methods.session_job_get_progress(job, (session_progress*)memory));
            Assert.StartsWith("""{"argument":"out_progress.size",""", error.Details, StringComparison.Ordinal);
        }

        Call.Works(Methods.session_job_destroy(job));
    }

    [Fact]
    public void AStoreGoesWithTheKindsThatNeedOneAndWithNoOther()
    {
        session_job_s* job;
        nint place = (nint)(&job);
        int StartOn(nint store, string kind) => Call.With(kind, word => Call.With("{}",
            args => Methods.session_job_start((session_store_s*)store, word, args, 2, (session_job_s**)place)));
        Assert.Equal("{}", Call.Fails(Methods.SESSION_E_INVALID_HANDLE, StartOn(0, "flush")).Details);
        Assert.Equal("""{"argument":"store"}""",
            Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, StartOn((nint)_store.Handle, "migrate")).Details);
        Assert.StartsWith("""{"argument":"kind","expected":"one of flush, """,
            Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, StartOn((nint)_store.Handle, "nothing")).Details,
            StringComparison.Ordinal);
        Call.Fails(Methods.SESSION_E_INVALID_HANDLE, StartOn(16, "salvage"));
        Assert.True(job == null);
    }

    /// <summary>Starts a job and asserts that it worked.</summary>
    internal static session_job_s* Start(session_store_s* store, string kind, string args = "{}")
    {
        nint handle = (nint)store;
        session_job_s* job;
        nint place = (nint)(&job);
        Call.Works(Call.With(kind, word => Call.With(args, text => Methods.session_job_start(
            (session_store_s*)handle, word, text, (nuint)Encoding.UTF8.GetByteCount(args), (session_job_s**)place))));
        return job;
    }

    private string Result(string kind, string args)
    {
        session_job_s* job = Start(_store.Handle, kind, args);
        string result = Result(job);
        Assert.Equal(result, Result(job));
        Call.Works(Methods.session_job_destroy(job));
        return result;
    }

    private static string Result(session_job_s* job)
    {
        Call.Works(Methods.session_job_wait(job, Guard));
        sbyte* json;
        nuint length;
        Call.Works(Methods.session_job_result(job, &json, &length));
        return Call.Take(json, length);
    }
}
