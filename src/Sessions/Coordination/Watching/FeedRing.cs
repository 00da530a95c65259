using Sessions.Storage.Journal;

namespace Sessions.Coordination.Watching;

/// <summary>
/// The last frames that this process took in, as many as have room: all behind <see cref="Base"/>. Used under
/// the rows' gate.
/// </summary>
internal sealed class FeedRing(int countMax = FeedRing.CountMax, long bytesMax = FeedRing.BytesMax)
{
    public const int CountMax = 4096;
    public const long BytesMax = 4 << 20;

    private (Frame Frame, long Bytes)[] _slots = new (Frame, long)[Math.Min(countMax, 64)];
    private int _first;

    /// <summary>The LSN of the frame before the first one here.</summary>
    public long Base { get; private set; }

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Forgets all, and goes on behind an LSN.</summary>
    public void Reset(long lsn)
    {
        (_slots, _first, Count, Bytes, Base) = (new (Frame, long)[Math.Min(countMax, 64)], 0, 0, 0, lsn);
    }

    /// <summary>Adds the next frame; the oldest go where there is no room. The newest is kept however large
    /// it is.</summary>
    public void Add(Frame frame, long bytes)
    {
        if (Count == _slots.Length && Count < countMax)
        {
            Grow();
        }

        while (Count > 0 && (Count == _slots.Length || Bytes + bytes > bytesMax))
        {
            DropFirst();
        }

        _slots[(_first + Count) % _slots.Length] = (frame, bytes);
        Count++;
        Bytes += bytes;
    }

    /// <summary>Lets go of the frames up to an LSN.</summary>
    public void DropTo(long lsn)
    {
        while (Count > 0 && _slots[_first].Frame.Lsn <= lsn)
        {
            DropFirst();
        }
    }

    /// <summary>Hands out the frames behind one LSN and up to another, so many and so many bytes at most, but
    /// one where there is one. The first LSN is not below <see cref="Base"/>.</summary>
    public void CopyTo(Queue<Frame> into, long after, long last, int count, long bytes)
    {
        for (int i = IndexAfter(after); i < Count && count > 0 && bytes > 0; i++, count--)
        {
            (Frame frame, long length) = _slots[(_first + i) % _slots.Length];
            if (frame.Lsn > last)
            {
                return;
            }

            into.Enqueue(frame);
            bytes -= length;
        }
    }

    private int IndexAfter(long lsn)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            bool isBefore = _slots[(_first + middle) % _slots.Length].Frame.Lsn <= lsn;
            (low, high) = isBefore ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private void DropFirst()
    {
        (Frame frame, long bytes) = _slots[_first];
        _slots[_first] = default;
        _first = (_first + 1) % _slots.Length;
        Count--;
        Bytes -= bytes;
        Base = frame.Lsn;
    }

    private void Grow()
    {
        var larger = new (Frame, long)[Math.Min(countMax, _slots.Length * 2)];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = _slots[(_first + i) % _slots.Length];
        }

        (_slots, _first) = (larger, 0);
    }
}
