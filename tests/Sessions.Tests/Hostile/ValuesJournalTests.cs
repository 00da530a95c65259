using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Support;

namespace Sessions.Tests.Hostile;

/// <summary>A store from a stranger whose journal has frames with right checksums that say what no frame of ours
/// says: nothing outside it changes, and it can be used or read.</summary>
public sealed class ValuesJournalTests : IDisposable
{
    private const string Put = """
        "title":"T","title_source":"user","created_at":1,"updated_at":2,"last_event_at":null,"message_count":0,
        "event_count":0,"last_seq":0,"revision":4
        """;

    private readonly string _temp = Directory.CreateTempSubdirectory("sessions-hostile-").FullName;
    private readonly IDisk _disk;
    private readonly string _first;
    private readonly string _second;
    private long _said = 2;

    public ValuesJournalTests()
    {
        Directory.CreateDirectory(Path.Combine(_temp, "outside", "deeper"));
        foreach (string name in (string[])["canary", "canary.secret", "canary.jsonl", "deeper/session.json"])
        {
            File.WriteAllText(Path.Combine(_temp, "outside", name), "hands off");
        }

        _disk = RealDisk.Open(Path.Combine(_temp, "store"));
        (_first, _second) = ValuesUse.Make(_disk);
    }

    public void Dispose()
    {
        _disk.Dispose();
        Directory.Delete(_temp, recursive: true);
    }

    [Theory]
    [InlineData("../../../../../../outside/canary", "")]
    [InlineData("events-i-0123456789ab-1.new", "../outside/planted")]
    [InlineData("events-i-0123456789ab-1.new", "trash/pruned/../../../outside/planted")]
    [InlineData("session.json", "")]
    public void A_rewrite_neither_takes_nor_plants_a_file_outside(string file, string kept)
    {
        File.WriteAllText(Path.Combine(_temp, "store", Layout.LiveFolder(_first), "events-i-0123456789ab-1.new"), "x");
        Open($$"""{"rewrite":"{{_first}}","file":"{{file}}","bytes":9,"kept":"{{kept}}"}""");
    }

    [Theory]
    [InlineData("x/../../../../outside", 0)]
    [InlineData("../../outside", 5)]
    [InlineData("..", 5)]
    public void A_purge_removes_no_folder_outside(string id, long deletion)
        => Open($$"""{"purge":"{{id}}","deletion":{{deletion}}}""");

