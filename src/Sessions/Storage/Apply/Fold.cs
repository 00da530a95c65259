using Sessions.Images;
using Sessions.Storage.Journal;

namespace Sessions.Storage.Apply;

/// <summary>What a run of frames comes to for one session: the last image, the last place, all lines.</summary>
internal sealed class FoldedSession(string id)
{
    public string Id { get; } = id;

    /// <summary>The last image; null where none of the frames has one.</summary>
    public SessionInfo? Image { get; set; }

    /// <summary>True where no frame has the image: it was made from the file and the counters of appends.</summary>
    public bool IsCompleted { get; set; }

    /// <summary>Counters of appends after which no image came.</summary>
    public Counters? Counters { get; set; }

    public bool IsNew { get; set; }

    /// <summary>Where it belongs in the end (0: live); null where no frame moved it.</summary>
    public long? Place { get; set; }

    /// <summary>Deletion LSNs (0: live) of the places it has been in on the way.</summary>
    public List<long> Sources { get; } = [];

    public bool IsPurged { get; set; }

    public bool HasShares { get; set; }

    public ReadOnlyMemory<byte> Shares { get; set; }

    public bool HasLog { get; set; }

    /// <summary>The last image of log.json; empty where it is to go.</summary>
    public ReadOnlyMemory<byte> Log { get; set; }

    /// <summary>The last images of side files, by their index; null: as they were; empty: the file goes.</summary>
    public ReadOnlyMemory<byte>?[]? Sides { get; set; }

    /// <summary>Entries that were added to the queue behind its last image, or, where none of the frames has one,
    /// behind what the file says; null: none.</summary>
    public List<ReadOnlyMemory<byte>>? Added { get; set; }

    /// <summary>True where no frame has the image of the queue: it was made from the file and what was added.</summary>
    public bool IsQueueCompleted { get; set; }

    /// <summary>The last replacement of the log; the lines are those that came after it.</summary>
    public Change? Rewrite { get; set; }

    public long RewriteLsn { get; set; }

    /// <summary>The LSN of the frame that made the branch.</summary>
    public long ForkLsn { get; set; }

    /// <summary>The session it is a branch of, where one of the frames made it.</summary>
    public string? ForkedFrom { get; set; }

    public List<(long Offset, ReadOnlyMemory<byte> Bytes)> Lines { get; } = [];

    /// <summary>The LSN of the last frame that touched it.</summary>
    public long Lsn { get; set; }

    /// <summary>Takes a change of a side file.</summary>
    public void Take(Change change)
    {
        if (change.IsAddedEntry)
        {
            (Added ??= []).Add(change.Entry);
            return;
        }

        Added = change.Small == SmallFileKind.Queue ? null : Added;
        (Sides ??= new ReadOnlyMemory<byte>?[SmallFileKind.All.Count])[change.Small!.Index] = change.Image;
    }
}

/// <summary>What a run of frames comes to. Making a fold of the journal's frames and applying it is
/// both the end of a commit and a recovery.</summary>
internal sealed class Fold
{
    public Dictionary<string, FoldedSession> Sessions { get; } = [];

    public ReadOnlyMemory<byte>? Config { get; private set; }

    /// <summary>What streams.json is to say; empty: it goes; null: as it is.</summary>
    public ReadOnlyMemory<byte>? Streams { get; set; }

    /// <summary>True where no frame has that: it was made from the file and the frames of streams.</summary>
    public bool AreStreamsCompleted { get; set; }

    /// <summary>What all of them come to.</summary>
    public static Fold Of(IEnumerable<Frame> frames)
    {
        var fold = new Fold();
        foreach (Frame frame in frames)
        {
            fold.Add(frame);
        }

        return fold;
    }

    public void Add(Frame frame)
    {
        foreach (Change change in frame.Changes)
        {
            if (change.Kind == ChangeKind.Config)
            {
                Config = change.Image;
                continue;
            }

            if (change.IsOfStreams)
            {
                // Text of a stream is in the journal alone, until its event or an image of all streams is made.
                Streams = change.Kind == ChangeKind.Streams ? change.Image : Streams;
                continue;
            }

            if (!Sessions.TryGetValue(change.Id, out FoldedSession? session))
            {
                Sessions.Add(change.Id, session = new FoldedSession(change.Id));
            }

            session.Lsn = frame.Lsn;
            Add(session, change, frame.Lsn);
        }
    }

    private static void Add(FoldedSession session, Change change, long lsn)
    {
        switch (change.Kind)
        {
            case ChangeKind.Put:
                session.Image = change.Info;
                session.Counters = null;
                session.IsNew |= change.IsNew;
                break;
            case ChangeKind.Append:
                session.Image = session.Image?.With(change.Counters);
                session.Counters = change.Counters;
                session.Lines.Add((change.Offset, change.Lines));
                break;
            case ChangeKind.Shares:
                session.HasShares = true;
                session.Shares = change.Image;
                break;
            case ChangeKind.Log:
                session.HasLog = true;
                session.Log = change.Image;
                break;
            case ChangeKind.Small:
                session.Take(change);
                break;
            case ChangeKind.Fork:
                session.ForkedFrom = change.ParentId;
                session.ForkLsn = lsn;
                break;
            case ChangeKind.Rewrite:
                session.Rewrite = change;
                session.RewriteLsn = lsn;
                session.Lines.Clear();
                break;
            case ChangeKind.Trash:
            case ChangeKind.Restore:
                session.Image = change.Info;
                session.Counters = null;
                session.Sources.Add(change.Kind == ChangeKind.Trash ? 0 : change.DeletionLsn);
                session.Place = change.Kind == ChangeKind.Trash ? change.DeletionLsn : 0;
                break;
            case ChangeKind.Purge:
                session.Sources.Add(change.DeletionLsn);
                session.IsPurged = true;
                break;
            default:
                throw new InvalidOperationException();
        }
    }
}
