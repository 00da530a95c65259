using System.Text;
using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Coordination.Watching;

/// <summary>
/// Tells every change, in order, from a position of its own: from the feed's memory, from the journal where that
/// does not reach back so far, and where the journal does not either, that there is a gap, up to where it does.
/// </summary>
internal sealed class FeedReader(Feed feed, StoreCore core, WatchFilter filter, long position) : ChangeSource
{
    // What it may hold of its own: so many frames and bytes that it took over and has not told yet.
    private const int AheadMax = 128;
    private const long AheadBytesMax = 256 * 1024;
    private const int LocalMax = 1024;

    private readonly ChangeWriter _writer = new(core);
    private readonly FrameRecords _records = new(filter);
    private readonly Queue<Frame> _ahead = new();
    private readonly Queue<LocalChange> _local = new(); // under the rows' gate
    private long _position = position;
    private bool _isInFrame;
    private bool _isAtRecord;
    private LocalChange? _atLocal;
    private long _gapFrom; // 0: none
    private long _gapTo;
    private JournalTail? _tail;
    private int _tailResets;
    private bool _isCut;

    public override long Position => Volatile.Read(ref _position);

    /// <summary>The host's number is none that this store has given out.</summary>
    public void LoseAll() => (_gapFrom, _gapTo) = (1, _position);

    public override bool IsCut => _isCut;

    public override void Add(LocalChange change)
    {
        if ((filter.Kinds & change.Kind) == 0 || !filter.Takes(change.SessionId))
        {
            return;
        }

        if (_local.Count == LocalMax)
        {
            byte[] from = Encoding.UTF8.GetBytes(Errors.Details(b => b.Member("from_lsn", _local.Peek().Lsn)));
            change = change with { Kind = WatchKinds.Gap, SessionId = "", Detail = from };
            _local.Clear();
        }

        _local.Enqueue(change);
    }

    public override bool Look(long bytesMax = long.MaxValue)
    {
        _isCut = false;
        while (!_isAtRecord && _atLocal is null && _gapFrom == 0)
        {
            if (_isInFrame)
            {
                FindRecord();
            }
            else if (_ahead.TryDequeue(out Frame? frame))
            {
                _records.Open(frame);
                _isInFrame = true;
            }
            else if (_isCut = bytesMax <= 0)
            {
                return false;
            }
            else if (!TryFill(ref bytesMax))
            {
                return false;
            }
        }

        return true;
    }

    public override void WritePage(Utf8Buffer b, uint limit)
    {
        b.Raw("{\"changes\":["u8);
        bool hasMore;
        for (uint count = 0; (hasMore = Look()) && (limit == 0 || count < limit); count++)
        {
            int length = b.Length;
            b.Raw(count > 0 ? ","u8 : ""u8);
            WriteOne(b);
            if (count > 0 && b.Length > Limits.PageBytes)
            {
                b.Truncate(length);
                break;
            }

            Pass();
        }

        b.Byte(']').Member("next_lsn", _position).Member("has_more", hasMore).Byte('}');
    }

    public override void Dispose() => _tail?.Dispose();

    private void WriteOne(Utf8Buffer b)
    {
        if (_gapFrom != 0)
        {
            ChangeWriter.WriteGap(b, _gapFrom, _gapTo);
        }
        else if (_atLocal is { } local)
        {
            _writer.Write(b, local);
        }
        else
        {
            _writer.Write(b, _records);
        }
    }

    private void Pass()
    {
        if (_gapFrom != 0)
        {
            Stand(_gapTo);
            _gapFrom = 0;
        }
        else if (_atLocal is not null)
        {
            _atLocal = null;
        }
        else
        {
            FindRecord();
        }
    }

    // The next record of the frame; behind its last, the frame has been told.
    private void FindRecord()
    {
        _isAtRecord = _records.TryNext();
        if (!_isAtRecord)
        {
            _isInFrame = false;
            Stand(_records.Frame.Lsn);
            _records.Close();
        }
    }

    private void Stand(long lsn) => Volatile.Write(ref _position, Math.Max(_position, lsn));

    // False where there is nothing behind the position yet.
    private bool TryFill(ref long bytesMax)
    {
        long target;
        int resets;
        lock (core.Rows.Gate)
        {
            (target, resets) = (feed.Ring.Base, feed.Resets);
            if (_position >= target)
            {
                LetGoOfTail();
                long last = _local.TryPeek(out LocalChange? local) ? local.Lsn : long.MaxValue;
                feed.Ring.CopyTo(_ahead, _position, last, AheadMax, AheadBytesMax);
                if (_ahead.Count == 0 && local is not null)
                {
                    _atLocal = _local.Dequeue();
                }

                return _ahead.Count > 0 || local is not null;
            }
        }

        if (_tail is not null && _tailResets != resets)
        {
            LetGoOfTail(); // what it has open may hold frames that were given up
        }

        _tailResets = resets;
        _tail ??= JournalTail.TryOpen(core, _position);
        if (_tail is null || !_tail.TryRead(_ahead, _position, target, Math.Min(bytesMax, AheadBytesMax),
            out long bytes, out bool isThere))
        {
            // No further than must be: the segments that came later may still be there.
            LetGoOfTail();
            _tail = JournalTail.TryOpenBehind(core, _position, target);
            (_gapFrom, _gapTo) = (_position + 1, _tail?.Start ?? target);
            return true;
        }

        bytesMax -= bytes;
        if (isThere && _ahead.Count == 0)
        {
            Stand(target);
        }

        return true;
    }

    private void LetGoOfTail()
    {
        _tail?.Dispose();
        _tail = null;
    }
}
