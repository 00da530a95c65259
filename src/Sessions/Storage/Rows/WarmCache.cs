namespace Sessions.Storage.Rows;

/// <summary>Something that took long to make and can be made again.</summary>
internal interface IWarm
{
    /// <summary>Bytes of memory that it keeps, loosely. Asked under the cache's gate.</summary>
    long Bytes { get; }
}

/// <summary>
/// Keeps what was made last, for whoever asks for the same soon: a few things, so many bytes, and for
/// a while. What is asked for stays the caller's when the cache lets go of it.
/// </summary>
internal sealed class WarmCache(TimeProvider time, int countMax = WarmCache.CountMax,
    long bytesMax = WarmCache.BytesMax)
{
    /// <summary>Things at most.</summary>
    public const int CountMax = 8;

    /// <summary>Bytes at most, of all together.</summary>
    public const long BytesMax = 64 * 1024 * 1024;

    /// <summary>What nobody has asked for so long goes.</summary>
    public static readonly TimeSpan IdleMax = TimeSpan.FromMinutes(1);

    // The last one used is the last in the list.
    private readonly List<(object Key, IWarm Item, long UsedAt)> _items = [];

    /// <summary>Called when there is something for the first time, or again.</summary>
    public Action? Filled { get; set; }

    public int Count
    {
        get
        {
            lock (_items)
            {
                return _items.Count;
            }
        }
    }

    public T? Find<T>(object key)
        where T : class, IWarm
    {
        lock (_items)
        {
            return _items.Find(i => i.Key.Equals(key)).Item as T;
        }
    }

    /// <summary>Keeps a thing as the last one used, in the place of another with its key.</summary>
    public void Keep(object key, IWarm item)
    {
        bool wasEmpty;
        lock (_items)
        {
            wasEmpty = _items.Count == 0;
            _items.RemoveAll(i => i.Key.Equals(key));
            _items.Add((key, item, time.GetTimestamp()));
            long bytes = 0;
            _items.ForEach(i => bytes += i.Item.Bytes);
            while (_items.Count > countMax || (bytes > bytesMax && _items.Count > 0))
            {
                bytes -= _items[0].Item.Bytes;
                _items.RemoveAt(0);
            }

            DropIdle();
        }

        if (wasEmpty)
        {
            Filled?.Invoke();
        }
    }

    /// <summary>Lets go of what was not asked for in a while; true where there was any.</summary>
    public bool DropIdle()
    {
        lock (_items)
        {
            return _items.RemoveAll(i => time.GetElapsedTime(i.UsedAt) >= IdleMax) > 0;
        }
    }

    public void Clear()
    {
        lock (_items)
        {
            _items.Clear();
        }
    }
}
