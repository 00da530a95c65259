using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Recovery;

/// <summary>
/// Stores that earlier versions wrote, closed in order and killed, as they left them (tests/stores): each is opened,
/// says what that version said of its events, is changed in every way, and is sound afterwards. An archive holds the
/// store and, beside it, what the version that wrote it read from it.
/// </summary>
public sealed class EarlierVersionTests : IDisposable
{
    private readonly string _temp = Directory.CreateTempSubdirectory("sessions-earlier-").FullName;

    public static TheoryData<string> Archives => [.. Directory.GetFiles(Folder, "*.tar.gz")
        .Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "stores");

    [Theory]
    [MemberData(nameof(Archives))]
    public void A_store_of_an_earlier_version_is_read_changed_and_sound(string archive)
    {
        (string root, string[] events) = Unpack(archive);
        string[] live = [.. events.Where(e => e.Contains(" {", StringComparison.Ordinal)).Select(e => e.Split(' ')[0])];
        Assert.True(live.Length > 5);
        using (SessionStore store = SessionStore.Open(root))
        {
            foreach (string line in events)
            {
                string[] parts = line.Split(' ', 2);
                Assert.Equal(WithoutTimes(parts[1]), WithoutTimes(EventsOf(store, parts[0])));
            }

            Change(store, live);
            store.AssertSound();
        }

        using SessionStore again = SessionStore.Open(root);
        again.AssertSound();
        Assert.Equal("renamed", again.OpenSession(live[0]).Info().GetProperty("title").GetString());
        Assert.Contains("\"data\":{\"text\":\"later\"}}]", EventsOf(again, live[0]), StringComparison.Ordinal);
        Stores.Fails(SessionStatus.NotFound, () => again.OpenSession(live[^1]));
    }

    public void Dispose() => Directory.Delete(_temp, recursive: true);

    private static void Change(SessionStore store, string[] live)
    {
        Session first = store.OpenSession(live[0]);
        first.UpdateTitle("renamed");
        using (Session branch = first.Fork())
        {
            branch.Append("note", """{"text":"branch"}"""u8);
        }

        Session second = store.OpenSession(live[1]);
        second.Delete(DeletePolicy.Orphan);
        store.Restore(live[1]);
        store.OpenSession(live[^1]).Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
        store.Flush();
        first.Lock(LockMode.Force); // its holder was killed, on a machine that nothing is known of here
        first.Append("note", """{"text":"later"}"""u8);
    }

    private static string EventsOf(SessionStore store, string id)
    {
        try
        {
            using Session session = store.OpenSession(id);
            return Stores.Text(b => session.WriteEvents(0, 0, b));
        }
        catch (SessionException e) when (e.Status is SessionStatus.Deleted or SessionStatus.NotFound)
        {
            return e.Status == SessionStatus.Deleted ? "SESSION_E_DELETED" : "SESSION_E_NOT_FOUND";
        }
    }

    // What had nobody to end it is ended by whoever opens, at that time.
    private static string WithoutTimes(string events)
        => Regex.Replace(events, "\"timestamp\":[0-9]+", "\"timestamp\":0");

    private (string Root, string[] Events) Unpack(string archive)
    {
        using FileStream file = File.OpenRead(Path.Combine(Folder, archive));
        using var plain = new GZipStream(file, CompressionMode.Decompress);
        TarFile.ExtractToDirectory(plain, _temp, overwriteFiles: false);
        string root = Assert.Single(Directory.GetDirectories(_temp));
        return (root, File.ReadAllLines(Assert.Single(Directory.GetFiles(_temp)), Encoding.UTF8));
    }
}
