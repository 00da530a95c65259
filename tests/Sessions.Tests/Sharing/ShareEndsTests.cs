using System.Text;
using System.Text.Json;
using Sessions.Sharing;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Sharing;

/// <summary>What stays of shares that are over: a few records for a while, and no secret.</summary>
public sealed class ShareEndsTests : IDisposable
{
    private const long Day = 86_400_000;

    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();
    private SessionStore _store;
    private Session _session;

    public ShareEndsTests()
    {
        _store = Stores.Open(_disk.OpenAs(), _time);
        _session = _store.Create();
        _session.Say("one");
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void The_list_of_shares_does_not_grow_without_end()
    {
        string lasting = Share(new SessionShareOptions { Flags = ShareFlags.Live });
        Share();
        int length = 0;
        for (int i = 0; i < 100; i++)
        {
            _time.Advance(1);
            Share(new SessionShareOptions { Flags = ShareFlags.Rotate });
            int now = _disk.Peek(SharesFile)!.Length;
            Assert.True(i < 40 || now <= length + 64, "it grows");
            length = now;
        }

        Assert.Equal(ShareEnds.KeptMax + 2, Shares().Length);
        Assert.Equal(2, Secrets().Length);
        Assert.Equal(_time.NowMs, Shares()[^2].GetProperty("revoked_at").GetInt64());
        _time.Advance(ShareEnds.KeptMs + 1);
        Share(new SessionShareOptions { MaxUses = 3 });
        Assert.Equal(3, Shares().Length);
        Reopen();
        Assert.Equal((3, 3), (Shares().Length, Secrets().Length));
        Assert.Equal(1, _store.ResolveShare(lasting).GetStat().EventCount);
        _store.AssertSound();
    }

    [Theory]
    [InlineData("flush")]
    [InlineData("close")]
    [InlineData("resolve")]
    [InlineData("another share")]
    [InlineData("a use of another")]
    [InlineData("another process")]
    public void The_secret_of_an_expired_share_goes(string how)
    {
        string lasting = Share();
        string secret = Share(new SessionShareOptions { ExpiresAt = _time.NowMs + 1000, FirstSeq = 1, LastSeq = 1 });
        Assert.Equal(2, Secrets().Length);
        using SessionStore other = Stores.Open(_disk.OpenAs(), _time);
        other.List();
        _time.Advance(999);
        _store.Flush();
        Assert.Equal(2, Secrets().Length);
        _time.Advance(1);
        switch (how)
        {
            case "flush": _store.Flush(); break;
            case "close": _store.Close(); break;
            case "resolve": Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(secret)); break;
            case "another share": Share(new SessionShareOptions { MaxUses = 5 }); break;
            case "a use of another": _store.ResolveShare(lasting).Dispose(); break;
            default: other.Flush(); break;
        }

        Assert.Equal(how == "another share" ? 2 : 1, Secrets().Length);
        other.Close();
        Reopen();
        Assert.Contains(Shares(), s => s.GetProperty("expires_at").ValueKind == JsonValueKind.Number);
        Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(secret));
        Assert.Equal(1, _store.ResolveShare(lasting).GetStat().EventCount);
        long lsn = _store.Info().GetProperty("lsn").GetInt64();
        _store.Flush();
        Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(secret));
        Assert.Equal(lsn, _store.Info().GetProperty("lsn").GetInt64()); // it is noted once
        _store.AssertSound();
    }

    [Fact]
    public void The_secret_of_a_share_that_was_used_up_goes_with_its_last_use_and_its_handles_stay()
    {
        string secret = Share(new SessionShareOptions { MaxUses = 2 });
        using Session first = _store.ResolveShare(secret);
        Assert.Single(Secrets());
        using Session last = _store.ResolveShare(secret);
        Assert.Empty(Secrets());
        Assert.Equal((1, 1), (first.GetStat().EventCount, last.GetStat().EventCount));
        Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(secret));
        string id = Shares().Single().GetProperty("share_id").GetString()!;
        _session.RevokeShare(id);
        Stores.Fails(SessionStatus.NotFound, () => last.GetStat());
    }

    [Fact]
    public void A_secret_whose_record_is_not_kept_any_more_goes_with_a_redo_too()
    {
        Share();
        string shares = SharesFile, secret = Assert.Single(Secrets());
        byte[] list = _disk.Peek(shares)!, text = _disk.Peek(secret)!;
        _store.Close();
        var opening = (MemoryDisk)_disk.OpenAs();
        _store = Stores.Open(opening, _time);
        _session = _store.OpenSession(_session.Id);
        for (int i = 0; i < ShareEnds.KeptMax + 2; i++)
        {
            _time.Advance(1);
            Share(new SessionShareOptions { Flags = ShareFlags.Rotate });
        }

        // As if the process had been killed before the first of these frames was applied.
        opening.Kill();
        _disk.Poke(shares, list);
        _disk.Poke(secret, text);
        _store = Stores.Open(_disk.OpenAs(), _time);
        _session = _store.OpenSession(_session.Id);
        Assert.Single(Secrets());
        Assert.NotEqual(secret, Secrets()[0]);
        _store.AssertSound();
    }

    [Fact]
    public void The_secret_of_a_share_survives_a_power_cut_before_any_checkpoint_of_its_session()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var disk = new FaultyDisk(seed);
            SessionStore store = Stores.Open(disk.OpenAs(), _time);
            Session session = store.Create();
            session.Say("one");
            string secret = Stores.Json(b => session.WriteShare(null, b)).GetProperty("secret").GetString()!;
            FaultyDisk left = disk.AfterPowerCut(seed, new PowerCutOptions { Keep = seed == 0 ? 0 : null });
            store = Stores.Open(left.OpenAs(), _time);
            Assert.Equal(1, store.ResolveShare(secret).GetStat().EventCount);
            store.AssertSound();
            store.Close();
        }
    }

    [Fact]
    public void A_store_that_sleeps_wakes_when_the_next_share_ends()
    {
        Assert.Equal(Timeout.Infinite, ShareEnds.SleepMs(_store.Core, Timeout.Infinite));
        Share(new SessionShareOptions { ExpiresAt = _time.NowMs + 9000 });
        Share(new SessionShareOptions { ExpiresAt = _time.NowMs + 5000 });
        Assert.Equal(5000, ShareEnds.SleepMs(_store.Core, Timeout.Infinite));
        Assert.Equal(70, ShareEnds.SleepMs(_store.Core, 70));
        _time.Advance(5000);
        ShareEnds.Sweep(_store.Core, _store.Engine.Commit);
        Assert.Single(Secrets());
        Assert.Equal(4000, ShareEnds.SleepMs(_store.Core, Timeout.Infinite));
        _time.Advance(Day);
        ShareEnds.Sweep(_store.Core, _store.Engine.Commit);
        Assert.Empty(Secrets());
        Assert.Equal(Timeout.Infinite, ShareEnds.SleepMs(_store.Core, Timeout.Infinite));
    }

    [Theory]
    [InlineData("five wrong bytes")]
    [InlineData("another session's")]
    [InlineData("another share's")]
    [InlineData("gone")]
    public void A_secret_that_does_not_open_its_share_is_named_and_not_handed_out(string how)
    {
        string secret = Share(), path = Assert.Single(Secrets());
        using Session other = _store.Create();
        other.Say("not to be seen");
        string others = Stores.Json(b => other.WriteShare(null, b)).GetProperty("secret").GetString()!;
        string second = Share(new SessionShareOptions { MaxUses = 5 });
        _store.AssertSound();
        switch (how)
        {
            case "five wrong bytes": _disk.Poke(path, Encoding.ASCII.GetBytes("abcde" + secret[5..])); break;
            case "another session's": _disk.Poke(path, Encoding.ASCII.GetBytes(others)); break;
            case "another share's": _disk.Poke(path, Encoding.ASCII.GetBytes(second)); break;
            default: _disk.Unlink(path); break;
        }

        JsonElement issue = Assert.Single(_store.Verify().GetProperty("issues").EnumerateArray());
        Assert.Equal((how == "gone" ? "missing" : "wrong_content", "error", path, _session.Id),
            (issue.GetProperty("code").GetString()!, issue.GetProperty("severity").GetString()!,
                issue.GetProperty("file").GetString()!, issue.GetProperty("session_id").GetString()!));
        Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(secret));
        Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare("abcde" + secret[5..]));
        string fresh = Share();
        Assert.DoesNotContain(fresh, (string[])[secret, others, second]);
        Assert.Equal(_session.Id, _store.ResolveShare(fresh).Id);
        Assert.Equal(other.Id, _store.ResolveShare(others).Id);
        Assert.Equal(_session.Id, _store.ResolveShare(second).Id);
        Assert.Equal(fresh, Share());
        Assert.Null(_disk.Peek(path));
        _store.AssertSound();
    }

    private string SharesFile => Layout.LiveFolder(_session.Id) + "/" + Layout.SharesFile;

    private string[] Secrets() => [.. _disk.Paths().Where(p => p.EndsWith(".secret", StringComparison.Ordinal)
        && p.StartsWith(Layout.LiveFolder(_session.Id), StringComparison.Ordinal))];

    private JsonElement[] Shares()
        => [.. Stores.Json(_session.WriteShares).GetProperty("shares").EnumerateArray()];

    private string Share(SessionShareOptions? options = null)
        => Stores.Json(b => _session.WriteShare(options, b)).GetProperty("secret").GetString()!;

    private void Reopen()
    {
        _store.Close();
        _store = Stores.Open(_disk.OpenAs(), _time);
        _session = _store.OpenSession(_session.Id);
    }
}
