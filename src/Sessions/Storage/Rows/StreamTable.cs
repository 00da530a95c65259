using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;

namespace Sessions.Storage.Rows;

/// <summary>
/// The open streams of all processes, as this one knows them: those of streams.json, and what frames
/// have done to them since. Taking a frame twice, or one that the file knows already, changes
/// nothing, so the file may be newer than the frames that are read behind it. Used under the rows' gate.
/// </summary>
internal sealed class StreamTable(IDisk disk, Quarantine quarantine, string owner)
{
    private readonly Dictionary<string, OpenStream> _byId = [];
    private readonly Dictionary<string, List<OpenStream>> _bySession = [];

    // Those that this store writes. Their handles hold these very objects, so they outlast a reload.
    private readonly Dictionary<string, OpenStream> _mine = [];
    private volatile int _foreign;
    private bool _isSaved = true;
    private bool _hasFile;

    public IEnumerable<OpenStream> All => _byId.Values;

    /// <summary>True while others have streams here; may be asked without the gate.</summary>
    public bool HasForeign => _foreign > 0;

    /// <summary>True where streams.json says what this table says: once journal segments go, it is all
    /// that is left of their text.</summary>
    public bool IsSaved => _isSaved || (_byId.Count == 0 && !_hasFile);

    public bool HasFile => _hasFile;

    public OpenStream? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>Those of one session, ended ones that their owner has not heard of included.</summary>
    public IReadOnlyList<OpenStream> Of(string sessionId)
        => _byId.Count > 0 && _bySession.TryGetValue(sessionId, out List<OpenStream>? streams) ? streams : [];

    /// <summary>Starts over from the file. Whatever can fail comes before the first change.</summary>
    public void Load()
    {
        List<SavedStream> saved = [];
        byte[]? image = disk.Stat(Layout.StreamsFile) is null ? null : SmallFile.Read(disk, quarantine,
            Layout.StreamsFile, null, c => StreamCodec.TryReadImage(c) is { } read && (saved = read) is not null,
            () => []);
        Fill(saved);
        _hasFile = image is not null;
        _isSaved = image is not { Length: 0 }; // a damaged one is kept aside, and written again
    }

    private void Fill(ReadOnlyMemory<byte> image)
        => Fill(image.IsEmpty ? [] : StreamCodec.TryReadImage(image) ?? throw new InvalidOperationException());

    /// <summary>The file and then frames, at a recovery; false where no frame speaks of streams.</summary>
    public bool TryLoad(IEnumerable<Frame> frames)
    {
        List<Change> changes = [.. frames.SelectMany(f => f.Changes).Where(c => c.IsOfStreams)];
        if (changes.Count == 0)
        {
            return false;
        }

        Load();
        foreach (Change change in changes)
        {
            if (change.Kind == ChangeKind.Streams)
            {
                Fill(change.Image); // the file may have been damaged since
            }
            else
            {
                TryInstall(change);
            }
        }

        return true;
    }

    /// <summary>What streams.json is to say; empty where it is to go.</summary>
    public byte[] Image() => StreamCodec.WriteImage(_byId.Values);

    /// <summary>Takes in a change; false where it is none of a stream.</summary>
    public bool TryInstall(Change change)
    {
        switch (change.Kind)
        {
            case ChangeKind.StreamBegin:
                Begin(change.Stream!);
                break;
            case ChangeKind.StreamText:
                if (_byId.TryGetValue(change.StreamId, out OpenStream? stream) && !stream.IsEnded)
                {
                    stream.Add(change.Offset, change.Lines.Span);
                }

                break;
            case ChangeKind.StreamEnd:
                End(change);
                break;
            case ChangeKind.Streams:
                _hasFile = !change.Image.IsEmpty;
                _isSaved = true;
                return true;
            default:
                return false;
        }

        _isSaved = false;
        return true;
    }

    private void Begin(OpenStream stream)
    {
        if (_byId.ContainsKey(stream.Id))
        {
            return;
        }

        if (_mine.TryGetValue(stream.Id, out OpenStream? own))
        {
            own.Restart();
            stream = own;
        }

        Add(stream);
    }

    private void End(Change change)
    {
        if (!_byId.TryGetValue(change.StreamId, out OpenStream? stream))
        {
            return;
        }

        stream.End(change.Seq, change.IsKept);
        if (!change.IsKept)
        {
            _byId.Remove(stream.Id);
            _mine.Remove(stream.Id);
            List<OpenStream> others = _bySession[stream.SessionId];
            others.Remove(stream);
            if (others.Count == 0)
            {
                _bySession.Remove(stream.SessionId);
            }

            _foreign -= stream.Owner == owner ? 0 : 1;
        }
    }

    private void Fill(List<SavedStream> saved)
    {
        _byId.Clear();
        _bySession.Clear();
        _foreign = 0;
        foreach (SavedStream entry in saved)
        {
            Begin(entry.Stream);
            OpenStream stream = _byId[entry.Stream.Id];
            stream.Add(0, entry.Text.Span);
            if (entry.IsEnded)
            {
                stream.End(entry.Seq, isKept: true);
            }
        }
    }

    private void Add(OpenStream stream)
    {
        _byId.Add(stream.Id, stream);
        (_bySession.TryGetValue(stream.SessionId, out List<OpenStream>? others)
            ? others : _bySession[stream.SessionId] = []).Add(stream);
        if (stream.Owner == owner)
        {
            _mine[stream.Id] = stream;
        }
        else
        {
            _foreign++;
        }
    }
}
