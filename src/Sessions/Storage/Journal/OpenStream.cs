using Sessions.Json;

namespace Sessions.Storage.Journal;

/// <summary>
/// A stream of text that has begun and is not forgotten yet. Its text is valid UTF-8 and only grows.
/// Fields that change are written under the rows' gate; <see cref="Ending"/> may be looked at without it.
/// </summary>
internal sealed class OpenStream
{
    // Far above what an event may have; a journal from elsewhere may have more.
    private const int BytesMax = 1 << 30;

    private byte[] _text = [];
    private int _length;
    private volatile StreamEnding? _ending;
    private volatile bool _isAbandoned;
    private volatile bool _isStuck;

    public required string Id { get; init; }
    public required string SessionId { get; init; }

    /// <summary>Of the event that it ends in.</summary>
    public required string Type { get; init; }
    public string? TurnId { get; init; }
    public string? EventId { get; init; }

    /// <summary>Of the event; 0: the time of the end.</summary>
    public long Timestamp { get; init; }
    public long StartedAt { get; init; }

    /// <summary>The open store that writes it.</summary>
    public required string Owner { get; init; }

    /// <summary>The right of the handle that began it; null for a stream of another store.</summary>
    public IWriter? Writer { get; init; }

    public int Length => _length;

    /// <summary>Bytes of the text as a JSON string has them, without its quotes.</summary>
    public int JsonLength { get; private set; }

    /// <summary>The text so far. These bytes never change; more come behind them.</summary>
    public ReadOnlyMemory<byte> Text => _text.AsMemory(0, _length);

    /// <summary>How it ended; null until its event is in the log, or there will be none. One object, so that who looks
    /// without the gate sees all of it or nothing.</summary>
    public StreamEnding? Ending => _ending;

    /// <summary>True once it has ended.</summary>
    public bool IsEnded => _ending is not null;

    /// <summary>The number of its event, once ended; 0: it left none.</summary>
    public long Seq => _ending?.Seq ?? 0;

    /// <summary>True where its handle was let go of in this process: the store's thread ends it.</summary>
    public bool IsAbandoned { get => _isAbandoned; set => _isAbandoned = value; }

    /// <summary>True where its session cannot be read, so that nothing can be appended to it.</summary>
    public bool IsStuck { get => _isStuck; set => _isStuck = value; }

    /// <summary>What the batch under way makes of it; null while none touches it.</summary>
    public WorkingStream? Working { get; set; }

    /// <summary>Whether it has ended, as the batch has it so far.</summary>
    public bool IsEndedNow => Working?.IsEnded ?? IsEnded;

    public long SeqNow => Working?.Seq ?? Seq;

    /// <summary>The text as the batch has it so far.</summary>
    public ReadOnlyMemory<byte> TextNow()
    {
        if (Working is not { Added.Count: > 0 } working)
        {
            return Text;
        }

        byte[] all = new byte[working.Length];
        Text.CopyTo(all);
        int at = _length;
        foreach (ReadOnlyMemory<byte> added in working.Added)
        {
            added.CopyTo(all.AsMemory(at));
            at += added.Length;
        }

        return all;
    }

    /// <summary>Adds text at an offset. What is there already is passed over, so a frame may come
    /// twice. What would leave a hole, in a journal that lost frames, is not taken: the text is
    /// always one that was written, up to some point.</summary>
    public void Add(long offset, ReadOnlySpan<byte> text)
    {
        if (offset > _length || offset + text.Length <= _length || (long)_length + text.Length > BytesMax)
        {
            return;
        }

        text = text[(int)(_length - offset)..];
        if (_text.Length - _length < text.Length)
        {
            // Never in place: who reads holds the old one.
            Array.Resize(ref _text, (int)Math.Max((long)_length + text.Length, Math.Min(_text.Length * 2L, 1 << 30)));
        }

        text.CopyTo(_text.AsSpan(_length));
        _length += text.Length;
        JsonLength += Utf8Buffer.JsonLength(text);
    }

    /// <summary>Forgets text and end: what is known of it comes again from the files.</summary>
    public void Restart()
    {
        _text = [];
        _length = 0;
        JsonLength = 0;
        _ending = null;
    }

    /// <summary>It has ended, with that event; what is told first counts.</summary>
    public void End(long seq, bool isKept)
    {
        _ending = new StreamEnding(_ending?.Seq ?? seq, isKept);
        _text = [];
        _length = 0;
        JsonLength = 0;
    }
}

/// <summary>How a stream ended.</summary>
/// <param name="Seq">The number of its event; 0: it left none.</param>
/// <param name="IsKept">Somebody else ended it and its owner, who lives, is still to be told.</param>
internal sealed record StreamEnding(long Seq, bool IsKept);

/// <summary>A stream between the first change of a batch and its publishing.</summary>
internal sealed class WorkingStream(OpenStream stream)
{
    /// <summary>Text that the batch adds.</summary>
    public List<ReadOnlyMemory<byte>> Added { get; } = [];
    public int Length { get; set; } = stream.Length;
    public bool IsEnded { get; set; } = stream.IsEnded;
    public long Seq { get; set; } = stream.Seq;

    /// <summary>True where nobody needs to know of it any more.</summary>
    public bool IsGone { get; set; }
}
