using System.Reflection;
using System.Text;
using System.Text.Json;
using Sessions.Platform;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Sharing;

/// <summary>Every call on a handle from a share: what it answers, and that nothing in the answer is of what the
/// owner has hidden or did beyond the range.</summary>
public sealed class SharedHandleTests : IDisposable
{
    private const string ReadOnly = """{"rule":"share.read_only"}""";
    private const string Hidden = """{"rule":"share.hidden"}""";

    // Words that stand in nothing that the range shows.
    private static readonly string[] Secrets =
        [
            "ANCESTOR", "BEFORE", "HIDDEN", "BEYOND", "META", "FACT", "WHY", "BUSY", "QUEUED", "BUTTON",
            "FILED", "STREAMED",
        ];

    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();
    private readonly SessionStore _store;
    private readonly Session _parent;
    private readonly Session _session;
    private readonly string _fileId;
    private long _sharedAt;

    public SharedHandleTests()
    {
        _store = Stores.Open(_disk.OpenAs(), _time);
        _parent = _store.Create(null, new SessionCreateOptions { Title = "Parent" });
        _parent.Say("ANCESTOR");
        _time.Advance(1); // so that neither id begins like the other
        _session = _parent.Fork(0, new SessionCreateOptions
        {
            Title = "Shared",
            Metadata = """{"META":1}"""u8.ToArray(),
            Facts = """{"agent_id":"FACT"}"""u8.ToArray(),
            IdempotencyKey = "META-key",
        });
        _session.Say("BEFORE");
        Tick(() => _session.Say("three"));
        Tick(() => _session.Append("agent_message", """{"text":"HIDDEN"}"""u8));
        Tick(() => _session.Rewind(3)); // 5, and hides 4
        Tick(() => _session.Append("agent_message", """{"text":"six"}"""u8));
        _fileId = Stores.Json(b => _session.PutFile("FILED.txt", "FILED"u8, b)).GetProperty("file_id").GetString()!;
        _time.Advance(5);
        _sharedAt = _time.NowMs;
    }

    public void Dispose() => _store.Dispose();

