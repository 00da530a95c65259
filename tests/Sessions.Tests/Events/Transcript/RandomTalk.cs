using Sessions.Json;
using Sessions.Storage.Log;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Transcript;

/// <summary>A log of a random conversation, now and then damaged or as another tool writes it.</summary>
internal sealed record RandomTalk(byte[] Bytes, List<int> Ends)
{
    private static readonly string[] Types =
    [
        "user_prompt", "agent_message", "agent_message", "agent_message", "agent_thought", "tool_call", "tool_call",
        "tool_call_update", "tool_call_update", "permission", "plan", "error", "usage", "turn_end", "note",
        "file_read", "custom:x", "session_start", "rewind", "odd \"type\"",
    ];

    private static readonly string[] Texts =
    [
        "", "a", " b\\n", "```\\ncode", "# h\\n\\n**b** `c`", "\\ud83d", "\\ude00", "\\u0000<\\/script>",
        "é\\t\\\"\\\\", "\\n\\n", "`", "~~~~", "&amp;", "x\\r\\ny",
    ];

    public long LastSeq => Ends.Count;

    /// <summary>The log as it was after an event; 0: as it is.</summary>
    public LogView Open(long last = 0)
    {
        var disk = new MemoryDisk();
        disk.Poke("log", Bytes.AsSpan(0, last == 0 ? Bytes.Length : Ends[(int)last - 1]));
        return LogView.OpenFile(disk, "log");
    }

    public static RandomTalk Make(Random random, int count = 0, bool isWhole = false)
    {
        count = count == 0 ? random.Next(1, 150) : count;
        var json = new RandomJson(random.Next());
        var output = new Utf8Buffer();
        var ends = new List<int>();
        for (int i = 1; i <= count; i++)
        {
            int start = output.Length;
            string? turn = random.Next(3) == 0 ? null : "t" + random.Next(i / 20, (i / 20) + 3);
            string type = Types[random.Next(Types.Length)];
            string data = random.Next(12) == 0 ? json.Value(3) : Data(type, random, json);
            EventLine.Write(output, i, type, i * 1000, turn, random.Next(9) == 0 ? "e" + i : null, Stores.Utf8(data));
            if (!isWhole && random.Next(25) == 0)
            {
                output.Writable[random.Next(start, output.Length)] ^= (byte)(1 << random.Next(8));
            }
            else if (random.Next(15) == 0)
            {
                output.Truncate(start);
                output.Raw(Stores.Utf8($"{{\"seq\":{i}, \"data\": {json.Spaced(data)}, "))
                    .Raw(Stores.Utf8($"\"type\":\"{type.Replace("\"", "")}\"}}\n"));
            }

            ends.Add(output.Length);
        }

        return new RandomTalk(output.ToArray(), ends);
    }

    private static string Data(string type, Random random, RandomJson json)
    {
        string text = Texts[random.Next(Texts.Length)], id = random.Next(5).ToString();
        return type switch
        {
            "tool_call" or "tool_call_update" => $"{{\"tool_call_id\":\"{id}\""
                + (random.Next(2) == 0 ? $",\"raw_input\":{json.Value(2)}" : "")
                + (random.Next(2) == 0 ? $",\"raw_output\":{json.Value(2)}" : "")
                + (random.Next(2) == 0 ? $",\"title\":\"{text}\"" : ",\"kind\":\"read\"")
                + (random.Next(2) == 0 ? ",\"status\":\"completed\"}" : ",\"status\":\"failed\"}"),
            "permission" => $"{{\"request_id\":\"{id}\",\"outcome\":{json.Value(1)}}}",
            "plan" => $"{{\"entries\":[{{\"content\":\"{text}\",\"status\":\"completed\"}},{json.Value(1)}]}}",
            "error" => $"{{\"message\":\"{text}\"}}",
            "turn_end" => "{\"stop_reason\":\"cancelled\"}",
            _ => $"{{\"text\":\"{text}\",\"more\":{json.Value(1)}}}",
        };
    }
}
