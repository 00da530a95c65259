using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>Some bytes of an arena.</summary>
internal readonly record struct Chunk(byte[]? Block, int Offset, int Length)
{
    public ReadOnlySpan<byte> Span => Block is null ? default : Block.AsSpan(Offset, Length);

    /// <summary>False where there was nothing to keep; something empty is still something.</summary>
    public bool IsSet => Block is not null;
}

/// <summary>Keeps bytes in large blocks, which no collection moves: a transcript has a hundred thousand
/// small pieces that live as long as it does.</summary>
internal sealed class Arena
{
    private const int FirstBlock = 4 * 1024;
    private const int LargestBlock = 512 * 1024;

    private byte[] _block = [];
    private int _used;

    /// <summary>Bytes of all blocks.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds JSON, or the inside of one of its strings, so that strict parsers take it.</summary>
    public Chunk Add(ReadOnlySpan<byte> json)
    {
        Chunk chunk = AddRaw(json);
        HalfPairs.ReplaceIn(_block.AsSpan(chunk.Offset, chunk.Length));
        return chunk;
    }

    /// <summary>Adds bytes as they are.</summary>
    public Chunk AddRaw(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_block.AsSpan(_used));
        var chunk = new Chunk(_block, _used, bytes.Length);
        _used += bytes.Length;
        return chunk;
    }

    /// <summary>The chunk with more behind it, without moving it; false where something else was added since.</summary>
    public bool TryExtend(ref Chunk chunk, ReadOnlySpan<byte> bytes)
    {
        if (chunk.Block != _block || chunk.Offset + chunk.Length != _used || _block.Length - _used < bytes.Length)
        {
            return false;
        }

        bytes.CopyTo(_block.AsSpan(_used));
        _used += bytes.Length;
        chunk = chunk with { Length = chunk.Length + bytes.Length };
        return true;
    }

    private void Reserve(int count)
    {
        if (_block.Length - _used >= count && _block.Length > 0)
        {
            return;
        }

        int size = (int)Math.Clamp(Bytes, FirstBlock, LargestBlock);
        _block = GC.AllocateUninitializedArray<byte>(Math.Max(size, count));
        _used = 0;
        Bytes += _block.Length;
    }
}

/// <summary>The inside of a JSON string that grows at its end.</summary>
internal struct Rope
{
    private Chunk _last;
    private List<Chunk>? _before;

    public long Length { get; private set; }

    /// <summary>True where a piece has half of a surrogate pair. The next piece may have the other half, so only
    /// all of it together tells.</summary>
    public bool HasHalves { get; private set; }

    public void Add(Arena arena, ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        HasHalves = HasHalves || HalfPairs.Find(bytes) >= 0;
        if (!_last.IsSet)
        {
            _last = arena.AddRaw(bytes);
        }
        else if (!arena.TryExtend(ref _last, bytes))
        {
            (_before ??= []).Add(_last);
            _last = arena.AddRaw(bytes);
        }
    }

    /// <summary>The pieces in their order.</summary>
    public readonly int Count => (_before?.Count ?? 0) + (_last.IsSet ? 1 : 0);

    public readonly ReadOnlySpan<byte> this[int index]
        => index < (_before?.Count ?? 0) ? _before![index].Span : _last.Span;
}