    private static Dictionary<string, (string Answer, Func<Session, object?> Call)> Calls(string fileId) => new()
    {
        // What a share shows.
        ["get_Id"] = ("ok", s => s.Id),
        ["GetStat"] = ("ok", s => s.GetStat().ToString()),
        ["WriteInfo"] = ("ok", s => Stores.Text(s.WriteInfo)),
        ["WriteEvents"] = ("ok", s => Stores.Text(b => s.WriteEvents(0, 0, b))),
        ["WriteLastEvents"] = ("ok", s => Stores.Text(b => s.WriteLastEvents(0, 0, b))),
        ["WriteTurns"] = ("ok", s => Stores.Text(b => s.WriteTurns(0, 0, b))),
        ["OpenCursor"] = ("ok", s => Walk(s, ReadFlags.None) + Walk(s, ReadFlags.Context | ReadFlags.DataAsText)),
        ["OpenCursor, hidden"] = (Hidden, s => Walk(s, ReadFlags.Hidden)),
        ["OpenCursor, hidden context"] = (Hidden, s => Walk(s, ReadFlags.Hidden | ReadFlags.Context)),
        ["WriteTranscript"] = ("ok", s => Transcripts(s, new TranscriptOptions())),
        ["WriteTranscript, hidden"] = (Hidden, s => Transcripts(s, new TranscriptOptions { IncludeHidden = true })),
        ["WriteStreams"] = ("ok", s => Stores.Text(b => s.WriteStreams(null, 0, b))),
        ["get_IsAborted"] = ("ok", s => s.IsAborted),
        ["WaitAbort"] = ("ok", s => s.WaitAbort(0)),
        ["Dispose"] = ("ok", _ => null), // the last thing that each test does

        // What is not of the conversation, and what writes.
        ["WriteTree"] = (ReadOnly, s => Stores.Text(s.WriteTree)),
        ["WriteLockStatus"] = (ReadOnly, s => Stores.Text(s.WriteLockStatus)),
        ["WriteQueue"] = (ReadOnly, s => Stores.Text(s.WriteQueue)),
        ["NextQueueDue"] = (ReadOnly, s => s.NextQueueDue()),
        ["WriteButtons"] = (ReadOnly, s => Stores.Text(s.WriteButtons)),
        ["WriteShares"] = (ReadOnly, s => Stores.Text(s.WriteShares)),
        ["GetPath"] = (ReadOnly, s => s.GetPath()),
        ["GetFilePath"] = (ReadOnly, s => s.GetFilePath(fileId)),
        ["Repair"] = (ReadOnly, s => Stores.Text(b => s.Repair(RepairFlags.DryRun, b))),
        ["Prune"] = (ReadOnly, s => Stores.Text(b => s.Prune("""{"max_events":1,"dry_run":true}"""u8, b))),
        ["UpdateTitle"] = (ReadOnly, s => Did(() => s.UpdateTitle("x"))),
        ["SuggestTitle"] = (ReadOnly, s => s.SuggestTitle("x")),
        ["UpdateMetadata"] = (ReadOnly, s => Did(() => s.UpdateMetadata("{}"u8))),
        ["Update"] = (ReadOnly, s => s.Update("{}"u8)),
        ["Delete"] = (ReadOnly, s => Did(() => s.Delete())),
        ["Append"] = (ReadOnly, s => s.Append("note", "{}"u8)),
        ["AppendBatch"] = (ReadOnly, s => Stores.Text(b => s.AppendBatch("[]"u8, AppendFlags.None, b))),
        ["Abort"] = (ReadOnly, s => s.Abort()),
        ["ClearAbort"] = (ReadOnly, s => Did(s.ClearAbort)),
        ["Fork"] = (ReadOnly, s => s.Fork()),
        ["Rewind"] = (ReadOnly, s => Did(() => s.Rewind(0))),
        ["UndoRewind"] = (ReadOnly, s => Did(s.UndoRewind)),
        ["SetButtons"] = (ReadOnly, s => Did(() => s.SetButtons("[]"u8))),
        ["PutFile"] = (ReadOnly, s => Stores.Text(b => s.PutFile("a.txt", "a"u8, b))),
        ["Lock"] = (ReadOnly, s => Did(() => s.Lock(LockMode.Try))),
        ["AnswerLock"] = (ReadOnly, s => Did(() => s.AnswerLock("lr_0", true))),
        ["SetActivity"] = (ReadOnly, s => Did(() => s.SetActivity("idle"))),
        ["Unlock"] = (ReadOnly, s => Did(s.Unlock)),
        ["AddToQueue"] = (ReadOnly, s => Stores.Text(b => s.AddToQueue("""{"message":"x"}"""u8, b))),
        ["UpdateQueued"] = (ReadOnly, s => Did(() => s.UpdateQueued("q-0", "{}"u8))),
        ["MoveQueued"] = (ReadOnly, s => Did(() => s.MoveQueued("q-0", 1))),
        ["RemoveQueued"] = (ReadOnly, s => Did(() => s.RemoveQueued("q-0"))),
        ["ClearQueue"] = (ReadOnly, s => s.ClearQueue()),
        ["ClaimQueued"] = (ReadOnly, s => Stores.Text(b => s.ClaimQueued(null, b))),
        ["SettleQueued"] = (ReadOnly, s => s.SettleQueued("q-0", QueueOutcome.Sent)),
        ["WriteShare"] = (ReadOnly, s => Stores.Text(b => s.WriteShare(null, b))),
        ["RevokeShare"] = (ReadOnly, s => Did(() => s.RevokeShare("sh_0"))),
        ["BeginStream"] = (ReadOnly, s => s.BeginStream("agent_message")),
    };

    [Fact]
    public void Every_call_that_a_session_has_is_in_the_table()
    {
        IEnumerable<string> known = Calls("").Keys.Select(n => n.Split(',')[0]).Distinct();
        IEnumerable<string> there = typeof(Session)
            .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(m => m.Name);
        Assert.Equal(there.Distinct().Order(), known.Order());
    }

    [Fact]
    public void A_frozen_share_says_the_same_whatever_its_owner_does_and_nothing_that_is_hidden()
    {
        using Session view = Resolve(new SessionShareOptions { FirstSeq = 3 });
        Dictionary<string, string> before = Ask(view);
        GoOn();
        Dictionary<string, string> after = Ask(view);
        Assert.Equal(before, after);
        foreach ((string name, (string expected, _)) in Calls(""))
        {
            Assert.True(expected == "ok" ? !after[name].StartsWith('!') : after[name] == "!" + expected,
                $"{name}: {after[name]}");
            Assert.All(Secrets, s => Assert.False(after[name].Contains(s, StringComparison.Ordinal),
                $"{name} tells {s}: {after[name]}"));
            Assert.DoesNotContain(_parent.Id, after[name], StringComparison.Ordinal);
        }

        Assert.Contains("three", after["WriteEvents"], StringComparison.Ordinal);
        Assert.Contains("six", after["OpenCursor"], StringComparison.Ordinal);
        Assert.Contains("six", after["WriteTranscript"], StringComparison.Ordinal);
    }

