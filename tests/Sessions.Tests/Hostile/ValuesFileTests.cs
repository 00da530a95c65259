using System.Text;
using System.Text.Json;
using Sessions.Json;
using Sessions.Platform;
using Sessions.Rules;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Coordination.Watching;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Hostile;

/// <summary>JSON files of a store whose checksums are right and that say what no file of ours says: what they
/// concern is damaged or odd, no call ends in an internal error, and the rest of the store is usable.</summary>
public sealed class ValuesFileTests
{
    private const string Lock = """
        {"session_id":"ID","epoch":5,"pid":1,"process_started_at":2,"hostname":"h","boot_id":"0123456789abcdef",
        "pid_namespace":4026531836,"instance_id":"i-000000000001","client_type":"c","started_at":1,"heartbeat_at":2,
        "last_activity_at":3,"status":"idle","status_message":"m","reserved_for":"lr_1",
        "requests":[{"request_id":"lr_1","pid":1,"client_type":"c","instance_id":"i-000000000001","message":null,
        "at":1,"deadline":99}]}
        """;

    private const string Queue = """
        {"session_id":"ID","generation":1,"last_delivery_at":2,"entries":[{"id":"q-1-01234567","state":"queued",
        "generation":1,"message":"m","image_ids":[],"file_ids":["f"],"client_id":"c","prompt_name":"p",
        "arguments":{"a":1},"title":"t","queued_at":1,"scheduled_at":2,"repeat":{"every_ms":5,"until":9,"count":3},
        "key":"k","turn_id":"t","claimed_by":"i-000000000002","claimed_at":1,"seq":1,"detail":"d"}],"settled":[]}
        """;

    private const string Buttons =
        """{"session_id":"ID","for_seq":1,"buttons":[{"label":"a","response":"b"}]}""";

    private const string Log = """
        {"session_id":"ID","first_seq":1,"history":[],"rewinds":[{"seq":2,"first_seq":1,"last_seq":1}],
        "compactions":[{"seq":2,"from_seq":1}]}
        """;

    private const string Streams = """
        {"streams":[{"stream_id":"sm_1","session":"ID","type":"agent_message","turn_id":"t","id":"e",
        "timestamp":0,"started_at":2,"owner":"i-000000000001","text":"abc"}]}
        """;

    private const string Config = """
        {"strict_lock":false,"unique_roles":false,"queue":{"enabled":true,"delay_ms":5,"max_size":3,
        "auto_generate_titles":true},"limits":{"image_bytes_max":5,"file_bytes_max":6},
        "workspaces":{"w":{"strict_lock":false,"queue":{"max_size":4}}}}
        """;

    private const string About = """
        {"session_id":null,"file":"quarantine/1/x.json","source":"config.json","reason":"checksum","at":5}
        """;

    public static TheoryData<string, string> Files => new()
    {
        { "session.json", "" },
        { "shares.json", "" },
        { "store.json", "" },
        { "history/log.json", "" },
        { Layout.LogStateFile, Log },
        { Layout.LockFile, Lock },
        { Layout.QueueFile, Queue },
        { Layout.ButtonsFile, Buttons },
        { Layout.StreamsFile, Streams },
        { Layout.ConfigFile, Config },
        { "quarantine/1/about.json", About },
    };

    // All of it takes minutes; a run takes each 29th, a prime, so that all values and all members have their turn.
    [Theory]
    [MemberData(nameof(Files))]
    public void Whatever_stands_in_the_place_of_any_member_the_rest_is_usable(string file, string content)
    {
        bool isAll = System.Environment.GetEnvironmentVariable("SESSIONS_TEST_HOSTILE") == "all";
        MemoryDisk made = Made(out string id, out string other, out string branch);
        bool isOfBranch = file == "history/log.json";
        string path = file switch
        {
            _ when file.Contains("quarantine", StringComparison.Ordinal) => file,
            Layout.StreamsFile or Layout.ConfigFile or "store.json" => file,
            _ => Layout.LiveFolder(isOfBranch ? branch : id) + "/" + Layout.Name(file),
        };
        string json = content.Length > 0
            ? content.Replace("ID", id, StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal)
            : Encoding.UTF8.GetString(CheckedJson.Read(made.Peek(path))!);
        int at = 0;
        foreach ((string where, string text) in ValuesMutation.Of(json, ValuesMutation.All))
        {
            if (!isAll && at++ % 29 != 0)
            {
                continue;
            }

            MemoryDisk disk = made.Copy();
            ValuesUse.WriteChecked(disk, path, text);
            try
            {
                ValuesUse.Everything(disk, file == "store.json" ? null : other);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{path}: {where}", e);
            }
        }
    }

