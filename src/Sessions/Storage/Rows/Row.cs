using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Sessions.Images;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Page;

namespace Sessions.Storage.Rows;

/// <summary>
/// One session as this process knows it. Fields are written and read under the table's gate. Without it only those
/// are read whose reads and writes keep their order here, on any processor: <see cref="Info"/>, since what it
/// refers to never changes, and what says where the session is.
/// </summary>
internal sealed class Row(string id)
{
    private volatile SessionInfo? _info;
    private volatile AbortSignal? _abort;
    private volatile byte[]?[]? _sides;
    private volatile bool _isGone;
    private volatile bool _isLogSettled;
    private volatile int _rewrites;
    private long _deletionLsn;
    private WorkedSession? _worked; // most sessions of a large store are listed and no more

    public string Id { get; } = id;

    /// <summary>What the id orders by; zeros for one that this library did not make.</summary>
    public (long Ms, long N) Number { get; } = SessionIds.TryParse(id, out long ms, out long n) ? (ms, n) : default;

    /// <summary>Null until somebody asks.</summary>
    public SessionInfo? Info { get => _info; set => _info = value; }

    /// <summary>The info as the index has it; empty once <see cref="Info"/> is there.</summary>
    public ReadOnlyMemory<byte> Slice { get; set; }

    public bool IsGone { get => _isGone; set => _isGone = value; }

    /// <summary>True once its folder was seen to be one that may be written to.</summary>
    public bool HasOwnFolder { get; set; }

    /// <summary>The LSN of the delete that took it; 0 while live.</summary>
    public long DeletionLsn
    {
        get => Volatile.Read(ref _deletionLsn);
        set => Volatile.Write(ref _deletionLsn, value);
    }

    /// <summary>How often this process saw it move between its folder and the trash, or go. Whoever
    /// worked on its files by their path compares.</summary>
    public int Moves { get; set; }

    // What lists order and choose by, so that they need not parse a row.
    public string? ParentId { get; set; }
    public long CreatedAt { get; set; }
    public long UpdatedAt { get; set; }

    /// <summary>0: no event yet.</summary>
    public long LastEventAt { get; set; }
    public bool Archived { get; set; }

    /// <summary>When the share that the info names ends; 0: never, or there is none.</summary>
    public long ShareExpiresAt { get; set; }

    /// <summary>What appends since made of the counters while <see cref="Info"/> was not there.</summary>
    public PendingCounters? Pending { get; set; }

    /// <summary>How often this process saw its log replaced by another file. Whoever worked with offsets
    /// in it compares.</summary>
    public int Rewrites { get => _rewrites; set => _rewrites = value; }

    /// <summary>Bytes of the event log, lines that are not in the file yet included; -1: unknown.</summary>
    public long LogLength { get; set; } = -1;

    /// <summary>Bytes of it that are in the file; 0 where that is not known, or another file is about to take its
    /// place.</summary>
    public long FileLength => Staged is not null ? 0 : Tail is [{ Lsn: > 0 } first, ..] ? first.Offset
        : Math.Max(0, LogLength);

    /// <summary>The file that the log was when its end was looked for; 0: nobody has looked.</summary>
    public ulong LogIdentity
    {
        get => _worked?.LogIdentity ?? 0;
        set
        {
            if (Keeps(value != 0))
            {
                _worked.LogIdentity = value;
            }
        }
    }

    /// <summary>The LSN of the frame that made it, where this process saw that frame; else 0.</summary>
    public long MadeAt
    {
        get => _worked?.MadeAt ?? 0;
        set
        {
            if (Keeps(value != 0))
            {
                _worked.MadeAt = value;
            }
        }
    }

    /// <summary>What frames in the journal say that stands in its log; null: nothing of it is known.</summary>
    public WrittenLines? Written
    {
        get => _worked?.Written;
        set
        {
            if (Keeps(value is not null))
            {
                _worked.Written = value;
            }
        }
    }

    /// <summary>The segment of the last frame that touched it.</summary>
    public long LastSegment { get; set; }

    /// <summary>Lines that are published but perhaps not in the file yet, in order, without gaps.</summary>
    public List<TailLines>? Tail { get; set; }

    /// <summary>What it is a branch of, while the links that its history stands in may not be made yet; null: they
    /// are.</summary>
    public Row? Origin
    {
        get => _worked?.Origin;
        set
        {
            if (Keeps(value is not null))
            {
                _worked.Origin = value;
            }
        }
    }

    /// <summary>The file, beside events.jsonl, that a frame published but perhaps not applied yet puts in its
    /// place; null: none.</summary>
    public (long Lsn, string File)? Staged
    {
        get => _worked?.Staged;
        set
        {
            if (Keeps(value is not null))
            {
                _worked.Staged = value;
            }
        }
    }

    /// <summary>shares.json, compact; empty: none; null: not read yet.</summary>
    public byte[]? Shares { get; set; }

    /// <summary>What log.json says; null: not read yet.</summary>
    public LogState? Log { get; set; }

