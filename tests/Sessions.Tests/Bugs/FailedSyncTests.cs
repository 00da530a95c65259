using System.Buffers;
using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Page;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>
/// A failed sync was recognised by the spelling of its operation, in four places that disagreed: a failed syncfs of a
/// prune left the store sound, put_file, create_share and a delete without the trash went on, and the failed sync of a
/// branch's link in a purge was tried again by the next commit. Here each sync of each path fails once. Of what is only
/// staged that is IO and no more; of anything else it poisons in that call, no sync is tried any more, and what was
/// acknowledged is there after the next opening and after a power cut.
/// </summary>
public sealed class FailedSyncTests
{
    private const int Many = 260; // above 256 sessions one syncfs takes the place of their syncs

    private static readonly Dictionary<string, (int Branches, Action<World> Prepare, Action<World> Act)> Paths = new()
    {
        ["append"] = (0, _ => { }, w => w.Say("more")),
        ["create"] = (0, _ => { }, w => w.Store.Create()),
        ["flush of relaxed appends"] = (0, w => w.Say("more", AppendFlags.Relaxed), w => w.Store.Flush()),
        ["first commit after a clean close"] = (0, w => w.Reopen(), w => w.Say("more")),
        ["next segment"] = (0, w => w.Say(new string('x', 3 << 20)), w => w.Say(new string('y', 2 << 20))),
        ["checkpoint"] = (1, w => w.Say("more"), w => w.Checkpoint()),
        ["checkpoint of a delete"] = (1, w => w.Branches[0].Delete(), w => w.Checkpoint()),
        ["checkpoint of many"] = (Many, _ => { }, w => w.Checkpoint()),
        ["prune"] = (1, _ => { }, w => w.Prune("true")),
        ["prune for good"] = (1, _ => { }, w => w.Prune("false")),
        ["prune of a damaged log"] = (0, w => w.Damage(), w => w.Prune("true")),
        ["prune with many new branches"] = (Many, _ => { }, w => w.Prune("true")),
        ["delete without the trash"] = (1, _ => { }, w => w.DeleteForGood()),
        ["delete without the trash, many new branches"] = (Many, _ => { }, w => w.DeleteForGood()),
        ["purge"] = (1, w => w.Delete(), w => w.Store.Purge(Limits.IntegerMax)),
        ["purge with many new branches"] = (Many, w => w.Delete(), w => w.Store.Purge(Limits.IntegerMax)),
        ["branch"] = (0, _ => { }, w => w.Main.Fork(0).Dispose()),
        ["branch with attachments"] = (0, w => w.Put(), w => w.Main.Fork(0).Dispose()),
        ["branch without links"] = (0, w => w.Put(), w => w.Main.Fork(0).Dispose()),
        ["attachment"] = (0, _ => { }, w => w.Put()),
        ["attachment once more"] = (0, w => w.Put(), w => w.Put()),
        ["share"] = (0, _ => { }, w => w.Share()),
        ["append to a log that was replaced"] = (0, w => w.ReplaceLog(), w => w.Say("more")),
        ["checkpoint of a log that was replaced"] = (0, w => w.ReplaceLog(), w => w.Checkpoint()),
    };

