using System.Buffers;

namespace Sessions;

/// <summary>One session as seen by one owner. Any thread may call anything at any time.</summary>
public sealed class Session : IDisposable
{
    /// <summary>The id.</summary>
    public string Id => throw new NotSupportedException();

    /// <summary>The numbers, without allocation.</summary>
    public SessionStat GetStat() => throw new NotSupportedException();

    /// <summary>Writes the info as JSON.</summary>
    public void WriteInfo(IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Sets the user's title; "" goes back to the default.</summary>
    public void UpdateTitle(string title) => throw new NotSupportedException();

    /// <summary>Sets a generated title unless the user has set one; true where it was applied.</summary>
    public bool SuggestTitle(string title) => throw new NotSupportedException();

    /// <summary>Changes the metadata by merge patch (RFC 7396).</summary>
    public void UpdateMetadata(ReadOnlySpan<byte> mergePatch) => throw new NotSupportedException();

    /// <summary>Changes title, archived, metadata and facts by merge patch; returns the revision.</summary>
    public long Update(ReadOnlySpan<byte> mergePatch, long expectedRevision = 0) => throw new NotSupportedException();

    /// <summary>Deletes the session.</summary>
    public void Delete(DeletePolicy policy = DeletePolicy.Cascade) => throw new NotSupportedException();

    /// <summary>Signals, then records, an abort; returns how many sessions it reached.</summary>
    public int Abort(string? reason = null, AbortFlags flags = AbortFlags.None) => throw new NotSupportedException();

    /// <summary>True from an abort until it is cleared.</summary>
    public bool IsAborted => throw new NotSupportedException();

    /// <summary>Waits for an abort; false on time-out. uint.MaxValue waits for ever.</summary>
    public bool WaitAbort(uint timeoutMs) => throw new NotSupportedException();

    /// <summary>Clears the abort.</summary>
    public void ClearAbort() => throw new NotSupportedException();

    /// <summary>Makes, or finds again, a share link and writes it as JSON, with its secret.</summary>
    public void WriteShare(SessionShareOptions? options, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Writes {"shares":[...]} without secrets.</summary>
    public void WriteShares(IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Ends a share.</summary>
    public void RevokeShare(string shareId) => throw new NotSupportedException();

    /// <summary>Appends one event; returns its sequence number.</summary>
    public long Append(string type, ReadOnlySpan<byte> data, in AppendOptions options = default) => throw new NotSupportedException();

    /// <summary>Appends a JSON array of events in one commit and writes the answer as JSON.</summary>
    public void AppendBatch(ReadOnlySpan<byte> eventsJson, AppendFlags flags, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Writes a page of the events after a number (limit 0: as many as fit a page).</summary>
    public void WriteEvents(long afterSeq, uint limit, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Writes a page of the last events before a number (0: before the end).</summary>
    public void WriteLastEvents(long beforeSeq, uint limit, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Lets go of this view; ends waits on it. Never blocks.</summary>
    public void Dispose() => throw new NotSupportedException();
}
