using System.Runtime.CompilerServices;
using System.Text;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;

namespace Sessions.Storage.Rows;

/// <summary>The parts of one open store and what they share.</summary>
internal sealed class StoreCore
{
    private const int LookMs = 100;

    private readonly Lock _owning = new();
    private long _lookedAt;
    private volatile bool _isOwner;
    private bool _hasNoThread;

    private long _scratch;

    public StoreCore(StoreEnvironment environment, SessionStoreOptions options, string storeId)
    {
        Environment = environment;
        Options = options;
        StoreId = storeId;
        Seed = StoreFile.SeedOf(storeId);
        Span<byte> random = stackalloc byte[6];
        environment.FillRandom(random);
        InstanceId = "i-" + Convert.ToHexStringLower(random);
        By = Encoding.UTF8.GetBytes(Errors.Details(b => b.Member("pid", environment.ProcessId)
            .Member("client_type", ClientType).Member("instance_id", InstanceId)));
        IsReadOnly = options.Flags.HasFlag(StoreFlags.ReadOnly);
        Warm = new WarmCache(environment.Time);
        Quarantine = new Quarantine(environment.Disk, environment.Time, !IsReadOnly) { Heed = Heed };
        Rows = new RowTable(environment.Disk, Quarantine, InstanceId);
        Followers = new Followers(this);
        Replica = new Replica(new JournalFiles(environment.Disk, Seed, InstanceId), Rows) { FindPage = FindPage };
    }

    public StoreEnvironment Environment { get; }

    public IDisk Disk => Environment.Disk;

    public SessionStoreOptions Options { get; }

    public string StoreId { get; }

    /// <summary>What all checksums of this store's journal begin with, so that no frame of another
    /// store is ever taken for one of this.</summary>
    public uint Seed { get; }

    /// <summary>A number for the name of a scratch file of this instance, never the same twice.</summary>
    public long NextScratch() => Interlocked.Increment(ref _scratch);

    public string InstanceId { get; }

    /// <summary>What other processes see of this one.</summary>
    public string ClientType => Options.ClientType ?? "unknown";

    /// <summary>The threads of this store that wait for news.</summary>
    public Followers Followers { get; }

    /// <summary>Who writes, as JSON.</summary>
    public byte[] By { get; }

    public bool IsReadOnly { get; }

    public Quarantine Quarantine { get; }

    public RowTable Rows { get; }

    /// <summary>What is kept in memory for the next one who asks.</summary>
    public WarmCache Warm { get; }

    public Replica Replica { get; }

    public SharedState State => Replica.State;

    /// <summary>Null in a store that is read where nothing may be locked.</summary>
    public StoreLock? Lock { get; set; }

    /// <summary>True where no thread was to be had for what is done in the background: each commit is synced then, and
    /// callers do the rest.</summary>
    public bool HasNoThread { get => Volatile.Read(ref _hasNoThread); set => Volatile.Write(ref _hasNoThread, value); }

    /// <summary>What the open found and did.</summary>
    public RecoveryReport Recovered { get; set; } = RecoveryReport.Nothing;

    /// <summary>The session folders and files that damage was found in; null: none.</summary>
    public string? Corruption { get; set; }

    /// <summary>Told of each job of this store that has ended: its id, its kind, how it ended.</summary>
    public Action<string, string, SessionStatus>? OnJobDone { get; set; }

    /// <summary>Told when others have open streams, which may outlive them.</summary>
    public Action? OnForeignStreams { get; set; }

    /// <summary>Makes it known, as long as this store is open, that who writes through it lives. Costs nothing but the
    /// first time.</summary>
    public void Own()
    {
        if (_isOwner || IsReadOnly)
        {
            return;
        }

        try
        {
            TakeOwnerByte();
        }
        catch (DiskException e)
        {
            throw Failed(e);
        }
    }

