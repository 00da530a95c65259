using System.Buffers;
using System.Text.Json;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Transcript;

/// <summary>What rewinds, prunes and branches leave of a conversation is what its transcript shows, at once.</summary>
public sealed class HistoryTests : IDisposable
{
    private readonly Talk _talk = new();

    public HistoryTests()
    {
        for (int i = 1; i <= 6; i++)
        {
            _talk.Add("user_prompt", $$"""{"text":"{{i}}"}""", $"t{i}");
        }
    }

    public void Dispose() => _talk.Dispose();

    [Fact]
    public void A_rewind_hides_what_came_later_and_its_undoing_brings_it_back()
    {
        Assert.Equal("1 2 3 4 5 6", Said());
        _talk.Session.Rewind(3);
        Assert.Equal("1 2 3", Said());
        Assert.Equal("1 2 3 4 5 6", Said(new TranscriptOptions { IncludeHidden = true }));
        _talk.Add("user_prompt", """{"text":"7"}""");
        Assert.Equal("1 2 3 7", Said());
        _talk.Session.Rewind(1);
        Assert.Equal("1", Said());
        _talk.Session.UndoRewind();
        Assert.Equal("1 2 3 7", Said());
        Assert.Equal(2, _talk.Store.Core.Warm.Count);
    }

    [Fact]
    public void A_branch_tells_its_history_and_then_its_own()
    {
        Said();
        using Session child = _talk.Session.Fork(4);
        child.Append("user_prompt", """{"text":"own"}"""u8);
        _talk.Add("user_prompt", """{"text":"parent's"}""");
        Assert.Equal("1 2 3 4 own", Said(null, child));
        Assert.Equal("1 2 3 4 5 6 parent's", Said());
        using Session grandchild = child.Fork(2);
        Assert.Equal("1 2", Said(null, grandchild));
        grandchild.Append("user_prompt", """{"text":"x"}"""u8);
        Assert.Equal("1 2 x", Said(null, grandchild));
    }

    [Fact]
    public void What_was_pruned_is_gone_and_the_ids_of_the_rest_stay()
    {
        JsonElement[] before = _talk.Messages();
        Stores.Text(b => _talk.Session.Prune("""{"max_events":2}"""u8, b));
        Assert.Equal("5 6", Said());
        Assert.Equal(before[4..].Select(m => m.GetRawText()), _talk.Messages().Select(m => m.GetRawText()));
    }

    [Fact]
    public void A_share_does_not_show_what_its_owner_has_rewound()
    {
        JsonElement share = Stores.Json(b => _talk.Session.WriteShare(null, b));
        using Session view = _talk.Store.ResolveShare(share.GetProperty("secret").GetString()!);
        Assert.Equal("1 2 3 4 5 6", Said(null, view));
        _talk.Session.Rewind(2);
        Assert.Equal("1 2", Said(null, view));
        Stores.Fails(SessionStatus.AccessDenied,
            () => Said(new TranscriptOptions { IncludeHidden = true }, view));
    }

    private string Said(TranscriptOptions? options = null, Session? session = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        (session ?? _talk.Session).WriteTranscript(TranscriptFormat.UiMessages, options, buffer);
        return string.Join(' ', JsonDocument.Parse(buffer.WrittenMemory).RootElement.GetProperty("messages")
            .EnumerateArray().Select(m => m.GetProperty("parts")[0].GetProperty("text").GetString()));
    }
}