    [Theory]
    [InlineData("9223372036854775808")]
    [InlineData("9223372036854775807")]
    [InlineData("-1")]
    [InlineData("\"yes\"")]
    [InlineData("[true]")]
    [InlineData("{}")]
    public void A_rule_that_is_none_is_the_default_and_is_named(string value)
    {
        MemoryDisk disk = Made(out string id, out _, out _);
        ValuesUse.WriteChecked(disk, Layout.ConfigFile, $$$"""
            {"strict_lock":{{{value}}},"unique_roles":true,"queue":{"delay_ms":{{{value}}},"max_size":4},
            "limits":{"file_bytes_max":{{{value}}}},"workspaces":{"w":{"strict_lock":{{{value}}}},"v":5}}
            """);
        using SessionStore store = Stores.Open(disk, new ManualTime());
        JsonElement config = store.Info().GetProperty("config");
        Assert.False(config.GetProperty("strict_lock").GetBoolean());
        Assert.True(config.GetProperty("unique_roles").GetBoolean());
        Assert.Equal((0, 4), (config.GetProperty("queue").GetProperty("delay_ms").GetInt64(),
            config.GetProperty("queue").GetProperty("max_size").GetInt64()));
        Assert.Equal(52_428_800, config.GetProperty("limits").GetProperty("file_bytes_max").GetInt64());
        store.OpenSession(id).Say("more");
        store.Create(null, new SessionCreateOptions { Facts = """{"workspace_id":"w"}"""u8.ToArray() }).Say("one");
        List<string> damaged = [.. store.Verify().GetProperty("issues").EnumerateArray()
            .Where(i => i.GetProperty("code").GetString() == "rule_damaged")
            .Select(i => i.GetProperty("message").GetString()!.Split(':')[0])];
        Assert.Equal(["strict_lock", "queue.delay_ms", "limits.file_bytes_max", "workspaces.w.strict_lock",
            "workspaces.v"], damaged);
        store.Configure(null, """{"strict_lock":true}"""u8);
        Assert.True(store.Info().GetProperty("config").GetProperty("strict_lock").GetBoolean());
        store.AssertSound();
    }

    [Fact]
    public void A_sound_config_is_left_as_it_is()
    {
        byte[] config = Stores.Utf8(Config.Replace("\n", "", StringComparison.Ordinal));
        Assert.Same(config, SoundConfig.Of(config, _ => Assert.Fail()));
        byte[] later = """{"of_a_later_version":[1],"queue":{"more":{"a":5}}}"""u8.ToArray();
        Assert.Same(later, SoundConfig.Of(later, _ => Assert.Fail()));
        Assert.Equal("""{"queue":{}}""", Encoding.UTF8.GetString(
            SoundConfig.Of("""{"limits":null,"queue":{"max_size":null}}"""u8.ToArray(), _ => Assert.Fail())));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("st_0123456789abcdeF")]
    [InlineData("st_0123456789abcde")]
    [InlineData("st_0123456789abcdef0")]
    [InlineData("../../outside/x")]
    public void A_store_id_that_is_none_is_damage_of_store_json(string id)
    {
        MemoryDisk disk = Made(out _, out _, out _);
        ValuesUse.WriteChecked(disk, Layout.StoreFile,
            $$"""{"format":"sessions","format_version":1,"store_id":"{{id}}","created_at":5}""");
        Stores.Fails(SessionStatus.Corrupt, () => Stores.Open(disk));
    }

