using Sessions.Json;
using Sessions.Storage.Commit;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Events.Branches;

/// <summary>Hides the events behind a number; a marker in the log says so.</summary>
internal sealed class RewindRequest(StoreCore core, Row row, long toSeq) : CommitRequest
{
    public override void Run(Transaction transaction)
    {
        SessionInfo info = transaction.Live(row);
        if (toSeq > info.LastSeq)
        {
            throw Errors.Argument("to_seq", "to_seq must be the number of an event that is there already.");
        }

        if (toSeq == info.LastSeq)
        {
            return; // nothing stands behind it
        }

        var data = new Utf8Buffer(32).Byte('{').Member("to_seq", toSeq).Byte('}');
        long seq = Marker.Append(core, transaction, row, Marker.Rewind, data.ToArray());
        LogState state = transaction.Log(row);
        var rewind = new Rewind(seq, toSeq + 1, seq - 1);
        transaction.PutLog(row, state with { Rewinds = [.. state.Rewinds, rewind] });
    }
}

/// <summary>Shows what the last rewind hid; a marker in the log says so.</summary>
internal sealed class UndoRewindRequest(StoreCore core, Row row) : CommitRequest
{
    public override void Run(Transaction transaction)
    {
        transaction.Live(row);
        LogState state = transaction.Log(row);
        if (state.Rewinds.Count == 0)
        {
            throw Errors.NotFound("rewind", row.Id);
        }

        var data = new Utf8Buffer(32).Byte('{').Member("rewind_seq", state.Rewinds[^1].Seq).Byte('}');
        Marker.Append(core, transaction, row, Marker.Undone, data.ToArray());
        transaction.PutLog(row, state with { Rewinds = [.. state.Rewinds.SkipLast(1)] });
    }
}
