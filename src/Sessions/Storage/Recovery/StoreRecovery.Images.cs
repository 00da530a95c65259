using Sessions.Model;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Recovery;

/// <content>What frames leave out: they say what an append adds to the counters, and not the rest of the info; and of a
/// stream its pieces, and not the file that has them all.</content>
internal sealed partial class StoreRecovery
{
    // A session that was only appended to has counters but no image; its file is as the last
    // checkpoint left it, since nothing may replace a file before its frame is durable.
    private void CompleteImages(Fold fold)
    {
        var index = new IndexLookup(core.Disk);
        foreach (FoldedSession session in fold.Sessions.Values)
        {
            if (session.Image is not null || session.Counters is not { } counters || session.IsPurged)
            {
                continue;
            }

            string path = Layout.LiveFolder(session.Id) + "/" + Layout.SessionFile;
            SessionInfo? info = null;
            byte[]? compact = SmallFile.Read(core.Disk, core.Quarantine, path, session.Id,
                c => (info = InfoCodec.TryRead(c)) is not null && info.Id == session.Id, () => []);
            info = compact is { Length: > 0 } ? info
                : index.Find(0, session.Id) is { } row ? InfoCodec.TryRead(row) : null;
            session.Image = info?.With(counters);
            session.IsCompleted = true;
        }
    }

    // Their text is in the journal alone, which goes: streams.json keeps it until an open store makes
    // events of it. A recovery that was cut has written the file already; the frames then add nothing.
    private void FoldStreams(Fold fold, List<Frame> frames)
    {
        var streams = new StreamTable(core.Disk, core.Quarantine, core.InstanceId);
        if (streams.TryLoad(frames))
        {
            fold.Streams = streams.Image();
            fold.AreStreamsCompleted = true;
        }
    }
}
