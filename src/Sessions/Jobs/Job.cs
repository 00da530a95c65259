using System.Buffers;
using System.Diagnostics;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;

namespace Sessions.Jobs;

/// <summary>A long call in the background: what a thread of its lane does, and how that ended. Any thread may call
/// anything at any time.</summary>
internal sealed class Job
{
    // One gate serves all jobs, since the runtime keeps something for each object that was ever waited on. It guards a
    // few fields of each job. A wait for one job wakes when any job ends, and checks its own again.
    private static readonly object s_gate = new();
    private static JobLane s_storeless = new(threadsMax: 2);

    private readonly JobContext _context = new();
    private readonly JobBoard? _board;
    private JobLane _lane;
    private JobBody? _body;
    private Utf8Buffer _output = new(0);
    private SessionException? _failure;
    private bool _isDone;
    private bool _isDisposed;

    private Job(string id, string kind, JobBody body, JobBoard? board, JobLane lane)
        => (Id, Kind, _body, _board, _lane) = (id, kind, body, board, lane);

    public string Id { get; }

    public string Kind { get; }

    /// <summary>Its place among those that wait for a thread; null for one that runs or is over. The lane's.</summary>
    public LinkedListNode<Job>? Place { get; set; }

    /// <summary>Starts one that does this; without a board it belongs to no store.</summary>
    public static Job Start(string id, string kind, JobBody body, JobBoard? board)
    {
        var job = new Job(id, kind, body, board, board?.LaneOf(kind) ?? Volatile.Read(ref s_storeless));
        while (!job._lane.TryStart(job))
        {
            job._lane = board is null ? Volatile.Read(ref s_storeless) : throw Errors.Closed(); // shut down since
        }

        return job;
    }

    /// <summary>True while there are threads for jobs that need no store.</summary>
    public static bool HasStoreless => Volatile.Read(ref s_storeless).IsInUse;

    /// <summary>Cancels the jobs that need no store, and returns when their threads have ended. Others can be
    /// started again afterwards.</summary>
    public static void StopStoreless()
    {
        JobLane lane = Interlocked.Exchange(ref s_storeless, new JobLane(threadsMax: 2));
        lane.Stop(JobStop.Cancelled);
        lane.Join();
    }

    /// <summary>True once it is to stop, be it at its end already.</summary>
    public bool IsStopped => _context.IsStopped;

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

    /// <summary>Waits until the outcome is there; false when the time is over.</summary>
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

    /// <summary>Writes what the body wrote; false, and nothing written, while it runs. Throws what it failed
    /// with.</summary>
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

    /// <summary>Cancels the job and gives it up: a wait for it ends with Cancelled.</summary>
    public void LetGo()
    {
        lock (s_gate)
        {
            _isDisposed = true;
            Monitor.PulseAll(s_gate);
        }

        Stop(JobStop.Cancelled);
    }

    /// <summary>Has it stop for this reason, unless there was one before.</summary>
    public void Stop(JobStop why)
    {
        _context.Stop(why);
        if (_lane.TryRemove(this))
        {
            End(_context.Stopped(), null); // nobody had begun it
            _lane.Announce(this);
        }
    }

    /// <summary>Does it, on a thread of its lane. Throws nothing.</summary>
    public void Run()
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
    public void Announce()
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
                return DiskErrors.From(disk, _board?.Disk);
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
