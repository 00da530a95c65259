using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Log;

namespace Sessions.Storage.Rows;

/// <summary>The log of a session, as its row knows it.</summary>
internal static class RowLog
{
    /// <summary>Opens it as <see cref="LogView.Open"/> does. Call under the rows' gate; what was opened is read
    /// without it.</summary>
    public static LogView Open(IDisk disk, Row row, LogState state, bool mustExist = false, JobContext? context = null)
        => LogView.Open(disk, Place(row), state, mustExist, context);

    private static LogPlace Place(Row row) => new(row.Id, row.Folder, row.LogLength, row.Staged?.File,
        row.Tail is { } lines ? [.. lines] : null, // the row's own goes on growing
        row.Origin is { } origin ? Place(origin) : null);
}
