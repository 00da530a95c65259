using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Jobs;

/// <summary>What the close of a store does to what is under way in it.</summary>
public sealed class JobCloseTests
{
    private readonly FaultyDisk _disk = new(seed: 31);
    private readonly SessionStore _store;

    public JobCloseTests() => _store = Open(_disk);

    [Fact]
    public void Jobs_end_with_Closed_before_the_close_returns_and_a_done_one_keeps_its_result()
    {
        using SessionJob done = _store.Start("verify").Ended();
        string report = done.ResultText();
        using SessionJob failed = _store.Start("repair", """{"session_id":"session_1"}""").Ended();
        bool isOver = false;
        using var hasBegun = new CountdownEvent(2);
        SessionJob[] running = [.. Enumerable.Range(0, 2).Select(i => _store.Start(context =>
        {
            hasBegun.Signal();
            JobFixture.Await(() => context.IsStopped);
            isOver |= i == 0;
            context.ThrowIfCancelled();
        }))];
        using SessionJob waiting = _store.Start("verify");
        using SessionJob cancelled = _store.Start("verify");
        cancelled.Cancel();
        hasBegun.Pass();
        var waits = new Thread(() => Fails(SessionStatus.Closed, () => running[1].Wait(uint.MaxValue)));
        waits.Start();
        _store.Close();
        Assert.True(isOver);
        waits.Join();
        foreach (SessionJob job in (SessionJob[])[.. running, waiting])
        {
            Assert.False(job.GetProgress().IsRunning);
            Fails(SessionStatus.Closed, () => job.Wait(0));
            job.Failed(SessionStatus.Closed);
            job.Failed(SessionStatus.Closed);
            job.Dispose();
        }

        Assert.True(done.Wait(0));
        Assert.Equal(report, done.ResultText());
        failed.Failed(SessionStatus.NotFound);
        cancelled.Failed(SessionStatus.Cancelled);
        Fails(SessionStatus.Closed, () => _store.Start("verify"));
    }

    [Theory]
    [InlineData("verify")]
    [InlineData("purge")]
    [InlineData("retain")]
    [InlineData("prune")]
    [InlineData("transcript")]
    [InlineData("repair")]
    public void A_store_that_is_closed_under_a_job_is_whole(string kind)
    {
        Session session = _store.Create();
        for (int i = 0; i < 20; i++)
        {
            session.Say("x");
            _store.Create().Say("x");
        }

        string args = kind switch
        {
            "verify" or "purge" => "{}",
            "retain" => """{"policy":{"max_sessions":1,"idle_ms":0}}""",
            "prune" => $$$"""{"session_id":"{{{session.Id}}}","options":{"max_events":5}}""",
            _ => $$"""{"session_id":"{{session.Id}}"}""",
        };
        int calls = 0;
        using var isAt = new ManualResetEventSlim();
        using var goesOn = new ManualResetEventSlim();
        _disk.FailIf = _ =>
        {
            if (++calls == 2)
            {
                isAt.Set();
                goesOn.Pass();
            }

            return false;
        };
        using SessionJob job = _store.Start(kind, args);
        JobFixture.Await(() => isAt.IsSet || !job.GetProgress().IsRunning);
        var closing = new Thread(_store.Close);
        closing.Start();
        JobFixture.Await(() => job.IsStopped || !job.GetProgress().IsRunning);
        goesOn.Set();
        closing.Join();
        _disk.FailIf = null;
        Assert.False(job.GetProgress().IsRunning);
        using SessionStore again = Open(_disk.OpenAs());
        again.AssertSound();
        Assert.Equal(0, again.Info().GetProperty("recovered").GetProperty("redone_records").GetInt64());
    }

    [Fact]
    public void A_plain_call_is_stopped_likewise_and_the_close_waits_for_it()
    {
        for (int i = 0; i < 20; i++)
        {
            _store.Create().Say("x");
        }

        _store.Flush();
        using var isAt = new ManualResetEventSlim();
        using var goesOn = new ManualResetEventSlim();
        int opened = 0;
        Thread? verify = null;
        _disk.FailIf = o =>
        {
            if (Thread.CurrentThread == verify && o.Name == "open"
                && o.Path.EndsWith("/" + Layout.EventsFile, StringComparison.Ordinal) && ++opened == 2)
            {
                isAt.Set();
                goesOn.Pass();
            }

            return false;
        };
        Exception? met = null;
        verify = new Thread(() => met = Record.Exception(() => _store.Verify()));
        verify.Start();
        isAt.Pass();
        bool isClosed = false;
        var closing = new Thread(() =>
        {
            _store.Close();
            Volatile.Write(ref isClosed, true);
        });
        closing.Start();
        JobFixture.Await(() => _store.Engine.IsClosed && IsRefused());
        Assert.False(Volatile.Read(ref isClosed));
        goesOn.Set();
        closing.Join();
        verify.Join();
        Assert.Equal(SessionStatus.Closed, Assert.IsType<SessionException>(met).Status);
        Assert.Equal(2, opened);
        using SessionStore again = Open(_disk.OpenAs());
        again.AssertSound();
    }

    [Fact]
    public void A_plain_call_that_closes_its_own_store_does_not_wait_for_itself()
    {
        using Session session = _store.Create();
        session.Say("x");
        var output = new ClosingWriter(_store);
        session.WriteTranscript(TranscriptFormat.Messages, null, output);
        Assert.True(output.Length > 0);
        Fails(SessionStatus.Closed, () => session.Say("y"));
    }

    private bool IsRefused()
    {
        try
        {
            _store.Engine.Jobs.Run(_ => { });
            return false;
        }
        catch (SessionException e) when (e.Status == SessionStatus.Closed)
        {
            return true;
        }
    }

    private sealed class ClosingWriter(SessionStore store) : System.Buffers.IBufferWriter<byte>
    {
        private readonly System.Buffers.ArrayBufferWriter<byte> _bytes = new();

        public int Length => _bytes.WrittenCount;

        public void Advance(int count) => _bytes.Advance(count);

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            store.Close();
            return _bytes.GetMemory(sizeHint);
        }

        public Span<byte> GetSpan(int sizeHint = 0)
        {
            store.Close();
            return _bytes.GetSpan(sizeHint);
        }
    }
}
