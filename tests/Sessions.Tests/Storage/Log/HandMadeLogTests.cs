using System.Text;
using System.Text.Json;
using Sessions.Json;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Log;

/// <summary>
/// Logs that another program, an editor or a bad disk went over while nobody had the store open. What
/// can be read is read, the rest keeps its place, and the next append touches none of it.
/// </summary>
public sealed class HandMadeLogTests
{
    private const int Count = 6;

    [Theory]
    [InlineData("as it was", "1 2 3 4 5 6")]
    [InlineData("torn last line", "1 2 3 4 5 !6")]
    [InlineData("torn before its data", "1 2 3 4 5 !6")]
    [InlineData("blank lines", "1 2 3 4 5 6")]
    [InlineData("crlf", "1 2 3 4 5 6")]
    [InlineData("crlf without the last newline", "1 2 3 4 5 6")]
    [InlineData("byte order mark", "1 2 3 4 5 6")]
    [InlineData("nul tail", "1 2 3 4 5 6")]
    [InlineData("nul tail after a torn line", "1 2 3 4 5 !6")]
    [InlineData("nul page in the middle", "1 2 !3 4 5 6")]
    [InlineData("glued to a torn one", "1 2 !3 4 5 6")]
    [InlineData("glued to a whole one", "1 2 !3 4 5 6")]
    [InlineData("duplicates", "1 2 3 4 5 6")]
    [InlineData("all of it twice", "1 2 3 4 5 6")]
    [InlineData("one number falls", "1 2 !3 4 5 6")]
    [InlineData("two lines change places", "1 2 3 5 6")]
    [InlineData("a number far too high", "1 2 3 4 5 6")]
    [InlineData("a number above 2^53", "1 2 3 4 5 6")]
    [InlineData("a number above 2^64", "1 2 3 4 5 6")]
    [InlineData("a negative number", "1 2 3 4 5 6")]
    [InlineData("invalid utf-8", "1 2 !3 4 5 6")]
    [InlineData("invalid utf-8 without checksum", "1 2 !3 4 5 6")]
    [InlineData("unknown fields", "1 2 3 4 5 6")]
    [InlineData("large numbers in the data", "1 2 3 4 5 6")]
    [InlineData("timestamps that go back", "1 2 3 4 5 6")]
    [InlineData("odd members", "1 2 3 4 5 6")]
    [InlineData("no object", "1 2 !3 4 5 6")]
    [InlineData("no newline at the end", "1 2 3 4 5 6")]
    [InlineData("empty", "")]
    public void What_can_be_read_is_read_and_the_next_append_stands_alone(string what, string seen)
    {
        var disk = new MemoryDisk();
        (string id, string path) = Make(disk, text => Change(what, text));
        byte[] before = disk.ReadAll(path);
        for (int round = 0; round < 2; round++)
        {
            using SessionStore store = Stores.Open(disk.OpenAs());
            using Session session = store.OpenSession(id);
            string expected = round == 0 ? seen : $"{seen} 7 8".Trim();
            Assert.Equal(expected, Shown(session.Events()));
            Assert.Equal(expected, Shown(session.Last()));
            string backwards = "";
            for (long at = 0; Stores.Json(b => session.WriteLastEvents(at, 1, b)) is var page;)
            {
                backwards = $"{Shown(page)} {backwards}".Trim();
                at = page.GetProperty("previous_before_seq").GetInt64();
                if (!page.GetProperty("has_more").GetBoolean())
                {
                    break;
                }
            }

            Assert.Equal(expected, backwards);
            Assert.Equal(expected,
                string.Join(' ', Play(session).Select(e => e.Damage is null ? $"{e.Seq}" : $"!{e.Seq}")));
            Stores.Json(b => session.Repair(RepairFlags.DryRun, b));
            store.Verify();
            if (round == 0)
            {
                Assert.Equal(7, session.Append("note", "{\"text\":\"next\"}"u8, new AppendOptions { Id = "new" }));
                Assert.Equal(7, session.Append("note", "{}"u8, new AppendOptions { Id = "new" }));
                Assert.Equal(8, session.Append("note", "{\"text\":\"last\"}"u8));
            }
        }

        byte[] after = disk.ReadAll(path);
        Assert.Equal(before, after[..before.Length]);
        string added = Encoding.UTF8.GetString(after[before.Length..]);
        Assert.StartsWith(before is [] or [.., (byte)'\n'] ? "{\"seq\":7," : "\n{\"seq\":7,", added,
            StringComparison.Ordinal);
        Assert.EndsWith("}\n", added, StringComparison.Ordinal);
    }

