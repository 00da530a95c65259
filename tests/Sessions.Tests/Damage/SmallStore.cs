using System.Buffers;
using System.Text.Json;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>A store with one of everything, small enough to be damaged bit by bit, closed or killed,
/// and what can be seen of it.</summary>
internal sealed class SmallStore
{
    private SmallStore(MemoryDisk disk, bool isClosed) => (Disk, IsClosed) = (disk, isClosed);

    public static readonly SmallStore Closed = Make(closes: true), Killed = Make(closes: false);

    public MemoryDisk Disk { get; }

    public bool IsClosed { get; }

    public Dictionary<string, string> Content { get; private set; } = [];

    public string Segment => Disk.Paths().Last(p => p.StartsWith("journal/0", StringComparison.Ordinal));

    public string Path(string file) => Disk.Paths()
        .First(p => p.EndsWith(file, StringComparison.Ordinal) && p.StartsWith("sessions/", StringComparison.Ordinal));

    /// <summary>All that a host can see of a store: by name, so that what differs can be told.</summary>
    public static Dictionary<string, string> See(SessionStore store)
    {
        var seen = new Dictionary<string, string> { ["config"] = store.Info().GetProperty("config").GetRawText() };
        foreach (ListFlags flags in (ListFlags[])[ListFlags.None, ListFlags.Trash])
        {
            foreach (JsonElement row in store.List(new SessionListOptions { Flags = flags }).EnumerateArray())
            {
                seen[$"{row.GetProperty("id").GetString()} {flags}"] = row.GetRawText();
            }
        }

        foreach (string id in seen.Keys.Where(k => k.EndsWith(" None", StringComparison.Ordinal))
            .Select(k => k.Split(' ')[0]).ToList())
        {
            Look($"{id} info", () => Stores.Text(store.OpenSession(id).WriteInfo));
            Look($"{id} events", () => Stores.Text(b => store.OpenSession(id).WriteEvents(0, 0, b)));
            Look($"{id} shares", () => Stores.Text(store.OpenSession(id).WriteShares));
            Look($"{id} queue", () => Stores.Text(store.OpenSession(id).WriteQueue));
            Look($"{id} buttons", () => Stores.Text(store.OpenSession(id).WriteButtons));
        }

        return seen;

        void Look(string name, Func<string> read)
        {
            try
            {
                seen[name] = read();
            }
            catch (SessionException e) when (e.Status is SessionStatus.Corrupt)
            {
                seen[name] = "corrupt";
            }
        }
    }

    /// <summary>What of the content is not as it was.</summary>
    public List<string> Differences(Dictionary<string, string> seen)
        => [.. Content.Keys.Union(seen.Keys).Where(k => Content.GetValueOrDefault(k) != seen.GetValueOrDefault(k))];

    /// <summary>Whether the store knows of any damage.</summary>
    public static bool Names(SessionStore store)
    {
        JsonElement info = store.Info();
        return info.GetProperty("corrupt").GetBoolean() || info.GetProperty("quarantined").GetArrayLength() > 0
            || !store.Verify().GetProperty("ok").GetBoolean();
    }

    private static SmallStore Make(bool closes)
    {
        var disk = new MemoryDisk();
        MemoryDisk opening = disk.OpenAs();
        var time = new ManualTime();
        SessionStore store = Stores.Open(opening, time);
        Session cart = store.Create(null,
            new SessionCreateOptions { Title = "Cart", Metadata = """{"J":"*","n":9007199254740993}"""u8.ToArray() });
        cart.Say("one", id: "k");
        Stores.Text(b => cart.WriteShare(null, b));
        Session child = store.Create(cart.Id);
        child.AddToQueue("""{"message":"Go on","scheduled_at":5}"""u8, new ArrayBufferWriter<byte>());
        child.SetButtons("""[{"label":"Stop"}]"""u8);
        store.Configure(null, """{"unique_roles":true}"""u8);
        store.Create(cart.Id).Delete();
        time.Advance(5);
        cart.Say("two");
        cart.Abort("why");
        child.UpdateTitle("Child");
        var result = new SmallStore(disk, closes);
        if (closes)
        {
            store.Close();
            using SessionStore again = Stores.Open(disk.OpenAs(), time);
            result.Content = See(again);
        }
        else
        {
            result.Content = See(store);
            opening.Kill();
            result.ShrinkSegment(StoreFile.Read(disk)!.StoreId);
        }

        return result;
    }

    // The segment as it would be with no more zeros at its end than a frame needs, so that reading it is cheap.
    private void ShrinkSegment(string storeId)
    {
        uint seed = StoreFile.SeedOf(storeId);
        byte[] bytes = Disk.Peek(Segment)!;
        int used = bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        bytes = bytes[..((used + 511) & ~255)];
        (SegmentHeader.TryRead(bytes, seed)! with { Size = bytes.Length }).Write(bytes, seed);
        Disk.Poke(Segment, bytes);
    }
}
