using System.Text.Json;
using Sessions.Coordination.Buttons;
using Sessions.Events;
using Sessions.Images;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;
using Sessions.Storage.Rows;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Buttons;

/// <summary>Action buttons: what is kept of them, what they are bound to, and what takes them away.</summary>
public sealed class ButtonTests : IDisposable
{
    private const string None = """{"for_seq":null,"buttons":[]}""";

    private readonly MemoryDisk _disk = new();
    private readonly SessionStore _store;
    private readonly Session _session;

    public ButtonTests()
    {
        _store = Stores.Open(_disk);
        _session = _store.Create();
    }

    private string FilePath => Layout.LiveFolder(_session.Id) + "/" + Layout.ButtonsFile;

    public void Dispose()
    {
        _session.Dispose();
        _store.Dispose();
    }

    [Fact]
    public void They_are_there_until_an_empty_set_and_then_there_is_no_file()
    {
        Assert.Equal(None, _session.Buttons());
        _session.Say("one");
        Set("""[{"label":"Run the tests","response":"Please run the tests."},{"label":"Stop"}]""");
        const string Both = """{"for_seq":1,"buttons":[{"label":"Run the tests","response":"Please run the tests."},"""
            + """{"label":"Stop","response":"Stop"}]}""";
        Assert.Equal(Both, _session.Buttons());
        Assert.NotNull(_disk.Stat(FilePath));
        Assert.Equal(1, _session.GetStat().LastSeq); // not in the log
        using (SessionStore neighbour = Stores.Open(_disk))
        {
            Assert.Equal(Both, neighbour.OpenSession(_session.Id).Buttons());
        }

        Assert.Equal(Both, _session.Buttons()); // and the rows are behind the neighbour's close
        long before = _store.Core.Rows.Lsn;
        Set("""[{"label":"Run the tests","response":"Please run the tests."},{"label":"Stop"}]""");
        Assert.Equal(before, _store.Core.Rows.Lsn); // as they were
        Set("[]");
        Assert.Equal(None, _session.Buttons());
        Assert.Null(_disk.Stat(FilePath));
        Set("[]");
        Set("""[{"label":"a"}]""", 1);
        Assert.Equal("""{"for_seq":1,"buttons":[{"label":"a","response":"a"}]}""", _session.Buttons());
    }

    [Fact]
    public void They_outlast_a_restart()
    {
        Set("""[{"label":"a"}]"""); // before the first event
        string before = _session.Buttons();
        Assert.StartsWith("{\"for_seq\":0,", before, StringComparison.Ordinal);
        _store.Close();
        using SessionStore again = Stores.Open(_disk);
        Assert.Equal(before, again.OpenSession(_session.Id).Buttons());
        again.AssertSound();
    }

    [Theory]
    [InlineData("append")]
    [InlineData("relaxed")]
    [InlineData("batch")]
    [InlineData("stream")]
    [InlineData("recorder")]
    [InlineData("settle")]
    [InlineData("neighbour")]
    public void The_next_prompt_takes_them_away_in_its_own_frame(string how)
    {
        using SessionStore neighbour = Stores.Open(_disk);
        using Session theirs = neighbour.OpenSession(_session.Id);
        _session.Say("one");
        string entry = _session.Add("""{"message":"queued"}""").Id();
        _session.Claim();
        SessionStream stream = _session.BeginStream("user_prompt");
        Set("""[{"label":"a"}]""");
        _session.Append("agent_message", "{\"text\":\"x\"}"u8);
        Assert.NotEqual(None, theirs.Buttons());
        var recorder = new Recorder(_session);
        recorder.Start();
        long before = _store.Core.Rows.Lsn;
        switch (how)
        {
            case "append":
                _session.Say("two");
                break;
            case "relaxed":
                _session.Say("two", AppendFlags.Relaxed);
                break;
            case "batch":
                _session.AppendBatch("""
                    [{"type":"note","data":1},{"type":"user_prompt","data":{"text":"two"}},{"type":"note","data":2}]
                    """u8, AppendFlags.None, new System.Buffers.ArrayBufferWriter<byte>());
                break;
            case "stream":
                stream.End();
                break;
            case "recorder":
                recorder.Prompt("two");
                break;
            case "settle":
                _session.SettleQueued(entry, QueueOutcome.Sent);
                break;
            default:
                theirs.Say("two");
                break;
        }

        Assert.Equal((None, None), (_session.Buttons(), theirs.Buttons()));
        Assert.Equal(before + 1, _store.Core.Rows.Lsn);
        Frame frame = LastFrame.Of(_disk, _store);
        Change change = Assert.Single(frame.Changes, c => c.Small == SmallFileKind.Buttons);
        Assert.Equal(("cleared", """{"for_seq":null,"count":0}"""),
            (change.What, System.Text.Encoding.UTF8.GetString(change.Detail.Span)));
        Assert.Single(frame.Changes, c => c.Kind == ChangeKind.Append);
        _store.Flush();
        Assert.Null(_disk.Stat(FilePath));
        _session.Say("three");
        Assert.DoesNotContain(LastFrame.Of(_disk, _store).Changes, c => c.Small == SmallFileKind.Buttons);
        stream.Dispose();
    }