    [Fact]
    public void An_id_on_a_glued_line_is_still_known()
    {
        var disk = new MemoryDisk();
        (string id, _) = Make(disk, text => Change("glued to a torn one", text));
        using SessionStore store = Stores.Open(disk.OpenAs());
        Assert.Equal(4, store.OpenSession(id).Append("note", "{}"u8, new AppendOptions { Id = "id-4" }));
    }

    [Fact]
    public void Lines_that_another_program_added_keep_their_numbers_and_hide_none_of_ours()
    {
        var disk = new MemoryDisk();
        (string id, _) = Make(disk, log => [.. log, .. Stores.Utf8("""
            {"seq":7,"type":"user_prompt","timestamp":9000000000000,"data":{"text":"theirs"}}
            {"seq":9,"type":"note","data":{"text":"too far"}}
            {"seq":8,"type":"note","data":{"text":"theirs"}
            """)]);
        for (int round = 0; round < 2; round++)
        {
            using SessionStore store = Stores.Open(disk.OpenAs());
            using Session session = store.OpenSession(id);
            if (round == 0)
            {
                Assert.Equal("1 2 3 4 5 6", Shown(session.Events()));
                Assert.Equal(8, session.Append("note", "{\"text\":\"ours\"}"u8));
            }

            Assert.Equal("1 2 3 4 5 6 7 8", Shown(session.Events()));
            JsonElement last = session.Last(limit: 1).GetProperty("events")[0];
            Assert.Equal("ours", last.GetProperty("data").GetProperty("text").GetString());
            SessionStat stat = session.GetStat();
            Assert.Equal((8, 8, 1, 9000000000000),
                (stat.LastSeq, stat.EventCount, stat.MessageCount, stat.LastEventAt));
        }
    }

    [Fact]
    public void A_hundred_thousand_events_without_a_newline_at_the_end()
    {
        const int Many = 100_000;
        var disk = new MemoryDisk();
        var log = new Utf8Buffer(1 << 24);
        for (int i = 1; i <= Many; i++)
        {
            EventLine.Write(log, i, "note", i, null, null, "{\"text\":\"x\"}"u8);
        }

        log.Truncate(log.Length - 1);
        (string id, string path) = Make(disk, _ => log.ToArray(), Many);
        using SessionStore store = Stores.Open(disk.OpenAs());
        using Session session = store.OpenSession(id);
        Assert.Equal(Many, session.Last(limit: 1).GetProperty("events")[0].GetProperty("seq").GetInt64());
        Assert.Equal(Many + 1, session.Append("note", "{\"text\":\"next\"}"u8));
        Assert.Equal("99999 100000 100001", Shown(session.Last(limit: 3)));
        Assert.Equal(Many + 1, Play(session).Count());
        Assert.Equal((byte)'\n', disk.ReadAll(path)[log.Length]);
    }

