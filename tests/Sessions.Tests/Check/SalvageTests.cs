using System.Text.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Damage;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Check;

/// <summary>A damaged journal leaves the store readable, refuses writes, and is mended by a salvage.</summary>
public sealed class SalvageTests
{
    private readonly MemoryDisk _disk = new();

    [Fact]
    public void A_bad_frame_before_a_synced_one_is_corruption_until_a_salvage()
    {
        (string id, string other) =
            Kill(s => s.UpdateTitle("second"), s => s.Say("one"), s => s.UpdateTitle("third"), s => s.Say("two"));
        FlipFrame(3);
        for (int round = 0; round < 2; round++)
        {
            foreach (StoreFlags flags in (StoreFlags[])[StoreFlags.ReadOnly, StoreFlags.None])
            {
                using SessionStore store =
                    Stores.Open(_disk.OpenAs(), options: new SessionStoreOptions { Flags = flags });
                Assert.True(store.Info().GetProperty("corrupt").GetBoolean());
                Assert.Equal("third", store.OpenSession(id).Info().GetProperty("title").GetString());
                Assert.Equal(2, store.OpenSession(id).Events().GetProperty("events").GetArrayLength());
                Assert.Equal(2, store.List().GetArrayLength());
                JsonElement report = store.Verify();
                Assert.Contains("journal_corrupt", report.GetRawText(), StringComparison.Ordinal);
                SessionStatus refused = flags == StoreFlags.None ? SessionStatus.Corrupt : SessionStatus.ReadOnly;
                Stores.Fails(refused, () => store.OpenSession(other).Say("x"));
                Stores.Fails(refused, () => store.Create());
                Stores.Fails(refused, () => store.OpenSession(other).Delete());
            }
        }

        JsonElement salvaged = Salvage();
        Assert.Contains("no frame at", salvaged.GetProperty("corruption").GetString(), StringComparison.Ordinal);
        Assert.Contains(_disk.Paths(), p => p.StartsWith("quarantine/", StringComparison.Ordinal)
            && p.EndsWith(".log", StringComparison.Ordinal));
        using SessionStore after = Stores.Open(_disk.OpenAs());
        Assert.False(after.Info().GetProperty("corrupt").GetBoolean());
        Assert.Equal("third", after.OpenSession(id).Info().GetProperty("title").GetString());
        Assert.Equal(3, after.OpenSession(id).Say("three"));
        Assert.NotEqual(id, after.Create().Id);
        after.AssertSound();
    }

    [Theory]
    [InlineData(3, true, "one,two,three")] // the full commit had brought it to the file
    [InlineData(5, true, "one,two,three")]
    [InlineData(6, false, "one,two")] // not on stable storage as far as anyone can tell
    public void A_bad_frame_among_relaxed_ones_costs_itself_alone(int frame, bool isCorruption, string left)
    {
        (string id, string other) = Kill(s => s.Say("one", AppendFlags.Relaxed), s => s.Say("two", AppendFlags.Relaxed),
            s => s.UpdateTitle("full"), s => s.Say("three", AppendFlags.Relaxed));
        FlipFrame(frame);
        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            Assert.Equal(isCorruption, store.Info().GetProperty("corrupt").GetBoolean());
            Assert.True(SmallStore.Names(store));
        }

