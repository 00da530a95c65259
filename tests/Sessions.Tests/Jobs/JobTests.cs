using System.Runtime.InteropServices;
using System.Text.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Jobs;

/// <summary>A job does what the plain call of its name does, and carries its own outcome.</summary>
public sealed partial class JobTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sessions-jobs-").FullName;
    private readonly ManualTime _time = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("memory")]
    [InlineData("faulty")]
    [InlineData("real")]
    public void Each_kind_answers_what_the_plain_call_answers(string kindOfDisk)
    {
        using SessionStore store = Open(Disk(kindOfDisk), _time);
        Session session = Talk(store);
        store.Create().Delete();
        _time.Advance(7_200_000);
        string id = $"\"session_id\":\"{session.Id}\"";
        Assert.Equal(store.Verify().GetRawText(), Do(store, "verify"));
        Assert.Equal(store.Verify(deep: false).GetRawText(), Do(store, "verify", """{"flags":1}"""));
        foreach (TranscriptFormat format in Enum.GetValues<TranscriptFormat>())
        {
            var options = new TranscriptOptions { AfterSeq = 3, Title = "T" };
            Assert.Equal(Text(b => session.WriteTranscript(format, options, b)), Do(store, "transcript",
                $$$"""{{{{id}}},"format":{{{(int)format}}},"options":{"after_seq":3,"title":"T"}}"""));
        }

        Assert.Equal(Text(b => session.Repair(RepairFlags.DryRun, b)), Do(store, "repair", $$"""{{{id}},"flags":1}"""));
        Assert.Equal(Text(b => session.Prune("""{"max_events":3,"dry_run":true}"""u8, b)),
            Do(store, "prune", $$$"""{{{{id}}},"options":{"max_events":3,"dry_run":true}}"""));
        Assert.Equal(Text(b => store.Retain("""{"max_sessions":1,"dry_run":true}"""u8, b)),
            Do(store, "retain", """{"policy":{"max_sessions":1,"dry_run":true}}"""));
        Assert.Equal($$"""{"lsn":{{store.Core.State.Synced}}}""", Do(store, "flush"));
        Assert.Equal("""{"purged":0}""", Do(store, "purge"));

        Assert.Equal(Text(session.WriteTree), Do(store, "tree", $$"""{{{id}}}"""));
        using (EventCursor cursor = session.OpenCursor())
        {
            long at = session.Events(2, 1).GetProperty("events")[0].GetProperty("timestamp").GetInt64();
            cursor.SeekTime(at);
            Assert.Equal($$"""{"after_seq":{{cursor.Position}}}""",
                Do(store, "find_time", $$"""{{{id}},"at":{{at}}}"""));
        }

        string path = Path.Combine(_folder, "note.txt");
        File.WriteAllText(path, "kept");
        string put = $$"""{{{id}},"name":"note.txt","path":{{JsonSerializer.Serialize(path)}}}""";
        Assert.Contains("\"existing\":false", Do(store, "put_file", put), StringComparison.Ordinal);
        Assert.Equal(Text(b => session.PutFile("note.txt", "kept"u8, b)), Do(store, "put_file", put));

        // And those that change something do it.
        Assert.Equal($$"""{"purged":1}""", Do(store, "purge", $$"""{"deleted_before":{{_time.NowMs}}}"""));
        Assert.NotEqual(0, session.Append("tool_call", """{"tool_call_id":"c","name":"x"}"""u8,
            new AppendOptions { TurnId = "open" }));
        Assert.Contains("\"applied\":true", Do(store, "repair", $$"""{{{id}}}"""), StringComparison.Ordinal);
        Assert.Contains("\"pruned_events\":2", Do(store, "prune", $$$"""{{{{id}}},"options":{"max_events":8}}"""),
            StringComparison.Ordinal);
        _time.Advance(7_200_000);
        store.Create();
        Assert.Contains("\"count\":1", Do(store, "retain", """{"policy":{"max_sessions":1}}"""),
            StringComparison.Ordinal);
        Fails(SessionStatus.Deleted, () => session.Say("gone"));
        store.AssertSound();
    }

    [Fact]
    public void A_file_that_is_not_there_is_none_or_is_too_large_is_said_by_the_job()
    {
        using SessionStore store = Open(new MemoryDisk());
        Session session = store.Create();
        store.Configure(null, """{"limits":{"file_bytes_max":3,"image_bytes_max":3}}"""u8);
        File.WriteAllText(Path.Combine(_folder, "large"), "four");
        Assert.Equal(SessionStatus.NotFound, Put("missing"));
        Assert.Equal(SessionStatus.NotFound, Put("missing/too"));
        Assert.Equal(SessionStatus.Io, Put(""));
        Assert.Equal(SessionStatus.Limit, Put("large"));
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal(0, MakePipe(Path.Combine(_folder, "pipe"), 0x180));
            Assert.Equal(SessionStatus.Io, Put("pipe")); // nobody is at its other end, and nobody waits for that
        }

        store.AssertSound();

        SessionStatus Put(string file)
        {
            string path = JsonSerializer.Serialize(Path.Combine(_folder, file));
            return Assert.Throws<SessionException>(() => Do(store, "put_file",
                $$"""{"session_id":"{{session.Id}}","name":"n","path":{{path}}}""")).Status;
        }
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);

    [Fact]
    public void What_is_wrong_with_the_arguments_is_said_at_the_start()
    {
        using SessionStore store = Open(new MemoryDisk());
        void Refuses(string kind, string args, string details, SessionStatus status = SessionStatus.InvalidArgument)
            => Assert.Equal(details, Fails(status, () => store.Start(kind, args)).Details);
        const string ofArgs = """{"argument":"args_json"}""";
        const string ofKind = """{"argument":"kind","expected":"one of flush, backup, verify, purge, retain, prune, """
            + """repair, transcript, tree, find_time, put_file, salvage, migrate"}""";
        Refuses("", "{}", ofKind);
        Refuses("Verify", "{}", ofKind);
        Refuses("salvage", "{}", """{"argument":"store"}""");
        Refuses("migrate", "{}", """{"argument":"store"}""");
        Refuses("flush", "[]", ofArgs);
        Refuses("flush", "{\"lsn\":1}", """{"argument":"args_json","expected":"one of job_id"}""");
        Refuses("verify", "{\"flags\":-1}", ofArgs);
        Refuses("verify", "{\"flags\":1.5}", ofArgs);
        Refuses("verify", "{\"flags\":\"1\"}", ofArgs);
        Refuses("verify", "{\"flags\":2}", """{"argument":"flags","unknown_bits":2}""");
        Refuses("repair", "{}", ofArgs);
        Refuses("repair", "{\"session_id\":7}", ofArgs);
        Refuses("repair", "{\"session_id\":\"../x\"}", """{"argument":"session_id"}""");
        Refuses("repair", "{\"session_id\":\"s\",\"flags\":4}", """{"argument":"flags","unknown_bits":4}""");
        Refuses("transcript", "{\"session_id\":\"s\",\"format\":4}", ofArgs);
        Refuses("transcript", "{\"session_id\":\"s\",\"options\":7}", ofArgs);
        Refuses("transcript", "{\"session_id\":\"s\",\"options\":{\"x\":7}}",
            """{"argument":"options_json","expected":"one of after_seq, until_seq, include_hidden, title"}""");
        Refuses("tree", "{}", ofArgs);
        Refuses("find_time", "{\"session_id\":\"s\",\"at\":\"now\"}", ofArgs);
        Refuses("put_file", "{\"session_id\":\"s\",\"name\":\"n\"}", ofArgs);
        Refuses("put_file", "{\"session_id\":\"s\",\"name\":\"\",\"path\":\"p\"}", ofArgs);
        Refuses("prune", "{\"session_id\":\"s\"}", """{"argument":"options_json"}""");
        Refuses("retain", "{\"policy\":{}}", """{"argument":"policy_json"}""");
        Refuses("purge", "{\"deleted_before\":9007199254740992}", ofArgs);
        Refuses("flush", "{\"job_id\":\"\"}", """{"argument":"job_id"}""");
        Refuses("flush", "{\"job_id\":\"a\\nb\"}", """{"argument":"job_id"}""");
        Refuses("flush", "{\"job_id\":\"\\ud800\"}", """{"argument":"args_json","offset":0}""",
            SessionStatus.InvalidUtf8);
        Assert.Equal(9, Fails(SessionStatus.InvalidJson, () => store.Start("flush", "{\"flags\":}")).Offset);
        Assert.Contains("job_arguments_bytes_max", Fails(SessionStatus.Limit,
            () => store.Start("flush", new string(' ', Limits.JobArgumentsBytesMax + 1))).Details,
            StringComparison.Ordinal);
        Fails(SessionStatus.InvalidHandle, () => JobFixture.Start(null, "flush"));
        Assert.Equal("""{"argument":"options_json","expected":"one of shared_owners"}""",
            Fails(SessionStatus.InvalidArgument,
                () => JobFixture.Start(null, "salvage", """{"options":{"x":1}}""")).Details);
        Assert.Equal("""{"argument":"args_json","expected":"one of job_id, path, options"}""",
            Fails(SessionStatus.InvalidArgument, () => JobFixture.Start(null, "migrate", """{"flags":0}""")).Details);
        Assert.Equal("""{"argument":"options_json"}""", Fails(SessionStatus.InvalidArgument,
            () => JobFixture.Start(null, "migrate", """{"options":{"shared_owners":1}}""")).Details);
        store.Close();
        Fails(SessionStatus.Closed, () => store.Start("flush"));
    }

    [Fact]
    public void A_job_that_runs_has_no_result_and_one_that_is_done_has_it_for_everybody_and_always()
    {
        using SessionStore store = Open(new MemoryDisk());
        using var goesOn = new ManualResetEventSlim();
        using SessionJob job = store.Start(_ => goesOn.Pass());
        Assert.True(job.GetProgress().IsRunning);
        Assert.False(job.Wait(0));
        Assert.False(job.Wait(5));
        Assert.Equal("", Text(b => Assert.False(job.TryWriteResult(b))));
        goesOn.Set();
        job.Ended();
        using SessionJob verify = store.Start("verify").Ended();
        string first = verify.ResultText();
        verify.Cancel(); // a done job stays done
        Parallel.For(0, 8, _ => Assert.Equal(first, verify.ResultText()));
        Assert.True(verify.Wait(0));
    }

    [Fact]
    public void A_job_carries_its_own_error_to_whoever_collects_it()
    {
        using SessionStore store = Open(new MemoryDisk());
        using Session session = store.Create();
        using SessionJob unknown = store.Start("repair", """{"session_id":"session_1"}""").Ended();
        session.Delete();
        using SessionJob deleted = store.Start("transcript", $$"""{"session_id":"{{session.Id}}"}""").Ended();
        var seen = new HashSet<SessionException>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < 3; i++)
        {
            SessionException e = unknown.Failed(SessionStatus.NotFound);
            Assert.Equal("""{"session_id":"session_1"}""", e.Details);
            Assert.True(seen.Add(e)); // an exception object belongs to one thread
            Assert.Equal($$"""{"session_id":"{{session.Id}}"}""", deleted.Failed(SessionStatus.Deleted).Details);
        }

        using SessionJob broken = store.Start(_ => throw new InvalidTimeZoneException("what happened")).Ended();
        Assert.Contains("InvalidTimeZoneException: what happened", broken.Failed(SessionStatus.Internal).Message,
            StringComparison.Ordinal);
        using SessionJob large = store.Start(_ => throw new OutOfMemoryException()).Ended();
        large.Failed(SessionStatus.NoMemory);
        using SessionJob full =
            store.Start(_ => throw new DiskException(DiskError.NoSpace, "pwrite", "journal/1", 28)).Ended();
        Assert.Equal(28, full.Failed(SessionStatus.NoSpace).OsError);
        store.AssertSound();
    }

    [Fact]
    public void A_store_that_is_read_only_is_verified_and_not_flushed()
    {
        var disk = new MemoryDisk();
        Open(disk.OpenAs()).Close();
        using SessionStore reader = Open(disk, options: new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        using SessionJob verify = reader.Start("verify").Ended();
        Assert.True(verify.Result().GetProperty("ok").GetBoolean());
        foreach (string kind in (string[])["flush", "purge", "retain"])
        {
            using SessionJob job =
                reader.Start(kind, kind == "retain" ? """{"policy":{"max_sessions":1}}""" : "{}").Ended();
            job.Failed(SessionStatus.ReadOnly);
        }
    }

    [Fact]
    public void Progress_never_goes_back_and_ends_at_its_total()
    {
        var disk = new FaultyDisk(seed: 3);
        using SessionStore store = Open(disk);
        for (int i = 0; i < 30; i++)
        {
            store.Create().Say("x");
        }

        var seen = new List<JobProgress>();
        SessionJob? job = null;
        using var isStarted = new ManualResetEventSlim();
        disk.FailIf = _ =>
        {
            isStarted.Pass();
            seen.Add(job!.GetProgress());
            return false;
        };
        job = store.Start("verify");
        isStarted.Set();
        job.Ended();
        disk.FailIf = null;
        Assert.Equal(new JobProgress(false, 30, 30), job.GetProgress());
        Assert.Contains(seen, p => p is { IsRunning: true, Done: > 0 and < 30, Total: 30 });
        Assert.Equal(seen.OrderBy(p => p.Done).ThenBy(p => p.Total), seen);
        using SessionJob flush = store.Start("flush").Ended();
        Assert.Equal(new JobProgress(false, 1, 1), flush.GetProgress());
        job.Dispose();
    }

    [Fact]
    public void A_run_never_shows_more_done_than_there_is()
    {
        var context = new JobContext();
        context.Report(5, 0);
        Assert.Equal((5, 0), (context.Done, context.Total));
        context.Report(3, 10);
        Assert.Equal((5, 10), (context.Done, context.Total));
        context.Report(12, 8);
        Assert.Equal((10, 10), (context.Done, context.Total));
        context.Report(10, 20);
        context.ReportEnd();
        Assert.Equal((20, 20), (context.Done, context.Total));
    }

    [Fact]
    public void A_job_tells_by_its_name_how_it_ended()
    {
        using SessionStore store = Open(new MemoryDisk());
        var told = new System.Collections.Concurrent.ConcurrentQueue<(string, string, SessionStatus)>();
        store.Core.OnJobDone = (id, kind, status) => told.Enqueue((id, kind, status));
        using SessionJob named = store.Start("flush", """{"job_id":"after turn 7"}""").Ended();
        using SessionJob failed = store.Start("repair", """{"session_id":"session_1"}""").Ended();
        JobFixture.Await(() => told.Count == 2); // the end is there first, the word follows
        Assert.Equal([("after turn 7", "flush", SessionStatus.Ok), (failed.Id, "repair", SessionStatus.NotFound)],
            told.OrderBy(t => t.Item2));
        Assert.StartsWith("job-", failed.Id, StringComparison.Ordinal);
        store.Core.OnJobDone = (_, _, _) => throw new InvalidOperationException("a listener's bug");
        using SessionJob next = store.Start("verify").Ended();
        Assert.True(next.Result().GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void Watches_of_the_store_hear_of_each_end_also_of_a_job_that_never_began()
    {
        var disk = new MemoryDisk();
        using SessionStore store = Open(disk.OpenAs(), background: true);
        using SessionWatch watch = store.OpenWatch(new WatchOptions { Kinds = "job" });
        using var goesOn = new ManualResetEventSlim();
        using var hasBegun = new CountdownEvent(2);
        SessionJob[] running = [.. Enumerable.Range(0, 2).Select(_ => store.Start(_ =>
        {
            hasBegun.Signal();
            goesOn.Pass();
        }))];
        hasBegun.Pass();
        using SessionJob never = store.Start("purge", """{"job_id":"never"}""");
        lock (store.Core.Rows.Gate)
        {
            never.Dispose(); // whoever has the rows holds no destroy up
        }

        using SessionJob flush = store.Start("flush", """{"job_id":"turn 7"}""").Ended();
        goesOn.Set();
        var told = new List<string>();
        while (told.Count < 4)
        {
            JsonElement page = Stores.Json(b => Assert.True(watch.WriteNext(0, JobFixture.GuardMs, b)));
            foreach (JsonElement change in page.GetProperty("changes").EnumerateArray())
            {
                Assert.Equal("job", change.GetProperty("kind").GetString());
                Assert.Equal(JsonValueKind.Null, change.GetProperty("session_id").ValueKind);
                told.Add(change.GetProperty("detail").GetRawText());
            }
        }

        Assert.Equal([
            """{"job_id":"j","kind":"verify","status":0}""", """{"job_id":"j","kind":"verify","status":0}""",
            """{"job_id":"never","kind":"purge","status":-42}""", """{"job_id":"turn 7","kind":"flush","status":0}""",
        ], told.Order(StringComparer.Ordinal));
        Array.ForEach(running, job => job.Ended().Dispose());
    }

    [Fact]
    public void A_flush_in_the_background_makes_relaxed_events_durable()
    {
        foreach (bool isFlushed in (bool[])[false, true])
        {
            var disk = new FaultyDisk(seed: 8);
            SessionStore store = Open(disk);
            Session session = store.Create();
            session.Say("full");
            long lsn = 0;
            for (int i = 0; i < 10; i++)
            {
                session.Say($"relaxed {i}", AppendFlags.Relaxed);
            }

            if (isFlushed)
            {
                using SessionJob flush = store.Start("flush").Ended();
                lsn = flush.Result().GetProperty("lsn").GetInt64();
                Assert.Equal(store.Core.State.Published, lsn);
            }

            for (int seed = 0; seed < 5; seed++)
            {
                FaultyDisk left = disk.AfterPowerCut(seed, new PowerCutOptions { Keep = 0 });
                using SessionStore again = Open(left);
                Assert.Equal(isFlushed ? 11 : 1, again.OpenSession(session.Id).GetStat().LastSeq);
                again.AssertSound();
            }
        }
    }

    [Fact]
    public void A_store_that_is_open_nowhere_is_salvaged_and_taken_to_the_current_format()
    {
        string path = JsonSerializer.Serialize(Path.Combine(_folder, "store"));
        string args = $$"""{"path":{{path}}}""";
        foreach (string kind in (string[])["salvage", "migrate"])
        {
            using SessionJob nothing = JobFixture.Start(null, kind, args).Ended();
            nothing.Failed(SessionStatus.NotFound);
        }

        using (SessionStore store = SessionStore.Open(Path.Combine(_folder, "store")))
        {
            store.Create().Say("one");
            using SessionJob busy = JobFixture.Start(null, "salvage", args).Ended();
            busy.Failed(SessionStatus.Busy);
        }

        using SessionJob salvage = JobFixture.Start(null, "salvage", $$$"""{"path":{{{path}}},"options":{}}""").Ended();
        Assert.Equal(1, salvage.Result().GetProperty("sessions").GetInt64());
        using SessionJob migrate = JobFixture.Start(null, "migrate", args).Ended();
        Assert.Equal("""{"from_version":1,"to_version":1}""", migrate.ResultText());
        using SessionJob nowhere = JobFixture.Start(null, "salvage", """{"path":""}""").Ended();
        nowhere.Failed(SessionStatus.InvalidArgument);
        using SessionStore again = SessionStore.Open(Path.Combine(_folder, "store"));
        again.AssertSound();
    }

    private static Session Talk(SessionStore store)
    {
        Session session = store.Create();
        for (int i = 0; i < 3; i++)
        {
            var turn = new AppendOptions { TurnId = $"t-{i}" };
            session.Append("user_prompt", """{"text":"what"}"""u8, turn);
            session.Append("turn_end", """{"stop_reason":"end_turn"}"""u8, turn);
        }

        return session;
    }

    private static string Do(SessionStore store, string kind, string args = "{}")
    {
        using SessionJob job = store.Start(kind, args).Ended();
        return job.ResultText();
    }

    private IDisk Disk(string kind) => kind switch
    {
        "memory" => new MemoryDisk(),
        "faulty" => new FaultyDisk(seed: 4),
        _ => RealDisk.Open(Path.Combine(_folder, "real")),
    };
}
