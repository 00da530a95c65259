using System.Globalization;
using Sessions.Images;
using Sessions.Platform;
using Sessions.Rules;
using Sessions.Storage.Commit;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Locks;

/// <summary>
/// The session locks of one open store: which of them its own handles hold, whether others' holders live, and
/// what is to be written by and by, which are heartbeats and the locks of handles that were let go of.
/// </summary>
internal sealed class LockKeeper(StoreCore core)
{
    public const int HeartbeatMs = 10_000;
    public const int StaleMs = 60_000;

    // Start times are told by the clock of the wall, which may have been set since.
    private const long StartedAtSlackMs = 5_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, WriterRight> _held = [];
    private readonly List<(Row Row, long Epoch)> _dropped = [];
    private volatile bool _hasDropped;
    private long _lastBeat;
    private long _aloneAt;
    private long? _startedAt; // this process did, which takes a look at the system's files

    /// <summary>Wakes the store's thread.</summary>
    public Action? Wake { get; set; }

    /// <summary>Told when a holder that is gone was come upon.</summary>
    public Action? OnGone { get; set; }

    /// <summary>Where writing needs the lock.</summary>
    public StrictRule Strict { get; } = new();

    /// <summary>True while there is something to write soon.</summary>
    public bool IsWatching => _hasDropped;

    /// <summary>How long the store's thread may sleep until the next heartbeat; infinite without locks.</summary>
    public int SleepMs
    {
        get
        {
            lock (_gate)
            {
                double passed = core.Environment.Time.GetElapsedTime(_lastBeat).TotalMilliseconds;
                return _held.Count == 0 ? Timeout.Infinite : (int)Math.Clamp(HeartbeatMs - passed, 250, HeartbeatMs);
            }
        }
    }

    /// <summary>The rights that have a lock, or had it and have not heard of its loss.</summary>
    public List<WriterRight> Rights()
    {
        lock (_gate)
        {
            return [.. _held.Values];
        }
    }

    /// <summary>How many of them are held as far as is published.</summary>
    public int CountHeld()
    {
        lock (core.Rows.Gate)
        {
            core.Refresh();
            return Rights().Count(r => r.Row.IsLive && Read(r.Row, isSettled: true).IsHeldUnder(r.Epoch));
        }
    }

    /// <summary>The rules as published, for what checks before it commits.</summary>
    public byte[] Rules() => core.Rows.ReadRules();

    /// <summary>The state of an image that is a row's.</summary>
    public LockState StateOf(byte[] image, Row row)
    {
        if (image.Length == 0)
        {
            return LockState.Free;
        }

        if (row.KnownLock is not { } known || !ReferenceEquals(known.Image, image))
        {
            row.KnownLock = known = new KnownLock(image, LockCodec.Read(image));
        }

        return known.State;
    }

    /// <summary>The lock of a session as published. Call under the rows' gate.</summary>
    public LockState Read(Row row, bool isSettled)
        => StateOf(core.Rows.ReadSide(row, SmallFileKind.Lock, isSettled), row);

    /// <summary>True where somebody who lives has the lock of a session, as published. Under the rows' gate.</summary>
    public bool IsHeld(Row row) => Read(row, isSettled: true) is { Holder: not null } state
        && LifeOf(state) == HolderLife.Alive;

    /// <summary>Without requests that are over.</summary>
    public LockState Tidy(LockState state)
        => state.Asks.Count == 0 ? state : state.Tidy(core.Now, core.IsOwnerAlive);

    /// <summary>What is known of the holder of a state that has one. Of one that is gone others are told by and
    /// by.</summary>
    public HolderLife LifeOf(LockState state)
    {
        HolderLife life = AskLifeOf(state);
        if (life != HolderLife.Alive)
        {
            OnGone?.Invoke();
        }

        return life;
    }

    /// <summary>The same, and nobody is told.</summary>
    public HolderLife AskLifeOf(LockState state)
    {
        LockHolder holder = state.Holder!;
        if (holder.InstanceId == core.InstanceId)
        {
            lock (_gate)
            {
                return _held.ContainsKey(state.Epoch) ? HolderLife.Alive : HolderLife.Dead;
            }
        }

        if (core.Lock!.Locks.IsHeldByOther(StoreLock.HolderByte(state.Epoch)))
        {
            return HolderLife.Alive;
        }

        // A local disk is one machine's, and its kernel lets go of the byte when the process ends, whatever the machine
        // or the container is called by then. And when this store was opened, nobody else had it open.
        if (core.Disk.Capabilities.IsLocal || state.Epoch <= Volatile.Read(ref _aloneAt))
        {
            return HolderLife.Dead;
        }

        // Locks say nothing on such a disk. A process with that id may be another one.
        if (CountsProcessesAsHere(holder) && core.Environment.ProcessStartedAt(holder.Pid) is { } startedAt
            && Math.Abs(startedAt - holder.ProcessStartedAt) > StartedAtSlackMs)
        {
            return HolderLife.Dead;
        }

        return core.Now - holder.HeartbeatAt > StaleMs ? HolderLife.Stale : HolderLife.Alive;
    }

