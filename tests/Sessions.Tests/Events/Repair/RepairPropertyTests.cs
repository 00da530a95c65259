using System.Buffers;
using System.Text;
using System.Text.Json;
using Sessions.Events.Repair;
using Sessions.Storage.Files;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Repair;

/// <summary>Repair of random logs, whole and damaged: once is enough, and only the end grows.</summary>
public sealed class RepairPropertyTests
{
    private static readonly string[] Turns = ["t1", "t2", "t3", "\\ud800", ""];
    private static readonly string[] Calls = ["a", "b", "c", "\\udc00x", ""];
    private static readonly string[] Statuses = ["pending", "in_progress", "completed", "failed", "odd"];
    private static readonly string[] Reasons = ["end_turn", "cancelled", "refusal", "error", "odd"];

    [Fact]
    public void A_second_repair_does_nothing_and_the_first_only_appends()
    {
        int actions = 0, issues = 0;
        for (int seed = 0; seed < 150; seed++)
        {
            try
            {
                (int done, int found) = Check(new Random(seed));
                actions += done;
                issues += found;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}", e);
            }
        }

        Assert.InRange(actions, 150, int.MaxValue);
        Assert.InRange(issues, 150, int.MaxValue);
    }

    [Fact]
    public void An_abort_closes_the_calls_that_a_repair_would_and_an_account_that_was_kept_says_the_same_as_a_new_one()
    {
        int actions = 0;
        for (int seed = 1000; seed < 1150; seed++)
        {
            try
            {
                actions += CheckAborts(new Random(seed));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}", e);
            }
        }

        Assert.InRange(actions, 150, int.MaxValue);
    }

    private static int CheckAborts(Random random)
    {
        var disk = new MemoryDisk();
        string id = Make(disk, random);
        string path = Layout.LiveFolder(id) + "/" + Layout.EventsFile;
        bool isDamaged = random.Next(2) == 0 && disk.Stat(path) is not null;
        if (isDamaged)
        {
            disk.Poke(path, Damage(disk.ReadAll(path), random));
        }

        using SessionStore store = Stores.Open(disk.OpenAs());
        using Session session = store.OpenSession(id);
        var kept = new WarmLedger();
        int actions = 0;
        for (int round = 0; round < 6; round++)
        {
            Assert.Equal(Settlement(store, session, new WarmLedger()), Settlement(store, session, kept));
            if (random.Next(2) == 0)
            {
                JsonElement dry = Stores.Json(b => session.Repair(RepairFlags.DryRun, b));
                long last = session.GetStat().LastSeq;
                session.Abort();
                string[] types = [.. session.Events(last).GetProperty("events").EnumerateArray()
                    .Select(e => e.GetProperty("type").GetString()!)];
                Assert.Equal(dry.GetProperty("actions").EnumerateArray().Select(Code).Where(c => c == Closing)
                    .Select(_ => "tool_call_update"), types);
                dry = Stores.Json(b => session.Repair(RepairFlags.DryRun, b));
                if (isDamaged && Codes(dry, "actions").Contains(Closing, StringComparison.Ordinal))
                {
                    // The event of the abort is one more line that displaced ones before it are held against, so one of
                    // them may count that did not. The next abort closes what it opened.
                    session.Abort();
                    dry = Stores.Json(b => session.Repair(RepairFlags.DryRun, b));
                }

                Assert.DoesNotContain(Closing, Codes(dry, "actions"), StringComparison.Ordinal);
                actions += types.Length;
            }

            switch (random.Next(6))
            {
                case 0: session.Rewind(random.Next((int)session.GetStat().LastSeq + 1)); break;
                case 1:
                    session.Prune(Stores.Utf8($"{{\"max_events\":{random.Next(1, 40)}}}"),
                        new ArrayBufferWriter<byte>());
                    break;
                default: Add(session, random, random.Next(12)); break;
            }
        }

        return actions;
    }

    private const string Closing = "append_interrupted_tool_result";

    private static string? Code(JsonElement action) => action.GetProperty("code").GetString();

    private static string Settlement(SessionStore store, Session session, WarmLedger ledger)
    {
        lock (store.Core.Rows.Gate)
        {
            Row row = store.Core.Rows.Find(session.Id)!;
            LogState state = store.Core.Rows.ReadLog(row);
            using LogView log = RowLog.Open(store.Core.Disk, row, state);
            Assert.True(ledger.TryBring(log, state, row.Rewrites, session.GetStat().LastSeq, long.MaxValue));
            return string.Join('\n', ledger.Settlement()
                .Select(e => $"{e.Type} {e.TurnId} {Encoding.UTF8.GetString(e.Data.Span)}"));
        }
    }

    private static (int Actions, int Issues) Check(Random random)
    {
        var disk = new MemoryDisk();
        string id = Make(disk, random);
        string path = Layout.LiveFolder(id) + "/" + Layout.EventsFile;
        byte[] log = disk.Stat(path) is null ? [] : disk.ReadAll(path);
        if (random.Next(2) == 0 && log.Length > 0)
        {
            log = Damage(log, random);
            disk.Poke(path, log);
        }

        using SessionStore store = Stores.Open(disk.OpenAs());
        using Session session = store.OpenSession(id);
        RepairFlags flags = random.Next(3) == 0 ? RepairFlags.Force : RepairFlags.None;
        JsonElement dry = Stores.Json(b => session.Repair(flags | RepairFlags.DryRun, b));
        long last = session.GetStat().LastSeq;
        JsonElement first = Stores.Json(b => session.Repair(flags, b));
        Assert.Equal(Codes(dry, "actions"), Codes(first, "actions"));
        Assert.Equal(Codes(dry, "issues"), Codes(first, "issues"));
        long[] appended = [.. first.GetProperty("actions").EnumerateArray()
            .SelectMany(a => a.GetProperty("appended_seqs").EnumerateArray()).Select(s => s.GetInt64())];
        Assert.Equal(Enumerable.Range(1, appended.Length).Select(i => last + i), appended);
        Assert.Equal(last + appended.Length, session.GetStat().LastSeq);
        Assert.Equal(appended.Length > 0, first.GetProperty("applied").GetBoolean());

        byte[] after = disk.Stat(path) is null ? [] : disk.ReadAll(path);
        Assert.Equal(log, after[..log.Length]);
        JsonElement page = session.Events(last);
        Assert.All(page.GetProperty("events").EnumerateArray(),
            e => Assert.True(e.GetProperty("data").GetProperty("repaired").GetBoolean()));
        Assert.Equal(appended.Length, page.GetProperty("events").GetArrayLength());

        JsonElement second = Stores.Json(b => session.Repair(flags, b));
        Assert.Equal("", Codes(second, "actions"));
        Assert.False(second.GetProperty("applied").GetBoolean());
        Assert.Equal(last + appended.Length, session.GetStat().LastSeq);
        return (first.GetProperty("actions").GetArrayLength(), first.GetProperty("issues").GetArrayLength());
    }

    private static string Codes(JsonElement report, string name)
        => string.Join(' ', report.GetProperty(name).EnumerateArray().Select(a =>
            $"{a.GetProperty("code")}:{a.GetProperty("seq")}"));

    private static string Make(MemoryDisk disk, Random random)
    {
        using SessionStore store = Stores.Open(disk.OpenAs());
        using Session session = store.Create();
        Add(session, random, random.Next(30));
        return session.Id;
    }

    private static void Add(Session session, Random random, int count)
    {
        for (; count > 0; count--)
        {
            string? turn = random.Next(4) == 0 ? null : Turns[random.Next(3)];
            string call = Calls[random.Next(Calls.Length)];
            string status = random.Next(3) == 0 ? "" : $",\"status\":\"{Statuses[random.Next(Statuses.Length)]}\"";
            string output = random.Next(4) == 0 ? ",\"raw_output\":1" : "";
            string tool = $"{{\"tool_call_id\":\"{call}\"{status}{output}}}";
            (string type, string data) = random.Next(10) switch
            {
                0 => ("user_prompt", "{\"text\":\"x\"}"),
                1 => ("agent_message", random.Next(2) == 0 ? "{\"text\":\"\"}" : "{\"interrupted\":true}"),
                2 => ("error", "{\"message\":\"x\"}"),
                3 => ("turn_end", $"{{\"stop_reason\":\"{Reasons[random.Next(Reasons.Length)]}\"}}"),
                4 => ("tool_call", random.Next(2) == 0 ? "[]" : "{}"),
                5 => ("session_end", "{}"),
                6 => ("turn_end", "7"),
                7 or 8 => ("tool_call", tool),
                _ => ("tool_call_update", tool),
            };
            session.Append(type, Stores.Utf8(data), new AppendOptions { TurnId = turn, Flags = AppendFlags.Relaxed });
        }
    }

    private static byte[] Damage(byte[] log, Random random)
    {
        List<string> lines = [.. Encoding.UTF8.GetString(log).TrimEnd('\n').Split('\n')];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(lines.Count), other = random.Next(lines.Count);
            switch (random.Next(7))
            {
                case 0: lines[at] = lines[at][..random.Next(lines[at].Length)]; break;
                case 1: lines.Insert(at, lines[other]); break;
                case 2: (lines[at], lines[other]) = (lines[other], lines[at]); break;
                case 3 when lines.Count > 1: lines.RemoveAt(at); break;
                case 4: lines[at] += "\r"; break;
                case 5:
                    // Another tool's line, with ids that are JSON and no Unicode.
                    lines[at] = $"{{\"seq\":{at + 1},\"type\":\"tool_call\",\"turn_id\":\"{Turns[random.Next(5)]}\","
                        + $"\"data\":{{\"tool_call_id\":\"{Calls[random.Next(5)]}\"}}}}";
                    break;
                default: lines[at] = new string('\0', 50); break;
            }

        }

        byte[] damaged = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        return random.Next(2) == 0 ? [.. damaged, (byte)'\n'] : damaged[..^random.Next(Math.Min(20, damaged.Length))];
    }
}
