namespace Sessions.Storage;

/// <content>What is doubtful while the journal is damaged.</content>
internal sealed partial class Verifier
{
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
