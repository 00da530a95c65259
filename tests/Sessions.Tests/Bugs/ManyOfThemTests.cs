using System.Text;
using System.Text.Json;
using Sessions.Json;
using Sessions.Lifecycle;
using Sessions.Storage.Commit;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>Things of which a caller or a file may have very many, each of which was held against all the
/// others.</summary>
public sealed class ManyOfThemTests
{
    private readonly MemoryDisk _disk = new();

    // 70,000 keys, set a second time: sixteen seconds under the store lock, and others got Busy.
    [Fact]
    public void Seventy_thousand_keys_are_set_twice_and_removed()
    {
        const int count = 70_000;
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        foreach (string value in (string[])["1", "2"])
        {
            session.Update(Encoding.UTF8.GetBytes(Patch(count, value)));
            JsonElement metadata = session.Info().GetProperty("metadata");
            Assert.Equal(value, metadata.GetProperty("k0").GetRawText());
            Assert.Equal(value, metadata.GetProperty($"k{count - 1}").GetRawText());
        }

        session.Update(Encoding.UTF8.GetBytes(Patch(count, "null")));
        Assert.Equal("{}", session.Info().GetProperty("metadata").GetRawText());
    }

    [Fact]
    public void A_key_that_stands_many_times_in_a_patch_and_in_what_is_patched_counts_once()
    {
        const int count = 50_000;
        string many = "{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"a\":{i}")) + ",\"b\":1}";
        byte[] target = Encoding.UTF8.GetBytes(many);
        Assert.Equal($"{{\"a\":{count - 1},\"b\":1}}", Encoding.UTF8.GetString(MergePatch.Apply(target, target)));
        Assert.Equal("{\"b\":1}", Encoding.UTF8.GetString(MergePatch.Apply(target, "{\"a\":null}"u8.ToArray())));
    }

    [Fact]
    public void Twice_as_many_keys_take_twice_as_much()
    {
        long once = Allocated(10_000), twice = Allocated(20_000);
        Assert.InRange(twice, once, once * 3);

        static long Allocated(int keys)
        {
            byte[] target = Encoding.UTF8.GetBytes(Keys(keys, "1")), patch = Encoding.UTF8.GetBytes(Keys(keys, "2"));
            long before = GC.GetAllocatedBytesForCurrentThread();
            MergePatch.Apply(target, patch);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    // Each id was compared with all that the same call had before it, under the store lock.
    [Fact]
    public void Thirty_thousand_events_with_ids_in_one_call_and_once_more()
    {
        const int count = 30_000;
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        byte[] events = Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Range(0, count)
            .Select(i => $$"""{"type":"note","id":"e{{i}}","data":1}""")) + "]");
        JsonElement first = Stores.Json(b => session.AppendBatch(events, AppendFlags.None, b));
        Assert.Equal(count, first.GetProperty("last_seq").GetInt64());
        JsonElement again = Stores.Json(b => session.AppendBatch(events, AppendFlags.None, b));
        Assert.Equal(count, again.GetProperty("duplicates").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, again.GetProperty("first_seq").ValueKind);
        Assert.Equal(count, session.GetStat().EventCount);
    }

    [Fact]
    public void The_first_of_an_id_that_one_call_has_many_times_counts()
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        byte[] events = """
            [{"type":"note","id":"a","data":1},{"type":"note","data":2},{"type":"note","id":"a","data":3},
             {"type":"note","id":"b","data":4},{"type":"note","id":"a","data":5}]
            """u8.ToArray();
        JsonElement answer = Stores.Json(b => session.AppendBatch(events, AppendFlags.None, b));
        Assert.Equal("[1,2,1,3,1]", answer.GetProperty("seqs").GetRawText());
        Assert.Equal("[2,4]", answer.GetProperty("duplicates").GetRawText());
        Assert.Equal((1, 3), (answer.GetProperty("first_seq").GetInt64(), answer.GetProperty("last_seq").GetInt64()));
    }

    // Each page began a search of its own behind each rewind.
    [Fact]
    public void A_page_over_thousands_of_short_rewinds_reads_the_log_about_once()
    {
        const int count = 2000;
        string id;
        using (SessionStore store = Stores.Open(_disk))
        {
            Session session = store.Create();
            id = session.Id;
            byte[] events = Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Range(0, count * 2)
                .Select(i => $$"""{"type":"note","data":{{i}}}""")) + "]");
            session.AppendBatch(events, AppendFlags.None, new System.Buffers.ArrayBufferWriter<byte>());
        }

        var state = new LogState
        {
            Rewinds = [.. Enumerable.Range(0, count).Select(i => new Rewind((2 * i) + 2, (2 * i) + 1, (2 * i) + 1))],
        };
        var text = new Utf8Buffer();
        CheckedJson.Write(state.Write(id), text);
        _disk.Poke(Layout.LiveFolder(id) + "/" + Layout.LogStateFile, text.Written);
        var counting = new CountingDisk(_disk.OpenAs());
        using SessionStore again = Stores.Open(counting);
        Session read = again.OpenSession(id);
        read.Info();
        counting.Reset();
        JsonElement page = read.Events();
        Assert.Equal(count, page.GetProperty("events").GetArrayLength());
        long length = _disk.Peek(Layout.LiveFolder(id) + "/" + Layout.EventsFile)!.Length;
        long image = text.Length;
        Assert.InRange(counting.BytesRead, 1, (4 * length) + (2 * image) + (1 << 20));
    }

    // Each was quarantined by reading all that had been, with five syncs: 4,000 took more than a minute.
    [Fact]
    public void Broken_sessions_cost_the_same_each_however_many_there_are()
    {
        (long opens, long bytes, long names) few = Cost(50), many = Cost(400);
        Assert.InRange(many.opens, 0, few.opens * 10);
        Assert.InRange(many.bytes, 0, few.bytes * 10);
        Assert.InRange(many.names, 0, few.names * 10);

        static (long Opens, long Bytes, long Names) Cost(int count)
        {
            var disk = new MemoryDisk();
            var ids = new List<string>();
            using (SessionStore store = Stores.Open(disk))
            {
                for (int i = 0; i < count; i++)
                {
                    ids.Add(store.Create().Id);
                }
            }

            foreach (string id in ids)
            {
                disk.Poke(Layout.LiveFolder(id) + "/" + Layout.SessionFile, "{\"half\":"u8);
            }

            disk.Unlink(Layout.IndexFile);
            var counting = new CountingDisk(disk.OpenAs());
            using SessionStore open = Stores.Open(counting);
            counting.Reset();
            Assert.Equal(0, open.List().GetArrayLength());
            foreach (string id in ids)
            {
                Stores.Fails(SessionStatus.Corrupt, () => open.OpenSession(id));
            }

            Assert.Equal(0, counting.Syncs); // nothing was touched, so nothing was promised
            return (counting.Opens, counting.BytesRead, counting.NamesListed);
        }
    }

    [Fact]
    public void Broken_sessions_that_the_index_knows_read_it_once()
    {
        const int count = 200;
        var ids = new List<string>();
        using (SessionStore store = Stores.Open(_disk))
        {
            for (int i = 0; i < count; i++)
            {
                ids.Add(store.Create().Id);
            }
        }

        foreach (string id in ids)
        {
            _disk.Poke(Layout.LiveFolder(id) + "/" + Layout.SessionFile, "no object"u8);
        }

        var counting = new CountingDisk(_disk.OpenAs());
        using SessionStore open = Stores.Open(counting);
        long index = _disk.Peek(Layout.IndexFile)!.Length;
        counting.Reset();
        foreach (string id in ids)
        {
            Assert.Equal(id, open.OpenSession(id).Id);
        }

        Assert.InRange(counting.BytesRead, 0, (8 * index) + (count * 8192));
    }

    [Fact]
    public void What_was_kept_of_a_broken_session_is_durable_before_its_file_is_replaced()
    {
        var disk = new FaultyDisk(seed: 91);
        string id;
        using (SessionStore store = Stores.Open(disk))
        {
            id = store.Create().Id;
        }

        string path = Layout.LiveFolder(id) + "/" + Layout.SessionFile;
        byte[] broken = "{\"precious\":"u8.ToArray();
        disk.Poke(path, broken);
        using (SessionStore store = Stores.Open(disk.OpenAs()))
        {
            store.OpenSession(id).UpdateTitle("new");
            var cut = disk.Copy().AfterPowerCut(seed: 5);
            Assert.Contains(cut.List(Layout.Quarantine), n => cut.Peek($"{Layout.Quarantine}/{n.Name}/session.json")
                is { } kept && kept.AsSpan().SequenceEqual(broken));
        }
    }

    [Fact]
    public void The_same_damage_is_kept_once_and_other_damage_of_the_same_file_beside_it()
    {
        _disk.CreateFolder("");
        var one = new Quarantine(_disk, TimeProvider.System, canWrite: true);
        string? first = one.Keep("sessions/a/session.json", "a", "invalid_json", "one"u8);
        Assert.Equal(first, one.Keep("sessions/a/session.json", "a", "invalid_json", "one"u8));
        var other = new Quarantine(_disk, TimeProvider.System, canWrite: true);
        Assert.Equal(first, other.Keep("sessions/a/session.json", "a", "invalid_json", "one"u8));
        Assert.NotEqual(first, other.Keep("sessions/a/session.json", "a", "invalid_json", "two"u8));
        Assert.NotEqual(first, other.Keep("sessions/b/session.json", "b", "invalid_json", "one"u8));
        Assert.Equal(3, other.List(out int leftOff).Count);
        Assert.Equal(0, leftOff);
        Assert.Single(other.List(out leftOff, most: 1));
        Assert.Equal(2, leftOff);
    }

    // Each part of a branch's past was a file that was kept open.
    [Fact]
    public void A_branch_of_two_hundred_branches_reads_all_of_its_past_with_few_files_open()
    {
        const int count = 200;
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        session.Say("0");
        for (int i = 1; i < count; i++)
        {
            session = session.Fork();
            session.Say($"{i}");
        }

        JsonElement page = session.Events();
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"{i}"), page.GetProperty("events").EnumerateArray()
            .Where(e => e.GetProperty("type").GetString() == "user_prompt")
            .Select(e => e.GetProperty("data").GetProperty("text").GetString()));
        Assert.Equal(page.GetProperty("events").GetArrayLength(),
            session.Last().GetProperty("events").GetArrayLength());
        using (LogView log = RowLog.Open(store.Core.Disk, store.Core.Rows.Find(session.Id)!,
            store.Core.Rows.ReadLog(store.Core.Rows.Find(session.Id)!)))
        {
            int before = _disk.Image.Files.Count;
            byte[] all = new byte[log.Length];
            Assert.Equal(all.Length, log.Read(all, 0));
            Assert.Equal(before + 1, _disk.Image.Files.Count); // one at a time, beyond the first ones
            byte[] once = new byte[1];
            for (int i = 0; i < all.Length; i += 97)
            {
                Assert.Equal(1, log.Read(once, i));
                Assert.Equal(all[i], once[0]);
                Assert.Equal(i, log.NextData(i));
            }
        }

        store.AssertSound();
    }

    // The merge of a large patch had all others wait for it.
    [Fact]
    public void A_large_patch_that_was_merged_ahead_counts_only_where_nothing_changed_since()
    {
        var patch = new InfoPatch { Metadata = "{\"b\":2}"u8.ToArray() };
        var info = new SessionInfo { Id = "session_1", Revision = 1, Title = "t", Metadata = "{\"a\":1}"u8.ToArray() };
        patch.MergeAhead(info);
        Assert.Equal("{\"a\":1,\"b\":2}", Encoding.UTF8.GetString(patch.Apply(info).Metadata.Span));
        SessionInfo later = info with { Metadata = "{\"c\":3}"u8.ToArray() };
        Assert.Equal("{\"c\":3,\"b\":2}", Encoding.UTF8.GetString(patch.Apply(later).Metadata.Span));
    }

    // A log of nothing but damaged lines had an issue and a copy for each.
    [Fact]
    public void A_report_ends_after_as_many_issues_as_anybody_reads()
    {
        string id;
        using (SessionStore store = Stores.Open(_disk))
        {
            Session session = store.Create();
            session.Say("one");
            id = session.Id;
        }

        string log = Layout.LiveFolder(id) + "/" + Layout.EventsFile;
        const int more = 500;
        string damage = string.Concat(Enumerable.Range(0, Limits.VerifyIssuesMax + more).Select(i => $"x{i}\n"));
        _disk.Poke(log, [.. _disk.Peek(log)!, .. Encoding.ASCII.GetBytes(damage)]);
        using SessionStore again = Stores.Open(_disk.OpenAs());
        lock (again.Core.Rows.Gate)
        {
            again.Core.Rows.Find(id)!.LogLength = -1;
        }

        JsonElement report = again.Verify();
        Assert.False(report.GetProperty("ok").GetBoolean());
        Assert.Equal(Limits.VerifyIssuesMax, report.GetProperty("issues").GetArrayLength());
        Assert.InRange(report.GetProperty("issues_left_off").GetInt64(), more, 2 * more);
    }

    [Fact]
    public void A_log_that_is_damaged_all_over_is_walked_with_a_bounded_number_of_pieces()
    {
        var log = new MemoryStream();
        for (int i = 0; i < LogWalk.PiecesMax + 1000; i++)
        {
            log.Write("x\n"u8);
        }

        var line = new Utf8Buffer();
        EventLine.Write(line, 5, "note", 1, null, null, "1"u8);
        log.Write(line.Written);
        _disk.CreateFolder("");
        _disk.Poke("log", log.ToArray());
        using LogView view = LogView.OpenFile(_disk, "log");
        int odd = 0;
        var walk = new LogWalk(view, 0, 10) { OnOdd = _ => odd++ };
        var seqs = new List<long>();
        while (walk.TryNext())
        {
            seqs.Add(walk.Seq);
        }

        Assert.Equal([1, 2, 3, 4, 5], seqs);
        Assert.Equal(LogWalk.PiecesMax, odd);
    }

    // A mebibyte of metadata, nested deep, made a hundred and thirty of session.json.
    [Fact]
    public void A_small_file_is_at_most_six_times_as_long_as_what_it_says()
    {
        var compact = new StringBuilder("{\"a\":");
        compact.Append('[', 100).Append("1");
        for (int i = 0; i < 100_000; i++)
        {
            compact.Append(",1");
        }

        byte[] json = Encoding.ASCII.GetBytes(compact.Append(']', 100).Append('}').ToString());
        var file = new Utf8Buffer();
        CheckedJson.Write(json, file);
        Assert.InRange(file.Length, json.Length, (6 * json.Length) + 64);
        Assert.Equal(json, CheckedJson.Read(file.Written));
        var shallow = new Utf8Buffer();
        CheckedJson.Write(Encoding.ASCII.GetBytes("""{"a":[[[""" + string.Join(',', Enumerable.Repeat("1", 50_000))
            + "]]]}"), shallow);
        Assert.InRange(shallow.Length, 0, 6 * 100_000);
    }

    [Fact]
    public void A_small_file_that_would_be_too_long_for_its_readers_is_refused()
    {
        using SessionStore store = Stores.Open(_disk);
        Session session = store.Create();
        var state = new LogState
        {
            Rewinds = [.. Enumerable.Range(0, 400_000).Select(i => new Rewind(i + 1_000_000, i + 1, i + 1))],
        };
        SessionException e = Stores.Fails(SessionStatus.Limit,
            () => store.Commit(new PutLogRequest(session.Id, state)));
        Assert.Contains("small_file_bytes_max", e.Details, StringComparison.Ordinal);
        session.Say("the store goes on");
    }

    [Fact]
    public void A_family_of_thousands_is_taken_and_brought_back()
    {
        const int count = 3000;
        using SessionStore store = Stores.Open(_disk);
        Session root = store.Create();
        string[] ids = [.. Enumerable.Range(0, count).Select(_ =>
            store.Create(root.Id).Id)];
        root.Delete(DeletePolicy.Cascade);
        Assert.Equal(0, store.List().GetArrayLength());
        store.Restore(ids[7]);
        Assert.Equal(count + 1, Stores.Json(store.WriteInfo).GetProperty("sessions").GetInt64());
        Assert.Equal(root.Id, store.OpenSession(ids[^1]).Info().GetProperty("parent_id").GetString());
    }

    private static string Patch(int count, string value) => $"{{\"metadata\":{Keys(count, value)}}}";

    private static string Keys(int count, string value)
        => "{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"k{i}\":{value}")) + "}";

    private sealed class PutLogRequest(string id, LogState state) : CommitRequest
    {
        public override void Run(Transaction transaction) => transaction.PutLog(transaction.FindLive(id)!, state);
    }
}
