using System.Buffers;
using Sessions.Storage;

namespace Sessions.Events.Transcript;

/// <summary>Gathers small pieces before they go to the writer, and lets large ones pass without a copy.</summary>
internal sealed class TranscriptOutput(IBufferWriter<byte> output)
{
    private const int Large = 4 * 1024;
    private const int Full = 32 * 1024;

    private readonly Utf8Buffer _small = new(Full + (2 * Large));

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
}
