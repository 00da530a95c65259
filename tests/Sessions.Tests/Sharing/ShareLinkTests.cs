using System.Text;
using Sessions.Sharing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Sharing;

/// <summary>Links that the library made itself, and options that contradict each other.</summary>
public sealed class ShareLinkTests
{
    [Fact]
    public void A_live_share_has_no_end()
    {
        using SessionStore store = Stores.Open(new MemoryDisk());
        using Session session = store.Create();
        Stores.Fails(SessionStatus.InvalidArgument, () => Stores.Text(b => session.WriteShare(
            new SessionShareOptions { Flags = ShareFlags.Live, LastSeq = 1 }, b)));
    }

    [Theory]
    [InlineData("https://x.example/s?k=")]
    [InlineData("https://x.example/share?id=")]
    [InlineData("https://x.example/s#")]
    [InlineData("app:")]
    public void A_link_is_resolved_whatever_it_starts_with(string start)
    {
        using ShareSecret secret = ShareSecret.Make(b => b.Fill(7));
        string text = Encoding.UTF8.GetString(secret.Text);
        foreach (string link in (string[])[text, start + text, "https://x.example/" + text + "?from=mail"])
        {
            using ShareSecret? found = ShareSecret.Find(link);
            Assert.True(found?.IsSame(secret));
        }
    }
}
