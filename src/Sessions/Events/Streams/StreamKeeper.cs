using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Events.Streams;

/// <summary>
/// Sees to streams that nobody will end: those whose handle was let go of, those of this store when it
/// closes, and those of open stores that are open no more. Their text becomes an event marked interrupted.
/// </summary>
internal sealed class StreamKeeper(StoreCore core)
{
    private volatile bool _hasAbandoned;

    /// <summary>True while there may be something to do by and by.</summary>
    public bool IsWatching => _hasAbandoned || core.Rows.Streams.HasForeign;

    /// <summary>Wakes the store's thread.</summary>
    public Action? Wake { get; set; }

    /// <summary>Leaves a stream to the store's thread. Does no I/O and never waits for any.</summary>
    public void Abandon(OpenStream stream)
    {
        stream.IsAbandoned = true;
        _hasAbandoned = true;
        Wake?.Invoke();
    }

    /// <summary>Ends what was left, as far as is known. A failure leaves the rest for the next time.</summary>
    public void Sweep(Action<CommitRequest> commit)
    {
        if (!IsWatching || core.State.Health != StoreHealth.Sound)
        {
            return;
        }

        core.Refresh();
        _hasAbandoned = false; // what is abandoned from here on is found below or sets it again
        try
        {
            List<OpenStream> streams = Streams();
            HashSet<string> gone = [.. streams.Select(s => s.Owner).Distinct().Where(o => !core.IsOwnerAlive(o))];
            foreach (OpenStream stream in streams.Where(s => s.IsAbandoned || gone.Contains(s.Owner)))
            {
                Interrupt(stream, commit);
            }
        }
        catch
        {
            _hasAbandoned = true;
            throw;
        }
    }

    /// <summary>Ends the streams of this store, which closes. Throws what the last of them met.</summary>
    public void EndOwn(Action<CommitRequest> commit)
    {
        core.Refresh();
        SessionException? failure = null;
        foreach (OpenStream stream in Streams().Where(s => s.Owner == core.InstanceId))
        {
            try
            {
                Interrupt(stream, commit);
            }
            catch (SessionException e)
            {
                failure = e; // its text stays where it is, and the next one to open the store ends it
            }
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    private List<OpenStream> Streams()
    {
        lock (core.Rows.Gate)
        {
            // In the order they began in, so that their events come out the same wherever this is done.
            return [.. core.Rows.Streams.All.Where(s => !s.IsStuck).OrderBy(s => s.StartedAt)
                .ThenBy(s => s.Id, StringComparer.Ordinal)];
        }
    }

    private void Interrupt(OpenStream stream, Action<CommitRequest> commit)
    {
        try
        {
            bool isFull = core.Options.Durability == Durability.Full;
            commit(new InterruptStreamRequest(core, stream) { Full = isFull });
        }
        catch (SessionException e) when (core.State.Health == StoreHealth.Sound
            && (e.Status is SessionStatus.Corrupt or SessionStatus.AccessDenied
                || e.InnerException is DiskException { Error: DiskError.AccessDenied }))
        {
            stream.IsStuck = true;
            LogRing.Add("warning", $"Stream {stream.Id} is kept: session {stream.SessionId} cannot be read.");
        }
    }
}
