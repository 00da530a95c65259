using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.StoreTests;

/// <summary>An editor, a sync tool or a checkout puts another file under a name that an open store writes to. Whatever
/// was acknowledged is there afterwards.</summary>
public sealed class ReplacedLogTests
{
    private readonly MemoryDisk _disk = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Events_behind_a_copy_that_took_the_place_of_the_log_are_not_lost(bool isKilled)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening);
        Session session = store.Create();
        session.Say("1");
        string log = LogOf(session);
        _disk.Poke(log, _disk.Peek(log)!); // cp -p log x; mv x log
        for (int i = 2; i <= 6; i++)
        {
            session.Say($"{i}");
            RequireEvents(session, i);
        }

        End(store, opening, isKilled);
        RequireReopened(session.Id, 6);
    }

    [Fact]
    public void Two_stores_go_on_in_one_log_after_a_copy_took_its_place()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs()), other = Stores.Open(_disk.OpenAs(), processId: 4343);
        Session session = store.Create(), same = other.OpenSession(session.Id);
        session.Say("1");
        same.Say("2");
        _disk.Poke(LogOf(session), _disk.Peek(LogOf(session))!);
        for (int i = 3; i <= 8; i++)
        {
            (i % 3 == 0 ? session : same).Say($"{i}");
            RequireEvents(session, i);
            RequireEvents(same, i);
        }

        store.Close();
        other.Close();
        RequireReopened(session.Id, 8);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Lines_written_between_the_copy_and_its_move_are_not_lost(bool isKilled)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening);
        Session session = store.Create();
        session.Say("1");
        byte[] copy = _disk.Peek(LogOf(session))!;
        session.Say("2");
        session.Say("3");
        _disk.Poke(LogOf(session), copy);
        if (isKilled)
        {
            session.Say("4");
        }

        End(store, opening, isKilled);
        RequireReopened(session.Id, isKilled ? 4 : 3);
    }

    [Fact]
    public void A_log_that_was_edited_under_the_store_is_kept_aside_and_made_anew()
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        session.Say("one");
        session.Say("two");
        string log = LogOf(session);
        byte[] edited = _disk.Peek(log)!.AsSpan().ToArray();
        edited.AsSpan(edited.AsSpan().IndexOf("one"u8), 3).Fill((byte)'x'); // sed -i s/one/xxx/
        _disk.Poke(log, edited);
        session.Say("three");
        RequireEvents(session, 3);
        RequireKept(store, log, edited);
        store.AssertSound();
    }

    [Fact]
    public void A_log_of_another_session_under_the_name_gets_no_events()
    {
        SessionStore store = Stores.Open(_disk);
        Session session = store.Create(), other = store.Create();
        for (int i = 1; i <= 3; i++)
        {
            session.Say($"{i}");
            other.Say($"another conversation's {i}");
        }

        other.Say("4");
        byte[] theirs = _disk.Peek(LogOf(other))!;
        _disk.Poke(LogOf(session), theirs);
        session.Say("4");
        RequireEvents(session, 4);
        RequireKept(store, LogOf(session), theirs);
        Assert.Equal(theirs, _disk.Peek(LogOf(other)));
        store.Close();
        RequireReopened(session.Id, 4);
    }

    [Fact]
    public void A_neighbour_that_has_not_written_yet_knows_another_sessions_log_by_its_numbers()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs()), other = Stores.Open(_disk.OpenAs(), processId: 4343);
        Session session = store.Create(), longer = store.Create();
        session.Say("1");
        session.Say("2");
        for (int i = 0; i < 5; i++)
        {
            longer.Say("more");
        }

        Session same = other.OpenSession(session.Id);
        RequireEvents(same, 2);
        _disk.Poke(LogOf(session), _disk.Peek(LogOf(longer))!);
        same.Say("3");
        RequireEvents(same, 3);
        session.Say("4");
        RequireEvents(session, 4);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(100, false)]
    [InlineData(0, true)]
    [InlineData(100, true)]
    public void A_log_that_was_cut_in_place_gets_back_what_the_journal_has(int length, bool isKilled)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening);
        Session session = store.Create();
        session.Say("1");
        session.Say("2");
        using (IDiskFile file = _disk.Open(LogOf(session), OpenMode.ReadWrite))
        {
            file.SetLength(length);
        }

        if (!isKilled)
        {
            session.Say("3");
            RequireEvents(session, 3);
        }

        End(store, opening, isKilled);
        RequireReopened(session.Id, isKilled ? 2 : 3);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_log_that_is_moved_away_and_back_loses_nothing(bool isReopened, bool isKilled)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening);
        Session session = store.Create();
        int count = 0;
        for (int i = 1; i <= 4; i++)
        {
            count += TrySay(session, $"{count + 1}");
        }

        string log = LogOf(session);
        _disk.Rename(log, "aside");
        if (isReopened)
        {
            End(store, opening, isKilled: false); // makes it anew, since it was open
            _disk.Unlink(log);
            opening = _disk.OpenAs();
            store = Stores.Open(opening);
            session = store.OpenSession(session.Id);
        }

        for (int i = 0; i < 3; i++)
        {
            count += TrySay(session, $"{count + 1}");
        }

        _disk.Rename("aside", log);
        for (int i = 0; i < 2; i++)
        {
            count += TrySay(session, $"{count + 1}");
        }

        RequireEvents(session, count);
        End(store, opening, isKilled);
        RequireReopened(session.Id, count);
    }

    [Theory]
    [InlineData(9)]
    [InlineData(7)]
    public void A_journal_is_not_laid_over_a_log_whose_lines_stand_elsewhere(int lines)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening);
        Session session = store.Create();
        for (int i = 1; i <= 4; i++)
        {
            session.Say($"{i}");
        }

        store.Close();
        opening = _disk.OpenAs();
        store = Stores.Open(opening);
        session = store.OpenSession(session.Id);
        for (int i = 5; i <= 9; i++)
        {
            session.Say($"{i}");
        }

        opening.Kill();
        string log = LogOf(session), text = System.Text.Encoding.UTF8.GetString(_disk.Peek(log)!);
        byte[] edited = Stores.Utf8(string.Concat(text.Split('\n').Take(lines).Select(l => l + "\r\n")));
        _disk.Poke(log, edited); // as an editor of another system saves it
        using (SessionStore again = Stores.Open(_disk.OpenAs()))
        {
            RequireKept(again, log, edited);
        }

        RequireReopened(session.Id, 9);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_folder_that_was_removed_is_made_anew_with_all_that_is_known(bool hasWritten, bool isKilled)
    {
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening);
        Session session = store.Create(null, new SessionCreateOptions { Title = "kept" });
        session.Say("1");
        session.Say("2");
        session.Rewind(1);
        session.UndoRewind();
        Assert.Equal(4, session.GetStat().LastSeq);
        if (!hasWritten)
        {
            store.Close();
            opening = _disk.OpenAs();
            store = Stores.Open(opening);
            session = store.OpenSession(session.Id);
            Assert.Equal("kept", session.Info().GetProperty("title").GetString());
        }

        RemoveTree(Layout.LiveFolder(session.Id));
        for (int i = 5; i <= 9; i++)
        {
            Assert.Equal(i, session.Say($"{i}"));
        }

        int left = hasWritten ? 9 : 5; // of the others nobody has anything
        Assert.Equal(left, session.Events().GetProperty("events").GetArrayLength());
        End(store, opening, isKilled);
        using SessionStore again = Stores.Open(_disk.OpenAs());
        Session same = again.OpenSession(session.Id);
        Assert.Equal("kept", same.Info().GetProperty("title").GetString());
        Assert.Equal(9, same.GetStat().LastSeq);
        Assert.Equal(left, same.Events().GetProperty("events").GetArrayLength());
        Assert.Equal(hasWritten, again.Verify().GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void Nothing_is_appended_behind_a_log_that_is_gone_until_a_salvage()
    {
        SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        session.Say("1");
        session.Say("2");
        store.Close();
        _disk.Unlink(LogOf(session));
        using (store = Stores.Open(_disk.OpenAs()))
        {
            Stores.Fails(SessionStatus.Corrupt, () => store.OpenSession(session.Id).Say("3"));
            Stores.Fails(SessionStatus.Corrupt, () => store.OpenSession(session.Id).Fork());
            store.OpenSession(session.Id).UpdateTitle("works");
        }

        Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs()), b));
        using SessionStore again = Stores.Open(_disk.OpenAs());
        Assert.Equal(3, again.OpenSession(session.Id).Say("3"));
        Assert.Equal(1, again.OpenSession(session.Id).Events().GetProperty("events").GetArrayLength());
    }

    [Fact]
    public void What_was_removed_since_it_was_written_is_made_anew_before_the_journal_goes()
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create(null, new SessionCreateOptions { Title = "kept" });
        session.Say("1");
        session.AddToQueue("""{"message":"next"}"""u8, new System.Buffers.ArrayBufferWriter<byte>());
        Session branch = session.Fork();
        branch.Say("2");
        foreach (string path in (string[])[Layout.LiveFolder(session.Id), Layout.LiveFolder(branch.Id)])
        {
            _disk.Unlink(path + "/" + Layout.EventsFile);
            _disk.Unlink(path + "/" + Layout.SessionFile);
        }

        _disk.Unlink(Layout.LiveFolder(session.Id) + "/" + Layout.QueueFile);
        _disk.Unlink(Layout.LiveFolder(branch.Id) + "/" + Layout.LogStateFile);
        Assert.True(store.Engine.Checkpointer.TryRun());
        store.Close();
        using SessionStore again = Stores.Open(_disk.OpenAs());
        Assert.Equal("kept", again.OpenSession(session.Id).Info().GetProperty("title").GetString());
        Assert.Equal(1, Stores.Json(again.OpenSession(session.Id).WriteQueue).GetProperty("entries").GetArrayLength());
        RequireEvents(again.OpenSession(session.Id), 1);
        RequireEvents(again.OpenSession(branch.Id), 2);
        again.AssertSound();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_segment_that_a_copy_took_the_place_of_goes_on_with_all_frames(bool isGone, bool isRelaxed)
    {
        MemoryDisk opening = _disk.OpenAs(), beside = _disk.OpenAs();
        SessionStore store = Stores.Open(opening), other = Stores.Open(beside, processId: 4343);
        Session session = store.Create(), same = other.OpenSession(session.Id);
        AppendFlags flags = isRelaxed ? AppendFlags.Relaxed : AppendFlags.None;
        session.Say("1", flags);
        byte[] copy = _disk.Peek(Segment())!;
        same.Say("2", flags);
        if (isGone)
        {
            _disk.Unlink(Segment());
        }
        else
        {
            _disk.Poke(Segment(), copy);
        }

        for (int i = 3; i <= 8; i++)
        {
            (i % 3 == 0 ? session : same).Say($"{i}", flags);
            RequireEvents(session, i);
            RequireEvents(same, i);
        }

        session.Say("9");
        opening.Kill();
        beside.Kill();
        RequireReopened(session.Id, 9);
    }

    [Fact]
    public void An_append_looks_at_its_log_and_its_segment_once_each()
    {
        long glances = 0;
        var disk = new FaultyDisk(seed: 5);
        using SessionStore store = Stores.Open(disk);
        Session session = store.Create();
        session.Say("1");
        session.Say("2");
        string log = LogOf(session);
        disk.FailIf = o =>
        {
            glances += o.Name == "stat" && (o.Path == log || o.Path.StartsWith("journal/", StringComparison.Ordinal))
                ? 1 : 0;
            return false;
        };
        session.Say("3");
        Assert.Equal(2, glances);
        session.Say("4", AppendFlags.Relaxed);
        Assert.Equal(3, glances);
        disk.FailIf = null;
    }

    private static int TrySay(Session session, string text)
    {
        try
        {
            session.Say(text);
            return 1;
        }
        catch (SessionException e) when (e.Status == SessionStatus.Corrupt)
        {
            return 0;
        }
    }

    private static void End(SessionStore store, MemoryDisk opening, bool isKilled)
    {
        if (isKilled)
        {
            opening.Kill();
        }
        else
        {
            store.Close();
        }
    }

    private void RemoveTree(string folder)
    {
        foreach (DiskName name in _disk.List(folder))
        {
            if (name.IsFolder)
            {
                RemoveTree(folder + "/" + name.Name);
            }
            else
            {
                _disk.Unlink(folder + "/" + name.Name);
            }
        }

        _disk.RemoveFolder(folder);
    }

    private string Segment() => _disk.Paths().Last(p => p.StartsWith("journal/0", StringComparison.Ordinal));

    private static string LogOf(Session session) => Layout.LiveFolder(session.Id) + "/" + Layout.EventsFile;

    // Every event says its own number.
    private static void RequireEvents(Session session, int count)
    {
        JsonElement events = session.Events().GetProperty("events");
        Assert.Equal(count, events.GetArrayLength());
        Assert.Equal(count, session.GetStat().LastSeq);
        foreach (JsonElement e in events.EnumerateArray())
        {
            Assert.Equal("user_prompt", e.GetProperty("type").GetString());
        }
    }

    private void RequireReopened(string id, int count)
    {
        using SessionStore store = Stores.Open(_disk.OpenAs());
        Session session = store.OpenSession(id);
        RequireEvents(session, count);
        Assert.Equal(Enumerable.Range(1, count).Select(i => $"{i}"), session.Events().GetProperty("events")
            .EnumerateArray().Select(e => e.GetProperty("data").GetProperty("text").GetString()));
        store.AssertSound();
        Assert.Equal(count + 1, session.Say("goes on"));
        store.AssertSound();
    }

    private void RequireKept(SessionStore store, string source, byte[] content)
    {
        Assert.Contains(_disk.Paths(), p => p.StartsWith("quarantine/", StringComparison.Ordinal)
            && _disk.Peek(p).AsSpan().SequenceEqual(content));
        Assert.Contains(store.Verify().GetProperty("issues").EnumerateArray(),
            i => i.GetProperty("code").GetString() == "kept_aside" && i.GetProperty("file").GetString() == source
                && i.GetProperty("message").GetString() == LogMender.Reason);
    }
}