        Salvage();
        using SessionStore after = Stores.Open(_disk.OpenAs());
        Assert.Equal(left, string.Join(',', Texts(after, id)));
        Assert.Equal("full", after.OpenSession(id).Info().GetProperty("title").GetString());
        Assert.Equal(0, after.OpenSession(other).GetStat().EventCount);
        after.AssertSound();
    }

    [Fact]
    public void A_bad_older_segment_is_corruption_and_costs_nothing_that_is_in_the_files()
    {
        (string id, _) = Kill([.. Enumerable.Range(0, 12)
            .Select(i => (Action<Session>)(s => s.Append("big", Stores.Utf8($"\"{i}{new string('x', 600_000)}\""))))]);
        string first = _disk.Paths().First(p => p.StartsWith("journal/0", StringComparison.Ordinal));
        Assert.NotEqual(first, Segment());
        byte[] bytes = _disk.Peek(first)!;
        bytes[2_000_000] ^= 1;
        _disk.Poke(first, bytes);
        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            Assert.True(store.Info().GetProperty("corrupt").GetBoolean());
            Assert.Equal(12, store.OpenSession(id).GetStat().LastSeq);
        }

        Salvage();
        using SessionStore after = Stores.Open(_disk.OpenAs());
        Assert.Equal(12, after.OpenSession(id).GetStat().LastSeq);
        after.AssertSound();
    }

    [Fact]
    public void A_lost_end_of_the_journal_shows_in_the_files_after_a_restart_of_the_machine()
    {
        (string id, string other) = Kill(s => s.UpdateTitle("second"), s => s.Say("one"), s => s.UpdateTitle("third"));
        FlipFrame(5);
        SessionStore.Open(new StoreEnvironment { Disk = _disk.OpenAs(), BootId = 8, RunsInBackground = false }).Close();
        Salvage();
        using SessionStore after = Stores.Open(_disk.OpenAs());
        Assert.Equal("third", after.OpenSession(id).Info().GetProperty("title").GetString());
        Assert.Equal(1, after.OpenSession(id).GetStat().LastSeq);
        Assert.Equal(other, after.OpenSession(other).Id);
        after.AssertSound();
    }

    [Fact]
    public void A_last_event_whose_frame_is_lost_is_neither_hidden_nor_written_over()
    {
        (string id, string other) = Kill();
        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            store.Close();
        }

        MemoryDisk opening = _disk.OpenAs();
        SessionStore writer = Stores.Open(opening);
        writer.OpenSession(other).UpdateTitle("first in the journal");
        writer.OpenSession(id).Say("only in the last frame");
        opening.Kill();
        FlipFrame(2);
        using (SessionStore store =
            SessionStore.Open(new StoreEnvironment { Disk = _disk.OpenAs(), BootId = 8, RunsInBackground = false }))
        {
            Assert.True(store.Info().GetProperty("corrupt").GetBoolean());
        }

        Salvage();
        using SessionStore after = Stores.Open(_disk.OpenAs());
        Assert.Equal(2, after.OpenSession(id).Say("next"));
        Assert.Equal(["only in the last frame", "next"], Texts(after, id));
        after.AssertSound();
    }

    [Fact]
    public void A_salvage_is_begun_again_wherever_it_was_stopped()
    {
        (string id, string other) =
            Kill(s => s.UpdateTitle("second"), s => s.Say("one"), s => s.UpdateTitle("third"), s => s.Say("two"));
        FlipFrame(3);
        string damaged = Layout.LiveFolder(other) + "/" + Layout.SessionFile;
        _disk.Poke(damaged, Stores.Utf8("{}"));
        int stopped = 0;
        bool isMet = true;
        for (int number = 1; isMet; number++)
        {
            var disk = new FaultyDisk(number);
            foreach (string path in _disk.Paths())
            {
                disk.Poke(path, _disk.Peek(path));
            }

            var context = new JobContext();
            int calls = 0;
            disk.FailIf = _ =>
            {
                if (++calls == number)
                {
                    context.Stop(JobStop.Cancelled);
                }

                return false;
            };
            Exception? e = Record.Exception(() => Stores.Text(
                b => SessionStore.Salvage(Stores.Environment(disk), b, context)));
            disk.FailIf = null;
            isMet = calls >= number;
            if (e is not null)
            {
                stopped++;
                Assert.Equal(SessionStatus.Cancelled, Assert.IsType<SessionException>(e).Status);
                using (SessionStore corrupt = Stores.Open(disk.OpenAs()))
                {
                    Assert.True(corrupt.Info().GetProperty("corrupt").GetBoolean());
                }

                Stores.Text(b => SessionStore.Salvage(Stores.Environment(disk.OpenAs()), b));
            }

            using SessionStore after = Stores.Open(disk.OpenAs());
            Assert.Equal("third", after.OpenSession(id).Info().GetProperty("title").GetString());
            Assert.Equal(2, after.OpenSession(id).GetStat().LastSeq);
            Assert.Equal(0, after.OpenSession(other).GetStat().LastSeq);
            after.AssertSound();
        }

        Assert.True(stopped > 20, $"{stopped}");
    }

    [Fact]
    public void A_torn_tail_is_kept_aside_and_no_corruption()
    {
        (string id, _) = Kill(s => s.UpdateTitle("second"));
        byte[] bytes = _disk.Peek(Segment())!;
        int end = bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        Stores.Utf8("half a frame").CopyTo(bytes, (end + 7) & ~7);
        _disk.Poke(Segment(), bytes);
        using SessionStore store = Stores.Open(_disk.OpenAs());
        JsonElement info = store.Info();
        Assert.Equal(12, info.GetProperty("recovered").GetProperty("torn_bytes").GetInt32());
        Assert.Equal("torn_tail", info.GetProperty("quarantined")[0].GetProperty("reason").GetString());
        Assert.Equal("second", store.OpenSession(id).Info().GetProperty("title").GetString());
        store.OpenSession(id).Say("goes on");
        store.AssertSound();
    }

    [Fact]
    public void A_damaged_store_file_does_not_cost_the_journal_what_is_only_there()
    {
        (string id, _) = Kill(s => s.Say("one", AppendFlags.Relaxed), s => s.Say("two", AppendFlags.Relaxed));
        byte[] bytes = _disk.Peek(Layout.StoreFile)!;
        int at = bytes.AsSpan().IndexOf("st_"u8);
        bytes[at + 7] ^= 1;
        _disk.Poke(Layout.StoreFile, bytes);
        Stores.Fails(SessionStatus.Corrupt, () => Stores.Open(_disk.OpenAs()));
        Salvage();
        using SessionStore after = Stores.Open(_disk.OpenAs());
        Assert.Equal(["one", "two"], Texts(after, id));
        after.AssertSound();
    }

    [Fact]
    public void A_journal_that_was_removed_without_a_close_leaves_what_is_in_the_files()
    {
        (string id, _) = Kill(s => s.UpdateTitle("second"), s => s.Say("one"));
        long lsn;
        using (SessionStore store = Stores.Open(_disk.Copy()))
        {
            lsn = store.OpenSession(id).GetStat().Revision;
        }

        foreach (string path in _disk.Paths().Where(p => p.StartsWith("journal/", StringComparison.Ordinal)))
        {
            _disk.Unlink(path);
        }

        using SessionStore after = Stores.Open(_disk.OpenAs());
        Assert.Equal("second", after.OpenSession(id).Info().GetProperty("title").GetString());
        Assert.Equal("second", after.List(new SessionListOptions { TitleContains = "sec" })[0].GetProperty("title")
            .GetString());
        after.OpenSession(id).UpdateTitle("third");
        Assert.True(after.OpenSession(id).GetStat().Revision > lsn);
    }

    [Theory]
    [InlineData("\0\0\0\0")]
    [InlineData("{}")]
    [InlineData("{\"shares\":[{}]}")]
    [InlineData("{\"shares\":[{\"share_id\":5,\"share_id\":6}]}")]
    [InlineData("{\"shares\":5}")]
    public void A_damaged_list_of_shares_blinds_no_other_share(string damage)
    {
        string first, second;
        Session broken;
        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            Session whole = store.Create();
            broken = store.Create();
            first = Stores.Json(b => whole.WriteShare(null, b)).GetProperty("secret").GetString()!;
            second = Stores.Json(b => broken.WriteShare(null, b)).GetProperty("secret").GetString()!;
        }

        _disk.Poke(Layout.LiveFolder(broken.Id) + "/shares.json", Stores.Utf8(damage));
        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            Assert.Equal(0, store.ResolveShare(first).GetStat().LastSeq);
            Stores.Fails(SessionStatus.NotFound, () => store.ResolveShare(second));
            Stores.Fails(SessionStatus.Corrupt,
                () => Stores.Text(b => store.OpenSession(broken.Id).WriteShare(null, b)));
            Assert.False(store.Verify().GetProperty("ok").GetBoolean());
            store.OpenSession(broken.Id).Say("goes on");
        }

        Salvage();
        using SessionStore after = Stores.Open(_disk.OpenAs());
        Assert.Equal(JsonValueKind.Null, after.OpenSession(broken.Id).Info().GetProperty("share_info").ValueKind);
        string third = Stores.Json(b => after.OpenSession(broken.Id).WriteShare(null, b)).GetProperty("secret")
            .GetString()!;
        Assert.Equal(1, after.ResolveShare(third).GetStat().LastSeq);
        after.AssertSound();
    }

    [Fact]
    public void A_store_that_is_open_is_not_salvaged()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs());
        Stores.Fails(SessionStatus.Busy, () => Salvage());
        Stores.Fails(SessionStatus.NotFound, () => SessionStore.Salvage(Stores.Environment(new MemoryDisk()),
            new System.Buffers.ArrayBufferWriter<byte>()));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => SessionStore.Salvage("/nowhere", """{"x":1}"""u8, new System.Buffers.ArrayBufferWriter<byte>()));
    }

    // A store of two sessions (LSN 1 and 2) whose writer was killed after what is done to the first.
    private (string First, string Second) Kill(params Action<Session>[] actions)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening);
        Session first = store.Create(), second = store.Create();
        foreach (Action<Session> action in actions)
        {
            action(first);
        }

        opening.Kill();
        return (first.Id, second.Id);
    }

    private string Segment() => _disk.Paths().Last(p => p.StartsWith("journal/0", StringComparison.Ordinal));

    // Flips a bit in the middle of the frame with that place in the newest segment, counted from 1.
    private void FlipFrame(int place)
    {
        byte[] bytes = _disk.Peek(Segment())!;
        int at = SegmentHeader.Length;
        for (int i = 1; i < place; i++)
        {
            at += FrameFormat.TotalLength(FrameFormat.PayloadLength(bytes.AsSpan(at)));
        }

        Assert.True(FrameFormat.IsPlausible(bytes.AsSpan(at), bytes.Length - at));
        bytes[at + (FrameFormat.PayloadLength(bytes.AsSpan(at)) / 2)] ^= 1;
        _disk.Poke(Segment(), bytes);
    }

    private JsonElement Salvage() => Stores.Json(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs()), b));

    private static IEnumerable<string?> Texts(SessionStore store, string id)
        => store.OpenSession(id).Events().GetProperty("events")
            .EnumerateArray()
            .Select(e => e.GetProperty("data").TryGetProperty("text", out JsonElement text) ? text.GetString() : null);
}