    [Theory]
    [InlineData(1L << 62, false)]
    [InlineData((1L << 53) - 1, false)]
    [InlineData(1L << 52, true)]
    [InlineData(1L << 40, true)]
    public void A_history_longer_than_its_file_ends_with_it(long bytes, bool isRead)
    {
        MemoryDisk disk = Made(out string id, out _, out string branch);
        ValuesUse.WriteChecked(disk, Layout.LiveFolder(branch) + "/" + Layout.LogStateFile, $$"""
            {"session_id":"{{branch}}","first_seq":1,"history":[{"session_id":"{{id}}","first_seq":1,"last_seq":2,
            "bytes":{{bytes}}}],"rewinds":[],"compactions":[]}
            """);
        using SessionStore store = Stores.Open(disk, new ManualTime());
        Session session = store.OpenSession(branch);
        Assert.Equal(3, session.Events().GetProperty("events").GetArrayLength());
        Assert.Equal(3, session.Last().GetProperty("events").GetArrayLength());
        Assert.Equal(4, session.Say("more"));
        Session fork = session.Fork(2);
        Assert.Equal(2, fork.Events().GetProperty("events").GetArrayLength());
        Assert.Equal(5, session.Fork().Say("last"));
        Assert.Equal(isRead, disk.Paths().All(p => !p.StartsWith("quarantine/", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_history_whose_file_was_removed_says_for_its_branches_what_it_was()
    {
        MemoryDisk disk = Made(out string id, out _, out string branch);
        long bytes = disk.Peek(Layout.LiveFolder(id) + "/" + Layout.EventsFile)!.Length;
        disk.Unlink(Layout.History(Layout.LiveFolder(branch), id));
        using SessionStore store = Stores.Open(disk, new ManualTime());
        Session fork = store.OpenSession(branch).Fork();
        Assert.Contains($"\"bytes\": {bytes}\n", Encoding.UTF8.GetString(
            disk.Peek(Layout.LiveFolder(fork.Id) + "/" + Layout.LogStateFile)!), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"info":{"id":"session_7","title":"T","revision":1}garbage}""")]
    [InlineData("""{"info":{"id":"session_7","title":"T","revision":1}},{}""")]
    [InlineData("""{"info":{"id":"../../x","title":"T","revision":1}}""")]
    [InlineData("""{"info":{"id":"session_7","title":"T","parent_id":"../x","revision":1}}""")]
    [InlineData("""{"info":{"id":"session_7","title":"T","created_at":9223372036854775807,"revision":1}}""")]
    [InlineData("""{"info":{"id":"session_7","title":"T","deletion_id":"del_9223372036854775807","revision":1}}""")]
    [InlineData("""{"info":5}""")]
    [InlineData("""{"info":}""")]
    [InlineData("""{"info":""")]
    [InlineData("""{"gone":"../../x"}""")]
    [InlineData("""{"gone":5}""")]
    [InlineData("""{"gone":"}""")]
    [InlineData("""{"gone":""")]
    public void A_row_of_the_index_that_is_no_sessions_makes_the_index_a_lost_one(string row)
    {
        MemoryDisk disk = Made(out string id, out string other, out _);
        string lsn = (ValuesUse.End(disk).Lsn - 1).ToString();
        ValuesUse.WriteIndex(disk, row + "\n", $$"""
            {"lsn":{{lsn}},"id_ms":{{ValuesUse.At}},"id_n":3,"count":1,"rows":1,"start":0,"rows_crc":ROWS_CRC}
            """.TrimEnd());
        using SessionStore store = Stores.Open(disk, new ManualTime());
        Assert.Contains(store.List().EnumerateArray(), r => r.GetProperty("id").GetString() == id);
        Assert.Equal(3, store.OpenSession(other).Say("three"));
    }

    [Fact]
    public void A_row_of_the_index_that_is_half_a_session_is_read_from_its_file()
    {
        MemoryDisk disk = Made(out string id, out _, out _);
        string lsn = (ValuesUse.End(disk).Lsn - 1).ToString();
        ValuesUse.WriteIndex(disk, $$$"""{"info":{"id":"{{{id}}}","created_at":5,"title":7}}""" + "\n", $$"""
            {"lsn":{{lsn}},"id_ms":{{ValuesUse.At}},"id_n":3,"count":1,"rows":1,"start":0,"rows_crc":ROWS_CRC}
            """.TrimEnd());
        using SessionStore store = Stores.Open(disk, new ManualTime());
        Assert.Contains(store.List().EnumerateArray(), r => r.GetProperty("id").GetString() == id);
        Assert.Equal(3, store.OpenSession(id).Say("three"));
    }

    [Theory]
    [InlineData("{\"seq\":3,\"type\":\"user_prompt\",\"timestamp\":5,\"data\":{]}")]
    [InlineData("{\"seq\":3,\"type\":\"user_prompt\"timestamp\":5,\"data\":{}}")]
    [InlineData("{\"seq\":3,\"type\":{,\"turn_id\":\"t\",\"id\":\"e\",\"data\":\"\\u12\"}")]
    [InlineData("{\"seq\":3,\"id\":\"\\x\",\"data\":nul}")]
    [InlineData("{\"seq\":3,garbage}")]
    [InlineData("{\"seq\":3,\"type\":\"rewind\",\"timestamp\":5,\"data\":{\"to_seq\":9223372036854775807}}")]
    [InlineData("{\"seq\":3,\"type\":\"compaction\",\"timestamp\":5,\"data\":{\"from_seq\":-1}}")]
    [InlineData("{\"seq\":3,\"type\":\"tool_call\",\"timestamp\":9223372036854775807,\"data\":{\"tool_call_id\":5}}")]
    [InlineData("{\"seq\":3,\"type\":\"turn_end\",\"timestamp\":-9223372036854775808,\"data\":[[[}")]
    public void A_line_with_the_checksum_of_what_is_no_event_stops_no_call(string line)
    {
        MemoryDisk disk = Made(out string id, out string other, out _);
        foreach (string session in (string[])[id, other])
        {
            string path = Layout.LiveFolder(session) + "/" + Layout.EventsFile;
            var b = new Utf8Buffer();
            b.Raw(disk.Peek(path));
            byte[] bytes = Encoding.UTF8.GetBytes(line);
            b.Raw(bytes.AsSpan(0, bytes.Length - 1));
            CheckedJson.AppendChecksum(b, Crc32C.Compute(bytes));
            b.Byte('}').Byte('\n');
            disk.Poke(path, b.Written); // a file of its own: the branch goes on having the one that it has
        }

        disk.Unlink(Layout.IndexFile);
        ValuesUse.Everything(disk);
        ValuesUse.Salvage(disk.Copy());
        using SessionStore store = Stores.Open(disk, new ManualTime());
        Assert.True(store.OpenSession(id).Info().GetProperty("last_seq").GetInt64() > 3);
        using EventCursor cursor = store.OpenSession(id).OpenCursor(
            new EventCursorOptions { Flags = ReadFlags.DataAsText });
        Stores.Text(b => cursor.WriteNext(0, 0, b));
    }

    [Theory]
    [InlineData("{\"seq\":00000000000000000000003")]
    [InlineData("{\"seq\":9223372036854775807")]
    [InlineData("{\"seq\":99999999999999999999999999")]
    public void A_line_that_ends_inside_its_number_is_damage(string line)
        => Assert.False(EventLine.TryRead(Stores.Utf8(line), out _, out _));

    [Theory]
    [InlineData("../config.json", "config.json")]
    [InlineData("/etc/passwd", "config.json")]
    [InlineData("quarantine/2/x", "config.json")]
    [InlineData("quarantine/1/../../config.json", "config.json")]
    [InlineData("quarantine/1/x", "../../outside/canary")]
    [InlineData("quarantine/1/x", "a\\\\b")]
    public void A_note_in_the_quarantine_names_nothing_elsewhere(string file, string source)
    {
        MemoryDisk disk = Made(out _, out _, out _);
        disk.WriteAll("quarantine/1/x", "bytes"u8);
        ValuesUse.WriteChecked(disk, "quarantine/1/about.json", $$"""
            {"session_id":null,"file":"{{file}}","source":"{{source}}","reason":"checksum","at":5}
            """);
        using SessionStore store = Stores.Open(disk, new ManualTime());
        Assert.Equal(0, store.Info().GetProperty("quarantined").GetArrayLength());
        store.AssertSound();
    }

    [Fact]
    public void A_folder_of_a_session_that_was_copied_here_does_not_use_up_the_numbers_of_all()
    {
        MemoryDisk disk = Made(out string id, out string other, out _);
        string path = Layout.LiveFolder(id) + "/" + Layout.SessionFile;
        string json = Encoding.UTF8.GetString(CheckedJson.Read(disk.Peek(path))!);
        int at = json.IndexOf("\"revision\":", StringComparison.Ordinal) + 11;
        ValuesUse.WriteChecked(disk, path, json[..at] + Limits.IntegerMax + json[json.IndexOf(',', at)..]);
        disk.Unlink(Layout.IndexFile);
        disk.Unlink(Layout.Segment(ValuesUse.End(disk).Segment));
        foreach (string folder in (string[])["trash", "trash/9007199254740991", "trash/9007199254740991/session_9"])
        {
            disk.CreateFolder(folder);
        }

        using SessionStore store = Stores.Open(disk, new ManualTime());
        Assert.Equal(3, store.OpenSession(other).Say("three"));
        Assert.Equal(3, store.OpenSession(id).Say("three"));
        Assert.True(store.Info().GetProperty("lsn").GetInt64() < Limits.IntegerMax / 2);
    }

    // A session with a share, another one, and a branch of the first with an event of its own.
    private static MemoryDisk Made(out string id, out string other, out string branch)
    {
        var disk = new MemoryDisk();
        using SessionStore store = Stores.Open(disk.OpenAs(), new ManualTime());
        Session first = store.Create(), second = store.Create();
        first.Say("one", id: "a");
        first.Say("two");
        second.Say("one");
        second.Say("two");
        Stores.Text(b => first.WriteShare(null, b));
        Session third = first.Fork();
        third.Say("three");
        (id, other, branch) = (first.Id, second.Id, third.Id);
        store.Close();
        disk.CreateFolder("quarantine");
        disk.CreateFolder("quarantine/1");
        return disk;
    }
}