    /// <summary>Nobody else had the store open when so much was published: no lock of then has a holder.</summary>
    public void NoteAlone(long lsn) => Volatile.Write(ref _aloneAt, lsn);

    // One start of one kernel, and one numbering of processes, are told apart where the systems say so; the name of
    // the machine, which containers and copies share, only where they do not.
    private bool CountsProcessesAsHere(LockHolder holder) => holder.BootId is { } boot && BootId is { } ours
        ? boot == ours && holder.PidNamespace == core.Environment.PidNamespace
        : holder.Hostname == core.Environment.Hostname;

    private string? BootId => core.Environment.BootId is not 0 and var id
        ? id.ToString("x16", CultureInfo.InvariantCulture) : null;

    /// <summary>Lets go, in the file, of the lock of one that is gone, and tells so: for whoever writes and meets it.
    /// One that comes back all the same has lost it.</summary>
    public void ReleaseGone(Transaction transaction, Row row, LockState state)
    {
        LockState free = Tidy(state).Release();
        transaction.PutSide(row, SmallFileKind.Lock, LockCodec.Write(free, row.Id), LockNews.Released,
            LockNews.OfGone(state, free));
    }

    /// <summary>Judges an attempt at a state that is tidy.</summary>
    public LockVerdict Judge(LockState state, LockMode mode, string? requestId)
        => state.Judge(mode, state.Holder is null ? HolderLife.Alive : LifeOf(state), requestId);

    /// <summary>What lock.json is to say of a handle of this store.</summary>
    public LockHolder Holder(long now) => new()
    {
        Pid = core.Environment.ProcessId,
        ProcessStartedAt = _startedAt ??= core.Environment.ProcessStartedAt(core.Environment.ProcessId) ?? 0,
        Hostname = core.Environment.Hostname,
        BootId = BootId,
        PidNamespace = core.Environment.PidNamespace,
        InstanceId = core.InstanceId,
        ClientType = core.ClientType,
        StartedAt = now,
        HeartbeatAt = now,
        LastActivityAt = now,
    };

    /// <summary>Takes the byte that proves that the holder under an epoch lives.</summary>
    public bool TryHold(WriterRight right, long epoch)
    {
        if (!core.Lock!.Locks.TryLock(StoreLock.HolderByte(epoch), exclusive: true))
        {
            return false;
        }

        lock (_gate)
        {
            _lastBeat = _held.Count == 0 ? core.Environment.Time.GetTimestamp() : _lastBeat;
            _held[epoch] = right;
        }

        return true;
    }

    /// <summary>Lets go of that byte.</summary>
    public void LetGo(long epoch)
    {
        lock (_gate)
        {
            _held.Remove(epoch);
        }

        try
        {
            core.Lock!.Locks.Unlock(StoreLock.HolderByte(epoch));
        }
        catch (DiskException e)
        {
            LogRing.Add("debug", $"A lock went with its store: {e.Message}"); // closed meanwhile
        }
    }

    /// <summary>Lets go of the lock of a handle that is gone; lock.json follows.</summary>
    public void Drop(Row row, long epoch)
    {
        lock (_gate)
        {
            _dropped.Add((row, epoch));
            _hasDropped = true;
        }

        LetGo(epoch);
        core.State.Announce();
        Wake?.Invoke();
    }

    /// <summary>Writes what is due: called by the store's thread.</summary>
    public void Sweep(Action<CommitRequest> commit)
    {
        if (core.State.Health != StoreHealth.Sound)
        {
            return;
        }

        ReleaseDropped(commit);
        bool isDue;
        lock (_gate)
        {
            isDue = _held.Count > 0
                && core.Environment.Time.GetElapsedTime(_lastBeat).TotalMilliseconds >= HeartbeatMs;
            _lastBeat = isDue ? core.Environment.Time.GetTimestamp() : _lastBeat;
        }

        if (isDue)
        {
            commit(new HeartbeatRequest(this) { Full = false });
        }
    }

    /// <summary>Lets go of all locks of this store, in one commit.</summary>
    public void ReleaseAll(Action<CommitRequest> commit)
    {
        ReleaseDropped(commit);
        List<WriterRight> rights = Rights();
        if (rights.Count == 0)
        {
            return;
        }

        List<(Row, long)> held = rights.ConvertAll(r => (r.Row, r.Epoch));
        commit(new ReleaseRequest(this, held) { Full = false });
        foreach (WriterRight right in rights)
        {
            if (right.Exchange(0) is not 0 and var epoch)
            {
                LetGo(epoch);
            }
        }
    }

    private void ReleaseDropped(Action<CommitRequest> commit)
    {
        List<(Row, long)> dropped;
        lock (_gate)
        {
            dropped = [.. _dropped];
            _dropped.Clear();
            _hasDropped = false;
        }

        if (dropped.Count == 0)
        {
            return;
        }

        try
        {
            commit(new ReleaseRequest(this, dropped) { Full = false });
        }
        catch
        {
            lock (_gate)
            {
                _dropped.AddRange(dropped);
                _hasDropped = true;
            }

            throw;
        }
    }
}
