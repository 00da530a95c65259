using System.Text.Json;
using Sessions.Model;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Jobs;

/// <summary>Starts jobs, waits for them, and stops them where a disk is asked for something.</summary>
internal static class JobFixture
{
    /// <summary>Long enough for a machine that is busy, and over at once where all is well.</summary>
    public const uint GuardMs = 30_000;

    public static readonly TimeSpan Guard = TimeSpan.FromMilliseconds(GuardMs);

    public static SessionJob Start(this SessionStore? store, string kind, string args = "{}")
        => SessionJob.Start(store, kind, Utf8(args));

    /// <summary>Starts one that does this.</summary>
    public static SessionJob Start(this SessionStore? store, Action<JobContext> body, string kind = "verify")
        => SessionJob.Start("j", kind, (context, _) => body(context), store?.Engine.Jobs);

    /// <summary>The end of a job, which comes.</summary>
    public static SessionJob Ended(this SessionJob job)
    {
        Assert.True(job.Wait(GuardMs));
        Assert.False(job.GetProgress().IsRunning);
        return job;
    }

    public static JsonElement Result(this SessionJob job)
        => Stores.Json(b => Assert.True(job.TryWriteResult(b)));

    public static string ResultText(this SessionJob job) => Text(b => Assert.True(job.TryWriteResult(b)));

    /// <summary>How the job failed.</summary>
    public static SessionException Failed(this SessionJob job, SessionStatus status)
        => Fails(status, () => Text(b => job.TryWriteResult(b)));

    /// <summary>Waits for what another thread does.</summary>
    public static void Pass(this ManualResetEventSlim gate)
        => Assert.True(gate.Wait(Guard, CancellationToken.None));

    public static void Pass(this CountdownEvent gate) => Assert.True(gate.Wait(Guard, CancellationToken.None));

    public static void Await(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Guard));

    /// <summary>Starts a job and cancels it, from under it, when the disk is asked for such a thing for the
    /// n-th time. Answers when it is over, and how often it was asked in all.</summary>
    public static (SessionJob Job, int Asked) CancelAt(this SessionStore store, FaultyDisk disk, int number,
        Func<DiskOperation, bool> isIt, string kind, string args)
    {
        int asked = 0;
        SessionJob? job = null;
        using var isStarted = new ManualResetEventSlim();
        disk.FailIf = o =>
        {
            if (isIt(o) && ++asked == number)
            {
                isStarted.Pass(); // it may be here before its start has returned
                job!.Cancel();
            }

            return false;
        };
        job = store.Start(kind, args);
        isStarted.Set();
        job.Ended();
        disk.FailIf = null;
        return (job, asked);
    }
}
