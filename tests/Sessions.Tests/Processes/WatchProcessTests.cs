using System.Text.Json;
using Sessions.Platform;
using Sessions.Tests.Coordination.Watching;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>Watches between real processes: who writes, who sleeps, who dies.</summary>
public sealed class WatchProcessTests
{
    [Fact]
    public void Each_process_hears_of_what_the_others_do_until_they_are_killed()
    {
        using var folder = new StoreFolder();
        using HostProcess writer = HostProcess.Open(folder.Store);
        using HostProcess listener = HostProcess.Open(folder.Store);
        using SessionStore store = folder.Open();
        using SessionWatch watch = store.OpenWatch();
        nint socket = watch.GetSocket(duplicate: false);
        listener.Ask("watch", "w", "0", "");
        string id = writer.Ask("create", "theirs");
        for (int i = 1; i <= 30; i++)
        {
            listener.Tell("next", "w", "100000");
            writer.Ask("relaxed", id, $"{i}");
            Assert.True(Watches.IsReadable(socket, (int)Watches.GuardMs));
            JsonElement mine = watch.Await(i == 1 ? 2 : 1)[^1];
            Assert.Equal(i, mine.GetProperty("detail").Number("seq"));
            string page = listener.Outcome().Answer!;
            if (i == 1 && !page.Contains("event_appended", StringComparison.Ordinal))
            {
                page = listener.Ask("next", "w", "100000"); // it was quick, and had the first change alone
            }

            Assert.Contains($"\"seq\":{i},", page, StringComparison.Ordinal);
            Assert.False(Watches.IsReadable(socket));
        }

        writer.Tell("append", id, "perhaps");
        writer.Kill();
        listener.Kill(); // while its thread waits
        store.OpenSession(id).UpdateTitle("mine now");
        Watches.Until(() => watch.All().Exists(c => Watches.Kind(c) == "renamed"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_reader_that_sleeps_ends_with_everything_or_one_gap_and_grows_by_nothing(bool isJournalKept)
    {
        bool isSoak = int.TryParse(Environment.GetEnvironmentVariable("SESSIONS_SOAK_MINUTES"), out int minutes);
        int count = isSoak && minutes > 0 ? 1_000_000 : 20_000;
        using var folder = new StoreFolder();
        using HostProcess reader = HostProcess.Open(folder.Store, quiet: true);
        using SessionStore store = SessionStore.Open(new StoreEnvironment
        {
            Disk = RealDisk.Open(folder.Store),
            BootId = Machine.BootId,
            OwnsDisk = true,
            RunsInBackground = false, // it makes no checkpoint but those here
        });
        Session session = store.Create();
        reader.Ask("watch", "slow", "0", "");
        reader.Ask("watch", "list", "0", "coalesce");
        session.Say("first", AppendFlags.Relaxed);
        Assert.Contains("jumps= last=1", reader.Ask("drain", "slow"), StringComparison.Ordinal);
        reader.Ask("drain", "list");
        store.Engine.Checkpointer.TryRun();
        long before = reader.MemoryBytes();
        reader.Stop();
        string text = new('x', 500);
        for (int i = 0; i < count; i++)
        {
            session.Say(text, AppendFlags.Relaxed);
            if (!isJournalKept && i == count / 2)
            {
                store.Engine.Checkpointer.TryRun();
            }
        }

        session.UpdateTitle("last");
        if (!isJournalKept)
        {
            Assert.True(store.Engine.Checkpointer.TryRun());
            session.Say("behind it");
        }

        reader.Continue();
        string got = reader.Ask("drain", "slow");
        if (isJournalKept)
        {
            Assert.Equal($"event_appended={count} renamed=1 jumps=2 last={count + 1}", got);
        }
        else
        {
            Assert.Contains(" gap=1 ", got, StringComparison.Ordinal);
            Assert.EndsWith($" last={count + 2}", got, StringComparison.Ordinal);
        }

        Assert.Equal("changed=1 jumps= last=0", reader.Ask("drain", "list"));
        Assert.True(reader.MemoryBytes() - before < 200 << 20, $"{reader.MemoryBytes() - before} bytes more");
        reader.End();
    }

    [Fact]
    public void A_folder_of_locks_that_is_removed_is_a_gap_and_no_silence()
    {
        using var folder = new StoreFolder();
        using HostProcess writer = HostProcess.Open(folder.Store);
        using SessionStore store = folder.Open();
        string id = writer.Ask("create", "shared");
        using SessionWatch watch = store.OpenWatch();
        writer.Ask("append", id, "before");
        Assert.Equal("event_appended", Watches.Kind(watch.Await(1)[0]));
        Directory.Delete(folder.At("locks"), recursive: true);
        writer.Ask("title", id, "after");
        List<string> kinds = [];
        while (!kinds.Contains("renamed"))
        {
            kinds.AddRange(watch.Next(0, Watches.GuardMs).GetProperty("changes").EnumerateArray().Select(Watches.Kind));
        }

        Assert.Equal(["gap", "renamed"], kinds);
        writer.End();
    }
}
