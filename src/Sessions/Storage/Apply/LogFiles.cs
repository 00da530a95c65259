using Sessions.Platform;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;

namespace Sessions.Storage.Apply;

/// <summary>The event logs written to lately, kept open. A folder that moves takes its open files
/// along, so a move needs no word here; where the log was replaced it is opened anew. The name must still stand for the
/// open file, and the file reach to where the lines begin: otherwise it is mended (<see cref="LogMender"/>). That costs
/// a call, and is asked where it is <see cref="LookTimes.IsDue"/>: until then lines may go into a file without a name,
/// from which, and from the journal, the next look takes them. Used under the store lock only.</summary>
internal sealed class LogFiles(StoreCore core, LogMender mender, Func<string, KnownLog> knownOf) : IDisposable
{
    private const int FilesMax = 64;
    private readonly Dictionary<string, LinkedListNode<Kept>> _open = [];
    private readonly LinkedList<Kept> _byUse = new();
    private readonly LookTimes _times = new(core);

    /// <summary>The sessions whose logs are open.</summary>
    public IReadOnlyCollection<string> Ids => _open.Keys;

    /// <summary>The file that the lines of a session go into.</summary>
    /// <param name="session">The session and its lines.</param>
    /// <param name="path">Its log.</param>
    /// <param name="isRedo">True for lines that may be in the file already: nothing is known of it.</param>
    public IDiskFile Get(FoldedSession session, string path, bool isRedo)
    {
        long start = isRedo ? 0 : session.Lines[0].Offset;
        KnownLog known = knownOf(session.Id);
        if (Find(session.Id, known.Rewrites) is not { } node)
        {
            return Add(session.Id, Open(session, path, known.Identity, isRedo), known.Rewrites);
        }

        if (_byUse.First != node)
        {
            _byUse.Remove(node);
            _byUse.AddFirst(node);
        }

        Kept kept = node.Value;
        if (!isRedo && !_times.IsDue(kept.Look))
        {
            return kept.File;
        }

        if (!IsUnder(kept.File, path, start))
        {
            return Take(kept, mender.Mend(session, path, kept.File, session.Lines[0].Offset));
        }

        kept.Look = _times.Now;
        return kept.File;
    }

    /// <summary>Makes the file under the name, which is not what the log of a session was, that up to a length; the
    /// session has no lines to be written.</summary>
    public void Mend(FoldedSession session, string path, long length)
    {
        KnownLog known = knownOf(session.Id);
        LinkedListNode<Kept>? node = Find(session.Id, known.Rewrites);
        IDiskFile file = mender.Mend(session, path, node?.Value.File, length);
        _ = node is null ? Add(session.Id, file, known.Rewrites) : Take(node.Value, file);
    }

    /// <summary>True where a log is not open, or its name stands for the open file.</summary>
    public bool IsInPlace(string id, string path)
        => !_open.TryGetValue(id, out LinkedListNode<Kept>? node) || IsUnder(node.Value.File, path, 0);

    /// <summary>Takes a file in the place of the one that is open.</summary>
    public void Put(string id, IDiskFile file)
    {
        Forget(id);
        Add(id, file, knownOf(id).Rewrites);
    }

    public void Forget(string id)
    {
        if (_open.Remove(id, out LinkedListNode<Kept>? node))
        {
            node.Value.File.Dispose();
            _byUse.Remove(node);
        }
    }

    public void Dispose()
    {
        foreach (Kept kept in _byUse)
        {
            kept.File.Dispose();
        }

        _open.Clear();
        _byUse.Clear();
    }

    private bool IsUnder(IDiskFile file, string path, long start)
        => core.Disk.Glance(path) is { IsFile: true } now && now.Identity == file.Identity
            && now.Length >= start;

    private LinkedListNode<Kept>? Find(string id, int rewrites)
    {
        if (_open.TryGetValue(id, out LinkedListNode<Kept>? node) && node.Value.Rewrites != rewrites)
        {
            Forget(id);
            return null;
        }

        return node;
    }

    private IDiskFile Open(FoldedSession session, string path, ulong known, bool isRedo)
    {
        long start = session.Lines[0].Offset;
        IDiskFile file = core.Disk.Open(path, OpenMode.OpenOrCreate, mayBeLinked: true);
        try
        {
            LinkedLog.Require(file, path, mayBeBlank: true);
            if (isRedo || start == 0 || (file.Length >= start && (file.Identity == known
                || LogWitness.MayFollow(file, new LogLines(session.Lines)))))
            {
                return file;
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }

        file.Dispose();
        return mender.Mend(session, path, null, start);
    }

    private IDiskFile Add(string id, IDiskFile file, int rewrites)
    {
        if (_open.Count >= FilesMax)
        {
            Forget(_byUse.Last!.Value.Id);
        }

        _times.TellOthers();
        _open.Add(id, _byUse.AddFirst(new Kept(id, file, rewrites) { Look = _times.Now }));
        return file;
    }

    private IDiskFile Take(Kept kept, IDiskFile file)
    {
        _times.TellOthers();
        kept.File.Dispose();
        (kept.File, kept.Look) = (file, _times.Now);
        return file;
    }

    private sealed class Kept(string id, IDiskFile file, int rewrites)
    {
        public string Id => id;

        public IDiskFile File { get; set; } = file;

        public int Rewrites => rewrites;

        /// <summary>When its name was last looked at.</summary>
        public Look Look { get; set; }
    }
}
