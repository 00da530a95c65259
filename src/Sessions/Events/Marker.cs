using Sessions.Storage.Commit;
using Sessions.Storage.Rows;

namespace Sessions.Events;

/// <summary>The library's own events: what they change of the log's state is in the same frame.</summary>
internal static class Marker
{
    /// <summary>{"to_seq":n}: what lies between that event and the marker is hidden.</summary>
    public const string Rewind = "rewind";

    /// <summary>{"rewind_seq":n}: it is shown again.</summary>
    public const string Undone = "rewind_undone";

    /// <summary>Appends one; its number.</summary>
    public static long Append(StoreCore core, Transaction transaction, Row row, string type, byte[] data)
    {
        var log = new LogAppender(core, transaction, row);
        long seq = log.Add(new NewEvent(type, data, 0, null, null), out _);
        log.Commit();
        return seq;
    }
}
