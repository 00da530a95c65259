using System.Buffers;
using System.Text.Json;
using Sessions.Storage.Rows;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Transcript;

/// <summary>What a store keeps of transcripts, and for whom.</summary>
public sealed class KeepingTests : IDisposable
{
    private readonly Talk _talk = new();

    private WarmCache Warm => _talk.Store.Core.Warm;

    public void Dispose() => _talk.Dispose();

    [Fact]
    public void Appends_in_between_and_other_handles_find_what_is_kept()
    {
        _talk.Add("user_prompt", """{"text":"1"}""");
        foreach (TranscriptFormat format in Enum.GetValues<TranscriptFormat>())
        {
            _talk.Text(format);
            _talk.Add("agent_message", """{"text":"x"}""");
            using Session other = _talk.Store.OpenSession(_talk.Session.Id);
            long last = other.GetStat().LastSeq;
            Assert.Equal(_talk.Text(format, new TranscriptOptions { UntilSeq = last }),
                Stores.Text(b => other.WriteTranscript(format, null, b)));
            Assert.Equal(1, Warm.Count);
        }
    }

    [Fact]
    public void A_share_shows_its_range_and_nothing_of_what_is_kept_for_others()
    {
        for (int i = 1; i <= 6; i++)
        {
            _talk.Add("user_prompt", $$"""{"text":"n{{i}}"}""");
        }

        _talk.Text(TranscriptFormat.Html);
        JsonElement share = Stores.Json(b =>
            _talk.Session.WriteShare(new SessionShareOptions { FirstSeq = 2, LastSeq = 4 }, b));
        using Session view = _talk.Store.ResolveShare(share.GetProperty("secret").GetString()!);
        foreach (TranscriptFormat format in Enum.GetValues<TranscriptFormat>())
        {
            string text = Stores.Text(b => view.WriteTranscript(format, null, b));
            Assert.Equal([false, true, true, true, false, false],
                Enumerable.Range(1, 6).Select(i => text.Contains($"n{i}", StringComparison.Ordinal)));
        }

        Assert.Contains("\"last_seq\":4}", Stores.Text(b => view.WriteTranscript(TranscriptFormat.Messages,
            new TranscriptOptions { UntilSeq = 99 }, b)), StringComparison.Ordinal);
        SessionException e = Stores.Fails(SessionStatus.AccessDenied, () => view.WriteTranscript(
            TranscriptFormat.Messages, new TranscriptOptions { IncludeHidden = true }, new ArrayBufferWriter<byte>()));
        Assert.Equal("""{"rule":"share.hidden"}""", e.Details);
        _talk.Session.RevokeShare(share.GetProperty("share_id").GetString()!);
        Stores.Fails(SessionStatus.NotFound,
            () => view.WriteTranscript(TranscriptFormat.Messages, null, new ArrayBufferWriter<byte>()));
    }

    [Fact]
    public void A_live_share_follows_the_conversation()
    {
        _talk.Add("user_prompt", """{"text":"n1"}""");
        JsonElement share =
            Stores.Json(b => _talk.Session.WriteShare(new SessionShareOptions { Flags = ShareFlags.Live }, b));
        using Session view = _talk.Store.ResolveShare(share.GetProperty("secret").GetString()!);
        for (int i = 2; i < 5; i++)
        {
            _talk.Add("user_prompt", $$"""{"text":"n{{i}}"}""");
            Assert.Contains($"\"last_seq\":{i}}}",
                Stores.Text(b => view.WriteTranscript(TranscriptFormat.Messages, null, b)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_writer_that_asks_again_while_it_is_written_to_gets_its_own()
    {
        _talk.Add("user_prompt", """{"text":"1"}""");
        string expected = _talk.Text(TranscriptFormat.Messages);
        var nested = new NestedWriter(_talk);
        _talk.Session.WriteTranscript(TranscriptFormat.Messages, null, nested);
        Assert.Equal(expected, nested.Inner);
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(nested.Written.WrittenSpan));
    }

    [Fact]
    public void Nothing_is_kept_of_a_part_of_the_conversation_or_when_the_store_is_closed()
    {
        _talk.Add("user_prompt", """{"text":"1"}""");
        _talk.Text(TranscriptFormat.Messages, new TranscriptOptions { UntilSeq = 1 });
        Assert.Equal(0, Warm.Count);
        _talk.Text(TranscriptFormat.Messages);
        Assert.Equal(1, Warm.Count);
        _talk.Store.Close();
        Assert.Equal(0, Warm.Count);
        Stores.Fails(SessionStatus.Closed, () => _talk.Text(TranscriptFormat.Messages));
    }

    [Fact]
    public void Formats_and_options_that_there_are_not_are_refused()
    {
        foreach (int format in new[] { -1, 4 })
        {
            Stores.Fails(SessionStatus.InvalidArgument, () => _talk.Text((TranscriptFormat)format));
        }

        Stores.Fails(SessionStatus.InvalidArgument,
            () => _talk.Text(TranscriptFormat.Html, new TranscriptOptions { AfterSeq = -1 }));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => _talk.Text(TranscriptFormat.Html, new TranscriptOptions { UntilSeq = 1L << 53 }));
        Stores.Fails(SessionStatus.Limit,
            () => _talk.Text(TranscriptFormat.Html, new TranscriptOptions { Title = new string('x', 16385) }));
        Assert.Equal(new TranscriptOptions { AfterSeq = 3, UntilSeq = 9, IncludeHidden = true, Title = "é" },
            TranscriptOptions.Read("""{ "after_seq":3, "until_seq":9, "include_hidden":true, "title":"\u00e9" }"""u8));
        Assert.Equal(new TranscriptOptions(), TranscriptOptions.Read("""{"title":null}"""u8));
    }

    [Fact]
    public async Task Many_threads_ask_while_one_appends()
    {
        _talk.Add("user_prompt", """{"text":"1"}""");
        Task[] readers = [.. Enumerable.Range(0, 4).Select(n => Task.Run(() =>
        {
            long seen = 0;
            while (seen < 200)
            {
                JsonElement all = Stores.Json(b => _talk.Session.WriteTranscript(TranscriptFormat.Messages, null, b));
                long last = all.GetProperty("last_seq").GetInt64();
                Assert.True(last >= seen);
                Assert.Equal(last, all.GetProperty("messages").GetArrayLength());
                seen = last;
            }
        }))];
        for (int i = 2; i <= 200; i++)
        {
            _talk.Add("user_prompt", """{"text":"x"}""");
        }

        await Task.WhenAll(readers);
    }

    private sealed class NestedWriter(Talk talk) : IBufferWriter<byte>
    {
        public ArrayBufferWriter<byte> Written { get; } = new();

        public string? Inner { get; private set; }

        public void Advance(int count) => Written.Advance(count);

        public Memory<byte> GetMemory(int sizeHint = 0) => Written.GetMemory(sizeHint);

        public Span<byte> GetSpan(int sizeHint = 0)
        {
            Inner ??= talk.Text(TranscriptFormat.Messages);
            return Written.GetSpan(sizeHint);
        }
    }
}
