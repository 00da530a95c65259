using System.Buffers;
using System.Diagnostics;
using Sessions.Jobs;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;

namespace Sessions;

/// <summary>
/// A long call in the background, with progress, an end that can be waited for, and an outcome of its own. It
/// does what the plain call of the same name does, by the same code. Any thread may call anything at any time.
/// </summary>
public sealed class SessionJob : IDisposable
{
    private const string StoreArgument = "store";

    // Of all jobs, since the runtime keeps something for each object that was ever waited on. It guards a few fields of
    // each, and whoever waits for one looks again when another one ends.
    private static readonly object s_gate = new();
    private static long s_last;
    private static JobLane s_storeless = new(threadsMax: 2);

    private readonly JobContext _context = new();
    private readonly JobBoard? _board;
    private JobLane _lane;
    private JobBody? _body;
    private Utf8Buffer _output = new(0);
    private SessionException? _failure;
    private bool _isDone;
    private bool _isDisposed;

    private SessionJob(string id, string kind, JobBody body, JobBoard? board, JobLane lane)
        => (Id, Kind, _body, _board, _lane) = (id, kind, body, board, lane);

    /// <summary>What it is called where its end is told: `job_id` of its arguments, else a name of the
    /// library's.</summary>
    public string Id { get; }

    /// <summary>What it does.</summary>
    public string Kind { get; }

    /// <summary>Its place among those that wait for a thread; null for one that runs or is over. The lane's.</summary>
    internal LinkedListNode<SessionJob>? Place { get; set; }

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

    /// <summary>Starts one that does this; without a board it belongs to no store.</summary>
    internal static SessionJob Start(string id, string kind, JobBody body, JobBoard? board)
    {
        var job = new SessionJob(id, kind, body, board, board?.LaneOf(kind) ?? Volatile.Read(ref s_storeless));
        while (!job._lane.TryStart(job))
        {
            job._lane = board is null ? Volatile.Read(ref s_storeless) : throw Errors.Closed(); // shut down since
        }

        return job;
    }

    /// <summary>True while there are threads for jobs that need no store.</summary>
    internal static bool HasStoreless => Volatile.Read(ref s_storeless).IsInUse;

    /// <summary>Cancels the jobs that need no store, and returns when their threads have ended. Others can be
    /// started again afterwards.</summary>
    internal static void StopStoreless()
    {
        JobLane lane = Interlocked.Exchange(ref s_storeless, new JobLane(threadsMax: 2));
        lane.Stop(JobStop.Cancelled);
        lane.Join();
    }

    /// <summary>True once it is to stop, be it at its end already.</summary>
    internal bool IsStopped => _context.IsStopped;

    /// <summary>How far it has come: memory only.</summary>
    public JobProgress GetProgress()
    {
        lock (s_gate)
        {
            ThrowIfDisposed();
            long done = _context.Done; // before the total, which is never below it
            return new JobProgress(!_isDone, done, _context.Total);
        }
    }

    /// <summary>Waits until the outcome is there, whatever it is; false when the time is over, and
    /// <see cref="uint.MaxValue"/> waits for ever. Ends with Cancelled when this object is disposed of, and
    /// with Closed where the close of the store was the job's end.</summary>
    public bool Wait(uint timeoutMs)
    {
        long start = Stopwatch.GetTimestamp();
        lock (s_gate)
        {
            while (true)
            {
                ThrowIfDisposed();
                if (_isDone)
                {
                    break;
                }

                double left = timeoutMs - Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                if (timeoutMs == uint.MaxValue)
                {
                    Monitor.Wait(s_gate);
                }
                else if (left <= 0)
                {
                    return false;
                }
                else
                {
                    Monitor.Wait(s_gate, (int)Math.Min(Math.Ceiling(left), int.MaxValue));
                }
            }

            return _failure is not { Status: SessionStatus.Closed } closed ? true : throw closed.Again();
        }
    }

    /// <summary>Writes what the plain call would have written, as often as it is asked for; false, and nothing
    /// written, while the job runs. Throws what the job failed with.</summary>
    public bool TryWriteResult(IBufferWriter<byte> output)
    {
        lock (s_gate)
        {
            ThrowIfDisposed();
            if (!_isDone)
            {
                return false;
            }

            if (_failure is { } failure)
            {
                throw failure.Again();
            }
        }

        output.Write(_output.Written); // nobody writes to it any more
        return true;
    }

    /// <summary>Has it stop at the next place where stopping leaves everything whole; its outcome is then
    /// Cancelled. One that is done stays done, and so does what it did until then. Never blocks.</summary>
    public void Cancel() => Stop(JobStop.Cancelled);

    /// <summary>Cancels it and lets go of it; a wait on it ends with Cancelled. Never blocks.</summary>
    public void Dispose()
    {
        lock (s_gate)
        {
            _isDisposed = true;
            Monitor.PulseAll(s_gate);
        }

        Cancel();
    }

    /// <summary>Has it stop for this reason, unless there was one before.</summary>
    internal void Stop(JobStop why)
    {
        _context.Stop(why);
        if (_lane.TryRemove(this))
        {
            End(_context.Stopped(), null); // nobody had begun it
            _lane.Announce(this);
        }
    }

    /// <summary>Does it, on a thread of its lane. Throws nothing.</summary>
    internal void Run()
    {
        SessionException? failure = null;
        var output = new Utf8Buffer();
        try
        {
            _context.ThrowIfCancelled();
            _body!(_context, output);
        }
        catch (Exception e)
        {
            failure = FailureOf(e); // nothing may leave the thread: it would end the host
        }

        End(failure, output);
        Announce();
    }

    /// <summary>Tells of its end, on a thread of its lane. Throws nothing.</summary>
    internal void Announce()
    {
        try
        {
            _board?.OnDone(this, _failure?.Status ?? SessionStatus.Ok);
        }
        catch (Exception e)
        {
            LogRing.Add("error", $"The end of a job was not announced: {e.GetType().Name}: {e.Message}");
        }
    }

    private void End(SessionException? failure, Utf8Buffer? output)
    {
        if (failure is null)
        {
            _context.ReportEnd();
        }

        lock (s_gate)
        {
            _failure = failure;
            _output = failure is null ? output! : _output;
            _body = null;
            _isDone = true;
            Monitor.PulseAll(s_gate);
        }
    }

    private SessionException FailureOf(Exception e)
    {
        switch (e)
        {
            case SessionException known:
                return known;
            case DiskException disk:
                return Errors.From(disk, _board?.Disk);
            case OutOfMemoryException:
                return new SessionException(SessionStatus.NoMemory, "There was not enough memory.", inner: e);
            default:
                string what = $"{e.GetType().Name}: {e.Message}";
                LogRing.Add("error", $"{what}{Environment.NewLine}{e.StackTrace}");
                return new SessionException(SessionStatus.Internal, $"A bug in the library: {what}", inner: e);
        }
    }

    private void ThrowIfDisposed()
    {
        if (_isDisposed)
        {
            throw Errors.Cancelled();
        }
    }
}