    private void TakeOwnerByte()
    {
        lock (_owning)
        {
            if (!_isOwner)
            {
                _isOwner = StoreLock.TryOwnerByte(InstanceId, out long offset)
                    && Lock!.Locks.TryLock(offset, exclusive: true) ? true : throw Errors.Busy("The owner's lock");
            }
        }
    }

    /// <summary>False where an open store that wrote is open no more, however it ended.</summary>
    public bool IsOwnerAlive(string owner) => owner == InstanceId
        || (StoreLock.TryOwnerByte(owner, out long offset) && Lock!.Locks.IsHeldByOther(offset));

    public long Now => Environment.Time.GetUtcNow().ToUnixTimeMilliseconds();

    public long BusyTimeoutMs => Options.BusyTimeoutMs == 0 ? 5000 : Options.BusyTimeoutMs;

    public void Step(Step step) => Environment.AtStep?.Invoke(step);

    /// <summary>Takes notice of a failure of the disk: a failed sync poisons the store, for all processes and in that
    /// moment, since nobody may be told of it again. Whatever calls the disk hands each failure to this, or to
    /// <see cref="Failed"/>.</summary>
    public void Heed(DiskException? e)
    {
        if (e is { IsFailedSync: true })
        {
            Poison(e.Message);
        }
    }

    /// <summary>The same; and what the failure is to a caller.</summary>
    public SessionException Failed(DiskException e)
    {
        Heed(e);
        return DiskErrors.From(e, Disk);
    }

    /// <summary>Nobody writes any more before a recovery. The one place that says so.</summary>
    public void Poison(string reason)
    {
        SharedState? state = State; // a salvage has none
        if (!IsReadOnly && state is { Page.IsWhole: true, Health: StoreHealth.Sound })
        {
            LogRing.Add("error", $"Nothing is written until the store is opened again: {reason}");
            state.Health = StoreHealth.Poisoned;
        }
    }

    /// <summary>Throws where nobody may write.</summary>
    public void RequireSound()
    {
        if (State.Health != StoreHealth.Sound)
        {
            throw State.Health == StoreHealth.Poisoned ? Errors.Poisoned()
                : Errors.Corrupt("The journal is damaged; the store can be read, and salvaged.", Layout.Journal);
        }
    }

    /// <summary>Brings the rows up to date unless they are, also where the page was removed under it.</summary>
    public void Refresh()
    {
        if (IsPageRemoved() || !Replica.IsCurrent) // the file before the memory: see IsPageRemoved
        {
            CatchUp();
        }
    }

    /// <summary>Checks, now and then, that the page is whole and still the one that all processes use.</summary>
    public void CheckPage()
    {
        if (IsPageRemoved())
        {
            CatchUp();
        }
    }

    /// <summary>The page, after a check that its file is whole. Costs a call of the system, so it is for threads that
    /// sleep between two checks.</summary>
    public SharedState CheckedState()
    {
        if (!State.Page.IsWhole)
        {
            CatchUp();
        }

        return State;
    }

    /// <summary>The fast path of the same for calls that come by the million: two loads. They look for
    /// a removed page now and then by a count of their own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // every look of a loop goes through here
    public void RefreshFast()
    {
        if (!Replica.IsCurrent)
        {
            CatchUp();
        }
    }

    /// <summary>Tells everybody of an abort, by memory alone: whatever comes next, it is signalled.</summary>
    public void SignalAbort(Row row)
    {
        long lsn = State.SignalAbort(AbortSignal.DigestOf(row.Id));
        if (row.Info is { } info)
        {
            AbortOf(row, info).Give(lsn); // those of this process see it however many more come behind it
        }
    }

    /// <summary>The info of a row as published, by memory alone; null where only <see cref="Read"/> knows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // every look at a session goes through here
    public SessionInfo? TryRead(Row row)
        => Replica.Find() is { } stand && row.Info is { } info && Replica.IsOn(stand) ? info : null;

