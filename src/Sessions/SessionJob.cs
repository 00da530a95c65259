using System.Buffers;
using Sessions.Jobs;
using Sessions.Model;

namespace Sessions;

/// <summary>
/// A long call in the background, with progress, an end that can be waited for, and an outcome of its own. It
/// does what the plain call of the same name does, by the same code. Any thread may call anything at any time.
/// </summary>
public sealed class SessionJob : IDisposable
{
    private const string StoreArgument = "store";

    private static long s_last;

    private readonly Job _job;

    private SessionJob(Job job) => _job = job;

    /// <summary>What it is called where its end is told: `job_id` of its arguments, else a name of the
    /// library's.</summary>
    public string Id => _job.Id;

    /// <summary>What it does.</summary>
    public string Kind => _job.Kind;

    /// <summary>
    /// Starts a job: backup, find_time, flush, prune, purge, put_file, repair, retain, transcript, tree, verify in an
    /// open store; migrate and salvage, without a store, on one that is open nowhere. The arguments are an object, as
    /// the header has it (store.h). What is wrong with them is said here; everything else is the job's outcome.
    /// </summary>
    public static SessionJob Start(SessionStore? store, string kind, ReadOnlySpan<byte> argsJson)
    {
        ArgumentNullException.ThrowIfNull(kind);
        bool isStoreless = JobKinds.IsStoreless(kind) ?? throw Errors.Word("kind", kind, JobKinds.Words);
        if ((store is null) != isStoreless)
        {
            throw isStoreless ? Errors.Argument(StoreArgument, $"A job {kind} must have a path and no store.")
                : new SessionException(SessionStatus.InvalidHandle, $"A job {kind} must have an open store.");
        }

        store?.ThrowIfClosed();
        var arguments = new JobArguments(kind, argsJson);
        string? id = arguments.OptionalText("job_id");
        Checks.Name(id, "job_id");
        JobBody body = store is null ? JobKinds.Read(kind, arguments) : JobKinds.Read(kind, arguments, store);
        arguments.RequireNoMore();
        return Start(id ?? $"job-{Interlocked.Increment(ref s_last)}", kind, body, store?.Engine.Jobs);
    }

    /// <summary>True once it is to stop, be it at its end already.</summary>
    [ForTests]
    internal bool IsStopped => _job.IsStopped;

    /// <summary>Starts one that does this; without a board it belongs to no store.</summary>
    internal static SessionJob Start(string id, string kind, JobBody body, JobBoard? board)
        => new(Job.Start(id, kind, body, board));

    /// <summary>How far it has come: memory only.</summary>
    public JobProgress GetProgress() => _job.GetProgress();

    /// <summary>Waits until the outcome is there, whatever it is; false when the time is over, and
    /// <see cref="uint.MaxValue"/> waits for ever. Ends with Cancelled when this object is disposed of, and
    /// with Closed where the close of the store was the job's end.</summary>
    public bool Wait(uint timeoutMs) => _job.Wait(timeoutMs);

    /// <summary>Writes what the plain call would have written, as often as it is asked for; false, and nothing
    /// written, while the job runs. Throws what the job failed with.</summary>
    public bool TryWriteResult(IBufferWriter<byte> output) => _job.TryWriteResult(output);

    /// <summary>Has it stop at the next place where stopping leaves everything whole; its outcome is then
    /// Cancelled. One that is done stays done, and so does what it did until then. Never blocks.</summary>
    public void Cancel() => _job.Stop(JobStop.Cancelled);

    /// <summary>Cancels it and lets go of it; a wait on it ends with Cancelled. Never blocks.</summary>
    public void Dispose() => _job.LetGo();
}