    [Theory]
    [InlineData("""{"append":"ID","offset":0,"counters":[1,1,1,1,1],"lead":false,"sizes":[9],"lines":[{"seq":1}]}""")]
    [InlineData("""{"append":"ID","offset":0,"counters":[1,1,1,1,1],"lead":true,"sizes":[9],"lines":[{"seq":1}]}""")]
    [InlineData("""{"fork":"ID","parent":"FIRST"}""")]
    [InlineData("""{"fork":"FIRST","parent":"ID"}""")]
    [InlineData("""{"log":"ID","image":null}""")]
    [InlineData("""
        {"log":"ID","image":{"session_id":"ID","first_seq":1,"history":[],"rewinds":[],"compactions":[]}}
        """)]
    [InlineData("""{"lock":"ID","image":null}""")]
    [InlineData("""{"lock":"ID","image":{"session_id":"ID","epoch":1,"reserved_for":null,"requests":[]}}""")]
    [InlineData("""{"queue":"ID","image":{"session_id":"ID","generation":1}}""")]
    [InlineData("""{"queue_add":"ID","entry":{"id":"q-1-01234567","state":"queued","message":"m"}}""")]
    [InlineData("""{"buttons":"ID","image":{"session_id":"ID"}}""")]
    [InlineData("""{"shares":"ID","image":{"session_id":"ID","shares":[]}}""")]
    [InlineData("""{"put":{"id":"ID",PUT},"new":true}""")]
    [InlineData("""{"put":{"id":"session_7","parent_id":"ID",PUT},"new":true}""")]
    [InlineData("""{"trash":{"id":"ID",PUT,"deletion_id":"del_9"},"deletion":9}""")]
    [InlineData("""{"restore":{"id":"ID",PUT},"deletion":9}""")]
    [InlineData("""{"stream_end":"ID","session":"FIRST","seq":0}""")]
    [InlineData("""
        {"stream_begin":"sm_1","session":"ID","type":"agent_message","turn_id":null,"id":null,"timestamp":0,
        "started_at":1,"owner":"i-000000000001"}
        """)]
    public void An_id_that_leads_outside_is_damage_of_its_frame(string change)
    {
        foreach (string id in (string[])["../../outside/deeper", "x/../../../../outside/deeper", ".."])
        {
            Open(change.Replace("PUT", Put, StringComparison.Ordinal).Replace("ID", id, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("../../../../../../outside/canary")]
    [InlineData("/../../../../../../../outside/canary")]
    [InlineData("sh_../../../")]
    public void A_share_that_is_revoked_unlinks_no_file_outside(string shareId) => Open($$$"""
        {"shares":"{{{_first}}}","image":{"session_id":"{{{_first}}}","shares":[{"share_id":"{{{shareId}}}",
        "asked_first":0,"asked_last":0,"first_seq":1,"last_seq":1,"live":false,"created_at":1,
        "expires_at":null,"max_uses":null,
        "uses":0,"last_used_at":null,"revoked_at":5}]}}
        """);

    [Fact]
    public void A_history_of_dots_shows_no_other_programs_file()
    {
        string canary = Path.Combine(_temp, "outside", "canary.jsonl");
        File.WriteAllText(canary, """{"seq":1,"type":"user_prompt","timestamp":5,"data":{"text":"secret"}}""" + "\n");
        foreach (string id in (string[])["../../../../../../../outside/canary", "../events"])
        {
            string state = $$"""
                {"session_id":"{{_first}}","first_seq":1,"history":[{"session_id":"{{id}}","first_seq":1,"last_seq":1,
                "bytes":71}],"rewinds":[],"compactions":[]}
                """;
            ValuesUse.WriteChecked(_disk, Layout.LiveFolder(_first) + "/" + Layout.LogStateFile, state);
            using (SessionStore store = Stores.Open(_disk, new ManualTime()))
            {
                Assert.DoesNotContain("secret", store.OpenSession(_first).Events().GetRawText(),
                    StringComparison.Ordinal);
            }

            Open($$"""{"log":"{{_first}}","image":{{state}}}""");
        }
    }

    [Theory]
    [InlineData("""{"config":[1]}""")]
    [InlineData("""{"config":5}""")]
    [InlineData("""{"config":{}}""")]
    [InlineData("""
        {"append":"FIRST","offset":-1,"counters":[3,3,3,1,1],"lead":false,"sizes":[9],"lines":[{"seq":3}]}
        """)]
    [InlineData("""
        {"append":"FIRST","offset":9223372036854775807,"counters":[3,3,3,1,1],"lead":false,"sizes":[9],
        "lines":[{"seq":3}]}
        """)]
    [InlineData("""
        {"append":"FIRST","offset":5,"counters":[9007199254740992,3,3,1,1],"lead":false,"sizes":[9],
        "lines":[{"seq":3}]}
        """)]
    public void A_frame_that_no_call_would_make_is_kept_aside_and_the_store_opens(string change)
    {
        Open(change);
        using SessionStore store = Stores.Open(_disk, new ManualTime());
        Assert.Contains("torn_tail", store.Info().GetProperty("quarantined").GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1L << 40)]
    [InlineData((1L << 53) - 100)]
    public void Lines_far_behind_the_end_of_their_log_are_damage_and_a_salvage_leaves_them_out(long offset)
    {
        string log = Path.Combine(_temp, "store", Layout.LiveFolder(_first), Layout.EventsFile);
        byte[] before = File.ReadAllBytes(log);
        ValuesUse.AddFrames(_disk, [ValuesUse.Payload($$"""
            {"append":"{{_first}}","offset":{{offset}},"counters":[3,3,3,1,1],"lead":false,"sizes":[9],
            "lines":[{"seq":3}]}
            """)]);
        Assert.False(ValuesUse.Everything(_disk, _second));
        Assert.Equal(before, File.ReadAllBytes(log));
        var reading = new SessionStoreOptions { Flags = StoreFlags.ReadOnly };
        using (SessionStore store = Stores.Open(_disk, options: reading))
        {
            Assert.True(store.Info().GetProperty("corrupt").GetBoolean());
            Assert.Equal(2, store.OpenSession(_second).Events().GetProperty("events").GetArrayLength());
        }

        ValuesUse.Salvage(_disk);
        Assert.Equal(before, File.ReadAllBytes(log));
        Assert.True(ValuesUse.Everything(_disk, _first));
    }

    [Fact]
    public void A_replaced_log_that_is_said_to_be_longer_than_any_file_is_damage()
    {
        string fresh = Path.Combine(_temp, "store", Layout.LiveFolder(_first), "events-i-0123456789ab-1.new");
        File.WriteAllText(fresh, "");
        ValuesUse.AddFrames(_disk,
        [
            ValuesUse.Payload($$"""
                {"rewrite":"{{_first}}","file":"events-i-0123456789ab-1.new","bytes":{{1L << 50}},"kept":""}
                """),
            ValuesUse.Payload($$"""
                {"append":"{{_first}}","offset":{{1L << 50}},"counters":[3,3,3,1,1],"lead":false,"sizes":[9],
                "lines":[{"seq":3}]}
                """),
        ]);
        Assert.False(ValuesUse.Everything(_disk, _second));
    }

    // Nothing outside changes, and both sessions are what they were and can be written.
    private void Open(string change)
    {
        change = change.Replace("FIRST", _first, StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);
        string before = ValuesUse.Snapshot(Path.Combine(_temp, "outside"));
        string[] around = Directory.GetFileSystemEntries(_temp);
        ValuesUse.AddFrames(_disk, [ValuesUse.Payload(change)]);
        using (SessionStore store = Stores.Open(_disk, new ManualTime()))
        {
            foreach (string id in (string[])[_first, _second])
            {
                Assert.Equal(_said + 1, store.OpenSession(id).Say("more", AppendFlags.Relaxed));
            }

            _said++;
        }

        Assert.Equal(before, ValuesUse.Snapshot(Path.Combine(_temp, "outside")));
        Assert.Equal(around, Directory.GetFileSystemEntries(_temp));
    }
}
