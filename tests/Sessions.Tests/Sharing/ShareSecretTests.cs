using System.Buffers;
using System.Text;
using System.Text.Json;
using Sessions.Platform;
using Sessions.Sharing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Sharing;

/// <summary>A secret lives for one call: nothing that the library keeps leads to one.</summary>
public sealed class ShareSecretTests
{
    [Fact]
    public void Nothing_leads_to_a_secret_once_its_call_has_returned()
    {
        var disk = new MemoryDisk();
        using SessionStore store = Stores.Open(disk);
        Session session = store.Create(null, new SessionCreateOptions { Title = "Findable" });
        session.Say("x");
        string secret = Share(session, out string shareId);
        Assert.NotEmpty(ObjectGraph.Find("Findable", store, session)); // what is there is found
        Assert.Empty(ObjectGraph.Find(secret, store, session));
        using Session view = store.ResolveShare(secret);
        view.Events();
        Assert.Equal(secret, Share(session, out _));
        Stores.Text(session.WriteShares);
        Assert.Empty(ObjectGraph.Find(secret, store, session, view));
        session.RevokeShare(shareId);
        store.Flush();
        Assert.Empty(ObjectGraph.Find(secret, store, session, view));
        Assert.DoesNotContain(disk.Paths(), p => disk.Peek(p) is { } bytes
            && bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(secret)) >= 0);
    }

    [Fact]
    public void A_secret_is_zeros_when_it_was_let_go_of()
    {
        ShareSecret secret = ShareSecret.Make(b => b.Fill(7));
        Assert.Equal("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc", Encoding.ASCII.GetString(secret.Text));
        secret.Dispose();
        Assert.False(secret.Text.ContainsAnyExcept((byte)0));
    }

    [Theory]
    [InlineData("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc", true)]
    [InlineData("https://x.test/s/BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc?a#b", true)]
    [InlineData("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw", false)]
    [InlineData("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw=", false)]
    [InlineData("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw\u00e9", false)]
    [InlineData("", false)]
    public void A_secret_is_found_in_a_link(string text, bool isThere)
    {
        using ShareSecret? found = ShareSecret.Find(text);
        using ShareSecret? same = ShareSecret.Find(Encoding.UTF8.GetBytes(text));
        Assert.Equal(isThere, found is not null);
        Assert.Equal(isThere, same is not null);
        Assert.True(!isThere || found!.IsSame(same!));
    }

    [Fact]
    public void A_file_that_holds_no_secret_opens_nothing()
    {
        var disk = new MemoryDisk();
        disk.CreateFolder("");
        foreach (string content in (string[])["", "short", new string('A', 44), new string('*', 43)])
        {
            using (var file = disk.Open("s", OpenMode.OpenOrCreate))
            {
                file.SetLength(0);
                file.Write(Encoding.ASCII.GetBytes(content), 0);
            }

            Assert.Null(ShareSecret.Read(disk, "s"));
        }

        Assert.Null(ShareSecret.Read(disk, "other"));
    }

    private static string Share(Session session, out string shareId)
    {
        var buffer = new ArrayBufferWriter<byte>();
        session.WriteShare(null, buffer);
        JsonElement share = JsonDocument.Parse(buffer.WrittenMemory).RootElement;
        shareId = share.GetProperty("share_id").GetString()!;
        return share.GetProperty("secret").GetString()!;
    }
}