    [Fact]
    public void The_info_of_a_share_speaks_of_its_range()
    {
        using Session view = Resolve(new SessionShareOptions { FirstSeq = 3 });
        GoOn();
        Assert.Equal(
            $$"""
            {"id":"{{_session.Id}}","parent_id":null,"fork_seq":null,"title":"Shared","title_source":"user",
            "created_at":{{_session.Info().GetProperty("created_at").GetInt64()}},"updated_at":{{_sharedAt - 5}},
            "last_event_at":{{_sharedAt - 5}},"message_count":2,"event_count":3,"last_seq":6,"revision":0,
            "state":"created","archived":false,"is_aborted":false,"abort_reason":null,"abort_count":0,
            "share_info":null,"metadata":null,"facts":null}
            """.ReplaceLineEndings(""), Stores.Text(view.WriteInfo));
        SessionStat stat = view.GetStat();
        Assert.Equal((StatFlags.ReadOnly, 0L, 6L, 3L, 2L, 0L), (stat.Flags, stat.Revision, stat.LastSeq,
            stat.EventCount, stat.MessageCount, stat.AbortCount));
        Assert.Equal((_sharedAt - 5, _sharedAt - 5), (stat.UpdatedAt, stat.LastEventAt));
    }

    [Fact]
    public void A_share_of_hidden_events_alone_was_changed_when_it_was_made()
    {
        using Session view = Resolve(new SessionShareOptions { FirstSeq = 4, LastSeq = 4 });
        GoOn();
        JsonElement info = view.Info();
        Assert.Equal((0, 0, 4), (info.GetProperty("event_count").GetInt32(),
            info.GetProperty("message_count").GetInt32(), info.GetProperty("last_seq").GetInt32()));
        Assert.Equal(_sharedAt, info.GetProperty("updated_at").GetInt64());
        Assert.Equal(JsonValueKind.Null, info.GetProperty("last_event_at").ValueKind);
        Assert.Equal("""[{"first_seq":1,"last_seq":3,"reason":"outside_share"},"""
            + """{"first_seq":4,"last_seq":4,"reason":"rewound"}]""",
            view.Events().GetProperty("skipped").GetRawText());
    }

    [Fact]
    public void A_live_share_follows_and_hides_what_its_owner_hides()
    {
        using Session view = Resolve(new SessionShareOptions { FirstSeq = 3, Flags = ShareFlags.Live });
        GoOn();
        Dictionary<string, string> told = Ask(view);
        foreach (string name in (string[])["WriteEvents", "WriteLastEvents", "WriteTurns", "OpenCursor",
            "WriteTranscript"])
        {
            Assert.Contains("BEYOND", told[name], StringComparison.Ordinal);
        }

        Assert.Contains("STREAMED", told["WriteStreams"], StringComparison.Ordinal);

        foreach ((string name, string text) in told)
        {
            Assert.All(Secrets.Except(["BEYOND", "STREAMED"]),
                s => Assert.False(text.Contains(s, StringComparison.Ordinal), $"{name} tells {s}: {text}"));
        }

        _session.Rewind(6);
        told = Ask(view);
        Assert.All(told, t => Assert.DoesNotContain("BEYOND", t.Value, StringComparison.Ordinal));
        Assert.All((string[])["OpenCursor, hidden", "WriteTranscript, hidden"],
            name => Assert.Equal("!" + Hidden, told[name]));
        Assert.Equal(0, view.GetStat().AbortCount);
    }

    [Fact]
    public void The_context_of_a_share_begins_where_its_last_compaction_says()
    {
        _session.Append("compaction", """{"from_seq":6}"""u8); // 7
        using Session with = Resolve(new SessionShareOptions { FirstSeq = 3 });
        using Session without = Resolve(new SessionShareOptions { FirstSeq = 3, LastSeq = 6 });
        Assert.DoesNotContain("three", Walk(with, ReadFlags.Context), StringComparison.Ordinal);
        Assert.Contains("six", Walk(with, ReadFlags.Context), StringComparison.Ordinal);
        Assert.Equal(Walk(without, ReadFlags.None), Walk(without, ReadFlags.Context));
    }

