using Sessions.Storage.Files;

namespace Sessions.Check;

/// <content>What the rows know to be doubtful, or not to be in the files.</content>
internal sealed partial class Verifier
{
    private void CheckHeld(string folder, string id)
    {
        SessionException? failure;
        lock (_core.Rows.Gate)
        {
            failure = _core.Rows.Held.FailureOf(id);
        }

        if (failure is not null)
        {
            Add("unwritable", "error", id, folder, null, null, null, null, failure.Message);
        }
    }

    // Which they are is known once the session was read.
    private void CheckDoubts(string folder, string id)
    {
        lock (_core.Rows.Gate)
        {
            if (Find(id) is { } row && _core.Rows.CanRead(row) && _core.Rows.DoubtOf(id) is { } doubt)
            {
                Add("events_unconfirmed", "error", id, folder + "/" + Layout.EventsFile, null, null, null, null, doubt);
            }
        }
    }
}
