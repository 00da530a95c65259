using System.Text;
using Sessions.Images;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Rows;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Images;

/// <summary>lock.json, queue.json and action_buttons.json as files: there while they say something, from the
/// journal where they are behind, gone with their session and not with its branches.</summary>
public sealed class SmallFileKindTests
{
    private readonly FaultyDisk _disk = new(seed: 11);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_comes_and_goes_and_outlasts_a_restart(int kind)
    {
        string id;
        using (SessionStore store = Stores.Open(_disk))
        {
            using Session session = store.Create();
            id = session.Id;
            Assert.Equal("", Read(store, id, kind));
            Put(store, id, kind, 1);
            Assert.Contains("\"crc\"", Text(PathOf(id, kind)), StringComparison.Ordinal);
        }

        using (SessionStore store = Stores.Open(_disk))
        {
            Assert.Equal(Image(id, 1), Read(store, id, kind));
            store.AssertSound();
            Put(store, id, kind, 2, isFull: false);
            Assert.Equal(Image(id, 2), Read(store, id, kind));
            Put(store, id, kind, 0);
            Assert.Equal("", Read(store, id, kind));
        }

        Assert.Null(Text(PathOf(id, kind)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_neighbour_sees_it_before_it_is_in_the_file(int kind)
    {
        using SessionStore one = Stores.Open(_disk), two = Stores.Open(_disk);
        using Session session = one.Create();
        Put(one, session.Id, kind, 1, isFull: false);
        Assert.Null(Text(PathOf(session.Id, kind)));
        Assert.Equal(Image(session.Id, 1), Read(two, session.Id, kind));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void After_a_crash_the_journal_has_it(int kind)
    {
        SessionStore store = Stores.Open(_disk);
        string id = store.Create().Id;
        Put(store, id, kind, 1);
        _disk.Poke(PathOf(id, kind), "{"u8); // as a power cut may leave it
        FaultyDisk after = _disk.AfterKill();
        using SessionStore reopened = Stores.Open(after);
        Assert.Equal(Image(id, 1), Read(reopened, id, kind));
        reopened.AssertSound();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_damaged_one_is_kept_aside_and_the_session_goes_on(int kind)
    {
        string id;
        using (SessionStore store = Stores.Open(_disk))
        {
            id = store.Create().Id;
            Put(store, id, kind, 1);
        }

        _disk.Poke(PathOf(id, kind), Stores.Utf8("""{"session_id":"another","crc":"00000000"}"""));
        using SessionStore reopened = Stores.Open(_disk);
        Assert.Equal("", Read(reopened, id, kind));
        Assert.False(reopened.Verify().GetProperty("ok").GetBoolean());
        string kept = reopened.Info().GetProperty("quarantined")[0].GetProperty("file").GetString()!;
        Assert.Contains("another", Text(kept), StringComparison.Ordinal);
        Put(reopened, id, kind, 3);
        Assert.Equal(Image(id, 3), Read(reopened, id, kind));
        reopened.AssertSound();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_goes_to_the_trash_and_back_with_its_session_and_to_no_branch(int kind)
    {
        using SessionStore store = Stores.Open(_disk);
        using Session session = store.Create();
        session.Say("a");
        Put(store, session.Id, kind, 1);
        using Session branch = session.Fork();
        Assert.Equal("", Read(store, branch.Id, kind));
        session.Delete(DeletePolicy.Orphan);
        Assert.Null(Text(PathOf(session.Id, kind)));
        store.Restore(session.Id);
        Assert.Equal(Image(session.Id, 1), Read(store, session.Id, kind));
        Assert.NotNull(Text(PathOf(session.Id, kind)));
        session.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
        Assert.DoesNotContain(_disk.Paths(), p => p.Contains(session.Id, StringComparison.Ordinal)
            && p.EndsWith(SmallFileKind.All[kind].FileName, StringComparison.Ordinal));
    }

    public static TheoryData<int> Kinds => [.. SmallFileKind.All.Select(k => k.Index)];

    private string? Text(string path) => _disk.Stat(path) is null ? null : Encoding.UTF8.GetString(_disk.ReadAll(path));

    private static string PathOf(string id, int kind)
        => Layout.LiveFolder(id) + "/" + SmallFileKind.All[kind].FileName;

    private static string Image(string id, int n) => n == 0 ? "" : $"{{\"session_id\":\"{id}\",\"n\":{n}}}";

    private static string Read(SessionStore store, string id, int kind)
    {
        lock (store.Core.Rows.Gate)
        {
            store.Core.Refresh();
            Row row = store.Core.Rows.Find(id)!;
            return Encoding.UTF8.GetString(store.Core.Rows.ReadSide(row, SmallFileKind.All[kind]));
        }
    }

    private static void Put(SessionStore store, string id, int kind, int n, bool isFull = true)
        => store.Commit(new PutRequest(id, SmallFileKind.All[kind], Stores.Utf8(Image(id, n))) { Full = isFull });

    private sealed class PutRequest(string id, SmallFileKind kind, byte[] image) : CommitRequest
    {
        public override void Run(Transaction transaction)
        {
            Row row = transaction.FindLive(id)!;
            transaction.Side(row, kind);
            transaction.PutSide(row, kind, image, "put");
            Assert.Equal(image, transaction.Side(row, kind));
        }
    }
}
