using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>Frames that are lost take nothing along that the files have.</summary>
public sealed class LostFramesTests
{
    private readonly MemoryDisk _disk = new();

    [Theory]
    [InlineData(StoreFlags.None)]
    [InlineData(StoreFlags.ReadOnly)]
    public void A_journal_that_was_cut_in_its_middle_hides_no_event_that_the_log_has(StoreFlags flags)
    {
        string id = Kill(s => Enumerable.Range(1, 30).ToList().ForEach(i => s.Say($"{i}")));
        CutSegment(0.3);
        using (SessionStore store = Stores.Open(_disk.OpenAs(), options: new SessionStoreOptions { Flags = flags }))
        {
            Assert.True(store.Info().GetProperty("corrupt").GetBoolean());
            Assert.Equal(30, store.OpenSession(id).GetStat().LastSeq);
            Assert.Equal(30, store.OpenSession(id).Info().GetProperty("message_count").GetInt64());
            RequireTexts(store, id, Enumerable.Range(1, 30));
            Assert.Equal([id], Doubted(store, deep: false));
            Assert.Equal([id], Doubted(store, deep: true));
        }

        Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs()), b));
        using SessionStore after = Stores.Open(_disk.OpenAs());
        RequireTexts(after, id, Enumerable.Range(1, 30));
        after.AssertSound();
    }

    [Fact]
    public void Every_session_of_a_damaged_store_shows_all_its_log_whether_or_not_a_frame_is_left_of_it()
    {
        var ids = new List<string>();
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening);
        for (int i = 0; i < 6; i++)
        {
            ids.Add(store.Create().Id);
        }

        foreach (int i in Enumerable.Range(1, 5))
        {
            ids.ForEach(id => store.OpenSession(id).Say($"{i}"));
        }

        Session branch = store.OpenSession(ids[0]).Fork();
        branch.Say("6");
        opening.Kill();
        CutSegment(0.5);
        using SessionStore corrupt = Stores.Open(_disk.OpenAs());
        ids.ForEach(id => RequireTexts(corrupt, id, Enumerable.Range(1, 5)));
        RequireTexts(corrupt, branch.Id, Enumerable.Range(1, 6));
        Assert.Contains(ids[5], Doubted(corrupt, deep: true));
    }

    [Fact]
    public void Lines_of_a_damaged_journal_are_not_laid_over_a_log_that_a_lost_prune_made()
    {
        string id = Kill(s =>
        {
            for (int i = 1; i <= 6; i++)
            {
                s.Append("user_prompt", Stores.Utf8($"{{\"text\":\"{i}\"}}"), new AppendOptions { TurnId = $"t{i}" });
            }

            s.Prune("""{"max_events":3}"""u8, new System.Buffers.ArrayBufferWriter<byte>());
            s.Say("7");
        });
        byte[] log = _disk.Peek(Log(id))!;
        CutSegment(0.45); // behind it stands the frame of the prune
        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            Assert.True(store.Info().GetProperty("corrupt").GetBoolean());
            RequireTexts(store, id, Enumerable.Range(4, 4));
            Assert.Equal([id], Doubted(store, deep: true));
        }

        Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs()), b));
        Assert.Equal(log, _disk.Peek(Log(id)));
        using SessionStore after = Stores.Open(_disk.OpenAs());
        RequireTexts(after, id, Enumerable.Range(4, 4));
        after.AssertSound();
    }

    private static string Log(string id) => Layout.LiveFolder(id) + "/" + Layout.EventsFile;

    private static List<string?> Doubted(SessionStore store, bool deep)
        => [.. store.Verify(deep).GetProperty("issues").EnumerateArray()
            .Where(i => i.GetProperty("code").GetString() == "events_unconfirmed")
            .Select(i => i.GetProperty("session_id").GetString())];

    private static void RequireTexts(SessionStore store, string id, IEnumerable<int> texts)
    {
        JsonElement page = store.OpenSession(id).Events();
        Assert.Equal(texts.Select(t => $"{t}"), page.GetProperty("events").EnumerateArray().Select(
            e => e.GetProperty("type").GetString() == "damaged" ? e.GetRawText()
                : e.GetProperty("data").GetProperty("text").GetString()));
    }

    private string Kill(Action<Session> work)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening);
        Session session = store.Create();
        work(session);
        opening.Kill();
        return session.Id;
    }

    // Cuts the newest segment so far behind its header, of what its frames take.
    private void CutSegment(double part)
    {
        string segment = _disk.Paths().Last(p => p.StartsWith("journal/0", StringComparison.Ordinal));
        byte[] bytes = _disk.Peek(segment)!;
        int end = bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        int cut = SegmentHeader.Length + (int)((end - SegmentHeader.Length) * part);
        using IDiskFile file = _disk.Open(segment, OpenMode.ReadWrite);
        file.SetLength(cut);
    }
}
