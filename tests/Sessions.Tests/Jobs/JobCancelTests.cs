using Sessions.Jobs;
using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Jobs;

/// <summary>A job that is cancelled stops soon, wherever it is, and leaves the store whole.</summary>
public sealed class JobCancelTests : IDisposable
{
    private readonly FaultyDisk _disk = new(seed: 12);
    private readonly ManualTime _time = new();
    private SessionStore _store;

    public JobCancelTests() => _store = Open(_disk, _time);

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_verify_of_many_sessions_looks_at_no_more_of_them()
    {
        for (int i = 0; i < 60; i++)
        {
            _store.Create().Say("x");
        }

        _store.Flush();
        (SessionJob job, int asked) = _store.CancelAt(_disk, 3, OpensA(Layout.EventsFile), "verify", "{}");
        job.Failed(SessionStatus.Cancelled);
        Assert.InRange(job.GetProgress().Done, 2, 3);
        Assert.Equal(3, asked);
    }

    [Fact]
    public void A_transcript_of_a_large_log_is_read_no_further()
    {
        using Session session = Large();
        string args = $$"""{"session_id":"{{session.Id}}"}""";
        (SessionJob job, int asked) = _store.CancelAt(_disk, 3, Reads(Layout.EventsFile), "transcript", args);
        job.Failed(SessionStatus.Cancelled);
        Assert.InRange(asked, 3, 8); // what is in the buffer holds no event that is whole yet

        // What it left half-made is not gone on from.
        using SessionJob whole = _store.Start("transcript", args).Ended();
        Assert.Equal(Text(b => session.WriteTranscript(TranscriptFormat.Messages, null, b)), whole.ResultText());
        Assert.Contains("\"last_seq\":80}", whole.ResultText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pread", 5)] // while it looks for the place
    [InlineData("pwrite", 2)] // while it copies what stays
    public void A_prune_leaves_the_log_as_it_was(string call, int number)
    {
        using Session session = Large();
        _store.Flush();
        string folder = Layout.LiveFolder(session.Id);
        byte[] before = _disk.Peek(folder + "/" + Layout.EventsFile)!;
        (SessionJob job, _) = _store.CancelAt(_disk, number,
            o => o.Name == call && o.Path.StartsWith(folder + "/events", StringComparison.Ordinal), "prune",
            $$$"""{"session_id":"{{{session.Id}}}","options":{"max_events":70}}""");
        job.Failed(SessionStatus.Cancelled);
        Assert.Equal(before, _disk.Peek(folder + "/" + Layout.EventsFile));
        Assert.DoesNotContain(_disk.List(folder), n => n.Name.StartsWith("events-", StringComparison.Ordinal));
        Assert.Equal(81, session.Say("goes on"));
        _store.AssertSound();
    }

    [Fact]
    public void A_purge_ends_between_two_of_its_rounds_and_what_is_gone_stays_gone()
    {
        Session root = _store.Create();
        for (int i = 0; i < 1100; i++)
        {
            _store.Create(root.Id).Dispose();
        }

        root.Delete();
        _time.Advance(1000);
        string args = $$"""{"deleted_before":{{_time.NowMs}}}""";
        (SessionJob job, _) = _store.CancelAt(_disk, 1, o => o.Name == "rename"
            && o.Path.StartsWith(Layout.Trash + "/", StringComparison.Ordinal), "purge", args);
        job.Failed(SessionStatus.Cancelled);
        Assert.Equal(500, job.GetProgress().Done);
        Assert.Equal(601, Trashed());
        _store.AssertSound();
        using SessionJob rest = _store.Start("purge", args).Ended();
        Assert.Equal("""{"purged":601}""", rest.ResultText());
        Assert.Equal(0, Trashed());
    }

    [Fact]
    public void A_retention_ends_after_the_session_it_is_at()
    {
        for (int i = 0; i < 8; i++)
        {
            _store.Create().Say("x");
        }

        _time.Advance(7_200_000);
        (SessionJob job, _) = _store.CancelAt(_disk, 2,
            o => o.Name == "rename" && o.Path.StartsWith("sessions/", StringComparison.Ordinal), "retain",
            """{"policy":{"max_sessions":1}}""");
        job.Failed(SessionStatus.Cancelled);
        Assert.Equal(2, Trashed());
        Assert.Equal(6, _store.List().GetArrayLength());
        _store.AssertSound();
    }

    [Fact]
    public void A_repair_that_is_stopped_appends_nothing()
    {
        using Session session = Large();
        session.Append("tool_call", """{"tool_call_id":"c","name":"x"}"""u8, new AppendOptions { TurnId = "open" });
        string args = $$"""{"session_id":"{{session.Id}}"}""";
        (SessionJob job, _) = _store.CancelAt(_disk, 3, Reads(Layout.EventsFile), "repair", args);
        job.Failed(SessionStatus.Cancelled);
        Assert.Equal(81, session.GetStat().LastSeq);
        using SessionJob whole = _store.Start("repair", args).Ended();
        Assert.True(whole.Result().GetProperty("applied").GetBoolean());
        Assert.True(session.GetStat().LastSeq > 81);
    }

    [Theory]
    [InlineData("flush")]
    [InlineData("verify")]
    [InlineData("purge")]
    [InlineData("retain")]
    [InlineData("prune")]
    [InlineData("repair")]
    [InlineData("transcript")]
    public void Wherever_it_is_stopped_the_store_is_whole_and_a_crash_then_costs_nothing(string kind)
    {
        int cancelled = 0, number = 0;
        bool isMet = true;
        while (isMet)
        {
            number++;
            var disk = new FaultyDisk(number);
            SessionStore store = Open(disk, _time);
            (string kept, string old, string gone) = Fill(store);
            _time.Advance(7_200_000);
            store.OpenSession(kept).Say("lately", AppendFlags.Relaxed);
            var context = new JobContext();
            int calls = 0;
            disk.FailIf = _ =>
            {
                if (++calls == number)
                {
                    context.Stop(JobStop.Cancelled);
                }

                return false;
            };
            try
            {
                Text(b => Body(kind, store, old)(context, b));
            }
            catch (SessionException e) when (e.Status == SessionStatus.Cancelled)
            {
                cancelled++;
            }

            disk.FailIf = null;
            isMet = calls >= number;
            store.AssertSound();
            FaultyDisk left = disk.AfterPowerCut(number);
            using SessionStore again = Open(left, _time);
            again.AssertSound();
            Assert.Equal(20, again.OpenSession(kept).GetStat().LastSeq / 20 * 20);
            using Session? other = Find(again, old);
            Assert.True(kind == "retain" || other is not null);
            Assert.True(other is null || other.GetStat().LastSeq >= 20);
            Fails(kind == "purge" ? Trashed(again) == 0 ? SessionStatus.NotFound : SessionStatus.Deleted
                : SessionStatus.Deleted, () => again.OpenSession(gone));
        }

        Assert.True(cancelled > 0 && number > 3, $"{cancelled} of {number}");
    }

    [Fact]
    public void One_that_waits_for_its_turn_is_over_at_once_and_never_begins()
    {
        using var goesOn = new ManualResetEventSlim();
        SessionJob[] running =
            [.. Enumerable.Range(0, 2).Select(_ => _store.Start(_ => goesOn.Pass()))];
        bool hasBegun = false;
        using SessionJob waiting = _store.Start(_ => hasBegun = true);
        Assert.True(waiting.GetProgress().IsRunning);
        waiting.Cancel();
        waiting.Cancel();
        Assert.True(waiting.Wait(0));
        Assert.Equal("The job was cancelled.", waiting.Failed(SessionStatus.Cancelled).Message);
        goesOn.Set();
        Array.ForEach(running, job => job.Ended().Dispose());
        using SessionJob next = _store.Start("verify").Ended();
        Assert.False(hasBegun);
    }

    [Fact]
    public void Disposing_of_a_job_stops_it_and_ends_waits_with_Cancelled_and_blocks_for_nothing()
    {
        using var goesOn = new ManualResetEventSlim();
        using var isStopped = new ManualResetEventSlim();
        SessionJob job = _store.Start(context =>
        {
            goesOn.Pass();
            isStopped.Set();
            context.ThrowIfCancelled();
        });
        var waits = new Thread[4];
        int ended = 0;
        for (int i = 0; i < waits.Length; i++)
        {
            waits[i] = new Thread(() =>
            {
                Fails(SessionStatus.Cancelled, () => job.Wait(uint.MaxValue));
                Interlocked.Increment(ref ended);
            });
            waits[i].Start();
        }

        job.Dispose(); // while the job goes on
        Array.ForEach(waits, t => t.Join());
        Assert.Equal(waits.Length, ended);
        Assert.False(isStopped.IsSet);
        Fails(SessionStatus.Cancelled, () => job.GetProgress());
        Fails(SessionStatus.Cancelled, () => job.TryWriteResult(new Utf8Buffer()));
        goesOn.Set();
        isStopped.Pass();
        job.Dispose();
    }

    private static JobBody Body(string kind, SessionStore store, string id)
    {
        string args = kind switch
        {
            "purge" => $$"""{"deleted_before":{{store.Core.Now}}}""",
            "retain" => """{"policy":{"max_sessions":1}}""",
            "prune" => $$$"""{"session_id":"{{{id}}}","options":{"max_events":4}}""",
            "repair" or "transcript" => $$"""{"session_id":"{{id}}"}""",
            _ => "{}",
        };
        return JobKinds.Read(kind, new JobArguments(kind, Utf8(args)), store);
    }

    // A session that stays, an old one whose beginning lies in the trash, and one that does so as a whole.
    private static (string Kept, string Old, string Gone) Fill(SessionStore store)
    {
        string[] ids = new string[4];
        for (int i = 0; i < ids.Length; i++)
        {
            using Session session = store.Create();
            for (int turn = 0; turn < 10; turn++)
            {
                var how = new AppendOptions { TurnId = $"t-{turn}", Flags = AppendFlags.Relaxed };
                session.Append("user_prompt", """{"text":"what"}"""u8, how);
                session.Append("tool_call", """{"tool_call_id":"c","name":"x"}"""u8, how);
            }

            ids[i] = session.Id;
        }

        Text(b => store.OpenSession(ids[1]).Prune("""{"max_events":16}"""u8, b));
        store.OpenSession(ids[2]).Delete();
        return (ids[0], ids[1], ids[2]);
    }

    private static Session? Find(SessionStore store, string id)
    {
        try
        {
            return store.OpenSession(id);
        }
        catch (SessionException e) when (e.Status == SessionStatus.Deleted)
        {
            return null;
        }
    }

    // 80 events of 64 KiB each, two a turn.
    private Session Large()
    {
        Session session = _store.Create();
        byte[] text = Utf8($$"""{"text":"{{new string('x', 65_000)}}"}""");
        for (int i = 0; i < 80; i++)
        {
            session.Append(i % 2 == 0 ? "user_prompt" : "agent_message", text,
                new AppendOptions { TurnId = $"t-{i / 2}" });
        }

        _store.Flush();
        return session;
    }

    private int Trashed() => Trashed(_store);

    private static int Trashed(SessionStore store)
        => store.List(new SessionListOptions { Flags = ListFlags.Trash }).GetArrayLength();

    private static Func<DiskOperation, bool> OpensA(string file)
        => o => o.Name == "open" && o.Path.EndsWith("/" + file, StringComparison.Ordinal);

    private static Func<DiskOperation, bool> Reads(string file)
        => o => o.Name == "pread" && o.Path.EndsWith("/" + file, StringComparison.Ordinal);
}