    /// <summary>The same for a session of which no abort is signalled that its info does not tell; null where only
    /// <see cref="LookAtAbort"/> knows. The signal is asked before the info: the record of an abort takes back
    /// the signal, so who asked the other way round could miss both.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // every look of a loop goes through here
    public SessionInfo? TryReadQuiet(Row row)
        => Replica.Find() is { } stand && row.Abort is { } signal && signal.IsQuiet(stand.Page)
            && row.Info is { } info && Replica.IsOn(stand) ? info : null;

    /// <summary>The info of a row as published, under the gate.</summary>
    public SessionInfo Read(Row row)
    {
        lock (Rows.Gate)
        {
            RefreshFast();
            return Rows.Read(row);
        }
    }

    /// <summary>The same, and whether the session is aborted: from the signal of an abort, by any process, until it is
    /// cleared.</summary>
    public (SessionInfo Info, bool IsAborted) LookAtAbort(Row row)
    {
        lock (Rows.Gate)
        {
            SessionInfo info = Read(row);
            return (info, AbortOf(row, info).Look(State) || info.IsAborted);
        }
    }

    /// <summary>What was signalled of the aborts of a row.</summary>
    public AbortSignal AbortOf(Row row, SessionInfo info)
    {
        lock (Rows.Gate)
        {
            return row.Abort ??= new AbortSignal(row.Id, row.Info ?? info);
        }
    }

    private void CatchUp()
    {
        try
        {
            lock (Rows.Gate)
            {
                Replica.State = FindPage(State);
                Replica.CatchUp();
            }
        }
        catch (DiskException e)
        {
            throw DiskErrors.From(e, Disk);
        }

        if (Rows.Streams.HasForeign)
        {
            OnForeignStreams?.Invoke();
        }
    }

    // A writer notices under the store lock; a reader checks now and then. Once another process has cut the file,
    // the next touch of the memory ends this process, so the check comes first. Between two checks the window
    // stays open: a check at each call would cost more than the whole call.
    private bool IsPageRemoved()
    {
        long now = System.Environment.TickCount64; // a cost, not a time that anyone was promised
        if (now - Volatile.Read(ref _lookedAt) < LookMs)
        {
            return false;
        }

        Volatile.Write(ref _lookedAt, now);
        return !State.Page.IsLinked;
    }

    // Under the rows' gate, as the writer's own change of pages is. One that is still being made, by
    // whoever holds the store lock, is not followed yet.
    private SharedState FindPage(SharedState known)
    {
        if (known.Page.IsLinked)
        {
            return known; // only a whole page is linked, so one look decides nearly every call
        }

        if (!known.Page.IsWhole)
        {
            known = StandIn();
        }

        if (Disk.Stat(Layout.SharedPage) is not { IsFile: true }
            || Disk.OpenSharedPage(Layout.SharedPage, IsReadOnly) is not { } page)
        {
            return known;
        }

        var found = new SharedState(page, IsReadOnly);

        // Somebody put back what a page was once; the next writer sees to it. One that was left has a successor.
        bool isOlder = known.Generation >= 0 && found.Published < Rows.Lsn;
        if (CanFollow(found) && !isOlder && page.IsLinked)
        {
            return found;
        }

        page.Dispose();
        return known;
    }

    // What is known goes on being shown; the next commit makes the page anew from the journal.
    private SharedState StandIn()
    {
        LogRing.Add("warning", $"{Layout.SharedPage} was cut under the open store.");
        return new SharedState(new PrivatePage(isStandIn: true))
        {
            Layout = SharedState.Magic,
            StoreHash = Seed,
            Generation = Replica.Generation,
            Segment = Replica.Segment,
            Published = Rows.Lsn,
        };
    }

    /// <summary>True where the page is one that can be, this store's, and from since the machine was started: a
    /// power cut leaves an older one that speaks of frames which are gone.</summary>
    public bool CanFollow(SharedState state)
        => PageCheck.IsPossible(state, Seed)
            && (state.BootId == (long)Environment.BootId || state.BootId == 0 || Environment.BootId == 0);
}
