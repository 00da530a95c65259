using System.Globalization;
using System.Text.Json;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Coordination.Watching;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>
/// What the hosts of one store were told is saved, and what they were told nothing about when they
/// were killed. <see cref="Check"/> holds a store against it: the first must be there, the second
/// may, but whole.
/// </summary>
internal sealed partial class Ledger
{
    private readonly Dictionary<string, KnownSession> _sessions = [];
    private readonly HashSet<long> _revisions = [];
    private readonly List<string[]> _doubts = [];
    private readonly HashSet<string> _shared = [];
    private long _deletions;
    private (long Ms, long N) _lastId;

    /// <summary>Takes in all that these hosts said. They have ended, or are idle.</summary>
    public void Take(params HostProcess[] hosts)
    {
        foreach (Spoken spoken in hosts.SelectMany(h => h.Said))
        {
            if (spoken.Answer is { } answer)
            {
                Take(spoken.Order, answer);
            }
            else if (spoken.IsInDoubt || spoken.Order[0] == "hold") // one that failed may be there in part
            {
                _doubts.Add(spoken.Order);
            }
        }
    }

    /// <summary>A session that more than one host appends to.</summary>
    public void Share(string id, string title)
    {
        TakeId(id);
        _sessions.Add(id, new KnownSession(title));
        _shared.Add(id);
    }