    [Fact]
    public void A_repeat_of_a_prompt_is_none()
    {
        _session.Say("one", id: "k");
        Set("""[{"label":"a"}]""");
        Assert.Equal(1, _session.Say("one", id: "k"));
        Assert.NotEqual(None, _session.Buttons());
    }

    [Fact]
    public void Those_for_an_event_that_a_prompt_came_after_are_refused()
    {
        _session.Say("one");
        _session.Append("agent_message", "{\"text\":\"x\"}"u8);
        Set("""[{"label":"in time"}]""", 2);
        _session.Append("note", "1"u8);
        Set("""[{"label":"still in time"}]""", 2);
        _session.Say("two");
        _session.Append("note", "2"u8);
        SessionException e = Stores.Fails(SessionStatus.Conflict, () => Set("""[{"label":"late"}]""", 2));
        Assert.Equal("""{"expected":2,"actual":4}""", e.Details);
        Set("""[{"label":"for this one"}]""", 5);
        Stores.Fails(SessionStatus.Conflict, () => Set("[]", 2)); // would take away what is newer
        Set("""[{"label":"for the prompt itself"}]""", 4);
        Assert.Contains("\"for_seq\":4", _session.Buttons(), StringComparison.Ordinal);
        Assert.Equal("""{"argument":"for_seq"}""",
            Stores.Fails(SessionStatus.InvalidArgument, () => Set("[]", 6)).Details);
        Stores.Fails(SessionStatus.InvalidArgument, () => Set("[]", -1));
        Stores.Fails(SessionStatus.InvalidArgument, () => Set("[]", 1L << 53));
    }

    [Fact]
    public void What_a_rewind_hides_does_not_count()
    {
        _session.Say("one");
        _session.Append("agent_message", "{\"text\":\"x\"}"u8);
        _session.Say("two");
        _session.Append("agent_message", "{\"text\":\"y\"}"u8);
        _session.Rewind(2);
        Set("""[{"label":"a"}]""", 2);
        Stores.Fails(SessionStatus.Conflict, () => Set("""[{"label":"a"}]""", 4));
        _session.UndoRewind();
        Stores.Fails(SessionStatus.Conflict, () => Set("""[{"label":"a"}]""", 2));
        Set("""[{"label":"a"}]""", 4);
    }

