namespace Sessions.Storage.Journal;

/// <summary>Told, under the rows' gate, of what the rows take in.</summary>
internal interface IFrameSink
{
    /// <summary>A frame was taken in; so many bytes it has in the journal, more or less.</summary>
    void Take(Frame frame, long bytes);

    /// <summary>The rows start over at an LSN: what came before it may never be taken in.</summary>
    void Reset(long lsn);
}
