using System.Buffers;
using System.Text;
using System.Text.Json;
using Sessions.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Events.Transcript;
using Sessions.Tests.Support;

namespace Sessions.Tests.Json;

/// <summary>Half of a surrogate pair as an escape is JSON that strict parsers refuse: it gets into no info, list, queue
/// or button, and what an earlier version took is shown replaced.</summary>
public sealed class HalfPairTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private SessionStore _store;

    public HalfPairTests() => _store = Stores.Open(_disk.OpenAs());

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("""{"a":"x\ud83d"}""", 7)]
    [InlineData("""{"a":[{"b":"\uDE00"}]}""", 12)]
    [InlineData("""{"\ud83d":1}""", 2)]
    [InlineData("""{"a":"\ud83d\ud83d\ude00"}""", 6)]
    [InlineData("""{"a":"\ud83d\\ude00"}""", 6)]
    [InlineData("""{"a":"\ud83d","b":"\ude00"}""", 6)]
    [InlineData("""{"a":"\ud83dé"}""", 6)]
    [InlineData("""{"a":"\ud83d\ude00\\\ude00"}""", 20)]
    [InlineData("""{"a":"\ud83d\ude00 \\ud83d \\\\ud83d \u00e9\/"}""", -1)]
    public void Half_of_a_pair_in_metadata_facts_queue_and_buttons_is_refused_with_its_offset(string text, int offset)
    {
        Session session = _store.Create();
        string before = Stores.Text(session.WriteInfo);
        var output = new ArrayBufferWriter<byte>();
        (string Before, string After, Action<byte[]> Call)[] places =
        [
            ("", "", json => _store.Create(null, new SessionCreateOptions { Metadata = json })),
            ("\n ", "", json => _store.Create(null, new SessionCreateOptions { Facts = json })),
            ("", "", json => session.UpdateMetadata(json)),
            ("{\n \"metadata\": ", "}", json => session.Update(json)),
            ("{\"title\":\"t\",\"facts\":", "}", json => session.Update(json)),
            ("{\"message\":\"m\",\"arguments\":", "}", json => session.AddToQueue(json, output)),
            ("{\"message\":\"m\",\"arguments\": ", "}", json =>
            {
                JsonElement entry = Stores.Json(b => session.AddToQueue("""{"message":"x"}"""u8, b));
                session.UpdateQueued(entry.GetProperty("id").GetString()!, json);
            }),
        ];
        foreach ((string start, string end, Action<byte[]> call) in places)
        {
            Check(start + text + end, offset < 0 ? -1 : offset + start.Length, call);
        }

        if (!text.Contains('[') && text.StartsWith("""{"a":""", StringComparison.Ordinal))
        {
            string label = text[6..text.LastIndexOf('"')];
            Check($$"""[{"label":"{{label}}"}]""", offset < 0 ? -1 : offset + 5, json => session.SetButtons(json, 0));
            Check($$"""{"message":"{{label}}"}""", offset < 0 ? -1 : offset + 6,
                json => session.AddToQueue(json, output));
        }

        if (offset >= 0)
        {
            Assert.Equal(before, Stores.Text(session.WriteInfo));
        }

        Stores.Fails(SessionStatus.InvalidUtf8, () => session.Update("""{"title":"\ud800"}"""u8));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_an_older_store_has_is_shown_replaced_and_counted_and_stays_in_its_file(bool hasIndex)
    {
        Session session = _store.Create(null, new SessionCreateOptions
        {
            Metadata = """{"\u0041":"a\u0042b","c":"\ud83d\ude00"}"""u8.ToArray(),
            Facts = """{"x":["\u0043"]}"""u8.ToArray(),
        });
        Stores.Json(b => session.AddToQueue("""{"message":"x\u0042y","arguments":{"k":"\u0043"}}"""u8, b));
        string other = _store.Create().Id, folder = Layout.LiveFolder(session.Id);
        _store.Close();
        foreach (string name in (string[])[Layout.SessionFile, "queue.json"])
        {
            string old = Encoding.UTF8.GetString(_disk.Peek($"{folder}/{name}")!);
            old = old[..old.LastIndexOf(',')] + "}";
            _disk.Poke($"{folder}/{name}", Encoding.UTF8.GetBytes(old
                .Replace("\\u0041", "\\ud83d", StringComparison.Ordinal)
                .Replace("\\u0042", "\\uDBFF", StringComparison.Ordinal)
                .Replace("\\u0043", "\\udc00", StringComparison.Ordinal)));
        }

        _disk.Unlink(Layout.IndexFile);
        Reopen();
        if (hasIndex)
        {
            _store.OpenSession(other).UpdateTitle("so that the index is made");
            _store.Close();
            string index = Encoding.UTF8.GetString(_disk.Peek(Layout.IndexFile)!);
            Assert.Contains("\\udc00", index, StringComparison.Ordinal);
            Reopen();
        }

        const string shown = """:{"\ufffd":"a\ufffdb","c":"\ud83d\ude00"},"facts":{"x":["\ufffd"]}""";
        for (int round = 0; round < 3; round++)
        {
            using Session again = _store.OpenSession(session.Id);
            string[] texts =
            [
                Stores.Text(b => _store.WriteList(null, b)),
                Stores.Text(b => _store.WriteList(new SessionListOptions { Fields = "id,metadata,facts" }, b)),
                Stores.Text(b => _store.WriteInfos(Stores.Utf8($"[\"{session.Id}\"]"), null, b)),
                Stores.Text(again.WriteInfo),
            ];
            foreach (string text in texts)
            {
                Assert.Contains(shown, text, StringComparison.Ordinal);
                AssertStrict(text);
            }

            string queue = Stores.Text(again.WriteQueue);
            AssertStrict(queue);
            Assert.Contains("\"message\":\"x\\ufffdy\"", queue, StringComparison.Ordinal);
            JsonElement report = _store.Verify();
            Assert.True(report.GetProperty("ok").GetBoolean(), report.GetRawText());
            Assert.Equal([$"{folder}/queue.json: 2 halves", $"{folder}/session.json: 3 halves"],
                report.GetProperty("issues").EnumerateArray()
                    .Where(i => i.GetProperty("code").GetString() == "half_surrogates")
                    .Select(i => i.GetProperty("file").GetString() + ": "
                        + i.GetProperty("message").GetString()![..8]).Order());
            again.UpdateTitle($"written again {round}");
            again.Say("and again");
            _store.Flush();
            Assert.Contains("a\\uDBFFb", Encoding.UTF8.GetString(_disk.Peek($"{folder}/{Layout.SessionFile}")!),
                StringComparison.Ordinal);
            Reopen();
        }
    }

    [Fact]
    public void Events_keep_their_bytes_and_transcripts_replace_halves()
    {
        using var talk = new Talk();
        const string data = """{"text":"a\ud83d","\udc00":["\udbff"]}""";
        talk.Add("user_prompt", data);
        talk.Add("agent_message", data, "t");
        talk.Add("agent_message", """{"text":"\ude00 joined \ude00"}""", "t");
        talk.Add("tool_call", """
            {"tool_call_id":"\ud800","title":"\ud801","kind":"x\ud802","raw_input":{"\ud803":"\ud804"},
            "raw_output":"\ud805","status":"\ud806"}
            """, "t");
        talk.Add("tool_call_update", """{"tool_call_id":"\ud807","status":"failed","raw_output":"\ud808"}""", "t");
        talk.Add("custom:x", "[\"\\udfff\",\"\\ud83d\\ude00\"]", "t");
        talk.Add("usage", """{"a":"\ud800"}""", "t");
        talk.Add("turn_end", """{"stop_reason":"\ud800"}""", "t");
        talk.Add("error", """{"message":"\ud800"}""");
        Assert.Contains(data, Stores.Text(b => talk.Session.WriteEvents(0, 0, b)), StringComparison.Ordinal);
        TranscriptFormat[] formats = [TranscriptFormat.Messages, TranscriptFormat.UiMessages];
        foreach (TranscriptFormat format in formats)
        {
            string text = talk.Text(format);
            AssertStrict(text);
            Assert.Contains("a\\ud83d\\ude00 joined \\ufffd\"", text, StringComparison.Ordinal);
            Assert.Contains("[\"\\ufffd\",\"\\ud83d\\ude00\"]", text, StringComparison.Ordinal);
        }

        Assert.Contains("a😀 joined \ufffd", talk.Text(TranscriptFormat.Markdown), StringComparison.Ordinal);
    }

    [Fact]
    public void Replacing_is_what_decoding_and_encoding_again_would_do()
    {
        string[] pieces =
            ["\\ud83d", "\\ude00", "\\uDBFF", "\\uDFFF", "\\\\", "\\\"", "\\u0041", "u", "d83d", "é", "\\n"];
        for (int seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            string inside = string.Concat(random.GetItems(pieces, random.Next(9)));
            byte[] json = Encoding.UTF8.GetBytes($"\"{inside}\"");
            byte[] replaced = HalfPairs.Replace(json);
            string decoded = new JsonMember("", default, json).Text;
            Assert.Equal(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(decoded)),
                new JsonMember("", default, replaced).Text);
            Assert.Equal(json.Length, replaced.Length);
            Assert.Equal(HalfPairs.Count(json), decoded.EnumerateRunes().LongCount(r => r.Value == 0xfffd));
            Assert.Equal(HalfPairs.Find(json) < 0, ReferenceEquals(json, replaced));
            Assert.Equal(0, HalfPairs.Count(replaced));
        }
    }

    private static void Check(string json, int offset, Action<byte[]> call)
    {
        if (offset < 0)
        {
            call(Encoding.UTF8.GetBytes(json));
            return;
        }

        SessionException e = Stores.Fails(SessionStatus.InvalidJson, () => call(Encoding.UTF8.GetBytes(json)));
        Assert.Equal(Encoding.UTF8.GetByteCount(json.AsSpan(0, offset)), e.Offset);
        Assert.Contains("\"expected\":\"the other half of a surrogate pair\"", e.Details, StringComparison.Ordinal);
        Assert.Contains($"\"offset\":{e.Offset},\"line\":{json[..offset].Count(c => c == '\n') + 1},", e.Details,
            StringComparison.Ordinal);
    }

    // GetString refuses half of a pair.
    private static void AssertStrict(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        Walk(document.RootElement);

        static void Walk(JsonElement e)
        {
            switch (e.ValueKind)
            {
                case JsonValueKind.String: Assert.NotNull(e.GetString()); break;
                case JsonValueKind.Array: Assert.All(e.EnumerateArray(), Walk); break;
                case JsonValueKind.Object:
                    Assert.All(e.EnumerateObject(), p =>
                    {
                        Assert.NotNull(p.Name);
                        Walk(p.Value);
                    });
                    break;
                default: break;
            }
        }
    }

    private void Reopen()
    {
        _store.Close();
        _store = Stores.Open(_disk.OpenAs());
    }
}
