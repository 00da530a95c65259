using System.Text;
using Sessions.Images;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Log;
using Sessions.Tests.Coordination.Watching;
using Sessions.Tests.Hostile;

namespace Sessions.Tests.Damage.Harm;

/// <content>The harms.</content>
internal sealed partial class HarmRound
{
    private const int LookMs = 100; // the name of a segment is looked at so often

    private static readonly string[] Disposable =
        [Layout.Temporary + "/", Layout.IndexFile, Layout.SpareSegment, Layout.Locks + "/"];

    private void HarmOne()
    {
        bool isFolder = _random.Next(10) == 0;
        List<string> paths = isFolder ? _ground.Folders() : _ground.Files();
        bool isOfSession = _random.Next(10) < 7;
        paths = paths.FindAll(p => Layout.SessionOf(p) is not null == isOfSession);
        if (paths.Count == 0)
        {
            return;
        }

        string path = paths[_random.Next(paths.Count)];
        if (isFolder)
        {
            HarmFolder(path);
            return;
        }

        int kind = _random.Next(14);
        if (path == Layout.SharedPage && kind is 5 or 6)
        {
            kind = 0; // who maps memory whose file is cut is ended by the system
        }

        bool isInPlace = kind is 5 or 6 or 7 or 8 or 13;
        if (isInPlace && SystemCalls.Look(_ground.At(path)).Links > _ground.NamesOf(path).Count)
        {
            return; // it is a file outside by now, which is not to be harmed
        }

        // Of the page, too, a copy is another file: who has mapped the first one hears nothing before its next commit.
        NoteHarm(path, "is about to be harmed", isInPlace,
            isHarmless: kind == 0 && path is not (Layout.StoreFile or Layout.SharedPage));
        string? what = Tried(() => kind switch
        {
            0 => _ground.PutCopy(path),
            // Once the journal has let go, nothing but the file says that there is a queue, or which one is the last
            // (of a second name of another file only the name goes); and of infos only an index that no recovery
            // has gone on from.
            1 or 3 or 4 or 10 when IsUnknownQueue(path) => null,
            1 when IsUnknownInfo(path) => null,
            1 => _ground.PutOlder(path),

            // Lines do not name their session (docs/FORMAT.md): nothing tells another's log with numbers that fit from
            // its own, until a store has written to it.
            2 when Path.GetFileName(path) == Layout.EventsFile && !IsLogKnown(path) => null,
            2 => _ground.PutAnothers(path),
            3 => _ground.Remove(path),
            4 => _ground.Move(path),
            5 => _ground.Cut(path),
            6 => _ground.Empty(path),
            7 => _ground.AddGarbage(path),
            8 => _ground.WriteOver(path),
            9 => _ground.PutLink(path),
            10 => _ground.PutHardLink(path),
            11 => _ground.PutFolder(path),
            12 => _ground.PutPipe(path),
            _ => _ground.Forbid(path, isFolder: false),
        });
        if (WitnessOf(path) is { } harmed && Path.GetFileName(path) == Layout.EventsFile)
        {
            harmed.IsLogCopied |= kind == 0;
        }

        _harms += what is null ? 0 : 1;
        Tell($"HARM {path}: {what ?? "nothing"}");
        if (path.StartsWith(Layout.Journal + "/", StringComparison.Ordinal))
        {
            _time.Advance(LookMs); // a frame goes into the file that is open until then, and with a kill it is gone
        }
    }

    private static string Said(ReadOnlyMemory<byte> json) => Encoding.UTF8.GetString(json.Span);

    private bool IsUnknownQueue(string path) => Path.GetFileName(path) == Layout.QueueFile
        && WitnessOf(path) is not { IsQueueKept: true };

    private bool IsUnknownInfo(string path) => Path.GetFileName(path) == Layout.SessionFile
        && WitnessOf(path) is not { IsTitleKept: true };

    private bool IsLogKnown(string path) => _open.Count > 0 && WitnessOf(path) is { IsLogKnown: true };

