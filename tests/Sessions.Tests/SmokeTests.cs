using System.Text.Json;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests;

/// <summary>The whole round once: what is recorded is there after a close and after a kill.</summary>
public sealed class SmokeTests
{
    [Fact]
    public void What_is_recorded_is_there_after_a_close()
    {
        var disk = new MemoryDisk();
        string id;
        using (SessionStore store = Stores.Open(disk.OpenAs()))
        {
            Session session = store.Create(null, new SessionCreateOptions { Title = "Fix the cart" });
            id = session.Id;
            Assert.Equal(1, session.Say("one"));
            Assert.Equal(2, session.Say("two"));
            session.UpdateTitle("Cart, fixed");
            Assert.Equal(3, session.Say("three", AppendFlags.Relaxed));
            Assert.Equal(3, session.Events().GetProperty("events").GetArrayLength());
            store.Close();
        }

        using (SessionStore store = Stores.Open(disk.OpenAs()))
        {
            Session session = store.OpenSession(id);
            JsonElement info = session.Info();
            Assert.Equal("Cart, fixed", info.GetProperty("title").GetString());
            Assert.Equal(3, info.GetProperty("last_seq").GetInt64());
            Assert.Equal(3, session.Events().GetProperty("events").GetArrayLength());
            Assert.Equal(0, store.Info().GetProperty("recovered").GetProperty("redone_records").GetInt64());
            store.AssertSound();
        }
    }

    [Fact]
    public void What_is_recorded_is_there_after_a_kill()
    {
        var disk = new MemoryDisk();
        MemoryDisk first = disk.OpenAs();
        SessionStore store = Stores.Open(first);
        Session session = store.Create();
        session.Say("one");
        Session child = store.Create(session.Id);
        child.Say("two", AppendFlags.Relaxed);
        first.Kill();

        using SessionStore again = Stores.Open(disk.OpenAs());
        Assert.Equal(2, again.List().GetArrayLength());
        Assert.Equal(1, again.OpenSession(child.Id).Events().GetProperty("events").GetArrayLength());
        Assert.True(again.Info().GetProperty("recovered").GetProperty("redone_records").GetInt64() > 0);
        again.AssertSound();
    }

    [Fact]
    public void The_real_disk_does_the_same()
    {
        string folder = Directory.CreateTempSubdirectory("sessions-").FullName;
        try
        {
            string id;
            using (SessionStore store = SessionStore.Open(folder))
            {
                Session session = store.Create();
                id = session.Id;
                for (int i = 1; i <= 100; i++)
                {
                    Assert.Equal(i, session.Say($"event {i}"));
                }

                session.UpdateTitle("now");
                store.Close();
            }

            using SessionStore again = SessionStore.Open(folder);
            JsonElement last = again.OpenSession(id).Last(limit: 5);
            Assert.Equal(5, last.GetProperty("events").GetArrayLength());
            Assert.Equal(96, last.GetProperty("events")[0].GetProperty("seq").GetInt64());
            again.AssertSound();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
