using System.Runtime.CompilerServices;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Page;

namespace Sessions.Storage.Rows;

/// <summary>The page and the generation of it that the rows are of. Each time that the rows start over it is another
/// object, so that a reader without the gate sees that they did.</summary>
internal sealed class Stand(SharedState page, long generation)
{
    public SharedState Page => page;

    public long Generation => generation;
}

/// <summary>
/// This process's copy of the store: the rows, and how far in the journal they are. Reading what
/// others published needs no lock but the rows' gate: frames up to the published LSN never change.
/// </summary>
internal sealed class Replica(JournalFiles journal, RowTable rows)
{
    // Each turn is one checkpoint of another process that came in between; more than a few in a row
    // mean that something else is wrong.
    private const int ReloadsMax = 50;

    private readonly byte[] _buffer = new byte[8 * 1024]; // one batch of a neighbour, mostly
    private volatile SharedState _state = null!;
    private volatile Stand? _stand; // null while the rows are being changed in steps that nobody may see one by one
    private long _generation;
    private long _segment; // this and the next: the store's thread asks without the gate
    private long _offset;

    public SharedState State
    {
        get => _state;
        set
        {
            _stand = null;
            _state = value;
        }
    }

    /// <summary>That of the page that the rows were read by.</summary>
    public long Generation => _generation;

    /// <summary>The segment that the next frame is read from or written to; 0: none yet.</summary>
    public long Segment { get => Volatile.Read(ref _segment); private set => Volatile.Write(ref _segment, value); }

    /// <summary>Where in it.</summary>
    public long Offset { get => Volatile.Read(ref _offset); private set => Volatile.Write(ref _offset, value); }

    /// <summary>Published frames that may not be in the files yet, in order.</summary>
    public List<Frame> Pending { get; private set; } = [];

    public long PendingBytes { get; set; }

    /// <summary>The page that all others use, where that is no longer the one given.</summary>
    public required Func<SharedState, SharedState> FindPage { get; init; }

    /// <summary>Told of what the rows take in, while somebody wants to know; null: nobody does.</summary>
    public IFrameSink? Sink { get; set; }

    /// <summary>True where nothing was published that the rows do not show. A few memory loads.</summary>
    public bool IsCurrent => Find() is not null;

    // A page that shows less than the rows was written over, or put back; the next writer makes it anew. One that was
    // left has a generation below zero, and a successor.
    private bool IsCaughtUp => _state.Generation == _generation ? _state.Published <= rows.Lsn : IsOlder;

    /// <summary>True where the page is from before the recovery that the rows were read after.</summary>
    public bool IsOlder => _state.Generation >= 0 && _state.Generation < _generation;

    /// <summary>What a reader without the gate stands on, where the rows show all that is published; else null. What
    /// it then reads of a row counts where it <see cref="IsOn"/> that still.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // every look at a session goes through here
    public Stand? Find()
    {
        Stand? stand = _stand;
        return stand is not null && stand.Page.Published == rows.Lsn && stand.Page.Generation == stand.Generation
            ? stand : null;
    }

    /// <summary>True where the rows have not started over since, and no frame of several sessions was taken
    /// in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // that one, too
    public bool IsOn(Stand stand) => ReferenceEquals(stand, _stand);

    /// <summary>Lets readers in without the gate. Call under it, when the rows show what is published.</summary>
    public void LetRead()
    {
        if (_stand is not { } stand || stand.Page != _state || stand.Generation != _generation)
        {
            _stand = new Stand(_state, _generation);
        }
    }

    /// <summary>Brings the rows up to what is published. Call under the gate.</summary>
    public void CatchUp()
    {
        for (int i = 0; !IsCaughtUp; i++)
        {
            if (i > ReloadsMax)
            {
                throw Errors.Corrupt("The journal does not lead to what was published.", Layout.Journal);
            }

            if (_state.Generation != _generation || !TryFollow(_state.Published))
            {
                State = FindPage(_state);
                journal.Dispose(); // another file may have taken the place of the one that is open
                Reset(i % 2 == 0 ? Oldest() : _state.Indexed); // segments may go while they are read
            }
        }

        DropApplied();
        LetRead();
    }

    /// <summary>Starts over from where the journal begins. The files have the first of its frames already, but may have
    /// been harmed since, and then these frames know better.</summary>
    public void ResetToOldest() => Reset(Oldest());

    /// <summary>Sees to it that the rows have taken in all that the journal has. Call under the gate.</summary>
    public void KnowJournal()
    {
        CatchUp();
        if (Oldest() < rows.Base)
        {
            ResetToOldest();
            CatchUp();
        }
    }

    /// <summary>Starts over from what the files hold.</summary>
    public void Reset() => Reset(_state.Indexed);

    private void Reset(long lsn)
    {
        _stand = null;
        long generation = _state.Generation;
        rows.Reset(lsn);
        _generation = generation;
        Segment = 0;
        Offset = 0;
        Pending = [];
        PendingBytes = 0;
        Sink?.Reset(rows.Lsn);
    }

