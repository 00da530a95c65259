using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Damage;

/// <summary>streams.json with a bit of each byte flipped, and cut everywhere: the text comes out as it
/// was, or the file is kept aside and all else goes on.</summary>
public sealed class StreamFlipTests
{
    private const string Text = "what was \"said\"\n so far: ä";

    [Fact]
    public void Damage_to_open_text_is_seen_and_costs_nothing_else()
    {
        FaultyDisk disk = Recovered(out string id);
        byte[] whole = disk.Peek(Layout.StreamsFile)!;
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] flipped = [.. whole];
            flipped[at] ^= (byte)(1 << (at % 8));
            Check(disk, id, flipped, $"byte {at}");
        }

        for (int length = 0; length <= whole.Length; length += 3)
        {
            Check(disk, id, whole[..length], $"cut at {length}");
        }
    }

    // Killed after a recovery and before anything is made of the text: only the file has it.
    private static FaultyDisk Recovered(out string id)
    {
        var disk = new FaultyDisk(seed: 33);
        SessionStore store = Stores.Open(disk);
        Session session = store.Create();
        session.Say("event");
        session.BeginStream("agent_message").Write(Stores.Utf8(Text));
        id = session.Id;
        FaultyDisk left = disk.AfterKill();
        Stores.Open(left.OpenAs(), atStep: s =>
        {
            if (s == Step.CommitLocked)
            {
                throw new InvalidOperationException("not now");
            }
        });
        return left.AfterKill();
    }

    private static void Check(FaultyDisk disk, string id, byte[] content, string what)
    {
        FaultyDisk damaged = disk.Copy();
        damaged.Poke(Layout.StreamsFile, content);
        using SessionStore store = Stores.Open(damaged);
        using Session session = store.OpenSession(id);
        List<string> texts = [.. session.Events().GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("data").GetProperty("text").GetString()!)];
        bool isKeptAside = store.Info().GetProperty("quarantined").GetArrayLength() > 0;
        Assert.True(texts.SequenceEqual(isKeptAside ? ["event"] : ["event", Text]), $"{what}: {texts[^1]}");
        Assert.True(store.Engine.Checkpointer.TryRun());
        Assert.Null(damaged.Peek(Layout.StreamsFile));
        store.AssertSound();
    }
}