    public static TheoryData<string> Names => new(Paths.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_failed_sync_is_the_end_of_writing_or_only_of_what_was_staged(string name)
    {
        int poisoned = 0;
        for (int n = 1; Fail(name, n, ref poisoned); n++)
        {
        }

        Assert.True(poisoned > 0 || name is "create" or "append", "No failure was one to remember.");
    }

    // False where the path has no such sync.
    private static bool Fail(string name, int n, ref int poisoned)
    {
        (int branches, Action<World> prepare, Action<World> act) = Paths[name];
        var world = new World(branches, hasLinks: name != "branch without links");
        prepare(world);
        if (world.FailSync(n, act, branches == Many, out SessionException? answer) is not { } sync)
        {
            Assert.Null(answer);
            world.Check();
            return false;
        }

        string what = $"{sync.Name} {sync.Path}, sync {n}";
        bool isStaged = IsStaged(sync);
        Assert.True(answer is null or { Status: SessionStatus.Io or SessionStatus.Poisoned }, $"{what}: {answer}");
        Assert.True(isStaged == (world.Health == StoreHealth.Sound), $"{what}: health {world.Health}, {answer}");
        if (!isStaged)
        {
            poisoned++;
            world.AssertNobodyWrites(what);
        }

        world.Reopen();
        world.Check();
        return true;
    }

    // Other syncs of that path are the end: of a journal that another program broke nothing is left for the next open.
    [Fact]
    public void A_failed_sync_of_a_segment_that_is_made_anew_is_tried_with_another_file()
    {
        var world = new World(0, hasLinks: true);
        world.ReplaceSegment();
        DiskOperation? sync = world.FailSync(o => o.Path.EndsWith(".new", StringComparison.Ordinal), w => w.Say("more"),
            out SessionException? answer);
        Assert.NotNull(sync);
        Assert.Equal((SessionStatus.Io, StoreHealth.Sound), (answer?.Status, world.Health));
        world.Say("again");
        world.Reopen();
        world.Check();
    }

    // Scratch files, segments and logs in the making, copies in the making, secrets that no record speaks of yet.
    private static bool IsStaged(DiskOperation sync) => sync.Name == "fdatasync"
        && (sync.Path.StartsWith("tmp/", StringComparison.Ordinal)
            || sync.Path.EndsWith(".new", StringComparison.Ordinal)
            || sync.Path.EndsWith(FileLinks.HalfSuffix, StringComparison.Ordinal)
            || sync.Path.EndsWith(".secret", StringComparison.Ordinal)
            || (sync.Path.StartsWith("quarantine/", StringComparison.Ordinal)
                && sync.Path != QuarantineNote.In(Layout.Parent(sync.Path))));

    [Fact]
    public void A_failed_sync_at_an_opening_is_not_tried_again_by_the_next()
    {
        var disk = new FaultyDisk(seed: 5);
        SessionStore store = Stores.Open(disk.OpenAs());
        Session session = store.Create();
        session.Say("durable");
        session.Say("published", AppendFlags.Relaxed);
        FaultyDisk left = disk.AfterKill();
        string newest = left.Paths().Last(p => Layout.TrySegment(Layout.Name(p), out _));
        FaultyDisk opener = left.OpenAs();
        opener.FailIf = o => o.Name == "fdatasync" && o.Path == newest;
        Stores.Fails(SessionStatus.Io, () => Stores.Open(opener));
        var synced = new List<string>();
        FaultyDisk next = left.OpenAs();
        next.FailIf = o =>
        {
            synced.AddRange(o.Name == "fdatasync" ? [o.Path] : []);
            return false;
        };
        using (SessionStore again = Stores.Open(next))
        {
            Assert.Equal(2, again.OpenSession(session.Id).GetStat().LastSeq);
        }

        // The frames were written anew and synced there; what the failed sync may have dropped is relied on no more.
        int anew = synced.FindIndex(p => p.EndsWith(".new", StringComparison.Ordinal)), old = synced.IndexOf(newest);
        Assert.True(anew >= 0 && (old < 0 || anew < old), $"{anew}, {old}");
        using SessionStore cut = Stores.Open(left.AfterPowerCut(seed: 1));
        Assert.Equal(2, cut.OpenSession(session.Id).GetStat().LastSeq);
    }

    /// <summary>A store, and what it has acknowledged.</summary>
    private sealed class World
    {
        private readonly List<string> _said = [];
        private readonly HashSet<string> _inDoubt = [];
        private readonly FaultyDisk _disk = new(seed: 7);
        private readonly ManualTime _time = new();
        private FaultyDisk _opening;
        private DiskOperation? _failed;
        private bool _isPruned;
        private bool _isDeleted;
        private bool _isDamaged;

        public World(int branches, bool hasLinks)
        {
            _disk.Capabilities = new DiskCapabilities("plain", true, hasLinks, AtomicExchange: true);
            _opening = _disk.OpenAs();
            Store = Stores.Open(_opening, _time);
            Main = Store.Create();
            Say("one");
            Say("two");
            Say("three");
            Branches = [.. Enumerable.Range(0, branches).Select(_ => Main.Fork(0))];
        }

        public SessionStore Store { get; private set; }

        public Session Main { get; private set; }

        public List<Session> Branches { get; }

        public long Health { get; private set; }

        public void Say(string text, AppendFlags flags = AppendFlags.None)
        {
            _inDoubt.Add(text);
            Main.Say(text, flags);
            _said.Add(text);
        }

        public void Checkpoint() => Store.Run(() => Store.Engine.Checkpointer.TryRun());

        public void Prune(string trash)
        {
            _isPruned = true;
            Main.Prune(Stores.Utf8("{\"max_events\":1,\"trash\":" + trash + "}"), new ArrayBufferWriter<byte>());
        }

        public void Delete()
        {
            _isDeleted = true;
            Main.Delete(DeletePolicy.Orphan);
        }

        public void DeleteForGood()
        {
            _isDeleted = true;
            Main.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
        }

        public void Put() => Main.PutFile("a.txt", "content"u8, new ArrayBufferWriter<byte>());

        public void Share() => Main.WriteShare(null, new ArrayBufferWriter<byte>());

        // A line that is none, as another program would leave it.
        public void Damage()
        {
            _isDamaged = true;
            using IDiskFile log = _disk.Open(Layout.LiveFolder(Main.Id) + "/" + Layout.EventsFile, OpenMode.ReadWrite,
                mayBeLinked: true);
            log.Write("{\"seq\":9"u8, 0);
            log.Sync();
        }

        // Another program's edit, which takes the place of the log: sed -i s/one/xxx/.
        public void ReplaceLog()
        {
            string log = Layout.LiveFolder(Main.Id) + "/" + Layout.EventsFile;
            byte[] edited = [.. _disk.Peek(log)!];
            edited.AsSpan(edited.AsSpan().IndexOf("one"u8), 3).Fill((byte)'x');
            Replace(log, edited);
        }

        public void ReplaceSegment() => Replace(Segment, "none"u8);

        private string Segment => _disk.Paths().Last(p => Layout.TrySegment(Layout.Name(p), out _));

        /// <summary>Fails the nth sync; null where there is none. Above 256 sessions only the sync of the whole file
        /// system counts: the others are those of one session.</summary>
        public DiskOperation? FailSync(int n, Action<World> act, bool onlyAll, out SessionException? answer)
        {
            int count = 0;
            return FailSync(o => (!onlyAll || o.Name == "syncfs") && ++count == n, act, out answer);
        }

        /// <summary>Fails the first such sync; null where there is none.</summary>
        public DiskOperation? FailSync(Func<DiskOperation, bool> isIt, Action<World> act, out SessionException? answer)
        {
            DiskOperation? failed = null;
            answer = null;
            _opening.FailIf = o =>
            {
                bool fails = failed is null && o.IsSync && isIt(o);
                failed = fails ? o : failed;
                return fails;
            };
            try
            {
                act(this);
            }
            catch (SessionException e)
            {
                answer = e;
            }

            _opening.FailIf = null;
            _failed = failed;
            Health = Store.Core.State.Health;
            return failed;
        }

        public void AssertNobodyWrites(string what)
        {
            var synced = new List<string>();
            _opening.FailIf = o =>
            {
                synced.AddRange(o.IsSync && !IsStaged(o) ? [$"{o.Name} {o.Path}"] : []);
                return false;
            };
            foreach (Action write in (Action[])[() => Store.Create(), Store.Flush, Checkpoint,
                () => Store.Purge(Limits.IntegerMax), Store.Close])
            {
                Stores.Fails(SessionStatus.Poisoned, write);
                if (_isDeleted || write == Store.Close)
                {
                    continue;
                }

                bool isPruned = _isPruned;
                foreach (Action change in (Action[])[() => Say("refused"), Put, Share, () => Main.Fork(0),
                    () => Main.UpdateTitle("refused"), .. isPruned ? [] : (Action[])[() => Prune("true")]])
                {
                    Assert.Equal(SessionStatus.Poisoned, Assert.Throws<SessionException>(change).Status);
                }
            }

            Assert.True(synced.Count == 0, $"after {what}: {string.Join(", ", synced)}");
        }

        public void Reopen()
        {
            try
            {
                Store.Close();
            }
            catch (SessionException e)
            {
                Assert.Equal(SessionStatus.Poisoned, e.Status);
            }

            Open(_disk.OpenAs());
        }

        // What was acknowledged is there, now and after a power cut.
        public void Check()
        {
            CheckOpen();
            Store.Close();
            Open(_disk.AfterPowerCut(seed: 1));
            CheckOpen();
            Store.Close();
        }

        private void Replace(string path, ReadOnlySpan<byte> content)
        {
            _disk.Poke(path, content);
            _time.Advance(1000); // names are looked at again only after a while
        }

        private void Open(FaultyDisk disk)
        {
            _opening = disk;
            Store = Stores.Open(disk, _time);
            string id = Main.Id;
            Main = Store.Core.Rows.Find(id) is { IsLive: true } ? Store.OpenSession(id) : Main;
        }

        private void CheckOpen()
        {
            if (!_isDamaged)
            {
                Assert.True(Store.Verify().GetProperty("ok").GetBoolean(),
                    $"after {_failed}: {Store.Verify().GetRawText()}");
            }

            if (Store.Core.Rows.Find(Main.Id) is { IsLive: true })
            {
                List<string> seen = [.. Texts(Main).Where(_said.Contains)];
                Assert.Equal(_isPruned || _isDamaged ? _said[^seen.Count..] : _said, seen);
                Assert.NotEmpty(seen);
            }
            else
            {
                Assert.True(_isDeleted);
            }

            foreach (Session branch in Branches.Where(b => Store.Core.Rows.Find(b.Id) is { IsLive: true }))
            {
                using Session again = Store.OpenSession(branch.Id);
                Assert.Equal(["one", "two", "three"], Texts(again));
            }
        }

        private static List<string> Texts(Session session)
        {
            var texts = new List<string>();
            for (long after = 0; ;)
            {
                List<JsonElement> page = [.. session.Events(after).GetProperty("events").EnumerateArray()];
                if (page.Count == 0)
                {
                    return texts;
                }

                texts.AddRange(page.Select(e => e.GetProperty("data"))
                    .Select(d => d.TryGetProperty("text", out JsonElement text) ? text.GetString()! : ""));
                after = page[^1].GetProperty("seq").GetInt64();
            }
        }
    }
}
