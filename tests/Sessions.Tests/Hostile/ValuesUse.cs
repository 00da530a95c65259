using System.Buffers;
using System.Text;
using Sessions.Check;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Tests.Support;

namespace Sessions.Tests.Hostile;

/// <summary>Makes small stores, puts things into them with right checksums, and does with them what a host
/// does.</summary>
internal static class ValuesUse
{
    public const long At = 1_795_158_388_123;

    /// <summary>A clean store with two sessions of two events each.</summary>
    public static (string First, string Second) Make(IDisk disk)
    {
        using SessionStore store = Stores.Open(disk, new ManualTime());
        Session first = store.Create(), second = store.Create();
        foreach (Session session in (Session[])[first, second])
        {
            session.Say("one");
            session.Say("two");
        }

        return (first.Id, second.Id);
    }

    public static uint Seed(IDisk disk) => StoreFile.SeedOf(StoreFile.Read(disk)!.StoreId);

    /// <summary>The number of the newest segment, and the LSN that the one behind it begins with.</summary>
    public static (long Segment, long Lsn) End(IDisk disk)
    {
        var journal = new JournalFiles(disk, Seed(disk), "test");
        long newest = journal.Segments()[^1];
        return (newest, journal.ReadHeader(newest)!.FirstLsn);
    }

    /// <summary>Adds a segment behind the journal's end with frames of these payloads, one LSN each.</summary>
    public static void AddFrames(IDisk disk, IEnumerable<byte[]> payloads)
    {
        (long segment, long lsn) = End(disk);
        var b = new Utf8Buffer();
        b.Zeros(SegmentHeader.Length);
        long next = lsn;
        foreach (byte[] payload in payloads)
        {
            int start = b.Length;
            b.Zeros(FrameFormat.HeaderLength);
            b.Raw(payload);
            FrameFormat.Close(b, start, next, next - 1, Seed(disk));
            next++;
        }

        b.Zeros(4096);
        AddSegment(disk, new SegmentHeader
        {
            Number = segment + 1,
            Size = b.Length,
            FirstLsn = lsn,
            PreviousEnd = SegmentHeader.Length,
            PreviousLsn = lsn - 1,
            FirstNeeded = segment + 1,
            IdMs = At,
            IdN = 2,
        }, b.ToArray());
    }

    public static void AddSegment(IDisk disk, SegmentHeader header, byte[] file)
    {
        header.Write(file, Seed(disk));
        disk.WriteAll(Layout.Segment(header.Number), file);
    }

    public static byte[] Payload(params string[] changes)
        => Encoding.UTF8.GetBytes($$"""{"at":{{At}},"by":{"pid":1},"changes":[{{string.Join(',', changes)}}]}""");

    /// <summary>Replaces the index by one that says this, with right checksums.</summary>
    public static void WriteIndex(IDisk disk, string rows, string closing)
    {
        var b = new Utf8Buffer();
        b.Raw(Encoding.UTF8.GetBytes(rows));
        int start = b.Length;
        string line = closing.Replace("ROWS_CRC", Crc32C.Compute(b.Written).ToString(), StringComparison.Ordinal);
        b.Raw(Encoding.UTF8.GetBytes($$"""{"closing":{{line}}"""));
        CheckedJson.AppendChecksum(b, Crc32C.Compute(b.Written[start..]));
        b.Byte('}').Byte('\n');
        disk.WriteAll(Layout.IndexFile, b.Written);
    }

    /// <summary>Puts a small file there whose checksum is right.</summary>
    public static void WriteChecked(IDisk disk, string path, string compact)
    {
        var b = new Utf8Buffer();
        byte[]? json = JsonText.TryCompactObject(Encoding.UTF8.GetBytes(compact));
        if (json is null || json.Length <= 2)
        {
            b.Raw(Encoding.UTF8.GetBytes(compact)); // has no checksum: it is taken as it is, or not at all
        }
        else
        {
            CheckedJson.Write(json, b);
        }

        disk.WriteAll(path, b.Written);
    }