    [Fact]
    public void A_line_of_200_megabytes_costs_a_buffer()
    {
        const long Size = 200L * 1024 * 1024;
        string folder = Directory.CreateTempSubdirectory("sessions-long-line-").FullName;
        try
        {
            string id;
            using (SessionStore store = SessionStore.Open(folder))
            {
                using Session session = store.Create();
                id = session.Id;
                for (int i = 1; i <= Count; i++)
                {
                    session.Append("note", Stores.Utf8($"{{\"text\":\"{i}\"}}"));
                }
            }

            // The third line becomes a hole in the file: nearly no space, and no byte of an event.
            string path = Path.Combine(folder, Layout.LiveFolder(id), Layout.EventsFile);
            string[] lines = File.ReadAllText(path).Split('\n');
            using (FileStream file = File.OpenWrite(path))
            {
                file.SetLength(0);
                file.Write(Stores.Utf8(lines[0] + "\n" + lines[1] + "\n" + lines[2][..20]));
                file.Position += Size;
                file.Write(Stores.Utf8("\n" + string.Join('\n', lines[3..])));
            }

            using SessionStore opened = SessionStore.Open(folder);
            using Session read = opened.OpenSession(id);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Equal("1 2 !3 4 5 6", Shown(read.Events()));
            Assert.Equal("5 6", Shown(read.Last(limit: 2)));
            Assert.Equal("!3 4", Shown(read.Events(2, 2)));
            Assert.Equal(6, Play(read).Count());
            JsonElement report = Stores.Json(b => read.Repair(RepairFlags.None, b));
            Assert.Equal("invalid_event_json", report.GetProperty("issues")[0].GetProperty("code").GetString());
            Assert.Equal(Size + 20, report.GetProperty("issues")[0].GetProperty("length").GetInt64());
            Assert.Equal(7, read.Append("note", "{\"text\":\"7\"}"u8, new AppendOptions { Id = "k" }));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 * 1024 * 1024);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_large_line_that_is_an_event_is_one()
    {
        string text = new('x', 5 * 1024 * 1024);
        var disk = new MemoryDisk();
        (string id, _) = Make(disk, log => Lines(log, l => l[2] =
            $"{{\"seq\":3,\"type\":\"note\",\"timestamp\":3,\"data\":{{\"text\":\"{text}\"}}}}"));
        using SessionStore store = Stores.Open(disk.OpenAs());
        JsonElement third = store.OpenSession(id).Events(2, 1).GetProperty("events")[0];
        Assert.Equal(text, third.GetProperty("data").GetProperty("text").GetString());
    }

    private static byte[] Change(string what, byte[] log) => what switch
    {
        "as it was" => log,
        "torn last line" => log[..^8],
        "torn before its data" => log[..(Encoding.UTF8.GetString(log).LastIndexOf("data", StringComparison.Ordinal))],
        "blank lines" => Replace(log, "\n", "\n\n\r\n\n"),
        "crlf" => Replace(log, "\n", "\r\n"),
        "crlf without the last newline" => Replace(log, "\n", "\r\n")[..^1],
        "byte order mark" => [.. "\uFEFF"u8, .. log],
        "nul tail" => [.. log, .. new byte[9000]],
        "nul tail after a torn line" => [.. log[..^30], .. new byte[9000]],
        "nul page in the middle" => Lines(log, l => l[2] = new string('\0', 4096)),
        "glued to a torn one" => Lines(log, l => (l[2], l[3]) = (l[2][..40] + l[3], "")),
        "glued to a whole one" => Lines(log, l => (l[2], l[3]) = (l[2] + l[3], "")),
        "duplicates" => Lines(log, l => (l[1], l[4]) = (l[1] + "\n" + l[1] + "\n" + l[0], l[4] + "\n" + l[4])),
        "all of it twice" => [.. log, .. log],
        "one number falls" => Lines(log, l => l[2] = l[0]),
        "two lines change places" => Lines(log, l => (l[2], l[3]) = (l[3], l[2])),
        "a number far too high" => Lines(log, l => l[1] += "\n" + l[5]),
        "a number above 2^53" => Lines(log, l => l[1] += "\n{\"seq\":9007199254740993,\"type\":\"x\",\"data\":1}"),
        "a number above 2^64" => Lines(log, l => l[1] += "\n{\"seq\":99999999999999999999,\"type\":\"x\",\"data\":1}"),
        "a negative number" => Lines(log, l => l[1] += "\n{\"seq\":-3,\"type\":\"x\",\"data\":1}"),
        "invalid utf-8" => Broken(log),
        "invalid utf-8 without checksum" => Broken(Lines(log, l => l[2] = Plain("\"type\":\"note\",\"data\":\"3\""))),
        "unknown fields" => Lines(log, l => l[2] = Plain("\"v\":{\"a\":[1]},\"type\":\"note\",\"data\":{},\"w\":null")),
        "large numbers in the data" => Lines(log, l => l[2] =
            Plain("\"type\":\"note\",\"timestamp\":18446744073709551616,\"data\":{\"n\":9007199254740993}")),
        "timestamps that go back" => Lines(log, l => l[2] = Plain("\"type\":\"note\",\"timestamp\":5,\"data\":{}")),
        "odd members" => Lines(log, l => l[2] = Plain("\"type\":7,\"timestamp\":\"now\",\"turn_id\":{},\"data\":[]")),
        "no object" => Lines(log, l => l[2] = "[3,\"note\",{\"text\":\"an array\"}]"),
        "no newline at the end" => log[..^1],
        "empty" => [],
        _ => throw new ArgumentException(what),
    };

    // A session with a few events, closed in order, its log changed as a stranger would.
    private static (string Id, string Path) Make(MemoryDisk disk, Func<byte[], byte[]> change, long lastSeq = Count)
    {
        string id;
        using (SessionStore store = Stores.Open(disk.OpenAs()))
        {
            using Session session = store.Create();
            id = session.Id;
            for (int i = 1; i <= Count; i++)
            {
                session.Append("note", Stores.Utf8($"{{\"text\":\"{i}\"}}"),
                    new AppendOptions { Id = $"id-{i}", Timestamp = 100 * i });
            }
        }

        string path = Layout.LiveFolder(id) + "/" + Layout.EventsFile;
        disk.Poke(path, change(disk.ReadAll(path)));
        if (lastSeq != Count)
        {
            string info = Layout.LiveFolder(id) + "/" + Layout.SessionFile;
            string text = Encoding.UTF8.GetString(disk.ReadAll(info));
            text = text[..text.LastIndexOf(",\n  \"crc\"", StringComparison.Ordinal)] + "\n}\n";
            disk.Poke(info, Stores.Utf8(text.Replace($"\"last_seq\": {Count}", $"\"last_seq\": {lastSeq}",
                StringComparison.Ordinal)));
            disk.Unlink(Layout.IndexFile);
        }

        return (id, path);
    }

    // The third line as another tool would write it: without a checksum.
    private static string Plain(string members) => "{\"seq\":3," + members + "}";

    private static byte[] Replace(byte[] log, string old, string with)
        => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(log).Replace(old, with, StringComparison.Ordinal));

    private static byte[] Lines(byte[] log, Action<string[]> change)
    {
        string[] lines = Encoding.UTF8.GetString(log).TrimEnd('\n').Split('\n');
        change(lines);
        return Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");
    }

    // The digit in the data of the third line becomes a byte that no UTF-8 has.
    private static byte[] Broken(byte[] log)
    {
        byte[] broken = [.. log];
        int at = broken.AsSpan().IndexOf("\"3\""u8) + 1;
        Assert.NotEqual(0, at);
        broken[at] = 0xFF;
        return broken;
    }

    private static IEnumerable<PlayedEvent> Play(Session session)
    {
        var player = new Player(session);
        while (player.Next() is { } played)
        {
            yield return played;
        }
    }

    private static string Shown(JsonElement page) => string.Join(' ', page.GetProperty("events").EnumerateArray()
        .Select(e => (e.GetProperty("type").ToString() == "damaged" ? "!" : "") + e.GetProperty("seq").GetRawText()));
}
