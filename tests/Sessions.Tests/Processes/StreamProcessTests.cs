using System.Text.Json;
using Sessions.Platform;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>Streams between real processes: one writes, another reads along, and the writer is killed.</summary>
public sealed class StreamProcessTests
{
    [Fact]
    public void Another_process_reads_each_chunk_once_its_write_has_returned()
    {
        using var folder = new StoreFolder();
        using HostProcess writer = HostProcess.Open(folder.Store), reader = HostProcess.Open(folder.Store);
        string session = writer.Ask("create", "shared"), stream = writer.Ask("begin", session), text = "";
        for (int i = 0; i < 50; i++)
        {
            writer.Ask("write", stream, $"{i} ");
            text += $"{i} ";
            Assert.Equal(text, Open(reader, session));
        }

        string seq = writer.Ask("end", stream);
        Assert.Null(Open(reader, session));
        Assert.Equal(($$"""{"text":"{{text}}"}""", seq), Last(reader, session));
        writer.End();
        reader.End();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_killed_writers_text_becomes_an_interrupted_event_in_who_goes_on(bool afterCheckpoint)
    {
        using var folder = new StoreFolder();
        using HostProcess writer = HostProcess.Open(folder.Store), other = HostProcess.Open(folder.Store);
        string session = writer.Ask("create", "shared"), stream = writer.Ask("begin", session, "t");
        writer.Ask("write", stream, "one ");
        if (afterCheckpoint)
        {
            other.Ask("checkpoint");
        }

        writer.Ask("write", stream, "two");
        Assert.Equal("one two", Open(other, session)); // so its thread looks after it
        writer.Kill();
        Assert.True(SpinWait.SpinUntil(() => Open(other, session) is null, HostProcess.Guard));
        Assert.Equal(("""{"text":"one two","interrupted":true}""", "1"), Last(other, session));
        Assert.Equal("2", other.Ask("append", session, "on"));
        other.End();
        using SessionStore store = folder.Open();
        Assert.Equal(2, store.OpenSession(session).GetStat().LastSeq);
        Assert.True(JsonDocument.Parse(Text(b => store.WriteVerifyReport(deep: true, b))).RootElement
            .GetProperty("ok").GetBoolean());
    }

    [Theory]
    [InlineData(nameof(Step.CommitWritten))]
    [InlineData(nameof(Step.CommitPublished))]
    [InlineData(nameof(Step.CheckpointStarted))]
    [InlineData(nameof(Step.CheckpointImages))]
    [InlineData(nameof(Step.CheckpointSynced))]
    [InlineData(nameof(Step.CheckpointIndexed))]
    [InlineData(nameof(Step.CheckpointRetired))]
    public void What_was_written_survives_a_kill_at(string step)
    {
        using var folder = new StoreFolder();
        string session, stream;
        bool isCommit = step.StartsWith("Commit", StringComparison.Ordinal);
        using (HostProcess host = HostProcess.Open(folder.Store, quiet: true))
        {
            session = host.Ask("create", "own");
            stream = host.Ask("begin", session);
            host.Ask("write", stream, "one ");
            host.Ask("checkpoint");
            host.Ask("write", stream, "two ");
            host.Arm("kill", Enum.Parse<Step>(step));
            host.Tell(isCommit ? ["write", stream, "doubt"] : ["checkpoint"]);
            host.AwaitKilled();
        }

        for (int i = 0; i < 2; i++) // the recovery is killed too, before and after it saves the text
        {
            using var host = new HostProcess(folder.Store);
            host.Arm("kill", i == 0 ? Step.RecoveryFolded : Step.RecoverySynced);
            host.Tell("open", "60000");
            host.AwaitKilled();
        }

        for (int i = 0; i < 2; i++)
        {
            using SessionStore store = folder.Open();
            using Session found = store.OpenSession(session);
            string data = JsonDocument.Parse(Text(b => found.WriteLastEvents(0, 0, b))).RootElement
                .GetProperty("events").EnumerateArray().Single().GetProperty("data").GetRawText();
            Assert.Contains(data, (string[])["""{"text":"one two ","interrupted":true}""",
                isCommit ? """{"text":"one two doubt","interrupted":true}""" : ""]);
        }
    }

    [Fact]
    public void A_handle_that_is_let_go_of_is_ended_by_the_stores_own_thread()
    {
        using var folder = new StoreFolder();
        using HostProcess host = HostProcess.Open(folder.Store);
        string session = host.Ask("create", "own"), stream = host.Ask("begin", session);
        host.Ask("write", stream, "so far");
        host.Ask("drop", stream);
        Assert.True(SpinWait.SpinUntil(() => Open(host, session) is null, HostProcess.Guard));
        Assert.Equal(("""{"text":"so far","interrupted":true}""", "1"), Last(host, session));
        host.End();
    }

    [Fact]
    public void A_process_that_is_only_stopped_keeps_its_stream()
    {
        using var folder = new StoreFolder();
        using HostProcess writer = HostProcess.Open(folder.Store), other = HostProcess.Open(folder.Store);
        string session = writer.Ask("create", "shared"), stream = writer.Ask("begin", session, "t");
        writer.Ask("write", stream, "one ");
        Assert.Equal("one ", Open(other, session));
        writer.Stop();
        Assert.Equal("1", other.Ask("append", session, "meanwhile"));
        Assert.Equal("one ", Open(other, session));
        writer.Continue();
        writer.Ask("write", stream, "two");
        Assert.Equal("2", writer.Ask("end", stream));
        Assert.Equal(("""{"text":"one two"}""", "2"), Last(other, session));
    }

    // The text of the one open stream; null where there is none.
    private static string? Open(HostProcess host, string session)
    {
        JsonElement streams = JsonDocument.Parse(host.Ask("streams", session)).RootElement.GetProperty("streams");
        return streams.GetArrayLength() == 0 ? null : streams[0].GetProperty("text").GetString();
    }

    private static (string Data, string Seq) Last(HostProcess host, string session)
    {
        JsonElement e = JsonDocument.Parse(host.Ask("last", session)).RootElement.GetProperty("events")[0];
        return (e.GetProperty("data").GetRawText(), e.GetProperty("seq").GetRawText());
    }

    private static string Text(Action<System.Buffers.IBufferWriter<byte>> write) => Stores.Text(write);
}
