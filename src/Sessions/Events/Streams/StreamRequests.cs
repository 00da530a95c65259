using Sessions.Storage.Commit;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Events.Streams;

/// <summary>Begins a stream.</summary>
internal sealed class BeginStreamRequest(StoreCore core, Row row, string type, AppendOptions options) : CommitRequest
{
    /// <summary>The stream, once committed.</summary>
    public OpenStream Stream { get; private set; } = null!;

    public override void Run(Transaction transaction)
    {
        transaction.Live(row);
        Span<byte> random = stackalloc byte[6];
        string id;
        do
        {
            transaction.FillRandom(random);
            id = "sm_" + Convert.ToHexStringLower(random);
        }
        while (transaction.HasStream(id));

        Stream = new OpenStream
        {
            Id = id,
            SessionId = row.Id,
            Type = type,
            TurnId = options.TurnId,
            EventId = options.Id,
            Timestamp = options.Timestamp,
            StartedAt = transaction.Now,
            Owner = core.InstanceId,
            Writer = Right,
        };
        transaction.BeginStream(Stream);
    }
}

/// <summary>Adds text to a stream: one small frame, and nothing else.</summary>
internal sealed class StreamTextRequest(Row row, OpenStream stream, ReadOnlyMemory<byte> text) : CommitRequest
{
    public override int SizeHint => text.Length + 256;

    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        if (stream.IsEndedNow || !transaction.Knows(stream))
        {
            throw Errors.StreamEnded("write");
        }

        if (info.IsAborted || row.IsSignalled)
        {
            throw Errors.Aborted(row.Id);
        }

        transaction.AddText(stream, text);
    }
}

/// <summary>Ends a stream with its event.</summary>
internal sealed class EndStreamRequest(StoreCore core, Row row, OpenStream stream, ReadOnlyMemory<byte> data,
    bool isPatched) : CommitRequest
{
    public override int SizeHint => data.Length + 256;

    /// <summary>The number of its event.</summary>
    public long Seq { get; private set; }

    public override void Run(Transaction transaction)
    {
        transaction.Live(row);
        if (stream.IsEndedNow || !transaction.Knows(stream))
        {
            // Something else of its turn came first, with the text as it was.
            Seq = isPatched || stream.SeqNow == 0 ? throw Errors.StreamEnded("end") : stream.SeqNow;
            return;
        }

        var log = new LogAppender(core, transaction, row, SizeHint);
        Seq = log.End(stream, data, isInterrupted: false);
        log.Commit();
    }
}

/// <summary>Ends, as interrupted, the streams of who had the session before it was taken over.</summary>
internal sealed class EndStreamsRequest(StoreCore core, Row row, string formerInstance, long formerEpoch)
    : CommitRequest
{
    public override void Run(Transaction transaction)
    {
        transaction.Live(row);
        var log = new LogAppender(core, transaction, row, SizeHint);
        log.EndAll(s => s.Owner == formerInstance
            && (s.Owner != core.InstanceId || s.Writer?.Epoch == formerEpoch)); // others of this store go on
        log.Commit();
    }
}

/// <summary>Ends a stream that nobody writes any more with the text it has so far, or forgets one
/// that has ended.</summary>
internal sealed class InterruptStreamRequest(StoreCore core, OpenStream stream) : CommitRequest
{
    public override int SizeHint { get; } = stream.Length + 256;

    public override void Run(Transaction transaction)
    {
        if (!transaction.Knows(stream))
        {
            return; // somebody else has done it
        }

        if (stream.IsEndedNow || transaction.FindLive(stream.SessionId) is not { } row)
        {
            transaction.EndStream(stream, 0, isKept: false);
            return;
        }

        var log = new LogAppender(core, transaction, row, SizeHint);
        log.End(stream, StreamData.Interrupted(stream.TextNow().Span), isInterrupted: true);
        log.Commit();
    }
}