    /// <summary>Goes on to a segment that was just made.</summary>
    public void MoveTo(long segment)
    {
        Segment = segment;
        Offset = SegmentHeader.Length;
        if (rows.InJournal.Count > 0)
        {
            rows.DropWrittenBefore(journal.Segments() is [var first, ..] ? first : segment);
        }
    }

    /// <summary>Takes in frames that stand from <see cref="Offset"/> on. Call under the gate.</summary>
    public void Take(List<Frame> frames, long bytes, bool areApplied)
    {
        foreach (Frame frame in frames)
        {
            Take(frame, bytes / frames.Count, areApplied);
        }

        PendingBytes = areApplied ? PendingBytes : PendingBytes + bytes;
        Offset += bytes;
    }

    private void Take(Frame frame, long bytes, bool isApplied)
    {
        if (IsOfSeveral(frame))
        {
            _stand = null; // nobody sees the first session changed and the last one not yet
        }

        rows.Segment = Segment;
        rows.Install(frame, isApplied);
        Sink?.Take(frame, bytes);
        if (!isApplied)
        {
            Pending.Add(frame);
        }
    }

    /// <summary>Forgets pending frames that are in the files now. Call under the gate.</summary>
    public void DropApplied()
    {
        rows.DropGone(_state.Indexed);
        long applied = _state.Applied;
        if (Pending.Count == 0 || Pending[0].Lsn > applied)
        {
            return;
        }

        rows.DropTails(Pending.Where(f => f.Lsn <= applied), applied);
        Pending = Pending.FindAll(f => f.Lsn > applied);
        PendingBytes = Pending.Count == 0 ? 0 : PendingBytes;
    }

    /// <summary>The file that it reads the current segment from; null: it is gone. Call under the gate.</summary>
    public IDiskFile? SegmentFile => journal.Open(Segment);

    /// <summary>Has it opened by its name when it is read next. Call under the gate.</summary>
    public void ReopenSegment() => journal.Dispose();

    /// <summary>Lets go of the file it reads.</summary>
    public void Close()
    {
        lock (rows.Gate)
        {
            journal.Dispose();
        }
    }

    /// <summary>Goes on to the next segment where this one is over; false where there is none.</summary>
    public bool TryNextSegment()
    {
        long next;
        if (Segment == 0)
        {
            List<long> numbers = journal.Segments();
            if (numbers.Count == 0)
            {
                return false;
            }

            next = numbers[0];
            if (journal.ReadHeader(next) is not { } first || first.PreviousLsn > rows.Lsn)
            {
                return false;
            }
        }
        else if (journal.ReadHeader(Segment + 1) is { } header)
        {
            next = Segment + 1;
            if (header.PreviousEnd != Offset)
            {
                return false;
            }
        }
        else
        {
            // The next one was retired, as one without frames is. The first that is left says which LSN it follows.
            next = journal.Segments().Find(n => n > Segment);
            if (next == 0 || journal.ReadHeader(next) is not { } later || later.PreviousLsn > rows.Lsn)
            {
                return false;
            }
        }

        MoveTo(next);
        return true;
    }

    /// <summary>Goes to where the next frame is written: a segment may have been made since the last
    /// frame, and who has read no frame yet does not know where they end. Call under the gate, caught up.</summary>
    public void SeekEnd()
    {
        while (Segment < _state.Segment)
        {
            SkipKnown();
            if (!TryNextSegment())
            {
                throw Errors.Corrupt("The journal does not lead to its current segment.", Layout.Journal);
            }

            SkipKnown();
        }
    }

    private long Oldest() => journal.Segments() is [var first, ..] && journal.ReadHeader(first) is { } header
        ? Math.Min(header.FirstLsn - 1, _state.Indexed) : _state.Indexed;

    private static bool IsOfSeveral(Frame frame)
    {
        foreach (Change change in frame.Changes)
        {
            if (change.Id != frame.Changes[0].Id)
            {
                return true;
            }
        }

        return false;
    }

    private void SkipKnown()
    {
        if (Segment == 0 || journal.Open(Segment) is not { } file)
        {
            return;
        }

        var reader = new SegmentReader(file, journal.Seed, Offset, file.Length, _buffer);
        while (reader.Next() is { } frame && frame.Lsn <= rows.Lsn)
        {
            Offset = reader.Offset;
        }
    }

    private bool TryFollow(long target)
    {
        while (rows.Lsn < target)
        {
            if (Segment != 0)
            {
                if (journal.Open(Segment) is not { } file)
                {
                    return false;
                }

                var reader = new SegmentReader(file, journal.Seed, Offset, file.Length, _buffer);
                while (rows.Lsn < target && reader.Next() is { } frame && frame.Lsn <= target)
                {
                    long bytes = reader.Offset - Offset;
                    if (frame.Lsn > rows.Lsn)
                    {
                        bool isApplied = frame.Lsn <= _state.Applied;
                        Take(frame, bytes, isApplied);
                        PendingBytes += isApplied ? 0 : bytes;
                    }

                    Offset += bytes;
                }

                if (rows.Lsn >= target)
                {
                    return true;
                }
            }

            if (!TryNextSegment())
            {
                return false;
            }
        }

        return rows.Lsn == target;
    }
}