    [Fact]
    public void A_prompt_that_comes_while_they_are_set_is_seen_under_the_lock()
    {
        _session.Say("one");
        var request = new SetButtonsRequest(_store.Core, RowOf(_session), [new ActionButton("a", "a")], 1, seen: 1);
        using (SessionStore neighbour = Stores.Open(_disk))
        {
            neighbour.OpenSession(_session.Id).Say("two");
        }

        Stores.Fails(SessionStatus.Conflict, () => _store.Commit(request));
        Assert.Equal(None, _session.Buttons());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_prompt_of_the_same_batch_is_seen_too(int order)
    {
        _session.Say("one");
        Row row = RowOf(_session);
        var said = new NewEvent("user_prompt", "{}"u8.ToArray(), 0, null, null);
        var prompt = new AppendRequest(_store.Core, row, [said]);
        var set = new SetButtonsRequest(_store.Core, row, [new ActionButton("a", "a")], 1, seen: 1);
        _store.Commit(new Both(order == 0 ? [prompt, set] : [set, prompt], order == 0));
        Assert.Equal(None, _session.Buttons());
    }

    [Fact]
    public void A_branch_has_none()
    {
        _session.Say("one");
        Set("""[{"label":"a"}]""");
        using Session branch = _session.Fork();
        Assert.Equal(None, branch.Buttons());
        branch.SetButtons("""[{"label":"b"}]"""u8, 1); // an event it has from its parent
        branch.Say("two");
        Assert.Equal(None, branch.Buttons());
        Assert.NotEqual(None, _session.Buttons());
        Stores.Fails(SessionStatus.Conflict, () => branch.SetButtons("""[{"label":"b"}]"""u8, 1));
    }

    [Fact]
    public void Damaged_ones_are_kept_aside_and_the_session_goes_on()
    {
        Set("""[{"label":"a"}]""");
        _store.Close();
        byte[] bytes = _disk.ReadAll(FilePath);
        bytes[^4] ^= 1;
        bytes[bytes.AsSpan().IndexOf("label"u8)] ^= 1;
        _disk.WriteAll(FilePath, bytes);
        using SessionStore again = Stores.Open(_disk);
        using Session session = again.OpenSession(_session.Id);
        Assert.Equal(1, session.Say("one"));
        Assert.Equal(None, session.Buttons());
        Assert.Equal(bytes, _disk.ReadAll(again.Info().GetProperty("quarantined")[0].GetProperty("file").GetString()!));
        session.SetButtons("""[{"label":"b"}]"""u8);
        again.AssertSound();
    }

    [Theory]
    [InlineData("""{"buttons":5}""")]
    [InlineData("""{"buttons":[5]}""")]
    [InlineData("""{"buttons":[{"label":"a"}]}""")]
    [InlineData("""{"for_seq":"x"}""")]
    public void What_a_person_wrote_into_the_file_and_are_no_buttons_is_kept_aside(string content)
    {
        Set("""[{"label":"a"}]""");
        _store.Close();
        _disk.WriteAll(FilePath, Stores.Utf8("{\"session_id\":\"" + _session.Id + "\"," + content[1..]));
        using SessionStore again = Stores.Open(_disk);
        Assert.Equal(None, again.OpenSession(_session.Id).Buttons());
        Assert.Equal(1, again.Info().GetProperty("quarantined").GetArrayLength());
    }

    [Fact]
    public void Only_the_first_five_are_kept()
    {
        Set("[" + string.Join(',', Enumerable.Range(0, 9).Select(i => $$"""{"label":"{{i}}"}""")) + "]");
        Assert.Equal(["0", "1", "2", "3", "4"], JsonDocument.Parse(_session.Buttons()).RootElement
            .GetProperty("buttons").EnumerateArray().Select(b => b.GetProperty("label").GetString()));
        Assert.Equal("""{"for_seq":0,"count":5}""", System.Text.Encoding.UTF8.GetString(
            LastFrame.Of(_disk, _store).Changes[^1].Detail.Span));
    }

    [Theory]
    [InlineData("a", 50)]
    [InlineData("\u00e9", 50)]
    [InlineData("e\u0301", 25)] // a letter and its accent
    [InlineData("\U0001f600", 50)]
    [InlineData("\U0001f469\u200d\U0001f469\u200d\U0001f467", 10)] // a family, of five
    [InlineData("\U0001f44d\U0001f3fd", 25)] // a hand and its skin
    [InlineData("\U0001f1e9\U0001f1ea", 25)] // a flag
    [InlineData("\u0e01\u0e33", 25)] // Thai
    [InlineData("\u1100\u1161\u11a8", 16)] // Hangul
    [InlineData("\r\n", 25)]
    public void Labels_are_cut_where_people_see_a_character_end(string character, int kept)
    {
        string label = string.Concat(Enumerable.Repeat(character, 60));
        Set(JsonSerializer.Serialize(new[] { new { label, response = label } }));
        JsonElement button = JsonDocument.Parse(_session.Buttons()).RootElement.GetProperty("buttons")[0];
        Assert.Equal(string.Concat(Enumerable.Repeat(character, kept)), button.GetProperty("label").GetString());
        Assert.Equal(label, button.GetProperty("response").GetString()); // 60 of the largest are 300 characters
        Assert.Equal(label[..(label.Length / 2)], ActionButtons.Cut(label[..(label.Length / 2)], 1000));
    }

    [Fact]
    public void What_does_not_fit_beside_what_came_before_stays_out_whole()
    {
        Assert.Equal(new string('a', 49), ActionButtons.Cut(new string('a', 49) + "e\u0301", 50));
        Assert.Equal(new string('a', 48) + "e\u0301", ActionButtons.Cut(new string('a', 48) + "e\u0301x", 50));
        Assert.Equal(new string('a', 50), ActionButtons.Cut(new string('a', 50), 50));
        Assert.Equal("", ActionButtons.Cut("", 50));
        Assert.Equal("e" + new string('\u0301', 49), ActionButtons.Cut("e" + new string('\u0301', 60), 50));
        string faces = string.Concat(Enumerable.Repeat("\U0001f600", 1001));
        Assert.Equal(2000, ActionButtons.Cut(faces, 1000).Length);
        Set($$"""[{"label":"a","response":"{{faces}}"}]""");
        Assert.Equal(faces[..2000], JsonDocument.Parse(_session.Buttons()).RootElement.GetProperty("buttons")[0]
            .GetProperty("response").GetString());
    }

    [Theory]
    [InlineData("", SessionStatus.InvalidJson)]
    [InlineData("{}", SessionStatus.InvalidArgument)]
    [InlineData("null", SessionStatus.InvalidArgument)]
    [InlineData("[5]", SessionStatus.InvalidArgument)]
    [InlineData("[{}]", SessionStatus.InvalidArgument)]
    [InlineData("""[{"response":"a"}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"label":""}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"label":5}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"label":"a","response":""}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"label":"a","response":[]}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"label":"a","icon":"x"}]""", SessionStatus.InvalidArgument)]
    [InlineData("""[{"label":"\ud83d"}]""", SessionStatus.InvalidJson)]
    [InlineData("""[{"label":"a"},{"label":"b"},{"label":"c"},{"label":"d"},{"label":"e"},5]""",
        SessionStatus.InvalidArgument)]
    public void What_are_no_buttons_is_refused(string buttons, SessionStatus status)
    {
        Set("""[{"label":"a"}]""");
        string before = _session.Buttons();
        Stores.Fails(status, () => Set(buttons));
        Assert.Equal(before, _session.Buttons());
    }

    [Fact]
    public void A_share_has_none_to_see_or_to_set_and_a_reader_sets_none()
    {
        Set("""[{"label":"a"}]""");
        string url = Stores.Json(b => _session.WriteShare(null, b)).GetProperty("url").GetString()!;
        using Session shared = _store.ResolveShare(url);
        Stores.Fails(SessionStatus.AccessDenied, () => shared.Buttons());
        Stores.Fails(SessionStatus.AccessDenied, () => shared.SetButtons("[]"u8));
        using SessionStore reader = Stores.Open(_disk, null, new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        using Session read = reader.OpenSession(_session.Id);
        Assert.Equal(_session.Buttons(), read.Buttons());
        Stores.Fails(SessionStatus.ReadOnly, () => read.SetButtons("[]"u8));
    }

    private void Set(string buttons, long forSeq = 0) => _session.SetButtons(Stores.Utf8(buttons), forSeq);

    private Row RowOf(Session session)
    {
        lock (_store.Core.Rows.Gate)
        {
            return _store.Core.Rows.Find(session.Id)!;
        }
    }

    // Two requests of one batch, in an order that no race has to bring about.
    private sealed class Both(CommitRequest[] requests, bool secondFails) : CommitRequest
    {
        public override void Run(Transaction transaction)
        {
            requests[0].Run(transaction);
            if (secondFails)
            {
                Stores.Fails(SessionStatus.Conflict, () => requests[1].Run(transaction));
            }
            else
            {
                requests[1].Run(transaction);
            }
        }
    }
}
