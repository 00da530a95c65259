using Sessions.Events.Pages;
using Sessions.Model;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Events.Transcript;

/// <summary>What a transcript is made from, besides the log.</summary>
/// <param name="State">Which events are hidden, and where the log begins.</param>
/// <param name="Range">What part of it is seen.</param>
/// <param name="ShowsHidden">Also what rewinds hide.</param>
internal sealed record TranscriptSource(LogState State, SeqRange Range, bool ShowsHidden);

/// <summary>
/// The messages of a session as they were when somebody last asked, which the next one goes on from.
/// Whoever uses it holds its lock.
/// </summary>
internal sealed class WarmTranscript : IWarm
{
    private TranscriptBuilder _builder = new();
    private TranscriptSource? _source;
    private long _bytes;

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>True while its lock's holder writes; a writer that asks for a transcript itself must not
    /// find messages that change under it.</summary>
    public bool IsInUse { get; set; }

    /// <summary>The messages up to the end of the source's range.</summary>
    public TranscriptBuilder Bring(LogView log, TranscriptSource source, long lastSeq, JobContext? context = null)
    {
        if (!CanGoOn(source))
        {
            _builder = new TranscriptBuilder();
        }

        _source = null; // should reading fail half-way, the next one begins again
        Read(log, source, lastSeq, context ?? new JobContext());
        _source = source;
        Volatile.Write(ref _bytes, _builder.Bytes);
        return _builder;
    }

    // Appending keeps what was seen; a rewind, its undoing, a prune and another range do not. Neither does it
    // where the end was damaged: what comes behind it says which piece has which number.
    private bool CanGoOn(TranscriptSource source)
        => _source is { } known && known.ShowsHidden == source.ShowsHidden && known.Range.First == source.Range.First
            && _builder.LastSeq <= source.Range.Last && _builder.LastSeq == _builder.LastWholeSeq
            && known.State.HasPartsOf(source.State) && known.State.Rewinds.SequenceEqual(source.State.Rewinds);

    private void Read(LogView log, TranscriptSource source, long lastSeq, JobContext context)
    {
        long seen = _builder.LastSeq, first = Math.Max(source.Range.First, source.State.FirstSeq);
        if (Math.Max(seen + 1, first) > source.Range.Last)
        {
            return;
        }

        // A walk knows the places of damaged lines from the first whole one on, so it begins with one.
        long from = Math.Max(seen, first - 1);
        var walk = new LogWalk(log, from <= 1 ? 0 : LogSearch.After(log, from - 1), lastSeq);
        while (walk.TryNext() && walk.Seq <= source.Range.Last)
        {
            context.ThrowIfCancelled();
            context.Report(walk.Offset, log.Length);
            if (walk.Seq <= seen || walk.Seq < first)
            {
                continue;
            }

            if (!source.ShowsHidden && source.State.IsHidden(walk.Seq))
            {
                _builder.Skip(walk.Seq, walk.Damage is null);
            }
            else
            {
                _builder.Add(EventSlice.Of(log, walk));
            }
        }

        _builder.LastSeq = Math.Max(_builder.LastSeq, source.Range.Last);
    }
}
