using Sessions.Storage;

namespace Sessions.Events;

/// <summary>The library's own events: what they change of the log's state is in the same frame.</summary>
internal static class Marker
{
    /// <summary>{"to_seq":n}: what lies between that event and the marker is hidden.</summary>
    public const string Rewind = "rewind";

    /// <summary>{"rewind_seq":n}: it is shown again.</summary>
    public const string Undone = "rewind_undone";

    public static void Append(StoreCore core, Transaction transaction, Row row, string type, byte[] data)
        => new AppendRequest(core, row, [new NewEvent(type, data, 0, null, null)]).Run(transaction);
}
