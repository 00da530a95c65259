using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Apply;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Log;

/// <summary>An editor, a sync tool or a checkout puts another file under a name that an open store writes to. Whatever
/// was acknowledged is there afterwards.</summary>
public sealed class ReplacedLogTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();
    private long _rest = 1000; // between two events; below 100 ms names are not looked at again

    [Theory]
    [InlineData(false, 1000)]
    [InlineData(true, 1000)]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    public void Events_behind_a_copy_that_took_the_place_of_the_log_are_not_lost(bool isKilled, int rest)
    {
        _rest = rest;
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        Say(session, "1");
        string log = LogOf(session);
        _disk.Poke(log, _disk.Peek(log)!); // cp -p log x; mv x log
        for (int i = 2; i <= 6; i++)
        {
            Say(session, $"{i}");
            RequireEvents(session, i);
        }

        End(store, opening, isKilled);
        RequireReopened(session.Id, 6);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(0)]
    public void Two_stores_go_on_in_one_log_after_a_copy_took_its_place(int rest)
    {
        _rest = rest;
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        using SessionStore other = Stores.Open(_disk.OpenAs(), _time, processId: 4343);
        Session session = store.Create(), same = other.OpenSession(session.Id);
        Say(session, "1");
        Say(same, "2");
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
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        Say(session, "1");
        byte[] copy = _disk.Peek(LogOf(session))!;
        Say(session, "2");
        Say(session, "3");
        _disk.Poke(LogOf(session), copy);
        if (isKilled)
        {
            Say(session, "4");
        }

        End(store, opening, isKilled);
        RequireReopened(session.Id, isKilled ? 4 : 3);
    }

    [Fact]
    public void A_log_that_was_edited_under_the_store_is_kept_aside_and_made_anew()
    {
        using SessionStore store = Stores.Open(_disk, _time);
        Session session = store.Create();
        Say(session, "one");
        Say(session, "two");
        string log = LogOf(session);
        byte[] edited = _disk.Peek(log)!.AsSpan().ToArray();
        edited.AsSpan(edited.AsSpan().IndexOf("one"u8), 3).Fill((byte)'x'); // sed -i s/one/xxx/
        _disk.Poke(log, edited);
        Say(session, "three");
        RequireEvents(session, 3);
        RequireKept(store, log, edited);
        store.AssertSound();
    }

    [Fact]
    public void A_log_of_another_session_under_the_name_gets_no_events()
    {
        SessionStore store = Stores.Open(_disk, _time);
        Session session = store.Create(), other = store.Create();
        for (int i = 1; i <= 3; i++)
        {
            Say(session, $"{i}");
            Say(other, $"another conversation's {i}");
        }

        Say(other, "4");
        byte[] theirs = _disk.Peek(LogOf(other))!;
        _disk.Poke(LogOf(session), theirs);
        Say(session, "4");
        RequireEvents(session, 4);
        RequireKept(store, LogOf(session), theirs);
        Assert.Equal(theirs, _disk.Peek(LogOf(other)));
        store.Close();
        RequireReopened(session.Id, 4);
    }

    [Fact]
    public void A_neighbour_that_opens_what_is_there_now_has_the_others_look_before_they_write()
    {
        _rest = 0;
        MemoryDisk opening = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time), other = Stores.Open(_disk.OpenAs(), _time, processId: 4343);
        Session session = store.Create(), same = other.OpenSession(session.Id);
        Say(session, "1");
        _disk.Poke(LogOf(session), _disk.Peek(LogOf(session))!);
        _disk.Poke(Segment(), _disk.Peek(Segment())!);
        Say(same, "2"); // opens both by their names
        Say(session, "3");
        Say(same, "4");
        opening.Kill();
        Say(same, "5");
        Assert.True(other.Engine.Checkpointer.TryRun());
        other.Close();
        RequireReopened(session.Id, 5);
    }

    [Fact]
    public void A_neighbour_that_has_not_written_yet_knows_another_sessions_log_by_its_numbers()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        using SessionStore other = Stores.Open(_disk.OpenAs(), _time, processId: 4343);
        Session session = store.Create(), longer = store.Create();
        Say(session, "1");
        Say(session, "2");
        for (int i = 0; i < 5; i++)
        {
            longer.Say("more");
        }

        Session same = other.OpenSession(session.Id);
        RequireEvents(same, 2);
        _disk.Poke(LogOf(session), _disk.Peek(LogOf(longer))!);
        Say(same, "3");
        RequireEvents(same, 3);
        Say(session, "4");
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
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        Say(session, "1");
        Say(session, "2");
        using (IDiskFile file = _disk.Open(LogOf(session), OpenMode.ReadWrite))
        {
            file.SetLength(length);
        }

        if (!isKilled)
        {
            Say(session, "3");
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
        SessionStore store = Stores.Open(opening, _time);
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
            store = Stores.Open(opening, _time);
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
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create();
        for (int i = 1; i <= 4; i++)
        {
            Say(session, $"{i}");
        }

        store.Close();
        opening = _disk.OpenAs();
        store = Stores.Open(opening, _time);
        session = store.OpenSession(session.Id);
        for (int i = 5; i <= 9; i++)
        {
            Say(session, $"{i}");
        }

        opening.Kill();
        string log = LogOf(session), text = System.Text.Encoding.UTF8.GetString(_disk.Peek(log)!);
        byte[] edited = Stores.Utf8(string.Concat(text.Split('\n').Take(lines).Select(l => l + "\r\n")));
        _disk.Poke(log, edited); // as an editor of another system saves it
        using (SessionStore again = Stores.Open(_disk.OpenAs(), _time))
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
        SessionStore store = Stores.Open(opening, _time);
        Session session = store.Create(null, new SessionCreateOptions { Title = "kept" });
        Say(session, "1");
        Say(session, "2");
        session.Rewind(1);
        session.UndoRewind();
        Assert.Equal(4, session.GetStat().LastSeq);
        if (!hasWritten)
        {
            store.Close();
            opening = _disk.OpenAs();
            store = Stores.Open(opening, _time);
            session = store.OpenSession(session.Id);
            Assert.Equal("kept", session.Info().GetProperty("title").GetString());
        }

        RemoveTree(Layout.LiveFolder(session.Id));
        for (int i = 5; i <= 9; i++)
        {
            Assert.Equal(i, Say(session, $"{i}"));
        }

        int left = hasWritten ? 9 : 5; // of the others nobody has anything
        Assert.Equal(left, session.Events().GetProperty("events").GetArrayLength());
        End(store, opening, isKilled);
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Session same = again.OpenSession(session.Id);
        Assert.Equal("kept", same.Info().GetProperty("title").GetString());
        Assert.Equal(9, same.GetStat().LastSeq);
        Assert.Equal(left, same.Events().GetProperty("events").GetArrayLength());
        Assert.Equal(hasWritten, again.Verify().GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void Nothing_is_appended_behind_a_log_that_is_gone_until_a_salvage()
    {
        SessionStore store = Stores.Open(_disk, _time);
        Session session = store.Create();
        Say(session, "1");
        Say(session, "2");
        store.Close();
        _disk.Unlink(LogOf(session));
        using (store = Stores.Open(_disk.OpenAs(), _time))
        {
            Stores.Fails(SessionStatus.Corrupt, () => Say(store.OpenSession(session.Id), "3"));
            Stores.Fails(SessionStatus.Corrupt, () => store.OpenSession(session.Id).Fork());
            store.OpenSession(session.Id).UpdateTitle("works");
        }

        Stores.Text(b => SessionStore.Salvage(Stores.Environment(_disk.OpenAs()), b));
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal(3, again.OpenSession(session.Id).Say("3"));
        Assert.Equal(1, again.OpenSession(session.Id).Events().GetProperty("events").GetArrayLength());
    }

    [Fact]
    public void What_was_removed_since_it_was_written_is_made_anew_before_the_journal_goes()
    {
        using SessionStore store = Stores.Open(_disk, _time);
        Session session = store.Create(null, new SessionCreateOptions { Title = "kept" });
        Say(session, "1");
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
        using SessionStore again = Stores.Open(_disk.OpenAs(), _time);
        Assert.Equal("kept", again.OpenSession(session.Id).Info().GetProperty("title").GetString());
        Assert.Equal(1, Stores.Json(again.OpenSession(session.Id).WriteQueue).GetProperty("entries").GetArrayLength());
        RequireEvents(again.OpenSession(session.Id), 1);
        RequireEvents(again.OpenSession(branch.Id), 2);
        again.AssertSound();
    }

    [Fact]
    public void A_session_that_a_neighbour_is_about_to_move_is_not_made_anew_where_it_is_going()
    {
        var disk = new FaultyDisk(seed: 11);
        SessionStore store = Stores.Open(disk, _time);
        SessionStore other = Stores.Open(disk.OpenAs(), _time, processId: 4343,
            options: new SessionStoreOptions { Durability = Durability.Relaxed });
        Session session = store.Create();
        Say(session, "1");
        string file = Layout.LiveFolder(session.Id) + "/" + Layout.SessionFile;
        bool isDeleted = false;
        disk.FailIf = o =>
        {
            if (!isDeleted && o.Name == "stat" && o.Path == file)
            {
                isDeleted = true;
                other.OpenSession(session.Id).Delete(); // in the journal, and not in the files
            }

            return false;
        };
        store.Engine.Checkpointer.TryRun();
        Assert.True(isDeleted);
        disk.FailIf = null;
        other.Close();
        store.Close();
        using SessionStore again = Stores.Open(disk.OpenAs(), _time);
        Assert.Null(disk.Stat(Layout.LiveFolder(session.Id)));
        again.AssertSound();
        again.Restore(session.Id);
        Assert.Equal(1, again.OpenSession(session.Id).Events().GetProperty("events").GetArrayLength());
    }

    [Theory]
    [InlineData(false, false, 1000)]
    [InlineData(true, false, 1000)]
    [InlineData(false, true, 1000)]
    [InlineData(true, true, 1000)]
    [InlineData(false, false, 0)]
    [InlineData(true, true, 0)]
    public void A_segment_that_a_copy_took_the_place_of_goes_on_with_all_frames(bool isGone, bool isRelaxed, int rest)
    {
        _rest = rest;
        MemoryDisk opening = _disk.OpenAs(), beside = _disk.OpenAs();
        SessionStore store = Stores.Open(opening, _time), other = Stores.Open(beside, _time, processId: 4343);
        Session session = store.Create(), same = other.OpenSession(session.Id);
        AppendFlags flags = isRelaxed ? AppendFlags.Relaxed : AppendFlags.None;
        Say(session, "1", flags);
        byte[] copy = _disk.Peek(Segment())!;
        Say(same, "2", flags);
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

        _rest = 1000;
        Say(session, "9");
        opening.Kill();
        beside.Kill();
        RequireReopened(session.Id, 9);
    }

    [Fact]
    public void An_append_looks_at_the_names_of_its_log_and_its_segment_once_in_a_while()
    {
        long glances = 0;
        var disk = new FaultyDisk(seed: 5);
        using SessionStore store = Stores.Open(disk, _time);
        Session session = store.Create();
        Say(session, "1");
        Say(session, "2");
        string log = LogOf(session);
        disk.FailIf = o =>
        {
            glances += o.Name == "stat" && (o.Path == log || o.Path.StartsWith("journal/", StringComparison.Ordinal))
                ? 1 : 0;
            return false;
        };
        Say(session, "3");
        Assert.Equal(2, glances);
        _rest = 9;
        for (int i = 0; i < 10; i++)
        {
            Say(session, "more");
        }

        Assert.Equal(2, glances);
        Say(session, "and more");
        Say(session, "and more");
        Assert.Equal(4, glances);
        disk.FailIf = null;
    }

    private long Say(Session session, string text, AppendFlags flags = AppendFlags.None)
    {
        _time.Advance(_rest);
        return session.Say(text, flags);
    }

    private int TrySay(Session session, string text)
    {
        try
        {
            Say(session, text);
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
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session session = store.OpenSession(id);
        RequireEvents(session, count);
        Assert.Equal(Enumerable.Range(1, count).Select(i => $"{i}"), session.Events().GetProperty("events")
            .EnumerateArray().Select(e => e.GetProperty("data").GetProperty("text").GetString()));
        store.AssertSound();
        Assert.Equal(count + 1, Say(session, "goes on"));
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
