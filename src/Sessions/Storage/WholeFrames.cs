using Sessions.Platform;

namespace Sessions.Storage;

/// <summary>
/// What still counts of a damaged journal: every frame that is whole, without the changes that the
/// files have gone beyond. Redoing all of them would take a file that shows a lost frame back to one
/// before it.
/// </summary>
internal sealed class WholeFrames
{
    private readonly IDisk _disk;
    private readonly Dictionary<string, long> _revisions = [];
    private readonly Dictionary<string, long> _rewrites = [];
    private readonly HashSet<string> _unplaced;

    // No file shows a frame before all frames up to it were in the files.
    private long _applied;

    private WholeFrames(IDisk disk, HashSet<string> unplaced) => (_disk, _unplaced) = (disk, unplaced);

    public static List<Frame> Of(IDisk disk, JournalScan scan)
    {
        List<Frame> frames = [.. scan.Frames.Concat(scan.Stranded).DistinctBy(f => f.Lsn).OrderBy(f => f.Lsn)];
        var whole = new WholeFrames(disk, LogPlaces.FindSessions(disk, frames, scan.Bytes));
        var ids = frames.SelectMany(f => f.Changes).Select(c => c.Id).ToHashSet();
        foreach ((string folder, string id, _) in FolderScan.Folders(disk))
        {
            if (ids.Contains(id))
            {
                whole.Look(folder, id);
            }
        }

        foreach (Frame frame in frames)
        {
            foreach (Change change in frame.Changes.Where(c => c.Kind == ChangeKind.Rewrite))
            {
                whole._rewrites[change.Id] = frame.Lsn;
            }
        }

        return frames.ConvertAll(f => new Frame { Lsn = f.Lsn, At = f.At,
            Changes = [.. f.Changes.Where(c => whole.Counts(f, c))] });
    }

    private void Look(string folder, string id)
    {
        SessionInfo? info = null;
        SmallFile.TryRead(_disk, folder + "/" + Layout.SessionFile,
            c => (info = InfoCodec.TryRead(c)) is not null && info.Id == id, out _);
        if (info is not null && info.Id == id)
        {
            _revisions[id] = Math.Max(_revisions.GetValueOrDefault(id), info.Revision);
            _applied = Math.Max(_applied, info.Revision);
        }
    }

    private bool Counts(Frame frame, Change change) => change.Kind switch
    {
        ChangeKind.Put => _revisions.GetValueOrDefault(change.Id) <= change.Info!.Revision,
        ChangeKind.Trash or ChangeKind.Restore => _revisions.GetValueOrDefault(change.Id) <= frame.Lsn,
        // The file that replaced the log has these lines, at other places.
        ChangeKind.Append when _unplaced.Contains(change.Id) => false,
        ChangeKind.Append => frame.Lsn > _rewrites.GetValueOrDefault(change.Id),
        ChangeKind.Shares => frame.Lsn > _applied || !IsSound(Layout.LiveFolder(change.Id) + "/" + Layout.SharesFile),
        ChangeKind.Log => frame.Lsn > _applied || !IsSound(Layout.LiveFolder(change.Id) + "/" + Layout.LogStateFile),
        ChangeKind.Lock or ChangeKind.Queue or ChangeKind.Buttons => frame.Lsn > _applied
            || !IsSound(Layout.LiveFolder(change.Id) + "/" + SideFile.NameOf(change.Kind)),
        ChangeKind.Config => frame.Lsn > _applied || !IsSound(Layout.ConfigFile),
        _ => true,
    };

    private bool IsSound(string path) => SmallFile.TryRead(_disk, path, null, out _) is not null;
}
