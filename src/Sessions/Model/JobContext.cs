using System.Buffers;

namespace Sessions.Model;

/// <summary>What a long call does: the same code as a job and as a plain call.</summary>
internal delegate void JobBody(JobContext context, IBufferWriter<byte> output);

/// <summary>Why a run is to stop.</summary>
internal enum JobStop
{
    /// <summary>It goes on.</summary>
    None,

    /// <summary>Whoever began it wants it no more.</summary>
    Cancelled,

    /// <summary>Its store is being closed.</summary>
    Closed,
}

/// <summary>
/// One run of a long call, as job or not: whether it is to stop, and how far it has come. What runs asks it
/// wherever stopping leaves the store whole, which is everywhere but inside a commit.
/// </summary>
internal sealed class JobContext
{
    private int _stop;
    private long _done;
    private long _total;

    /// <summary>True once it is to stop.</summary>
    public bool IsStopped => Volatile.Read(ref _stop) != (int)JobStop.None;

    /// <summary>How much is done. Read before <see cref="Total"/> it is never above that.</summary>
    public long Done => Volatile.Read(ref _done);

    /// <summary>How much there is to do; 0 while that is not known.</summary>
    public long Total => Volatile.Read(ref _total);

    /// <summary>Has it stop at its next question. The first reason stays.</summary>
    public void Stop(JobStop why) => Interlocked.CompareExchange(ref _stop, (int)why, (int)JobStop.None);

    /// <summary>Throws where it is to stop: Cancelled, or Closed where the store closes.</summary>
    public void ThrowIfCancelled()
    {
        if (IsStopped)
        {
            throw Stopped();
        }
    }

    /// <summary>What a run that was stopped answers.</summary>
    public SessionException Stopped()
        => Volatile.Read(ref _stop) == (int)JobStop.Closed ? Errors.Closed() : Errors.JobCancelled();

    /// <summary>Says how far it has come. Neither number ever goes back: what begins anew catches up first.</summary>
    public void Report(long done, long total)
    {
        if (total > _total)
        {
            Volatile.Write(ref _total, total);
        }

        done = _total > 0 ? Math.Min(done, _total) : done; // what is read may have grown since
        if (done > _done)
        {
            Volatile.Write(ref _done, done);
        }
    }

    /// <summary>It has come to its end.</summary>
    public void ReportEnd()
    {
        long all = Math.Max(Math.Max(_done, _total), 1);
        Report(all, all);
    }
}