    /// <summary>The side files, compact, by their index; empty: none; null: not read yet.</summary>
    public byte[]?[]? Sides { get => _sides; set => _sides = value; }

    /// <summary>Entries that were added to the queue and are not in its side file above yet, in order; null:
    /// none.</summary>
    public List<AddedEntry>? Added
    {
        get => _worked?.Added;
        set
        {
            if (Keeps(value is not null))
            {
                _worked.Added = value;
            }
        }
    }

    /// <summary>The segment that the last whole image of the queue which this process saw stands in; 0: it saw
    /// none.</summary>
    public long QueueSegment
    {
        get => _worked?.QueueSegment ?? 0;
        set
        {
            if (Keeps(value != 0))
            {
                _worked.QueueSegment = value;
            }
        }
    }

    /// <summary>What the last image of lock.json that was looked at says.</summary>
    public KnownLock? KnownLock
    {
        get => _worked?.KnownLock;
        set
        {
            if (Keeps(value is not null))
            {
                _worked.KnownLock = value;
            }
        }
    }

    /// <summary>Who claims entries of the queue, by the last image that was looked at.</summary>
    public KnownClaims? KnownClaims
    {
        get => _worked?.KnownClaims;
        set
        {
            if (Keeps(value is not null))
            {
                _worked.KnownClaims = value;
            }
        }
    }

    /// <summary>Who appended to its log last; null where this process has not seen it.</summary>
    public LastWriters? Writers
    {
        get => _worked?.Writers;
        set
        {
            if (Keeps(value is not null))
            {
                _worked.Writers = value;
            }
        }
    }

    /// <summary>What the last image of queue.json that was looked at or made says.</summary>
    public KnownQueue? KnownQueue
    {
        get => _worked?.KnownQueue;
        set
        {
            if (Keeps(value is not null))
            {
                _worked.KnownQueue = value;
            }
        }
    }

    /// <summary>True once this store has seen to what dead processes had left open in its log.</summary>
    public bool IsLogSettled { get => _isLogSettled; set => _isLogSettled = value; }

    /// <summary>First numbers of events that carry an id; null until one is asked for.</summary>
    public EventIds? EventIds
    {
        get => _worked?.EventIds;
        set
        {
            if (Keeps(value is not null))
            {
                _worked.EventIds = value;
            }
        }
    }

    /// <summary>What the batch under way makes of it; null while none touches it. Used by the one
    /// caller that leads.</summary>
    public WorkingRow? Working { get; set; }

    public bool IsWorking => Working is not null;

    public SessionInfo? WorkingInfo => Working?.Info;

    public bool IsLive
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)] // every look of a loop asks
        get => !IsGone && DeletionLsn == 0;
    }

    public string Folder => Layout.Folder(Id, DeletionLsn);

    /// <summary>What was signalled of its aborts; null until somebody asks.</summary>
    public AbortSignal? Abort { get => _abort; set => _abort = value; }

    /// <summary>True where this process has heard of an abort that the record does not speak of yet.</summary>
    public bool IsSignalled => _abort is { IsPending: true };

    // False where there is nothing to keep, and nothing was.
    [MemberNotNullWhen(true, nameof(_worked))]
    private bool Keeps(bool hasValue)
    {
        _worked ??= hasValue ? new WorkedSession() : null;
        return _worked is not null;
    }

    // The members of the same names above. A row without them takes two thirds of the memory.
    private sealed class WorkedSession
    {
        public long MadeAt { get; set; }
        public WrittenLines? Written { get; set; }
        public ulong LogIdentity { get; set; }
        public Row? Origin { get; set; }
        public (long Lsn, string File)? Staged { get; set; }
        public List<AddedEntry>? Added { get; set; }
        public long QueueSegment { get; set; }
        public KnownLock? KnownLock { get; set; }
        public KnownClaims? KnownClaims { get; set; }
        public LastWriters? Writers { get; set; }
        public KnownQueue? KnownQueue { get; set; }
        public EventIds? EventIds { get; set; }
    }
}

/// <summary>Counters that wait for the info they belong to.</summary>
internal sealed record PendingCounters(Counters Counters);

/// <summary>A session between the first change of a batch and its publishing.</summary>
internal sealed class WorkingRow
{
    /// <summary>Null: gone.</summary>
    public SessionInfo? Info { get; set; }
    public long LogLength { get; set; }

    /// <summary>Null: as they were.</summary>
    public byte[]? Shares { get; set; }

    /// <summary>Null: as it was.</summary>
    public LogState? Log { get; set; }

    /// <summary>By their index; null: as they were.</summary>
    public byte[]?[]? Sides { get; set; }

    /// <summary>True where the batch has a whole image of the queue.</summary>
    public bool HasQueueImage { get; set; }
    public Dictionary<string, long>? EventIds { get; set; }

    /// <summary>The last prompt that the batch appends; 0: none.</summary>
    public long PromptSeq { get; set; }
}

/// <summary>An entry that one frame added to a queue.</summary>
internal readonly record struct AddedEntry(long Lsn, ReadOnlyMemory<byte> Entry);
