using System.Buffers;
using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>Gathers small pieces before they go to the writer, and lets large ones pass without a copy.</summary>
internal sealed class TranscriptOutput(IBufferWriter<byte> output)
{
    private const int Large = 4 * 1024;
    private const int Full = 32 * 1024;

    private readonly Utf8Buffer _small = new(Full + (2 * Large));
    private readonly Utf8Buffer _part = new();
    private readonly Utf8Buffer _text = new();

    /// <summary>Takes what is small; Raw takes anything.</summary>
    public Utf8Buffer Small
    {
        get
        {
            if (_small.Length >= Full)
            {
                Flush();
            }

            return _small;
        }
    }

    /// <summary>An empty buffer for a part of about so many bytes, until the next part asks: most are small, and one
    /// buffer for each of them costs more than all that is written into it.</summary>
    public Utf8Buffer ForPart(long size) => Emptied(_part, size);

    /// <summary>The same for a text on its way into a part, until the next text asks.</summary>
    public Utf8Buffer ForText(long size) => Emptied(_text, size);

    /// <summary>What the inside of a JSON string says: the text itself where nothing in it is escaped, else in the
    /// room's buffer for texts, where a room is given.</summary>
    public static ReadOnlySpan<byte> Unescaped(ReadOnlySpan<byte> raw, TranscriptOutput? room)
    {
        if (room is null || !raw.Contains((byte)'\\'))
        {
            return Unescape.Utf8(raw);
        }

        Utf8Buffer text = room.ForText(raw.Length);
        Unescape.Append(text, raw);
        return text.Written;
    }

    public TranscriptOutput Raw(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Large)
        {
            Small.Raw(bytes);
            return this;
        }

        Flush();
        output.Write(bytes);
        return this;
    }

    public TranscriptOutput Raw(in Rope rope)
    {
        if (rope.HasHalves)
        {
            return Raw(HalfPairs.Replace(RawText.Of(rope).ToArray()));
        }

        for (int i = 0; i < rope.Count; i++)
        {
            Raw(rope[i]);
        }

        return this;
    }

    public void Flush()
    {
        output.Write(_small.Written);
        _small.Clear();
    }

    // What is large has one of its own, which goes with it.
    private static Utf8Buffer Emptied(Utf8Buffer kept, long size)
    {
        if (size > Full)
        {
            return new Utf8Buffer((int)Math.Min(size, Array.MaxLength));
        }

        kept.Clear();
        return kept;
    }
}
