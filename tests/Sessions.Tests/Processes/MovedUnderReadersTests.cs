using System.Text.Json;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>A neighbour moves a session to the trash and back, over and over, while others read it:
/// they see all of it, or that it is deleted, and never a part or a damage.</summary>
public sealed class MovedUnderReadersTests
{
    private const int Moves = 150;
    private const int Events = 40;

    [Theory]
    [InlineData("events")]
    [InlineData("last")]
    [InlineData("open")]
    [InlineData("list")]
    [InlineData("info")]
    [InlineData("share")]
    [InlineData("share-events")]
    public void A_session_that_is_moved_about_is_read_whole_or_not_at_all(string what)
    {
        using var folder = new StoreFolder();
        using SessionStore store = folder.Open();
        Session session = store.Create(null, new SessionCreateOptions { Title = "moved" });
        for (int i = 1; i <= Events; i++)
        {
            session.Say($"event {i}", AppendFlags.Relaxed);
        }

        string secret = Stores.Json(b => session.WriteShare(null, b)).GetProperty("url").GetString()!;
        store.Flush();
        using HostProcess host = HostProcess.Open(folder.Store);
        for (int i = 0; i < Moves; i++)
        {
            host.Tell("delete", session.Id);
            host.Tell("restore", session.Id);
        }

        int whole = 0, deleted = 0;
        for (int left = 2 * Moves; left > 0; left -= host.ReadOutcomes())
        {
            try
            {
                Read(store, session, secret, what);
                whole++;
            }
            catch (SessionException e)
            {
                bool isShare = what.StartsWith("share", StringComparison.Ordinal);
                Assert.True(e.Status == SessionStatus.Deleted || (isShare && e.Status == SessionStatus.NotFound),
                    $"{e.Status}: {e.Message} {e.Details}");
                deleted++;
            }
        }

        Assert.All(host.Said,
            s => Assert.True(s.Failure is null, $"{string.Join(' ', s.Order)}: {s.Failure} {s.Message}"));
        Assert.True(whole > 0 && (deleted > 0 || what == "list"), $"{whole} whole, {deleted} deleted");
        host.End();
        Assert.Equal(0, store.Info().GetProperty("quarantined").GetArrayLength());
        Read(store, session, secret, what);
        store.AssertSound();
    }

    private static void Read(SessionStore store, Session session, string secret, string what)
    {
        switch (what)
        {
            case "events":
                AssertDense(session.Events());
                break;
            case "last":
                AssertDense(session.Last());
                break;
            case "open":
                using (Session opened = store.OpenSession(session.Id))
                {
                    AssertDense(opened.Events());
                }

                break;
            case "list":
                JsonElement live = store.List();
                Assert.True(live.GetArrayLength() == 0 || live[0].GetProperty("title").GetString() == "moved");
                break;
            case "info":
                Assert.Equal(Events, session.Info().GetProperty("last_seq").GetInt64());
                break;
            case "share":
                store.ResolveShare(secret).Dispose();
                break;
            default:
                using (Session shared = store.ResolveShare(secret))
                {
                    AssertDense(shared.Events());
                }

                break;
        }
    }

    private static void AssertDense(JsonElement page)
    {
        JsonElement events = page.GetProperty("events");
        Assert.Equal(Events, events.GetArrayLength());
        for (int i = 0; i < Events; i++)
        {
            Assert.Equal(i + 1, events[i].GetProperty("seq").GetInt64());
            Assert.Equal("user_prompt", events[i].GetProperty("type").GetString());
        }
    }
}
