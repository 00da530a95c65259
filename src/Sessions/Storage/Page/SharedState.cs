using Sessions.Platform;

namespace Sessions.Storage.Page;

/// <summary>
/// The page that all processes with the store open share: hints and the news of what is published.
/// Written under the store lock, but for the waiter counts, the news word and signalled aborts. Losing it
/// loses nothing: it is made anew from the journal. docs/FORMAT.md "Shared page" draws it.
/// </summary>
internal sealed unsafe partial class SharedState(ISharedPage page, bool isReadOnly = false)
{
    // Calls may be under way while the store closes, so the page goes with the last of its users.
    ~SharedState() => page.Dispose();

    public const long Magic = 0x3130474150535353; // "SSSPAG01"

    private readonly byte* _address = page.Address; // read with every call; it never changes

    public ISharedPage Page => page;

    public long Layout { get => Read(0); set => Write(0, value); }
    public long StoreHash { get => Read(8); set => Write(8, value); }
    public long BootId { get => Read(16); set => Write(16, value); }

    /// <summary>Raised by every recovery: whoever knew another one drops all it knows.</summary>
    public long Generation { get => Read(24); set => Write(24, value); }

    /// <summary>The segment that takes frames; 0 until the first commit.</summary>
    public long Segment { get => Read(32); set => Write(32, value); }
    public long Published { get => Read(40); set => Write(40, value); }

    /// <summary>The last frame that removed text for good; files may still have that.</summary>
    public long Purged { get => Read(48); set => Write(48, value); }

    /// <summary>The last LSN on stable storage.</summary>
    public long Synced { get => Read(56); set => Write(56, value); }

    /// <summary>The last LSN whose changes are in the files.</summary>
    public long Applied { get => Read(64); set => Write(64, value); }
    public long IdMs { get => Read(72); set => Write(72, value); }
    public long IdN { get => Read(80); set => Write(80, value); }

    /// <summary>The last LSN that the index has.</summary>
    public long Indexed { get => Read(88); set => Write(88, value); }

    /// <summary>What frames up to this one removed for good is in no file any more.</summary>
    public long Erased { get => Read(96); set => Write(96, value); }

    /// <summary>True while files may have text that was removed for good.</summary>
    public bool OwesErasure => Math.Min(Purged, Published) > Erased;

    /// <summary>One of <see cref="StoreHealth"/>.</summary>
    public long Health { get => Read(104); set => Write(104, value); }

    /// <summary>The process inside a commit; 0 when the lock was let go of in order.</summary>
    public long Holder { get => Read(112); set => Write(112, value); }

    /// <summary>The next LSN lies above this: a gap after damage.</summary>
    public long Floor { get => Read(120); set => Write(120, value); }

    /// <summary>Not 0 while files of a session could not be written: the journal keeps what belongs there.</summary>
    public long Held { get => Read(128); set => Write(128, value); }

    /// <summary>How often anybody has opened, by its name, a log or a segment to write to.</summary>
    public long Opened { get => Read(136); set => Write(136, value); }

    /// <summary>The futex that waiters for the store lock sleep on. The holder raises it after it takes the lock, and
    /// again after the unlock.</summary>
    public int* Turn => (int*)(_address + 192);

    public int* LockWaiters => (int*)(_address + 196);

    /// <summary>Changes with each publish and each signal; what followers wait on.</summary>
    public int* News => (int*)(_address + 256);

    public int* Followers => (int*)(_address + 260);

    /// <summary>Wakes followers. Where the page can only be read, those of this process, and one that
    /// is just about to wait may miss it: that is why everybody waits in slices.</summary>
    public void Announce()
    {
        if (!isReadOnly)
        {
            Interlocked.Increment(ref *News);
        }

        if (isReadOnly || Volatile.Read(ref *Followers) > 0)
        {
            page.Wake(News, int.MaxValue);
        }
    }

    /// <summary>Counts a follower in (1) or out (-1), where that can be told to others.</summary>
    public void CountFollower(int change)
    {
        if (!isReadOnly)
        {
            Interlocked.Add(ref *Followers, change);
        }
    }

    /// <summary>Tells all who still have this page that there is another one in its place.</summary>
    public void Leave()
    {
        Generation = -1;
        Announce();
    }

    public void Clear() => new Span<byte>(_address, SharedPage.Bytes).Clear();

    private long Read(int offset) => Volatile.Read(ref *(long*)(_address + offset));

    private void Write(int offset, long value) => Volatile.Write(ref *(long*)(_address + offset), value);
}

/// <summary>Whether anyone may write.</summary>
internal static class StoreHealth
{
    public const long Sound = 0;

    /// <summary>A journal write or sync failed: all writes wait for a recovery.</summary>
    public const long Poisoned = 1;

    /// <summary>The journal is damaged: all writes wait for a salvage.</summary>
    public const long Corrupt = 2;
}