    /// <summary>Opens the store, compares, goes on, and does it once more.</summary>
    public void Check(StoreFolder folder)
    {
        using (SessionStore store = folder.Open())
        {
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder.At("tmp")));
            Check(store);
            store.AssertSound();
            GoOn(store);
            store.Close();
        }

        using SessionStore again = folder.Open();
        Assert.Equal(0, again.Info().GetProperty("recovered").GetProperty("redone_records").GetInt64());
        Check(again);
        again.AssertSound();
    }

    /// <summary>Compares, and from here on takes what was in doubt as it turned out.</summary>
    public void Check(SessionStore store)
    {
        var live = Ids(store, ListFlags.None);
        var trash = Ids(store, ListFlags.Trash);
        Dictionary<string, string?> doubted = Doubted("create")
            .ToDictionary(d => d[1], d => d.Length > 2 ? d[2] : null);
        foreach (string id in live.Concat(trash).Where(i => !_sessions.ContainsKey(i)).ToList())
        {
            JsonElement info = store.OpenSession(id).Info();
            string title = info.GetProperty("title").GetString()!;
            if (FindFork(title, info) is { } fork)
            {
                _sessions.Add(id, fork);
                continue;
            }

            Assert.True(doubted.Remove(title, out string? parent), $"{id} ({title}) was made by nobody.");
            _sessions.Add(id, new KnownSession(title) { Parent = parent });
        }

        SettlePlaces(live, trash);
        foreach ((string id, KnownSession session) in _sessions)
        {
            Assert.True(live.Contains(id) == session.IsLive && trash.Contains(id) == session.Place > 0,
                $"{id} is {Where(id)}, not {session.Place}");
            if (session.IsLive)
            {
                using Session opened = store.OpenSession(id);
                Check(opened, session);
            }
            else
            {
                Stores.Fails(session.Place > 0 ? SessionStatus.Deleted : SessionStatus.NotFound,
                    () => store.OpenSession(id).Dispose());
            }
        }

        CheckShares(store);
        CheckTogether(store);
        _doubts.Clear();

        string Where(string id) => live.Contains(id) ? "live" : trash.Contains(id) ? "in the trash" : "gone";
    }

    /// <summary>Makes a change of each kind and sees that ids and LSNs go on above all that were used.</summary>
    public void GoOn(SessionStore store)
    {
        string title = $"after-{_sessions.Count}";
        using Session session = store.Create(null, new SessionCreateOptions { Title = title });
        (long, long) last = _lastId;
        TakeId(session.Id);
        Assert.True(_lastId.CompareTo(last) > 0, $"{session.Id} does not come after {last}.");
        _sessions.Add(session.Id, new KnownSession(title));
        long revision = session.Update(Stores.Utf8("""{"title":"on"}"""));
        Assert.True(_revisions.Count == 0 || revision > _revisions.Max(), "An LSN was used again.");
        _revisions.Add(revision);
        _sessions[session.Id].Title = "on";
        Assert.Equal(1, session.Say("on"));
        _sessions[session.Id].Events[1] = "on";
    }

    private void Take(string[] order, string answer)
    {
        KnownSession? session = order.Length > 1 ? _sessions.GetValueOrDefault(order[1]) : null;
        switch (order[0])
        {
            case "create" when !_shared.Contains(answer):
                TakeId(answer);
                _sessions.Add(answer, new KnownSession(order[1]) { Parent = order.Length > 2 ? order[2] : null });
                break;
            case "title":
                Assert.True(_revisions.Add(Number(answer)), $"LSN {answer} was used twice.");
                session!.Retitle(order[2], Number(answer));
                break;
            case "append" or "relaxed" or "large":
                session!.Take(Number(answer), order[2]);
                break;
            case "batch":
                JsonElement seqs = JsonDocument.Parse(answer).RootElement.GetProperty("seqs");
                for (int i = 0; i < seqs.GetArrayLength(); i++)
                {
                    session!.Take(seqs[i].GetInt64(), $"{order[2]}.{i}");
                }

                break;
            case "delete" or "cascade" or "remove" or "restore" or "purge":
                Move(order);
                break;
            case "abort":
                session!.IsAborted = true;
                break;
            case "clear":
                session!.IsAborted = false;
                break;
            case "share":
                session!.Share = answer;
                break;
            default:
                TakeTogether(order, answer, session);
                break;
        }
    }

    private void Move(string[] order)
    {
        switch (order[0])
        {
            case "restore":
                long taken = _sessions[order[1]].Place;
                foreach (KnownSession session in _sessions.Values.Where(s => taken > 0 && s.Place == taken))
                {
                    session.Place = KnownSession.Live;
                }

                break;
            case "purge":
                foreach (KnownSession session in _sessions.Values.Where(s => s.Place > 0))
                {
                    session.Place = KnownSession.Gone;
                }

                break;
            default:
                long place = order[0] == "remove" ? KnownSession.Gone : ++_deletions;
                foreach (string id in order[0] == "cascade" ? Family(order[1]) : [order[1]])
                {
                    _sessions[id].Place = place;
                }

                if (order[0] != "cascade")
                {
                    foreach (KnownSession child in _sessions.Values.Where(s => s.Parent == order[1] && s.IsLive))
                    {
                        child.Parent = null;
                    }
                }

                break;
        }

        // A restored session whose parent is no longer live has none.
        foreach (KnownSession session in _sessions.Values.Where(s => order[0] == "restore" && s.IsLive))
        {
            session.Parent = session.Parent is { } parent && _sessions[parent].IsLive ? parent : null;
        }
    }

    private List<string> Family(string root)
    {
        List<string> family = [root];
        for (int i = 0; i < family.Count; i++)
        {
            family.AddRange(_sessions.Where(s => s.Value.Parent == family[i] && s.Value.IsLive).Select(s => s.Key));
        }

        return family;
    }

    // A delete, restore or purge that was in doubt either took all that it was to take, or nothing.
    private void SettlePlaces(HashSet<string> live, HashSet<string> trash)
    {
        foreach (string[] doubt in _doubts)
        {
            if (doubt[0] is not ("delete" or "cascade" or "remove" or "restore" or "purge"))
            {
                continue;
            }

            Dictionary<string, long> before = _sessions.ToDictionary(s => s.Key, s => s.Value.Place);
            Dictionary<string, string?> parents = _sessions.ToDictionary(s => s.Key, s => s.Value.Parent);
            Move(doubt);
            bool isDone = _sessions.Any(s => s.Value.Place != before[s.Key] && IsAt(s.Key, s.Value.Place));
            foreach ((string id, KnownSession session) in _sessions)
            {
                session.Place = isDone ? session.Place : before[id];
                session.Parent = isDone ? session.Parent : parents[id];
            }
        }

        bool IsAt(string id, long place) => place == KnownSession.Live ? live.Contains(id)
            : place == KnownSession.Gone ? !live.Contains(id) && !trash.Contains(id) : trash.Contains(id);
    }

    private void Check(Session session, KnownSession known)
    {
        JsonElement info = session.Info();
        string title = info.GetProperty("title").GetString()!;
        string[] titles = [known.Title, .. Doubted("title").Where(d => d[1] == session.Id).Select(d => d[2])];
        Assert.Contains(title, titles);
        known.Title = title;
        bool isAborted = info.GetProperty("is_aborted").GetBoolean();
        bool isDoubted = _doubts.Exists(d => d[0] is "abort" or "clear" && d[1] == session.Id);
        Assert.True(isAborted == known.IsAborted || isDoubted, $"{session.Id}: aborted is {isAborted}");
        known.IsAborted = isAborted;
        if (!_shared.Contains(session.Id))
        {
            Assert.Equal(known.Parent, info.GetProperty("parent_id").GetString());
        }

        CheckEvents(session, known, info);
    }

    private void CheckEvents(Session session, KnownSession known, JsonElement info)
    {
        HashSet<string> doubted =
        [
            .. _doubts.Where(d => d[0] is "append" or "relaxed" or "large" && d[1] == session.Id).Select(d => d[2]),
            .. _doubts.Where(d => d[0] == "batch" && d[1] == session.Id)
                .SelectMany(d => Enumerable.Range(0, (int)Number(d[3])).Select(i => $"{d[2]}.{i}")),
            .. DoubtedTogether(session.Id),
        ];
        bool mayBePruned = _doubts.Exists(d => d[0] == "prune" && d[1] == session.Id);
        long first = known.First, ends = 0;
        Dictionary<long, string> found = [];
        for (long after = 0; ;)
        {
            JsonElement page = session.Events(after);
            foreach (JsonElement e in page.GetProperty("events").EnumerateArray())
            {
                long seq = e.GetProperty("seq").GetInt64();
                if (found.Count == 0 && mayBePruned && seq > first)
                {
                    known.PruneTo(first = seq);
                }

                Assert.Equal(found.Count + first, seq);
                JsonElement data = e.GetProperty("data");
                if (data.TryGetProperty("aborted", out _) || data.TryGetProperty("repaired", out _))
                {
                    ends++; // by the library, of what was left open
                    found.Add(seq, "");
                    continue;
                }

                Assert.True(data.TryGetProperty("text", out JsonElement said), e.GetRawText());
                string text = said.GetString()!;
                bool isKnown = known.Events.TryGetValue(seq, out string? acknowledged);
                Assert.True(isKnown ? acknowledged == text : seq <= known.Shared || doubted.Remove(text),
                    $"{session.Id}: event {seq} is {text}, not {acknowledged}");
                found.Add(seq, text);
            }

            if (page.GetProperty("events").GetArrayLength() == 0)
            {
                break;
            }

            after = first + found.Count - 1;
        }

        Assert.True(known.Events.Keys.All(found.ContainsKey),
            $"{session.Id}: {found.Count} events; lost: {string.Join(' ', known.Events.Keys.Except(found.Keys))}");
        foreach (string[] batch in _doubts.Where(d => d[0] == "batch" && d[1] == session.Id))
        {
            int left = doubted.Count(t => t.StartsWith(batch[2] + ".", StringComparison.Ordinal));
            Assert.True(left == 0 || left == Number(batch[3]), "A batch is there in part.");
        }

        Assert.Equal(first + found.Count - 1, info.GetProperty("last_seq").GetInt64());
        Assert.Equal(found.Count, info.GetProperty("event_count").GetInt64());
        Assert.Equal(found.Count - ends, info.GetProperty("message_count").GetInt64());
        known.Events = found;
    }

    private void CheckShares(SessionStore store)
    {
        foreach ((string id, KnownSession session) in _sessions)
        {
            if (!session.IsLive || session.Share is null)
            {
                continue;
            }

            if (Doubted("share").Any(d => d[1] == id))
            {
                session.Share = null; // the one that was being made ends the one before it
                continue;
            }

            using Session shown = store.ResolveShare(session.Share);
            Assert.Equal(id, shown.Id);
        }
    }

    private void TakeId(string id)
    {
        Assert.True(SessionIds.TryParse(id, out long ms, out long n));
        _lastId = (ms, n).CompareTo(_lastId) > 0 ? (ms, n) : _lastId;
        Assert.False(_sessions.ContainsKey(id), $"The id {id} was used twice.");
    }

    private IEnumerable<string[]> Doubted(string order) => _doubts.Where(d => d[0] == order);

    private static HashSet<string> Ids(SessionStore store, ListFlags flags)
        => [.. store.List(new SessionListOptions { Flags = flags, Archived = ArchivedFilter.Include, Fields = "id" })
            .EnumerateArray().Select(e => e.GetProperty("id").GetString()!)];

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private sealed class KnownSession(string title)
    {
        public const long Live = 0;
        public const long Gone = -1;

        public string Title { get; set; } = title;

        public string? Parent { get; set; }

        /// <summary>Live, gone, or the number of the delete that took it to the trash.</summary>
        public long Place { get; set; }

        public bool IsLive => Place == Live;

        public bool IsAborted { get; set; }

        public string? Share { get; set; }

        public Dictionary<long, string> Events { get; set; } = [];

        /// <summary>The first number that a prune has left.</summary>
        public long First { get; private set; } = 1;

        /// <summary>How many numbers it shares with what it is a branch of.</summary>
        public long Shared { get; init; }

        private long _retitled;

        // Of several processes that give it a title the last one in the order of the store counts.
        public void Retitle(string to, long revision)
            => (Title, _retitled) = revision > _retitled ? (to, revision) : (Title, _retitled);

        public void PruneTo(long first)
        {
            First = Math.Max(First, first);
            Events = Events.Where(e => e.Key >= First).ToDictionary();
        }

        public void Take(long seq, string text)
            => Assert.True(Events.TryAdd(seq, text),
                $"Event {seq} was given to {text} and to {Events.GetValueOrDefault(seq)}");
    }
}
