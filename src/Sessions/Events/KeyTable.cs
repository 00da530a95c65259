namespace Sessions.Events;

/// <summary>Finds things by a text that is looked up as bytes and kept only once.</summary>
internal sealed class KeyTable<T>
    where T : class
{
    private readonly Dictionary<byte[], T> _items = new(new BytesComparer());
    private readonly Dictionary<byte[], T>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    public KeyTable() => _lookup = _items.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>How many there are.</summary>
    public int Count => _items.Count;

    public T? Find(ReadOnlySpan<byte> key) => _lookup.TryGetValue(key, out T? item) ? item : null;

    public void Set(ReadOnlySpan<byte> key, T item) => _lookup[key] = item;

    private sealed class BytesComparer : IEqualityComparer<byte[]>,
        IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        // With a seed of its own in each process: a log cannot be made to collide.
        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
