using Sessions.Storage.Journal;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Events.Repair;

/// <summary>
/// In which turns of a session somebody is at work: those with an open stream whose owner lives, and those whose last
/// writer lives and wrote within the last minute. What settles a log leaves them alone.
/// </summary>
internal sealed class RunningTurns
{
    /// <summary>How long a writer that lives may say nothing before its open turn counts as left.</summary>
    public const long StallMs = 60_000;

    private readonly StoreCore _core;
    private readonly LastWriters? _writers;
    private readonly IWriter? _mine;
    private readonly string? _former;
    private readonly HashSet<string> _streaming;
    private readonly Dictionary<string, bool> _owners = [];
    private readonly bool _isRecent;
    private bool? _hasOthers;

    /// <param name="core">The store; call under the rows' gate.</param>
    /// <param name="row">The session.</param>
    /// <param name="updatedAt">When it changed last, unix ms.</param>
    /// <param name="mine">The right of the handle that asks, whose own writes are no reason to wait; null: none of this
    /// store's writes are.</param>
    /// <param name="former">An open store that has lost its right to write; null: none.</param>
    public RunningTurns(StoreCore core, Row row, long updatedAt, IWriter? mine, string? former)
    {
        (_core, _writers, _mine, _former) = (core, row.Writers, mine, former);
        _isRecent = IsRecent(updatedAt);
        _streaming = Streaming(core, core.Rows.Streams.Of(row.Id), former);
    }

    /// <summary>True where any of the events to be appended belongs to a turn that has an open stream by now.</summary>
    public static bool HasStreams(StoreCore core, IReadOnlyList<OpenStream> streams, IReadOnlyList<NewEvent> events,
        string? former)
    {
        HashSet<string> streaming = Streaming(core, streams, former);
        return streaming.Count > 0 && events.Any(e => streaming.Contains(Key(e.TurnId)));
    }

    /// <summary>True where somebody is at work in the turn.</summary>
    public bool Contains(Turn turn) => _streaming.Contains(Key(turn.Id)) || IsWriterAtWork(turn.LastSeq);

    // Nobody's id is empty: that is the turn of the events without one.
    private static string Key(string? turnId) => turnId ?? "";

    private static HashSet<string> Streaming(StoreCore core, IReadOnlyList<OpenStream> streams, string? former) =>
    [
        .. streams.Where(s => !s.IsEndedNow && !s.IsAbandoned && s.Owner != former && core.IsOwnerAlive(s.Owner))
            .Select(s => Key(s.TurnId)),
    ];

    private bool IsWriterAtWork(long seq)
    {
        if (_writers?.Find(seq) is not { } entry || entry.InstanceId is not { } instance)
        {
            // Written before this store was opened: by nobody that is left, where nobody else has it open.
            return _isRecent && (_hasOthers ??= _core.Lock!.Locks.IsHeldByOther(StoreLock.Alive));
        }

        if (instance == _former || !IsRecent(entry.At))
        {
            return false;
        }

        return instance == _core.InstanceId
            ? _mine is not null && entry.Writer is { IsOver: false } writer && !ReferenceEquals(writer, _mine)
            : IsOwnerAlive(instance);
    }

    private bool IsRecent(long at) => Math.Abs(_core.Now - at) <= StallMs;

    private bool IsOwnerAlive(string instance)
    {
        if (!_owners.TryGetValue(instance, out bool isAlive))
        {
            _owners.Add(instance, isAlive = _core.IsOwnerAlive(instance));
        }

        return isAlive;
    }
}
