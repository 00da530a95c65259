using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Sessions.Coordination.Locks;
using Sessions.Events;
using Sessions.Events.Streams;
using Sessions.Json;
using Sessions.Model;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions;

/// <summary>
/// A text on its way into one event: each <see cref="Write"/> is visible to all processes when it
/// returns and survives a killed one; <see cref="End"/> makes the event. For one thread at a time:
/// calls that overlap are <see cref="SessionStatus.Misuse"/>. It does not need the
/// <see cref="Session"/> that it came from.
/// </summary>
public sealed class SessionStream : IDisposable
{
    private readonly StoreEngine _engine;
    private readonly Row _row;
    private readonly WriterRight _right;
    private readonly OpenStream _stream;
    private readonly bool _isFull;
    private readonly byte[] _rest = new byte[3]; // of a character that was written in part
    private int _restLength;
    private int _isBusy;
    private volatile bool _isDisposed;

    internal SessionStream(StoreEngine engine, Row row, WriterRight right, OpenStream stream, bool isFull)
        => (_engine, _row, _right, _stream, _isFull) = (engine, row, right, stream, isFull);

    /// <summary>The id under which readers find it.</summary>
    public string Id => _stream.Id;

    /// <summary>
    /// Adds text, which may end inside a character: its bytes wait for the next write. Invalid UTF-8
    /// takes nothing. Cancelled once the session is aborted; InvalidTransition once the stream has
    /// ended, by another event of its turn too; Locked or LockLost where others have the session; Limit
    /// where the event would pass 64 MiB.
    /// </summary>
    public void Write(ReadOnlySpan<byte> text)
    {
        Enter();
        try
        {
            Look();
            if (_stream.IsEnded)
            {
                throw Errors.StreamEnded("write");
            }

            if (IsAborted())
            {
                throw Errors.Aborted(_row.Id);
            }

            byte[] all = new byte[_restLength + text.Length];
            _rest.AsSpan(0, _restLength).CopyTo(all);
            text.CopyTo(all.AsSpan(_restLength));
            int whole = WholeLength(all, _restLength);
            ReadOnlyMemory<byte> taken = all.AsMemory(0, whole);
            long length = (long)_stream.JsonLength + Utf8Buffer.JsonLength(taken.Span) + StreamData.FrameBytes;
            Checks.AtMost(length, Limits.EventBytesMax, "event_bytes_max");
            if (whole > 0)
            {
                _engine.Execute(new StreamTextRequest(_row, _stream, taken) { Full = false, Right = _right });
            }

            _restLength = all.Length - whole;
            all.AsSpan(whole).CopyTo(_rest);
        }
        finally
        {
            Volatile.Write(ref _isBusy, 0);
        }
    }

    /// <summary>
    /// Ends the stream with one event, as durable as the stream was begun with; returns its number.
    /// Its data is {"text":…}, changed by a merge patch (RFC 7396), which may replace the text by
    /// another string, but not remove it. Where an event of its turn has ended it already, or this was
    /// called before, the number is that event's, and a patch is InvalidTransition. A character that
    /// was written in part is InvalidUtf8. After a failure the stream is as it was.
    /// </summary>
    public long End(ReadOnlyMemory<byte>? dataPatch = null)
    {
        Enter();
        try
        {
            byte[]? patch = dataPatch is { } json
                ? JsonArgument.Compact(json.Span, "data_patch_json", isObject: true) : null;
            RequireText(patch);
            Look();
            if (_stream.Ending is { } ending)
            {
                return Ended(ending, patch);
            }

            if (_restLength > 0)
            {
                throw Errors.InvalidUtf8("text", _stream.Length);
            }

            byte[] data = StreamData.Of(Text().Span);
            data = patch is null ? data : MergePatch.Apply(data, patch);
            Checks.AtMost(data.Length, Limits.EventBytesMax, "event_bytes_max");
            var request = new EndStreamRequest(_engine.Core, _row, _stream, data, patch is not null)
            {
                Full = _isFull,
                Right = _right,
            };
            _engine.Execute(request);
            return request.Seq;
        }
        finally
        {
            Volatile.Write(ref _isBusy, 0);
        }
    }

    /// <summary>Lets go of it. A stream that has not ended is ended by the store's thread, marked
    /// interrupted. Never blocks.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            if (_stream.Ending is null or { IsKept: true })
            {
                _engine.Streams.Abandon(_stream);
            }
        }
    }

    private bool IsAborted() => _engine.Core.TryReadQuiet(_row) is { } quiet ? quiet.IsAborted
        : _engine.Run(() => _engine.Core.LookAtAbort(_row)).IsAborted;

    private void Enter()
    {
        if (Interlocked.Exchange(ref _isBusy, 1) != 0)
        {
            throw new SessionException(SessionStatus.Misuse, "A stream is for one thread; another one is in it.");
        }
    }

    // What all processes have made of it by now.
    private void Look()
    {
        if (_isDisposed)
        {
            // Not Cancelled, which says here that the session was aborted.
            throw new SessionException(SessionStatus.InvalidHandle, "The stream was let go of.");
        }

        _engine.ThrowIfClosed();
        _engine.Core.Refresh();
        if (!_row.IsLive)
        {
            throw Errors.Deleted(_row.Id);
        }

        if (_right.Epoch != 0)
        {
            RequireNotLost();
        }
    }

    // Who took the session over may have ended the stream too, and what counts is that it was taken over.
    private void RequireNotLost() => _engine.Look(isSettled =>
    {
        lock (_engine.Core.Rows.Gate)
        {
            _right.RequireNotLost(isSettled);
            return true;
        }
    });

    private ReadOnlyMemory<byte> Text()
    {
        lock (_engine.Core.Rows.Gate)
        {
            return _stream.Text;
        }
    }

    private long Ended(StreamEnding ending, byte[]? patch)
    {
        if (patch is not null || ending.Seq == 0)
        {
            throw Errors.StreamEnded("end");
        }

        if (ending.IsKept)
        {
            _engine.Streams.Abandon(_stream); // told: it need not be kept any longer
        }

        return ending.Seq;
    }

    private static void RequireText(byte[]? patch)
    {
        List<JsonMember> members = patch is null ? [] : JsonMembers.Of(patch).FindAll(m => m.Name == "text");
        if (members.Count > 0 && members[^1].Value.Span[0] != '"')
        {
            throw Errors.Argument("data_patch_json", "text must stay a string.");
        }
    }

    // How many bytes are whole characters; throws where the rest is not the beginning of one.
    private static int WholeLength(ReadOnlySpan<byte> text, int before)
    {
        if (Utf8.IsValid(text))
        {
            return text.Length;
        }

        for (int rest = 1; rest <= Math.Min(3, text.Length); rest++)
        {
            if (Rune.DecodeFromUtf8(text[^rest..], out _, out _) == OperationStatus.NeedMoreData
                && Utf8.IsValid(text[..^rest]))
            {
                return text.Length - rest;
            }
        }

        int valid = 0;
        while (Rune.DecodeFromUtf8(text[valid..], out _, out int used) == OperationStatus.Done)
        {
            valid += used;
        }

        throw Errors.InvalidUtf8("text", Math.Max(0, valid - before));
    }
}
