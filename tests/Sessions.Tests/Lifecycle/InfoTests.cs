using System.Text.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Lifecycle;

/// <summary>What a store says of itself, and the rules that all processes share.</summary>
public sealed class InfoTests
{
    private readonly MemoryDisk _disk = new();

    [Fact]
    public void The_info_counts_what_is_there()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs());
        Session a = store.Create(), b = store.Create(a.Id);
        store.Create().Delete();
        b.Update("""{"archived":true}"""u8);
        JsonElement info = store.Info();
        Assert.Equal((2, 1, 1, 5), (info.GetProperty("sessions").GetInt32(), info.GetProperty("archived").GetInt32(),
            info.GetProperty("trash").GetInt32(), info.GetProperty("lsn").GetInt32()));
        Assert.Equal("""{"created":2}""", info.GetProperty("by_state").GetRawText());
        Assert.Equal("""{"hard_links":true,"atomic_exchange":true,"local_file_system":"memory"}""",
            info.GetProperty("capabilities").GetRawText());
        Assert.Equal("""{"redone_records":0,"torn_bytes":0,"journal_lost":false,"reclassified":[]}""",
            info.GetProperty("recovered").GetRawText());
        Assert.Equal("[]", info.GetProperty("quarantined").GetRawText());
        Assert.Equal(("/store", 1, false, false),
            (info.GetProperty("path").GetString(), info.GetProperty("format_version").GetInt32(),
            info.GetProperty("read_only").GetBoolean(), info.GetProperty("poisoned").GetBoolean()));
        string id = info.GetProperty("store_id").GetString()!;
        store.Close();
        using SessionStore again = Stores.Open(_disk.OpenAs());
        Assert.Equal(id, again.Info().GetProperty("store_id").GetString());
    }

    [Fact]
    public void Rules_are_shared_kept_and_can_go_back_to_their_defaults()
    {
        const string defaults = """{"strict_lock":false,"unique_roles":false"""
            + ""","queue":{"enabled":true,"delay_ms":0,"max_size":10,"auto_generate_titles":true}"""
            + ""","limits":{"image_bytes_max":10485760,"file_bytes_max":52428800}}""";
        using (SessionStore store = Stores.Open(_disk.OpenAs()), other = Stores.Open(_disk.OpenAs(), processId: 9))
        {
            Assert.Equal(defaults, Config(store));
            store.Configure(null, """{"strict_lock":true,"queue":{"max_size":3},"limits":{"file_bytes_max":7}}"""u8);
            other.Configure("w-1", """{"queue":{"delay_ms":5}}"""u8);
            Assert.Equal(Config(store), Config(other));
        }

        const string changed =
            """{"strict_lock":true,"unique_roles":false"""
            + ""","queue":{"enabled":true,"delay_ms":0,"max_size":3,"auto_generate_titles":true}"""
            + ""","limits":{"image_bytes_max":10485760,"file_bytes_max":7}"""
            + ""","workspaces":{"w-1":{"queue":{"delay_ms":5}}}}""";
        using (SessionStore store = Stores.Open(_disk.OpenAs()))
        {
            Assert.Equal(changed, Config(store));
            foreach (string bad in (string[])["""{"x":1}""", """{"strict_lock":1}""", """{"queue":{"max_size":0}}""",
                """{"queue":{"delay_ms":1.5}}""",
                """{"limits":{"image_bytes_max":0}}""", """{"limits":{"file_bytes_max":1073741825}}""",
                """{"limits":{"x":null}}""", """{"limits":1}""", """{"queue":{"x":null}}""",
                """{"queue":5}""", "[]", """{"workspaces":{}}"""])
            {
                Stores.Fails(SessionStatus.InvalidArgument, () => store.Configure(null, Stores.Utf8(bad)));
            }

            Stores.Fails(SessionStatus.InvalidArgument, () => store.Configure("", "{}"u8));
            Assert.Equal(changed, Config(store));
            Stores.Fails(SessionStatus.InvalidArgument,
                () => store.Configure("w-1", """{"limits":{"file_bytes_max":7}}"""u8));
            store.Configure(null, """{"strict_lock":null,"queue":null,"limits":{"file_bytes_max":null}}"""u8);
            store.Configure("w-1", """{"queue":null}"""u8);
            Assert.Equal(defaults[..^1] + ",\"workspaces\":{\"w-1\":{}}}", Config(store));
        }

        _disk.Unlink("config.json");
        using SessionStore last = Stores.Open(_disk.OpenAs());
        Assert.Equal(defaults, Config(last));
        last.AssertSound();
    }

    [Fact]
    public void A_closed_store_answers_closed()
    {
        SessionStore store = Stores.Open(_disk.OpenAs());
        Session session = store.Create();
        store.Close();
        store.Close();
        store.Dispose();
        Action[] calls =
        [
            () => store.Create(), () => store.OpenSession(session.Id), () => store.List(), () => store.Info(),
            () => store.Verify(), () => store.Flush(),
            () => store.Purge(), () => store.Restore(session.Id), () => store.ResolveShare("x"),
            () => store.Configure(null, "{}"u8),
            () => Stores.Text(b => store.WriteInfos("[]"u8, null, b)), () => session.Info(), () => session.GetStat(),
            () => session.Say("x"), () => session.Events(),
            () => session.Delete(), () => session.Abort(), () => session.ClearAbort(), () => _ = session.IsAborted,
            () => Stores.Text(session.WriteShares),
        ];
        foreach (Action call in calls)
        {
            Stores.Fails(SessionStatus.Closed, call);
        }

        session.Dispose();
    }

    [Fact]
    public void A_flush_brings_the_files_up_to_date()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs());
        Session session = store.Create();
        session.Say("x", AppendFlags.Relaxed);
        string path = Layout.LiveFolder(session.Id);
        Assert.Null(_disk.Peek(path + "/events.jsonl"));
        store.Flush();
        Assert.Contains("\"last_seq\": 1", System.Text.Encoding.UTF8.GetString(_disk.Peek(path + "/session.json")!),
            StringComparison.Ordinal);
        Assert.Equal(1, _disk.Peek(path + "/events.jsonl")!.Count(b => b == '\n'));
        store.AssertSound();
        Assert.Equal(0, store.Verify(deep: false).GetProperty("events_checked").GetInt32());
        Assert.Equal(1, store.Verify(deep: true).GetProperty("events_checked").GetInt32());
    }

    private static string Config(SessionStore store) => store.Info().GetProperty("config").GetRawText();
}
