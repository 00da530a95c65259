using System.Text;
using System.Text.Json;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Sharing;

/// <summary>Shares: what they show, how they end, and that their secret is nowhere else.</summary>
public sealed class ShareTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();
    private readonly List<string> _secrets = [];
    private readonly StringBuilder _handedOut = new();
    private SessionStore _store;
    private Session _session;

    public ShareTests()
    {
        _store = Stores.Open(_disk.OpenAs(), _time);
        _session = _store.Create(_store.Create().Id, new SessionCreateOptions { Title = "Cart",
            Metadata = """{"m":1}"""u8.ToArray(), Facts = """{"f":1}"""u8.ToArray() });
        for (int i = 1; i <= 6; i++)
        {
            _time.Advance(1);
            _session.Append(i % 2 == 0 ? "agent_message" : "note", Stores.Utf8($"{i}"));
        }
    }

    // Whatever a test did: no secret in any file but its own, none in any JSON but the share's.
    public void Dispose()
    {
        _handedOut.Append(Stores.Text(_store.WriteInfo)).Append(Stores.Text(b => _store.WriteList(null, b)))
            .Append(Stores.Text(b => _store.WriteVerifyReport(true, b)))
            .Append(Stores.Text(b => LogRing.Write(0, 0, b)))
            .Append(Stores.Text(b => _store.WriteList(new SessionListOptions { Flags = ListFlags.Trash }, b)));
        _store.Dispose();
        Assert.NotEmpty(_secrets);
        foreach (string secret in _secrets)
        {
            Assert.DoesNotContain(secret, _handedOut.ToString(), StringComparison.Ordinal);
            Assert.All(_disk.Paths().Where(p => !p.EndsWith(".secret", StringComparison.Ordinal)),
                p => Assert.True(_disk.Peek(p)!.AsSpan().IndexOf(Encoding.ASCII.GetBytes(secret)) < 0, p));
        }

        Assert.All(_disk.Paths(), p => Assert.DoesNotContain(_secrets, s => p.Contains(s, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_share_is_found_again_by_the_same_wish()
    {
        JsonElement first = Share();
        string secret = first.GetProperty("secret").GetString()!;
        Assert.Equal(43, secret.Length);
        Assert.Equal("sessions:share/" + secret, first.GetProperty("url").GetString());
        string shareId = first.GetProperty("share_id").GetString()!;
        Assert.Equal(
            $$"""
            {"share_id":"{{shareId}}","session_id":"{{_session.Id}}",
            "url":"sessions:share/{{secret}}","secret":"{{secret}}","first_seq":1,"last_seq":6,"live":false,
            "created_at":{{_time.NowMs}},"expires_at":null,"max_uses":null,"uses":0,"last_used_at":null,
            "revoked_at":null}
            """.ReplaceLineEndings(""), first.GetRawText());
        Assert.Equal(first.GetRawText(), Share().GetRawText());
        Assert.Equal(secret, Secret(Share(new SessionShareOptions { FirstSeq = 1, LastSeq = 99 })));
        Assert.NotEqual(secret, Secret(Share(new SessionShareOptions { Flags = ShareFlags.Live })));
        Assert.NotEqual(secret, Secret(Share(new SessionShareOptions { FirstSeq = 2 })));
        Assert.NotEqual(secret, Secret(Share(new SessionShareOptions { MaxUses = 5 })));
        Assert.NotEqual(secret, Secret(Share(new SessionShareOptions { ExpiresAt = _time.NowMs + 5 })));
        Reopen("https://example.org/s/");
        JsonElement again = Share();
        Assert.Equal(secret, Secret(again));
        Assert.Equal("https://example.org/s/" + secret, again.GetProperty("url").GetString());
        JsonElement list = Json(_session.WriteShares);
        Assert.Equal(5, list.GetProperty("shares").GetArrayLength());
        Assert.All(list.GetProperty("shares").EnumerateArray(),
            s => Assert.False(s.TryGetProperty("secret", out _) || s.TryGetProperty("url", out _)));
    }

    [Fact]
    public void A_second_share_of_a_conversation_that_has_grown_shows_everything_up_to_now()
    {
        JsonElement first = Share(), live = Share(new SessionShareOptions { Flags = ShareFlags.Live });
        JsonElement part = Share(new SessionShareOptions { FirstSeq = 2, LastSeq = 4 });
        JsonElement beyond = Share(new SessionShareOptions { FirstSeq = 2, LastSeq = 7 });
        _session.Say("seven");
        _session.Say("eight");
        JsonElement second = Share();
        Assert.Equal((6, 8), (first.GetProperty("last_seq").GetInt32(), second.GetProperty("last_seq").GetInt32()));
        Assert.Equal(8, Seqs(Json(b => _store.ResolveShare(Secret(second)).WriteEvents(0, 0, b))).Count());
        Assert.Equal(6, Seqs(Json(b => _store.ResolveShare(Secret(first)).WriteEvents(0, 0, b))).Count());
        Assert.Equal(Secret(second), Secret(Share()));
        Assert.Equal(Secret(first), Secret(Share(new SessionShareOptions { LastSeq = 6 })));
        Assert.Equal(Secret(live), Secret(Share(new SessionShareOptions { Flags = ShareFlags.Live })));
        Assert.Equal(Secret(part), Secret(Share(new SessionShareOptions { FirstSeq = 2, LastSeq = 4 })));
        JsonElement more = Share(new SessionShareOptions { FirstSeq = 2, LastSeq = 7 });
        Assert.NotEqual(Secret(beyond), Secret(more));
        Assert.Equal(7, more.GetProperty("last_seq").GetInt32());

        // A rotation ends the share with the same words, though the conversation has grown since.
        _session.Say("nine");
        JsonElement third = Share(new SessionShareOptions { Flags = ShareFlags.Rotate });
        Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(Secret(second)));
        Assert.All([third, more, live, part, first], s => _store.ResolveShare(Secret(s)).Dispose());
    }

    [Fact]
    public void Rotating_ends_the_old_secret()
    {
        string first = Secret(Share());
        Session seen = _store.ResolveShare(first);
        string second = Secret(Share(new SessionShareOptions { Flags = ShareFlags.Rotate }));
        Assert.NotEqual(first, second);
        Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(first));
        Stores.Fails(SessionStatus.NotFound, () => seen.Info());
        Assert.Equal(second, Secret(Share()));
        Assert.Equal(_session.Id, _store.ResolveShare("https://any.where/x/" + second + "?q#f").Id);
        Assert.Single(_disk.Paths(), p => p.EndsWith(".secret", StringComparison.Ordinal));
    }

    [Fact]
    public void A_frozen_share_shows_its_range_and_a_live_one_goes_on()
    {
        Session frozen = _store.ResolveShare(Secret(Share(new SessionShareOptions { FirstSeq = 3, LastSeq = 4 })));
        Session live =
            _store.ResolveShare(Secret(Share(new SessionShareOptions { FirstSeq = 5, Flags = ShareFlags.Live })));
        long three = _time.NowMs - 3;
        for (int round = 0; round < 2; round++)
        {
            Assert.Equal([3, 4], Seqs(Json(b => frozen.WriteEvents(0, 0, b))));
            Assert.Equal([3, 4], Seqs(Json(b => frozen.WriteLastEvents(0, 0, b))));
            Assert.Equal([4], Seqs(Json(b => frozen.WriteLastEvents(100, 1, b))));
            Assert.Equal([4], Seqs(Json(b => frozen.WriteEvents(3, 9, b))));
            Assert.Empty(Seqs(Json(b => frozen.WriteEvents(4, 0, b))));
            JsonElement page = Json(b => frozen.WriteEvents(0, 0, b));
            Assert.Equal("""[{"first_seq":1,"last_seq":2,"reason":"outside_share"}]""", page.GetProperty("skipped")
                .GetRawText());
            Assert.Equal((4, false),
                (page.GetProperty("last_seq").GetInt32(), page.GetProperty("has_more").GetBoolean()));
            JsonElement info = Json(frozen.WriteInfo);
            Assert.Equal((2, 1, 4), (info.GetProperty("event_count").GetInt32(), info.GetProperty("message_count")
                .GetInt32(), info.GetProperty("last_seq").GetInt32()));
            Assert.Equal(three + 1, info.GetProperty("last_event_at").GetInt64());
            foreach (string hidden in (string[])["metadata", "facts", "parent_id", "share_info"])
            {
                Assert.Equal(JsonValueKind.Null, info.GetProperty(hidden).ValueKind);
            }

            Assert.Equal((2, StatFlags.ReadOnly), (frozen.GetStat().EventCount, frozen.GetStat().Flags));
            Assert.Equal(round == 0 ? [5, 6] : [5, 6, 7], Seqs(Json(b => live.WriteEvents(0, 0, b))));
            if (round == 0)
            {
                _session.Say("seven");
            }
        }
    }

    [Fact]
    public void A_handle_from_a_share_writes_nothing()
    {
        Session seen = _store.ResolveShare(Secret(Share()));
        Action[] writes =
        [
            () => seen.UpdateTitle("x"), () => seen.SuggestTitle("x"), () => seen.UpdateMetadata("{}"u8),
            () => seen.Update("{}"u8),
            () => seen.Delete(), () => seen.Abort(), () => seen.ClearAbort(), () => seen.Say("x"),
            () => Stores.Text(b => seen.AppendBatch("[]"u8, AppendFlags.None, b)),
            () => Stores.Text(b => seen.WriteShare(null, b)),
            () => Stores.Text(seen.WriteShares), () => seen.RevokeShare("sh_1"),
        ];
        string before = Stores.Text(_session.WriteInfo);
        foreach (Action write in writes)
        {
            Assert.Equal("""{"rule":"share.read_only"}""", Stores.Fails(SessionStatus.AccessDenied, write).Details);
        }

        Assert.Equal(before, Stores.Text(_session.WriteInfo));
    }

    [Fact]
    public void A_revoked_share_goes_blind_and_its_secret_is_gone()
    {
        JsonElement share = Share();
        Session seen = _store.ResolveShare(Secret(share));
        string id = share.GetProperty("share_id").GetString()!;
        Assert.Equal(id, _session.Info().GetProperty("share_info").GetProperty("share_id").GetString());
        _session.RevokeShare(id);
        _session.RevokeShare(id);
        Assert.Equal(JsonValueKind.Null, _session.Info().GetProperty("share_info").ValueKind);
        Action[] reads = [() => seen.Info(), () => seen.GetStat(), () => seen.Events(), () => seen.Last(),
            () => _ = seen.IsAborted, () => seen.Say("x")];
        foreach (Action read in reads)
        {
            Stores.Fails(SessionStatus.NotFound, read);
        }

        AssertUnknown(Secret(share));
        Assert.DoesNotContain(_disk.Paths(), p => p.EndsWith(".secret", StringComparison.Ordinal));
        Stores.Fails(SessionStatus.NotFound, () => _session.RevokeShare("sh_000000000000"));
        Reopen();
        AssertUnknown(Secret(share));
        Assert.Equal(_time.NowMs, Json(_session.WriteShares).GetProperty("shares")[0].GetProperty("revoked_at")
            .GetInt64());
    }

    [Fact]
    public void Uses_are_counted_and_run_out()
    {
        string secret = Secret(Share(new SessionShareOptions { MaxUses = 2 }));
        Session first = _store.ResolveShare(secret);
        Assert.Equal(1, Json(_session.WriteShares).GetProperty("shares")[0].GetProperty("uses").GetInt32());
        Reopen();
        Session second = _store.ResolveShare(secret);
        AssertUnknown(secret);
        Assert.Equal(6, second.GetStat().EventCount);
        Assert.Equal(JsonValueKind.Null, _session.Info().GetProperty("share_info").ValueKind);
        Assert.NotEqual(secret, Secret(Share(new SessionShareOptions { MaxUses = 2 })));
        Stores.Fails(SessionStatus.Closed, () => first.Info());
    }

    [Fact]
    public void An_expired_share_shows_nothing_any_more()
    {
        string lasting = Share().GetProperty("share_id").GetString()!;
        _time.Advance(1);
        string secret = Secret(Share(new SessionShareOptions { ExpiresAt = _time.NowMs + 1000 }));
        Session seen = _store.ResolveShare(secret);
        _time.Advance(999);
        Assert.Equal(6, seen.GetStat().EventCount);
        Assert.NotEqual(lasting, _session.Info().GetProperty("share_info").GetProperty("share_id").GetString());
        _time.Advance(1);
        Stores.Fails(SessionStatus.NotFound, () => seen.GetStat());
        AssertUnknown(secret);
        Assert.Equal(lasting, _session.Info().GetProperty("share_info").GetProperty("share_id").GetString());
        Assert.Equal(lasting, _store.List(new SessionListOptions { TitleContains = "cart" })[0]
            .GetProperty("share_info").GetProperty("share_id").GetString());
        Assert.Equal(lasting, Json(b => _store.WriteInfos(Stores.Utf8($"[\"{_session.Id}\"]"), "share_info", b))[0]
            .GetProperty("share_info").GetProperty("share_id").GetString());
    }

    [Fact]
    public void A_deleted_session_is_not_shared_until_it_comes_back()
    {
        string secret = Secret(Share());
        Session seen = _store.ResolveShare(secret);
        _session.Delete();
        AssertUnknown(secret);
        Stores.Fails(SessionStatus.Deleted, () => seen.Info());
        _store.Restore(_session.Id);
        Assert.Equal(6, _store.ResolveShare(secret).GetStat().EventCount);
    }

    [Fact]
    public void What_is_no_secret_is_not_found_and_what_is_no_range_is_refused()
    {
        Share();
        Stores.Fails(SessionStatus.InvalidArgument, () => Share(new SessionShareOptions { FirstSeq = 5, LastSeq = 4 }));
        Stores.Fails(SessionStatus.InvalidArgument, () => Share(new SessionShareOptions { FirstSeq = -1 }));
        Stores.Fails(SessionStatus.InvalidArgument, () => Share(new SessionShareOptions { ExpiresAt = -1 }));
        Stores.Fails(SessionStatus.InvalidArgument, () => Share(new SessionShareOptions { Flags = (ShareFlags)8 }));
        Assert.Equal(6, Share(new SessionShareOptions { LastSeq = 100 }).GetProperty("last_seq").GetInt32());
    }

    [Fact]
    public void An_empty_conversation_is_shared_as_one()
    {
        _session = _store.Create();
        Session seen = _store.ResolveShare(Secret(Share()));
        _session.Say("after the share was made");
        Assert.Equal("""{"events":[],"skipped":[],"next_after_seq":0"""
            + ""","previous_before_seq":1,"last_seq":0,"has_more":false}""",
            Stores.Text(b => seen.WriteEvents(0, 0, b)));
        Assert.Equal((0, 0), (seen.GetStat().EventCount, seen.GetStat().LastSeq));
    }

    private void AssertUnknown(string secret)
    {
        SessionException e = Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(secret));
        foreach (string other in (string[])["", "x", new string('A', 43), "https://x/" + new string('b', 43),
            new string('é', 43)])
        {
            SessionException same = Stores.Fails(SessionStatus.NotFound, () => _store.ResolveShare(other));
            Assert.Equal((e.Message, e.Details), (same.Message, same.Details));
        }
    }

    private JsonElement Share(SessionShareOptions? options = null)
    {
        JsonElement share = Stores.Json(b => _session.WriteShare(options, b));
        _secrets.Add(Secret(share));
        return share;
    }

    private JsonElement Json(Action<System.Buffers.IBufferWriter<byte>> write)
    {
        string text = Stores.Text(write);
        _handedOut.Append(text);
        return JsonDocument.Parse(text).RootElement;
    }

    private static string Secret(JsonElement share) => share.GetProperty("secret").GetString()!;

    private static IEnumerable<int> Seqs(JsonElement page)
        => page.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("seq").GetInt32());

    private void Reopen(string? baseUrl = null)
    {
        _store.Close();
        _store = Stores.Open(_disk.OpenAs(), _time, new SessionStoreOptions { ShareBaseUrl = baseUrl });
        _session = _store.OpenSession(_session.Id);
    }
}
