using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using Sessions.Platform;
using Sessions.Platform.Unix;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>
/// link(2) answered EPERM on a file system that was on no list, and the store did not open; refused in the middle of a
/// life, a prune failed. What the call answers decides, at each call: a branch gets copies, a new log its place and
/// store.json its name by renames, and still one of several processes makes the store.
/// </summary>
public sealed class RefusedLinkTests
{
    [Theory]
    [InlineData("link", 0)]
    [InlineData("link", 3)]
    [InlineData("renameat2", 0)]
    [InlineData("renameat2", 3)]
    public void A_store_is_the_same_where_a_call_is_refused_from_some_moment_on(string refused, int allowed)
    {
        var disk = new FaultyDisk(seed: 8) { FailWith = DiskError.Unsupported };
        int seen = 0;
        disk.FailIf = o => o.Name == refused && ++seen > allowed;
        string main, branch;
        using (SessionStore store = Stores.Open(disk))
        {
            using Session session = store.Create();
            main = session.Id;
            for (int i = 0; i < 5; i++)
            {
                session.Say(i.ToString(CultureInfo.InvariantCulture));
            }

            session.PutFile("a.txt", "content"u8, new ArrayBufferWriter<byte>());
            using Session made = session.Fork(0);
            branch = made.Id;
            session.Prune("""{"max_events":3,"trash":true}"""u8, new ArrayBufferWriter<byte>());
            session.Say("5");
            session.UpdateTitle("one");
            session.UpdateTitle("two");
            using Session second = session.Fork(0);
            session.Prune("""{"max_events":2}"""u8, new ArrayBufferWriter<byte>());
            Check(store, "in its life");
        }

        Assert.True(disk.Failures > 0, "Nothing was refused.");
        List<string> pruned = [.. disk.Paths().Where(p => p.StartsWith(Layout.PrunedFolder, StringComparison.Ordinal))];
        Assert.Equal(2, pruned.Count);
        Assert.All(pruned, p => Assert.NotEmpty(disk.Peek(p)!));
        using (SessionStore again = Stores.Open(disk))
        {
            Check(again, "opened again");
        }

        using SessionStore cut = Stores.Open(disk.AfterPowerCut(seed: 2));
        Check(cut, "after a power cut");

        void Check(SessionStore store, string when)
        {
            store.AssertSound();
            Assert.True(Texts(store, branch) is ["0", "1", "2", "3", "4"], when);
            Assert.True(Texts(store, main) is ["4", "5"], when);
        }
    }

    [Fact]
    public void A_prune_without_links_is_redone_after_a_cut_at_any_of_its_changes()
    {
        for (int cut = 1; CutAt(cut); cut++)
        {
        }
    }

    private static bool CutAt(int cut)
    {
        var disk = new FaultyDisk(cut) { FailWith = DiskError.Unsupported };
        SessionStore store = Stores.Open(disk);
        using Session session = store.Create();
        for (int i = 0; i < 5; i++)
        {
            session.Say(i.ToString(CultureInfo.InvariantCulture));
        }

        Assert.True(store.Engine.Checkpointer.TryRun());
        disk.FailIf = o => o.Name == "link";
        disk.CutAt = disk.Changes + cut;
        bool isDone = false;
        try
        {
            session.Prune("""{"max_events":3,"trash":true}"""u8, new ArrayBufferWriter<byte>());
            isDone = true;
            session.Say("5");
        }
        catch (Exception) when (disk.IsCut)
        {
        }

        bool wasCut = disk.IsCut;
        for (int seed = 0; seed < 4; seed++)
        {
            FaultyDisk left = disk.AfterPowerCut(seed, new PowerCutOptions { MetadataOrdered = seed % 2 == 0 });
            using SessionStore again = Stores.Open(left);
            again.AssertSound();
            List<string> texts = Texts(again, session.Id);
            bool isPruned = texts is ["2", "3", "4"] or ["2", "3", "4", "5"];
            Assert.True(isPruned || (!isDone && texts is ["0", "1", "2", "3", "4"]),
                $"cut {cut}, seed {seed}: {string.Join(' ', texts)}");
        }

        return wasCut;
    }

    [Theory]
    [InlineData(1)] // EPERM
    [InlineData(13)] // EACCES
    [InlineData(18)] // EXDEV
    [InlineData(22)] // EINVAL
    [InlineData(31)] // EMLINK
    [InlineData(38)] // ENOSYS
    [InlineData(95)] // EOPNOTSUPP
    public void Whatever_number_says_that_a_call_is_refused_it_is_unsupported(int number)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The numbers are those of Linux.");
        Marshal.SetLastPInvokeError(number);
        DiskException failure = Errno.OptionalFailure("link", "store.json");
        Assert.Equal((DiskError.Unsupported, number), (failure.Error, failure.OsError));
    }

    [Fact]
    public void Processes_that_may_not_link_still_make_one_store_together()
    {
        for (int round = 0; round < 20; round++)
        {
            var disk = new FaultyDisk(round);
            using var together = new Barrier(4);
            string[] ids = new string[4];
            Exception?[] failures = new Exception?[4];
            Thread[] threads = [.. Enumerable.Range(0, 4).Select(i => new Thread(() =>
            {
                try
                {
                    FaultyDisk own = disk.OpenAs();
                    own.FailWith = DiskError.Unsupported;
                    own.FailIf = o => o.Name == "link" && i % 2 == 0; // a sandbox holds for one process
                    together.SignalAndWait();
                    using SessionStore store = Stores.Open(own, processId: 100 + i);
                    ids[i] = store.Info().GetProperty("store_id").GetString()!;
                    store.Create();
                }
                catch (Exception e)
                {
                    failures[i] = e;
                }
            }))];
            Array.ForEach(threads, t => t.Start());
            Array.ForEach(threads, t => t.Join());
            Assert.All(failures, Assert.Null);
            Assert.Single(ids.Distinct());
            using SessionStore again = Stores.Open(disk.OpenAs());
            Assert.Equal(4, again.List().GetArrayLength());
        }
    }

    private static List<string> Texts(SessionStore store, string id)
    {
        using Session session = store.OpenSession(id);
        return [.. session.Events().GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("data").GetProperty("text").GetString()!)];
    }
}