    private Witness? WitnessOf(string path)
        => Layout.SessionOf(path) is { } id ? _sessions.GetValueOrDefault(id) : null;

    private void HarmFolder(string path)
    {
        List<Witness> inside = [.. _sessions.Values.Where(s =>
            (Layout.LiveFolder(s.Id) + "/").StartsWith(path + "/", StringComparison.Ordinal)
            || Layout.SessionOf(path) == s.Id)];
        _isStoreHarmed |= Layout.SessionOf(path) is null;
        Keep(inside, $"{path}: a folder");
        _harms++;
        Tell($"HARM {path}: {Tried(() => _ground.Forbid(path, isFolder: true))}");
    }

    // An earlier harm may be in the way of this one.
    private static string? Tried(Func<string?> harm)
    {
        try
        {
            return harm();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"not done, {e.Message}";
        }
    }

    // Before it is done: what the journal has now must be there whatever is done.
    private void NoteHarm(string path, string what, bool isInPlace = false, bool isHarmless = false)
    {
        if (isHarmless)
        {
            return;
        }

        IEnumerable<string> names = isInPlace ? _ground.NamesOf(path) : [path];
        HashSet<string> ids = [.. names.Select(Layout.SessionOf).OfType<string>()];
        if (path.Contains($"/{Layout.FilesFolder}/", StringComparison.Ordinal))
        {
            AddBranches(ids); // a branch that is redone gets a second name of each file that its parent has by then
        }

        _isIndexHarmed |= path == Layout.IndexFile;
        _isPageWritten |= path == Layout.SharedPage && isInPlace;
        if (ids.Count == 0)
        {
            bool isJournal = path.StartsWith(Layout.Journal + "/", StringComparison.Ordinal)
                && path != Layout.SpareSegment;
            _isJournalHarmed |= isJournal;
            _isStoreHarmed = true;
            return;
        }

        Keep([.. _sessions.Values.Where(s => ids.Contains(s.Id))], $"{path} {what}");
    }

    private void AddBranches(HashSet<string> ids)
    {
        while (_sessions.Values.Any(w => w.ParentId is { } parent && ids.Contains(parent) && ids.Add(w.Id)))
        {
        }
    }

    private void Keep(List<Witness> harmed, string what)
    {
        foreach (Witness w in harmed)
        {
            w.Harms.Add(what);

            // What an earlier harm met is in the files by now, or in the journal still.
            w.Kept.Clear();
            w.IsQueueKept = w.IsTitleKept = false;
        }

        if (_isJournalHarmed || _isStoreHarmed)
        {
            return;
        }

        using IDisk disk = _ground.Open();
        if (StoreFile.Read(disk) is not { } file)
        {
            return;
        }

        using var journal = new JournalFiles(disk, StoreFile.SeedOf(file.StoreId), "harm");
        List<Frame> frames = JournalScan.Read(disk, journal).Frames;
        foreach (Witness w in harmed)
        {
            string queue = "";
            foreach (Change change in frames.SelectMany(f => f.Changes).Where(c => c.Id == w.Id))
            {
                if (change.Small == SmallFileKind.Queue)
                {
                    // An earlier harm may have taken entries that are in no frame any more.
                    queue = change.IsAddedEntry ? queue + Said(change.Entry) : Said(change.Image);
                    w.IsQueueKept = w.Queue.Keys.All(id => queue.Contains(id, StringComparison.Ordinal));
                }

                w.IsTitleKept |= change.Kind == ChangeKind.Put && change.Info!.Title == w.Title;
                if (change.Kind == ChangeKind.Rewrite)
                {
                    w.Kept.Clear(); // the file that was put there has what stays, and no lines before it are redone
                }

                if (change.Kind == ChangeKind.Append)
                {
                    foreach (Range line in change.Lines.Span.Split((byte)'\n'))
                    {
                        if (EventLine.TryRead(change.Lines.Span[line], out long seq, out _)
                            && w.Events.ContainsKey(seq))
                        {
                            w.Kept.Add(seq);
                        }
                    }
                }
            }
        }
    }
}
