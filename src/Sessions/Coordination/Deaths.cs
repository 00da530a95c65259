using Sessions.Coordination.Locks;
using Sessions.Coordination.Queueing;
using Sessions.Images;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Commit;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Coordination;

/// <summary>
/// What the dead left: locks whose holder is gone, and claims whose claimer is. No frame tells of a death, so whoever
/// comes upon one has the store's thread write it down, and all watches are told by that frame.
/// </summary>
internal sealed class Deaths(StoreCore core, LockKeeper keeper)
{
    private const int LookMs = 500;

    private const int TriedMax = 1024;

    private readonly HashSet<byte[]> _tried = []; // images of what could not be written down; under the rows' gate
    private volatile bool _isSeen;
    private long _lookedAt;

    /// <summary>Wakes the store's thread.</summary>
    public Action? Wake { get; set; }

    /// <summary>True where one was seen that is not written down yet.</summary>
    public bool IsSeen => _isSeen;

    /// <summary>One was come upon.</summary>
    public void Note()
    {
        if (!_isSeen && !core.IsReadOnly)
        {
            _isSeen = true;
            Wake?.Invoke();
        }
    }

    /// <summary>Looks now and then, for as long as somebody watches: by himself nobody would come upon any.</summary>
    public void Look()
    {
        long now = Environment.TickCount64; // a cost, not a time that anyone was promised
        if (core.IsReadOnly || _isSeen || now - _lookedAt < LookMs)
        {
            return;
        }

        _lookedAt = now;
        try
        {
            (List<(Row, long)> locks, List<Row> claims) = Find(writes: false);
            if (locks.Count + claims.Count > 0)
            {
                Note();
            }
        }
        catch (Exception e) when (e is DiskException or SessionException)
        {
            LogRing.Add("debug", $"Who died could not be looked for: {e.Message}"); // watches go on
        }
    }

    /// <summary>Has the next look be one, however soon it comes.</summary>
    [ForTests]
    public void LookAgain() => _lookedAt = 0;

    /// <summary>Writes down those that were seen; the store's thread does. What fails is left for the next
    /// time.</summary>
    public void Sweep(Action<CommitRequest> commit)
    {
        if (!_isSeen || core.State.Health != StoreHealth.Sound)
        {
            return;
        }

        _isSeen = false;
        try
        {
            WriteDown(commit);
        }
        catch (Exception e) when (e is DiskException or SessionException)
        {
            // The thread has other things to do, and comes again.
            LogRing.Add("warning", $"That somebody died could not be written down: {e.Message}");
            lock (core.Rows.Gate)
            {
                _tried.Clear();
            }

            _isSeen = true;
        }
    }

    /// <summary>Writes down all that can be found. What cannot be written down is not tried again before it
    /// changes.</summary>
    public void WriteDown(Action<CommitRequest> commit)
    {
        (List<(Row, long)> locks, List<Row> claims) = Find(writes: true);
        if (locks.Count > 0)
        {
            commit(new ReleaseGoneRequest(keeper, locks) { Full = false });
        }

        foreach (Row row in claims)
        {
            try
            {
                commit(new InterruptClaimsRequest(core, row) { Full = false });
            }
            catch (SessionException e) when (e.Status is SessionStatus.Deleted or SessionStatus.Corrupt
                or SessionStatus.AccessDenied)
            {
                LogRing.Add("debug", $"The queue of {row.Id} keeps the claim of one that is gone: {e.Message}");
            }
        }
    }

    private (List<(Row Row, long Epoch)> Locks, List<Row> Claims) Find(bool writes)
    {
        List<(Row, long)> locks = [];
        List<Row> claims = [];
        lock (core.Rows.Gate)
        {
            if (_tried.Count > TriedMax)
            {
                _tried.Clear();
            }

            core.Refresh();
            var owners = new Dictionary<string, bool>();
            foreach (Row row in core.Rows.WithOwners)
            {
                if (!row.IsLive)
                {
                    continue; // nothing is written in the trash
                }

                if (LockOf(row) is { Holder: not null } state && keeper.AskLifeOf(state) != HolderLife.Alive
                    && IsNew(row, SmallFileKind.Lock, writes))
                {
                    locks.Add((row, state.Epoch));
                }

                if (ClaimersOf(row).Exists(claimer => !IsAlive(claimer, owners))
                    && IsNew(row, SmallFileKind.Queue, writes))
                {
                    claims.Add(row);
                }
            }
        }

        return (locks, claims);
    }

    private bool IsNew(Row row, SmallFileKind kind, bool writes)
    {
        byte[] image = row.Sides![kind.Index]!;
        return writes ? _tried.Add(image) : !_tried.Contains(image);
    }

    // Asked of the system once for each, however many sessions it has.
    private bool IsAlive(string owner, Dictionary<string, bool> known)
    {
        if (!known.TryGetValue(owner, out bool isAlive))
        {
            known.Add(owner, isAlive = core.IsOwnerAlive(owner));
        }

        return isAlive;
    }

    // By what was read before: what is asked for nothing but this is not read for it.
    private LockState LockOf(Row row) => row.Sides?[SmallFileKind.Lock.Index] is { } image
        ? keeper.StateOf(image, row) : LockState.Free;

    private static List<string> ClaimersOf(Row row)
    {
        if (row.Sides?[SmallFileKind.Queue.Index] is not { Length: > 0 } image)
        {
            return [];
        }

        if (row.KnownClaims is not { } known || !ReferenceEquals(known.Image, image))
        {
            row.KnownClaims = known = new KnownClaims(image, [.. QueueCodec.Read(image).Entries
                .Where(e => e.State == QueueEntryState.Claimed).Select(e => e.ClaimedBy!).Distinct()]);
        }

        return known.Claimers;
    }
}
