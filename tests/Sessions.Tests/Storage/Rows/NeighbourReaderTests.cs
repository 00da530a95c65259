using Sessions.Platform;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Rows;

/// <summary>A store that is open to read, and what it means to those who open it to write.</summary>
public sealed class NeighbourReaderTests
{
    private static readonly SessionStoreOptions ToRead = new() { Flags = StoreFlags.ReadOnly };

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // the second one meets the first one's lock beside the old page
    public void A_page_from_before_the_machine_was_started_is_not_followed_because_of_a_reader(bool isSecondReader)
    {
        var disk = new MemoryDisk();
        MemoryDisk first = disk.OpenAs();
        SessionStore store = SessionStore.Open(Since(first, boot: 1));
        Session session = store.Create();
        session.Say("one");
        first.Kill();

        using SessionStore reader = SessionStore.Open(Since(disk.OpenAs(), boot: 2), ToRead);
        if (isSecondReader)
        {
            using SessionStore second = SessionStore.Open(Since(disk.OpenAs(), boot: 2), ToRead);
            Assert.Equal(1, second.OpenSession(session.Id).GetStat().LastSeq);
        }

        using SessionStore writer = SessionStore.Open(Since(disk.OpenAs(), boot: 2));
        Assert.True(writer.Info().GetProperty("recovered").GetProperty("redone_records").GetInt64() > 0);
        Assert.Equal(2, writer.OpenSession(session.Id).Say("two"));
        Assert.Equal(1, reader.OpenSession(session.Id).GetStat().LastSeq);
        writer.AssertSound();
    }

    [Fact]
    public void A_reader_beside_others_does_not_write_into_a_page_it_may_only_read()
    {
        string folder = Directory.CreateTempSubdirectory("sessions-").FullName;
        try
        {
            using SessionStore writer = SessionStore.Open(folder);
            string id = writer.Create().Id;
            using SessionStore reader = SessionStore.Open(folder, ToRead);
            using (Session session = reader.OpenSession(id))
            {
                Assert.False(session.WaitAbort(1));
                writer.OpenSession(id).Abort();
                Assert.True(session.WaitAbort(100_000));
            }

            reader.Close(); // each of these was a write into the page: the end of the process
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static StoreEnvironment Since(IDisk disk, ulong boot)
        => new() { Disk = disk, ProcessId = 4242, BootId = boot, RunsInBackground = false };
}
