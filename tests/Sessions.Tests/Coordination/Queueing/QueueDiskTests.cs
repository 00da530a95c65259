using System.Text.Json;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Queueing;

/// <summary>Queues and buttons on a disk that is full.</summary>
public sealed class QueueDiskTests
{
    [Fact]
    public void A_full_disk_refuses_and_loses_nothing()
    {
        var disk = new FaultyDisk(9);
        SessionStore store = Stores.Open(disk.OpenAs());
        store.Configure(null, """{"queue":{"max_size":1000}}"""u8);
        using Session session = store.Create();
        string first = session.Add("""{"message":"first"}""").Id();
        session.Claim("t");
        disk.SpaceBytes = disk.UsedBytes; // the journal has its segment, so there is room for a while
        int added = Fill(i => session.Add($$"""{"message":"{{i}} {{new string('x', 20_000)}}"}"""));
        Assert.InRange(added, 1, 900);
        int labels = Fill(i => session.SetButtons(Stores.Utf8($$"""[{"label":"{{i}}"}]""")));
        Stores.Fails(SessionStatus.NoSpace, () => session.SettleQueued(first, QueueOutcome.Sent));
        Stores.Fails(SessionStatus.NoSpace, () => session.Claim());
        Stores.Fails(SessionStatus.NoSpace, () => session.ClearQueue());
        AssertAll(session);
        disk.SpaceBytes = null;
        Assert.Equal(1, session.SettleQueued(first, QueueOutcome.Sent));
        Assert.Equal(added, session.ClearQueue());
        store.Close();
        Assert.Null(disk.Violation);
        using SessionStore again = Stores.Open(disk.OpenAs());
        using Session same = again.OpenSession(session.Id);
        Assert.Equal((0, 1), (same.Count(), same.GetStat().LastSeq));
        again.AssertSound();

        void AssertAll(Session seen)
        {
            List<JsonElement> entries = [.. seen.Queue().GetProperty("entries").EnumerateArray()];
            Assert.Equal(added + 1, entries.Count);
            Assert.Equal("claimed", entries[0].State());
            Assert.All(entries[1..], e => Assert.Equal("queued", e.State()));
            Assert.Equal(0, seen.GetStat().LastSeq);
            string last = $"\"label\":\"{labels - 1}\"";
            Assert.True(labels == 0 || seen.Buttons().Contains(last, StringComparison.Ordinal));
        }
    }

    private static int Fill(Action<int> call)
    {
        for (int done = 0; ; done++)
        {
            try
            {
                Assert.True(done < 50_000, "The disk is never full.");
                call(done);
            }
            catch (SessionException e)
            {
                Assert.Equal(SessionStatus.NoSpace, e.Status);
                return done;
            }
        }
    }
}
