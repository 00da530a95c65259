using System.Buffers;
using Sessions.Events.Streams;
using Sessions.Json;

namespace Sessions;

/// <content>Text as it comes in.</content>
public sealed partial class Session
{
    /// <summary>Begins a stream, which ends in one event of that type. Of the options, the flags say how
    /// durable its end is; its chunks never wait for the disk.</summary>
    public SessionStream BeginStream(string type, in AppendOptions options = default)
    {
        ArgumentNullException.ThrowIfNull(type);
        Checks.Name(type, "type");
        Checks.Name(options.TurnId, "turn_id");
        Checks.Name(options.Id, "id");
        Checks.Number(options.Timestamp, "timestamp");
        Checks.Flags((uint)options.Flags, 3);
        bool isFull = IsFull(options.Flags);
        RequireWritable();
        if (Core.IsReadOnly)
        {
            throw Errors.ReadOnly();
        }

        Core.Own();
        var request = new BeginStreamRequest(Core, _row, type, options) { Full = false, Right = _right };
        Commit(request);
        return new SessionStream(_store.Engine, _row, _right, request.Stream, isFull);
    }

    /// <summary>Writes the open streams, or the one with the id, with their text from a byte offset on.
    /// Through a share only a live one shows any.</summary>
    public void WriteStreams(string? streamId, long fromOffset, IBufferWriter<byte> output)
    {
        Checks.Name(streamId, "stream_id");
        Checks.Number(fromOffset, "from_offset");
        SessionInfo info = Current();
        List<StreamPage.Seen> streams = [];
        if (_shareId is null || (Share() is { Live: true } share && share.FirstSeq <= info.LastSeq + 1))
        {
            lock (Core.Rows.Gate)
            {
                streams = StreamPage.Look(Core.Rows.Streams, Id, streamId);
            }
        }

        var b = new Utf8Buffer(1024);
        StreamPage.Write(streams, fromOffset, b);
        output.Write(b.Written);
    }
}
