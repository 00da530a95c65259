using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Rows;

namespace Sessions.Jobs;

/// <summary>
/// The long calls that are under way in one open store, as jobs and as plain calls, so that a close can stop
/// them and knows when they are over. Two jobs run at once; a flush has a thread of its own, since whoever
/// waits for durability is not to wait for somebody's verify.
/// </summary>
internal sealed class JobBoard(StoreCore core)
{
    private const int WorkersMax = 2;

    private readonly object _gate = new();
    private readonly List<(JobContext Context, int Thread)> _calls = [];
    private readonly JobLane _work = new(WorkersMax);
    private readonly JobLane _flushes = new(threadsMax: 1);
    private bool _isClosed;

    /// <summary>The store's.</summary>
    public IDisk Disk => core.Disk;

    /// <summary>Where jobs of a kind run.</summary>
    public JobLane LaneOf(string kind) => kind == JobKinds.Flush ? _flushes : _work;

    /// <summary>Runs a long call on the caller's thread.</summary>
    public void Run(Action<JobContext> call)
    {
        var context = new JobContext();
        (JobContext, int) entry = (context, Environment.CurrentManagedThreadId);
        lock (_gate)
        {
            if (_isClosed)
            {
                throw Errors.Closed();
            }

            _calls.Add(entry);
        }

        try
        {
            call(context);
        }
        finally
        {
            lock (_gate)
            {
                _calls.Remove(entry);
                if (_isClosed)
                {
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }

    /// <summary>Tells those who listen that a job has ended.</summary>
    public void OnDone(Job job, SessionStatus status) => core.OnJobDone?.Invoke(job.Id, job.Kind, status);

    /// <summary>What a watch is told of it.</summary>
    public static byte[] Detail(string id, string kind, SessionStatus status) => new Utf8Buffer(96).Byte('{')
        .Member("job_id", id).Member("kind", kind).Member("status", (long)status).Byte('}').ToArray();

    /// <summary>Stops everything, and returns when nothing is under way any more.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            foreach ((JobContext context, _) in _calls)
            {
                context.Stop(JobStop.Closed);
            }
        }

        _work.Stop(JobStop.Closed);
        _flushes.Stop(JobStop.Closed);
        _work.Join();
        _flushes.Join();
        lock (_gate)
        {
            while (_calls.Exists(c => c.Thread != Environment.CurrentManagedThreadId))
            {
                Monitor.Wait(_gate);
            }
        }
    }
}
