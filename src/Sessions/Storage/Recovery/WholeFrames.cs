using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Storage.Index;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;

namespace Sessions.Storage.Recovery;

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
    private readonly Dictionary<string, string> _folders = [];
    private readonly HashSet<string> _unplaced;
    private readonly HashSet<string> _withOthers = [];

    // No file shows a frame before all frames up to it were in the files.
    private long _applied;

    private WholeFrames(IDisk disk, HashSet<string> unplaced) => (_disk, _unplaced) = (disk, unplaced);

    /// <param name="disk">The store's disk.</param>
    /// <param name="scan">The journal. One that is whole and fits the logs has the last word on every line: what a log
    /// has in its place is another's, which the applier puts aside.</param>
    /// <param name="onDoubt">Told of each session that has lines in frames which are left out, since its log has others
    /// in their place.</param>
    /// <param name="isKnownDamaged">True where somebody found damage that the journal alone does not show.</param>
    public static List<Frame> Of(IDisk disk, JournalScan scan, Action<string>? onDoubt = null,
        bool isKnownDamaged = false)
    {
        List<Frame> frames = [.. scan.Frames.Concat(scan.Stranded).DistinctBy(f => f.Lsn).OrderBy(f => f.Lsn)];
        var whole = new WholeFrames(disk, LogPlaces.FindSessions(disk, frames, scan.Bytes));
        var ids = frames.SelectMany(f => f.Changes).Select(c => c.Id).ToHashSet();
        foreach ((string folder, string id, long deletion) in FolderScan.Folders(disk))
        {
            if (ids.Contains(id))
            {
                whole.Look(folder, id, deletion);
            }
        }

        foreach (Frame frame in frames)
        {
            foreach (Change change in frame.Changes.Where(c => c.Kind == ChangeKind.Rewrite))
            {
                whole._rewrites[change.Id] = frame.Lsn;
            }
        }

        if (isKnownDamaged || !whole.HasLastWord(scan, frames))
        {
            whole.FindOthers(frames);
        }

        foreach (string id in whole._withOthers)
        {
            LogRing.Add("warning", $"The log of {id} has other lines than the damaged journal; they stay.");
            onDoubt?.Invoke(id);
        }

        return frames.ConvertAll(f => new Frame { Lsn = f.Lsn, At = f.At,
            Changes = [.. f.Changes.Where(c => whole.Counts(f, c))] });
    }

    // One that is whole and yet does not fit the files may be an older one that somebody put back.
    private bool HasLastWord(JournalScan scan, List<Frame> frames)
        => scan.Corruption is null && scan.Stranded.Count == 0 && _unplaced.Count == 0
            && (scan.Newest is null || scan.IsClosed || LostFrames.Find(_disk, scan, Fold.Of(frames)) is null);

    private void Look(string folder, string id, long deletion)
    {
        _folders[id] = folder;

        // Where it lies in the trash says that it was deleted, whatever became of its file. The name of a folder is
        // anybody's: one that no journal of ours comes to bears witness of nothing.
        if (deletion <= Plausible.LsnMax / 2)
        {
            _revisions[id] = Math.Max(_revisions.GetValueOrDefault(id), deletion);
            _applied = Math.Max(_applied, deletion);
        }

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
        ChangeKind.Append => frame.Lsn > _rewrites.GetValueOrDefault(change.Id)
            && !(_withOthers.Contains(change.Id) && HasOthers(change.Id, [(change.Offset, change.Lines)])),
        ChangeKind.Shares => frame.Lsn > _applied || !IsSound(Layout.LiveFolder(change.Id) + "/" + Layout.SharesFile),
        ChangeKind.Log => frame.Lsn > _applied || !IsSound(Layout.LiveFolder(change.Id) + "/" + Layout.LogStateFile),
        ChangeKind.Small => frame.Lsn > _applied
            || !IsSound(Layout.LiveFolder(change.Id) + "/" + change.Small!.FileName),
        ChangeKind.Config => frame.Lsn > _applied || !IsSound(Layout.ConfigFile),
        _ => true,
    };

    // All lines of a session at once: mostly the log has them as they are, and one look says so.
    private void FindOthers(List<Frame> frames)
    {
        var lines = new Dictionary<string, List<(long Offset, ReadOnlyMemory<byte> Bytes)>>();
        foreach (Frame frame in frames)
        {
            foreach (Change change in frame.Changes)
            {
                if (change.Kind == ChangeKind.Append && frame.Lsn > _rewrites.GetValueOrDefault(change.Id))
                {
                    if (!lines.TryGetValue(change.Id, out List<(long Offset, ReadOnlyMemory<byte> Bytes)>? known))
                    {
                        lines.Add(change.Id, known = []);
                    }

                    known.Add((change.Offset, change.Lines));
                }
            }
        }

        foreach ((string id, List<(long Offset, ReadOnlyMemory<byte> Bytes)> known) in lines)
        {
            if (HasOthers(id, known))
            {
                _withOthers.Add(id);
            }
        }
    }

    private bool HasOthers(string id, IReadOnlyList<(long Offset, ReadOnlyMemory<byte> Bytes)> lines)
    {
        if (!_folders.TryGetValue(id, out string? folder))
        {
            return false;
        }

        string path = folder + "/" + Layout.EventsFile;
        try
        {
            using IDiskFile file = _disk.Open(path, OpenMode.Read, mayBeLinked: true);
            return LogWitness.HasOthers(_disk, path, file, new LogLines(lines));
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound || Obstacle.HidesContent(e))
        {
            return false; // what cannot be read bears witness of nothing
        }
    }

    private bool IsSound(string path) => SmallFile.TryRead(_disk, path, null, out _) is not null;
}
