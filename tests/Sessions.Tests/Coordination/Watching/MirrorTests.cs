using System.Text;
using System.Text.Json;
using Sessions.Json;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Watching;

/// <summary>The recipe for whoever shows what is in a store: open a watch, list, apply what it tells. At the end
/// the mirror is the list, whatever two stores do meanwhile.</summary>
public sealed class MirrorTests
{
    private static readonly byte[] Two = """[{"type":"a","data":1},{"type":"b","data":2}]"""u8.ToArray();

    [Theory]
    [InlineData(WatchFlags.None)]
    [InlineData(WatchFlags.Coalesce)]
    public void A_mirror_is_the_list_whatever_happens(WatchFlags flags)
    {
        for (int seed = 1; seed <= 12; seed++)
        {
            Run(seed, flags);
        }
    }

    private static void Run(int seed, WatchFlags flags)
    {
        var disk = new MemoryDisk();
        var random = new Random(seed);
        using SessionStore left = Stores.Open(disk.OpenAs()), right = Stores.Open(disk.OpenAs(), processId: 7);
        using SessionStore looking = Stores.Open(disk.OpenAs(), processId: 8);
        List<string> ids = [];
        Work(random, [left, right], ids, 60);
        SessionWatch watch = looking.OpenWatch(new() { Flags = flags });
        Work(random, [left, right], ids, 10); // between the two steps of the recipe
        var mirror = new Mirror(looking);
        for (int round = 0; round < 15; round++)
        {
            Work(random, [left, right], ids, random.Next(40));
            if (random.Next(6) == 0)
            {
                left.Engine.Checkpointer.TryRun();
            }

            if (random.Next(3) == 0)
            {
                long position = mirror.Apply(watch.Next((uint)random.Next(5)));
                if (random.Next(2) == 0)
                {
                    watch.Dispose();
                    watch = looking.OpenWatch(new() { Flags = flags, AfterLsn = position });
                }
            }
        }

        while (mirror.HasMore(watch))
        {
        }

        watch.Dispose();
        string expected = Mirror.TextOf(looking);
        Assert.True(mirror.Text() == expected, $"Seed {seed}:\n{mirror.Text()}\n{expected}");
        Assert.Equal(Mirror.TextOf(left), expected);
    }

    private static void Work(Random random, SessionStore[] stores, List<string> ids, int count)
    {
        for (int i = 0; i < count; i++)
        {
            SessionStore store = stores[random.Next(stores.Length)];
            string? id = ids.Count > 0 ? ids[random.Next(ids.Count)] : null;
            try
            {
                Act(random, store, ids, id);
            }
            catch (SessionException e) when (e.Status is SessionStatus.Deleted or SessionStatus.NotFound)
            {
                // The one that was picked is in the trash, or gone.
                ids.Remove(random.Next(4) == 0 ? id! : "");
            }
        }
    }

    private static void Act(Random random, SessionStore store, List<string> ids, string? id)
    {
        if (id is null || random.Next(8) == 0)
        {
            using Session? parent = id is null || random.Next(2) == 0 ? null : store.OpenSession(id);
            ids.Add(store.Create(parent?.Id, new SessionCreateOptions { Title = $"t{random.Next(100)}" }).Id);
            return;
        }

        if (random.Next(12) == 0)
        {
            store.Restore(id);
            return;
        }

        using Session session = store.OpenSession(id);
        AppendFlags flags = random.Next(2) == 0 ? AppendFlags.Relaxed : AppendFlags.None;
        switch (random.Next(10))
        {
            case < 4: session.Say($"{random.Next()}", flags); break;
            case 4: session.UpdateTitle($"n{random.Next(100)}"); break;
            case 5: session.UpdateMetadata(Encoding.UTF8.GetBytes($"{{\"n\":{random.Next(9)}}}")); break;
            case 6: session.Abort(random.Next(2) == 0 ? "why" : null, random.Next(3) == 0 ? AbortFlags.Tree : 0); break;
            case 7: session.ClearAbort(); break;
            case 8: session.Delete(random.Next(2) == 0 ? DeletePolicy.Orphan : DeletePolicy.Cascade); break;
            default: session.AppendBatch(Two, flags, new Utf8Buffer()); break;
        }
    }

    /// <summary>What a host keeps: of each session its title, its abort, and how far its log goes.</summary>
    private sealed class Mirror
    {
        private readonly SessionStore _store;
        private readonly SortedDictionary<string, Shown> _shown = new(StringComparer.Ordinal);

        public Mirror(SessionStore store)
        {
            _store = store;
            List();
        }

        public static string TextOf(SessionStore store) => new Mirror(store).Text();

        public string Text() => string.Join('\n', _shown.Select(s => $"{s.Key} {s.Value}"));

        public bool HasMore(SessionWatch watch)
        {
            JsonElement page = watch.Next(3);
            Apply(page);
            return page.GetProperty("has_more").GetBoolean();
        }

        public long Apply(JsonElement page)
        {
            foreach (JsonElement change in page.GetProperty("changes").EnumerateArray())
            {
                Apply(change, Watches.Kind(change), change.Text("session_id"));
            }

            return page.Number("next_lsn");
        }

        // Numbers only rise, so what the list had already does no harm when it is told again.
        private void Apply(JsonElement change, string kind, string? id)
        {
            JsonElement detail = change.GetProperty("detail");
            switch (kind)
            {
                case "gap":
                    List();
                    break;
                case "changed" or "restored" or "created":
                    Fetch(id!);
                    break;
                case "deleted":
                    Newer(id!, change, s => null);
                    break;
                case "renamed":
                    Newer(id!, change, s => s with { Title = detail.Text("title")! });
                    break;
                case "abort":
                    Newer(id!, change, s => s with { IsAborted = detail.GetProperty("is_aborted").GetBoolean() });
                    break;
                case "event_appended":
                    if (_shown.TryGetValue(id!, out Shown? shown))
                    {
                        _shown[id!] = shown with { LastSeq = Math.Max(shown.LastSeq, detail.Number("seq")) };
                    }

                    break;
                case "updated":
                    Newer(id!, change, s => s); // of what this mirror does not show
                    break;
                default:
                    Assert.Fail(kind);
                    break;
            }
        }

        private void Newer(string id, JsonElement change, Func<Shown, Shown?> apply)
        {
            if (_shown.TryGetValue(id, out Shown? shown) && change.Number("revision") >= shown.Revision)
            {
                if (apply(shown) is { } next)
                {
                    _shown[id] = next with { Revision = change.Number("revision") };
                }
                else
                {
                    _shown.Remove(id);
                }
            }
        }

        private void Fetch(string id)
        {
            JsonElement info = Stores.Json(b => _store.WriteInfos(Encoding.UTF8.GetBytes($"[\"{id}\"]"), null, b))[0];
            if (info.ValueKind == JsonValueKind.Null)
            {
                _shown.Remove(id);
            }
            else
            {
                _shown[id] = Shown.Of(info);
            }
        }

        private void List()
        {
            _shown.Clear();
            foreach (JsonElement info in _store.List(new() { Archived = ArchivedFilter.Include }).EnumerateArray())
            {
                _shown[info.Text("id")!] = Shown.Of(info);
            }
        }

        private sealed record Shown(string Title, bool IsAborted, long LastSeq, long Revision)
        {
            public static Shown Of(JsonElement info) => new(info.Text("title")!,
                info.GetProperty("is_aborted").GetBoolean(), info.Number("last_seq"), info.Number("revision"));
        }
    }
}