    /// <summary>All that a host can ask of a store and its sessions. Any answer will do but an internal error: those
    /// are exceptions of another kind. True where the store opened and can be written to.</summary>
    public static bool Everything(IDisk disk, string? sound = null)
    {
        SessionStore store;
        try
        {
            store = Stores.Open(disk, new ManualTime());
        }
        catch (SessionException e)
        {
            Assert.NotEqual(SessionStatus.Internal, e.Status);
            return false;
        }

        bool isSound = !store.Info().GetProperty("corrupt").GetBoolean();
        try
        {
            Use(store);
            if (sound is not null)
            {
                Session session = store.OpenSession(sound);
                Assert.Equal(2, session.Events(after: 0, limit: 2).GetProperty("events").GetArrayLength());
                if (isSound)
                {
                    long seq = session.Say("still here");
                    Assert.Equal(seq, session.Last().GetProperty("last_seq").GetInt64());
                }
            }
        }
        finally
        {
            Try(store.Close);
        }

        return isSound;
    }

    /// <summary>Salvages what is corrupt.</summary>
    public static void Salvage(IDisk disk)
        => Salvager.Run(Stores.Environment(disk, new ManualTime()), new JobContext(), new ArrayBufferWriter<byte>());

    private static void Use(SessionStore store)
    {
        var ids = new List<string>();
        Try(() => store.Info());
        foreach (ListFlags flags in (ListFlags[])[ListFlags.None, ListFlags.Trash])
        {
            Try(() => ids.AddRange(store.List(new SessionListOptions { Flags = flags }).EnumerateArray()
                .Select(r => r.GetProperty("id").GetString()!)));
        }

        using SessionWatch? watch = Get(() => store.OpenWatch());
        foreach (string id in ids)
        {
            if (Get(() => store.OpenSession(id)) is { } session)
            {
                Use(session);
                session.Dispose();
            }
        }

        Try(() => store.Restore(ids.Count > 0 ? ids[^1] : "x"));
        Try(() => store.Create().Say("new"));
        Try(() => store.Configure(null, """{"queue":{"max_size":9}}"""u8));
        Try(() => store.Verify());
        Try(store.Flush);
    }

    private static void Use(Session session)
    {
        Try(() => session.Info());
        Try(() => session.Events());
        Try(() => session.Last());
        Try(() => Stores.Text(b => session.WriteTurns(0, 0, b)));
        Try(() => Stores.Text(b => session.WriteTranscript(TranscriptFormat.Html, null, b)));
        Try(() => Stores.Text(session.WriteShares));
        Try(() => Stores.Text(session.WriteTree));
        Try(() => Stores.Text(session.WriteLockStatus));
        Try(() => Stores.Text(session.WriteQueue));
        Try(() => Stores.Text(session.WriteButtons));
        Try(() => Stores.Text(b => session.WriteStreams(null, 0, b)));
        Try(() => session.Say("more", id: "k"));
        Try(() => session.Lock(LockMode.Interrupt, null));
        Try(() => session.AddToQueue("""{"message":"m"}"""u8, new ArrayBufferWriter<byte>()));
        Try(() => session.ClaimQueued(null, new ArrayBufferWriter<byte>()));
        Try(() => session.SetButtons("""[{"label":"a"}]"""u8));
        Try(() => Stores.Text(b => session.WriteShare(null, b)));
        Try(() => session.Fork().Say("in a branch"));
        Try(() => session.PutFile("a.txt", "text"u8, new ArrayBufferWriter<byte>()));
        Try(() => session.UpdateTitle("another"));
        Try(() => session.Abort());
        Try(() => Stores.Text(b => session.Repair(RepairFlags.None, b)));
        Try(session.Unlock);
    }

    private static T? Get<T>(Func<T> call)
        where T : class
    {
        T? result = null;
        Try(() => result = call());
        return result;
    }

    private static void Try(Action call)
    {
        try
        {
            call();
        }
        catch (SessionException e)
        {
            Assert.NotEqual(SessionStatus.Internal, e.Status);
        }
    }

    /// <summary>A note of each file below a folder: its path and what is in it.</summary>
    public static string Snapshot(string folder)
        => string.Join('\n', Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Select(p => File.Exists(p)
                ? $"{p}: {Convert.ToHexString(File.ReadAllBytes(p))}" : p));
}
