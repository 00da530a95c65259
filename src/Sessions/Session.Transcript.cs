using System.Buffers;
using Sessions.Events.Pages;
using Sessions.Events.Transcript;
using Sessions.Model;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions;

/// <content>The conversation as text.</content>
public sealed partial class Session
{
    private const int LookMs = 20;

    /// <summary>Writes the conversation: messages made of its events. It goes on from what the last call
    /// made of the earlier events, as long as the store keeps that: a minute, in at most 64 MiB.</summary>
    public void WriteTranscript(TranscriptFormat format, TranscriptOptions? options, IBufferWriter<byte> output)
    {
        if (format is < TranscriptFormat.Messages or > TranscriptFormat.Html)
        {
            throw Errors.Argument("format", "format must be one of SESSION_TRANSCRIPT_*.");
        }

        options ??= new TranscriptOptions();
        options.Check();
        Current(); // closed, deleted, destroyed: answered as every other call does
        _store.Engine.Jobs.Run(context => WriteTranscript(format, options, context, output));
    }

    internal void WriteTranscript(TranscriptFormat format, TranscriptOptions options, JobContext context,
        IBufferWriter<byte> output)
    {
        _store.Run(() =>
        {
            var key = new TranscriptKey(_row, Seen(Current()).First, options.IncludeHidden, _shareId is not null);
            bool isPart = options.UntilSeq > 0;
            WarmTranscript kept = (isPart ? null : Core.Warm.Find<WarmTranscript>(key)) ?? new WarmTranscript();
            while (!Monitor.TryEnter(kept, LookMs))
            {
                context.ThrowIfCancelled(); // somebody else is at it, for as long as that takes
            }

            try
            {
                // What a writer asks for while it is written to finds nothing half-done.
                WriteWith(kept.IsInUse ? new WarmTranscript() : kept, format, options, context, output);
            }
            finally
            {
                Monitor.Exit(kept);
            }

            if (!isPart)
            {
                Core.Warm.Keep(key, kept);
            }
        });
    }

    // Under the lock of what is kept, so that it is never ahead of what this sees of the log.
    private void WriteWith(WarmTranscript kept, TranscriptFormat format, TranscriptOptions options,
        JobContext context, IBufferWriter<byte> output)
    {
        SessionInfo info = Current();
        SeqRange range = Seen(info);
        if (_shareId is not null && options.IncludeHidden)
        {
            throw Errors.Denied("share.hidden");
        }

        if (options.UntilSeq > 0)
        {
            range = range with { Last = Math.Min(range.Last, options.UntilSeq) };
        }

        (LogView log, LogState state) = OpenLog(info);
        using (log)
        {
            kept.IsInUse = true;
            try
            {
                TranscriptBuilder builder =
                    kept.Bring(log, new TranscriptSource(state, range, options.IncludeHidden), info.LastSeq, context);
                TranscriptText.Write(builder, format, options.Title ?? info.Title, options.AfterSeq, output, context);
            }
            finally
            {
                kept.IsInUse = false;
            }
        }
    }

    // A row is one session in one open store; one that was purged and came back has another. A share shows
    // less of damaged lines.
    private sealed record TranscriptKey(Row Row, long FirstSeq, bool ShowsHidden, bool IsShared);
}
