using Sessions.Model;

namespace Sessions.Jobs;

/// <summary>
/// A few threads that do jobs in the order in which they were started. A thread begins when a job finds
/// none that is free, and ends when there has been nothing to do for a while.
/// </summary>
internal sealed class JobLane(int threadsMax)
{
    private const int StackBytes = 512 * 1024;
    private const int IdleMs = 5000;

    private readonly object _gate = new();
    private readonly LinkedList<Job> _waiting = new();
    private readonly Queue<Job> _ended = new(); // before they began
    private readonly List<Job> _running = [];
    private readonly List<Thread> _threads = [];
    private int _idle;
    private bool _isStopped;

    /// <summary>True while it has threads.</summary>
    public bool IsInUse
    {
        get
        {
            lock (_gate)
            {
                return _threads.Count > 0;
            }
        }
    }

    /// <summary>Takes a job on; false where the lane was stopped.</summary>
    public bool TryStart(Job job)
    {
        lock (_gate)
        {
            if (_isStopped)
            {
                return false;
            }

            Checks.AtMost(_waiting.Count + 1, Limits.JobsWaitingMax, "jobs_waiting_max");
            job.Place = _waiting.AddLast(job);
            if (_idle >= _waiting.Count + _ended.Count)
            {
                Monitor.Pulse(_gate); // of those that were pulsed before, none has taken its job yet
            }
            else if (_threads.Count < threadsMax)
            {
                AddThread(job);
            }

            return true;
        }
    }

    /// <summary>Has a thread announce a job that has ended without one: whoever cancels waits for nothing.</summary>
    public void Announce(Job job)
    {
        lock (_gate)
        {
            if (!_isStopped)
            {
                _ended.Enqueue(job); // where a job waited there are threads
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <summary>Takes back a job that nobody has begun; false where somebody has.</summary>
    public bool TryRemove(Job job)
    {
        lock (_gate)
        {
            if (job.Place is not { } place)
            {
                return false;
            }

            _waiting.Remove(place);
            job.Place = null;
            return true;
        }
    }

    /// <summary>Takes on nothing more and has everything stop.</summary>
    public void Stop(JobStop why)
    {
        Job[] jobs;
        lock (_gate)
        {
            _isStopped = true;
            jobs = [.. _waiting, .. _running];
            Monitor.PulseAll(_gate);
        }

        foreach (Job job in jobs)
        {
            job.Stop(why);
        }
    }

    /// <summary>Returns when the threads of a stopped lane have ended.</summary>
    public void Join()
    {
        Thread[] threads;
        lock (_gate)
        {
            threads = [.. _threads];
        }

        foreach (Thread thread in threads)
        {
            if (thread != Thread.CurrentThread)
            {
                thread.Join();
            }
        }
    }

    private void AddThread(Job job)
    {
        var thread = new Thread(Work, StackBytes) { IsBackground = true, Name = "sessions job" };
        _threads.Add(thread);
        try
        {
            thread.Start();
        }
        catch
        {
            _threads.Remove(thread);
            if (_threads.Count > 0)
            {
                return; // the others will come to it
            }

            _waiting.Remove(job);
            job.Place = null;
            throw;
        }
    }

    private void Work()
    {
        while (Take(out bool isOver) is { } job)
        {
            if (isOver)
            {
                job.Announce();
                continue;
            }

            job.Run();
            lock (_gate)
            {
                _running.Remove(job);
            }
        }
    }

    private Job? Take(out bool isOver)
    {
        lock (_gate)
        {
            bool isInTime = true;
            while (_waiting.Count == 0 && _ended.Count == 0 && !_isStopped && isInTime)
            {
                _idle++;
                isInTime = Monitor.Wait(_gate, IdleMs);
                _idle--;
            }

            isOver = !_isStopped && _ended.Count > 0;
            if (isOver)
            {
                return _ended.Dequeue();
            }

            if (_waiting.First is { } first && !_isStopped)
            {
                _waiting.RemoveFirst();
                first.Value.Place = null;
                _running.Add(first.Value);
                return first.Value;
            }

            _threads.Remove(Thread.CurrentThread);
            return null;
        }
    }
}
