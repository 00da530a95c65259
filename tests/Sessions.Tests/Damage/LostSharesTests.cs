using System.Text;
using System.Text.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>shares.json is removed, or put back as it was once, while nobody has the store open: links open nothing any
/// more, and a check says so.</summary>
public sealed class LostSharesTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_shares_json_that_was_removed_or_put_back_is_named_until_a_salvage_or_the_next_share(bool isSalvaged)
    {
        foreach (bool isOlder in (bool[])[false, true])
        {
            string id, lost;
            byte[]? older = null;
            using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
            {
                Session session = store.Create();
                id = session.Id;
                session.Say("1");
                session.Say("2");
                if (isOlder)
                {
                    Share(session, 1);
                    store.Flush();
                    older = _disk.Peek(SharesOf(id));
                }

                lost = Share(session, 2);
            }

            _disk.Unlink(SharesOf(id));
            if (older is not null)
            {
                _disk.Poke(SharesOf(id), older);
            }

            using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
            {
                Stores.Fails(SessionStatus.NotFound, () => store.ResolveShare(lost));
                Assert.Equal(["share_unknown info", "shares_lost error"], Issues(store, id));
                if (!isSalvaged)
                {
                    Share(store.OpenSession(id), 2);
                    Assert.Equal(["share_unknown info"], Issues(store, id));
                    store.AssertSound();
                }
            }

            if (isSalvaged)
            {
                Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs(), _time), b));
            }

            using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
            again.AssertSound();
            bool hasShare = again.OpenSession(id).Info().GetProperty("share_info").ValueKind == JsonValueKind.Object;
            Assert.Equal(!isSalvaged || isOlder, hasShare);
        }
    }

    [Fact]
    public void A_shares_json_that_may_not_be_read_stops_no_link_of_others_and_no_list()
    {
        string harmed, sound, secret;
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Session first = store.Create();
            first.Say("1");
            Stores.Text(b => first.WriteShare(new SessionShareOptions { ExpiresAt = _time.NowMs + 1000 }, b));
            Session second = store.Create();
            second.Say("1");
            (harmed, sound, secret) = (first.Id, second.Id, Share(second, 1));
        }

        _disk.Unlink(SharesOf(harmed));
        _disk.CreateFolder(SharesOf(harmed));
        _time.Advance(2000); // what is shown of the first one's share is in that file now
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        using Session shared = again.ResolveShare(secret);
        Assert.Equal(sound, shared.Id);
        Assert.Equal(2, again.List().GetArrayLength());
        Assert.Equal(JsonValueKind.Null, again.OpenSession(harmed).Info().GetProperty("share_info").ValueKind);
        Assert.Contains(Issues(again, harmed), i => i.EndsWith(" error", StringComparison.Ordinal));
    }

    [Fact]
    public void A_secret_that_a_killed_create_share_leaves_is_told_and_is_no_harm()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session session = store.Create();
        store.Flush();
        Assert.Empty(Issues(store, session.Id));
        string path = Layout.Secret(Layout.LiveFolder(session.Id), "sh_0123456789ab");
        _disk.Poke(path, Encoding.ASCII.GetBytes(new string('a', 43)));
        Assert.Equal(["share_unknown info"], Issues(store, session.Id));
        store.AssertSound();
    }

    private static string[] Issues(SessionStore store, string id) => [.. store.Verify().GetProperty("issues")
        .EnumerateArray().Where(i => i.GetProperty("session_id").GetString() == id)
        .Select(i => i.GetProperty("code").GetString() + " " + i.GetProperty("severity").GetString())];

    private static string Share(Session session, long lastSeq) => Stores.Json(
        b => session.WriteShare(new SessionShareOptions { LastSeq = lastSeq }, b)).GetProperty("secret").GetString()!;

    private static string SharesOf(string id) => Layout.LiveFolder(id) + "/" + Layout.SharesFile;
}
