using System.Globalization;
using System.Text.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>Readers that others leave far behind, and readers that are no part of this library.</summary>
public sealed class SleepingReaderTests
{
    [Fact]
    public void A_reader_asleep_across_retired_segments_goes_on_with_what_is_there()
    {
        using var folder = new StoreFolder();
        using HostProcess reader = HostProcess.Open(folder.Store);
        string id = reader.Ask("create", "long");
        string doomed = reader.Ask("create", "doomed");
        reader.Ask("append", id, "first");
        reader.Ask("info", doomed);
        reader.Stop();

        using HostProcess writer = HostProcess.Open(folder.Store, quiet: true);
        string first = Segments(folder)[0];
        for (int round = 0; Segments(folder).Contains(first) || round < 3; round++)
        {
            for (int i = 0; i < 10; i++)
            {
                writer.Ask("large", id, $"large {round}.{i}", "900000"); // more than one segment's worth a round
            }

            Assert.Equal("done", writer.Ask("checkpoint"));
        }

        writer.Ask("delete", doomed);
        string last = writer.Ask("append", id, "last");
        string born = writer.Ask("create", "born");

        reader.Continue();
        JsonElement page = JsonDocument.Parse(reader.Ask("last", id)).RootElement.GetProperty("events");
        Assert.Equal(Number(last), page[0].GetProperty("seq").GetInt64());
        Assert.Contains("born", reader.Ask("info", born), StringComparison.Ordinal);
        reader.Fails(SessionStatus.Deleted, "info", doomed);
        Assert.Equal(2, JsonDocument.Parse(reader.Ask("list")).RootElement.GetArrayLength());
        Assert.Equal(Number(last) + 1, Number(reader.Ask("append", id, "mine")));
        Assert.Contains("\"ok\":true", reader.Ask("verify"), StringComparison.Ordinal);
        reader.End();
        writer.End();
        using SessionStore store = folder.Open();
        store.AssertSound();
    }

    [Fact]
    public void A_foreign_reader_never_sees_a_torn_file()
    {
        const int renames = 4000;
        using var folder = new StoreFolder();
        using HostProcess host = HostProcess.Open(folder.Store);
        string id = host.Ask("create", "0");
        string file = Directory.GetFiles(folder.At("sessions"), "session.json", SearchOption.AllDirectories).Single();
        for (int i = 1; i <= renames; i++)
        {
            host.Tell("title", id, new string((char)('a' + (i % 26)), i % 700)); // of all lengths
        }

        int seen = 0;
        long revision = 0;
        for (int left = renames; left > 0; left -= host.ReadOutcomes())
        {
            byte[] bytes = File.ReadAllBytes(file);
            byte[]? compact = CheckedJson.Read(bytes);
            Assert.True(compact is not null, $"Torn: {System.Text.Encoding.UTF8.GetString(bytes)}");
            long next = JsonDocument.Parse(bytes).RootElement.GetProperty("revision").GetInt64();
            Assert.True(next >= revision, "It went back.");
            seen += next > revision ? 1 : 0;
            revision = next;
        }

        Assert.Equal(renames, host.Said.Count(s => s.Order[0] == "title" && s.Answer is not null));
        Assert.True(seen > 1, "Nothing was renamed under the reader's eyes.");
        host.End();
    }

    [Fact]
    public void Two_stores_in_one_process_on_one_path_see_each_others_changes()
    {
        using var folder = new StoreFolder();
        using SessionStore left = folder.Open();
        using SessionStore right = folder.Open();
        Session mine = left.Create(null, new SessionCreateOptions { Title = "mine" });
        Session same = right.OpenSession(mine.Id);
        Parallel.Invoke(
            () => Repeat(100, i => mine.Say($"left {i}")),
            () => Repeat(100, i => same.Say($"right {i}")));
        Assert.Equal(200, mine.GetStat().LastSeq);
        Assert.Equal(200, same.GetStat().LastSeq);
        same.UpdateTitle("ours");
        Assert.Equal("ours", mine.Info().GetProperty("title").GetString());

        left.Close();
        Assert.Equal(201, same.Say("alone now"));
        right.Close();
        using SessionStore again = folder.Open();
        Assert.Equal(0, again.Info().GetProperty("recovered").GetProperty("redone_records").GetInt64());
        Assert.Equal(201, again.OpenSession(mine.Id).GetStat().EventCount);
        again.AssertSound();
    }

    private static void Repeat(int times, Action<int> action)
    {
        for (int i = 0; i < times; i++)
        {
            action(i);
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static string[] Segments(StoreFolder folder)
        => [.. Directory.GetFiles(folder.At("journal"), "0*.log").Select(f => Path.GetFileName(f))
            .Order(StringComparer.Ordinal)];
}