    [Fact]
    public void A_damaged_line_does_not_name_the_ancestor_whose_log_it_stands_in()
    {
        _store.Flush();
        string path = _disk.Paths().First(p => p.Contains($"/history/{_parent.Id}", StringComparison.Ordinal));
        byte[] log = _disk.Peek(path)!;
        using (var file = _disk.OpenAs().Open(path, OpenMode.ReadWrite, mayBeLinked: true))
        {
            file.Write("#"u8, log.AsSpan().IndexOf("ANCESTOR"u8));
        }

        using Session view = Resolve(new SessionShareOptions { FirstSeq = 1 });
        foreach (string text in (string[])[Stores.Text(b => view.WriteEvents(0, 0, b)), Walk(view, ReadFlags.None),
            Transcripts(view, new TranscriptOptions())])
        {
            Assert.Contains("damaged", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(_parent.Id, text, StringComparison.Ordinal);
        }

        Assert.Contains(_parent.Id, Stores.Text(b => _session.WriteEvents(0, 0, b)), StringComparison.Ordinal);
        Assert.Contains(_parent.Id, Transcripts(_session, new TranscriptOptions()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_player_of_a_share_plays_its_range()
    {
        using Session view = Resolve(new SessionShareOptions { FirstSeq = 3 });
        GoOn();
        var player = new Player(view);
        var played = new List<long>();
        while (player.Next() is { } e)
        {
            played.Add(e.Seq);
        }

        Assert.Equal([3, 5, 6], played);
        player.SeekTime(_time.NowMs);
        Assert.Equal(6, player.Position);
    }

    // All that an owner may do without touching the range.
    private void GoOn()
    {
        Tick(() => _session.Say("BEYOND")); // 7
        Tick(() => _session.Append("compaction", """{"from_seq":7}"""u8)); // 8
        _session.UpdateMetadata("""{"META2":"META"}"""u8);
        _session.Update("""{"archived":true,"facts":{"type":"FACT"}}"""u8);
        _session.Abort("WHY");
        _session.ClearAbort();
        Stores.Text(b => _session.AddToQueue("""{"message":"QUEUED"}"""u8, b));
        _session.SetButtons("""[{"label":"BUTTON"}]"""u8);
        _session.Lock(LockMode.Try);
        _session.SetActivity("processing", "BUSY");
        Tick(() => _session.BeginStream("agent_message").Write("STREAMED"u8));
        _session.Abort("WHY");
    }

    private void Tick(Action action)
    {
        _time.Advance(1);
        action();
    }

    private Dictionary<string, string> Ask(Session view)
        => Calls(_fileId).ToDictionary(c => c.Key, c => Answer(() => c.Value.Call(view)));

    private static string Answer(Func<object?> call)
    {
        try
        {
            return $"{call()}";
        }
        catch (SessionException e)
        {
            return "!" + e.Details;
        }
    }

    private static object? Did(Action action)
    {
        action();
        return null;
    }

    // Both ways through a cursor, from both ends, and by time.
    private static string Walk(Session session, ReadFlags flags)
    {
        var text = new StringBuilder();
        using EventCursor cursor = session.OpenCursor(new EventCursorOptions { Flags = flags });
        text.Append(Stores.Text(b => cursor.WriteNext(0, 0, b))).Append(cursor.Position);
        text.Append(Stores.Text(b => cursor.WritePrevious(0, b))).Append(cursor.Position);
        cursor.SeekTime(1);
        text.Append(cursor.Position).Append(Stores.Text(b => cursor.WriteNext(1, 0, b)));
        cursor.Seek(1000);
        return text.Append(Stores.Text(b => cursor.WritePrevious(0, b))).Append(cursor.Position).ToString();
    }

    private static string Transcripts(Session session, TranscriptOptions options)
        => string.Concat(Enum.GetValues<TranscriptFormat>()
            .Select(f => Stores.Text(b => session.WriteTranscript(f, options, b))));

    private Session Resolve(SessionShareOptions options)
        => _store.ResolveShare(Stores.Json(b => _session.WriteShare(options, b)).GetProperty("secret").GetString()!);
}
