using System.Buffers;
using System.Text;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Page;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Crash;

/// <summary>
/// A file is put into a session while the disk fails, the process is killed or the power goes, at each
/// call in turn. Then it is there whole or not at all, what was acknowledged is there, and nothing is
/// left of the rest but scratch that the next open removes.
/// </summary>
public sealed class FileSweepTests
{
    private const string Content = "the content of a file that is larger than one page would be. ";
    private static readonly byte[] First = Encoding.UTF8.GetBytes("put before, so that it must stay");
    private static readonly byte[] Data = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(Content, 200)));

    [Theory]
    [InlineData(DiskError.Io)]
    [InlineData(DiskError.NoSpace)]
    public void A_failing_call_leaves_nothing_half_written(object error)
    {
        for (long n = 1; ; n++)
        {
            (FaultyDisk disk, string id) = Prepare();
            FaultyDisk own = disk.OpenAs();
            SessionStore store = Stores.Open(own);
            Session session = store.OpenSession(id);
            own.FailWith = (DiskError)error;
            own.FailAt = own.Operations + n;
            bool isKept = false;
            try
            {
                Put(session);
                isKept = true;
            }
            catch (SessionException e)
            {
                Assert.Equal((DiskError)error == DiskError.NoSpace ? SessionStatus.NoSpace : SessionStatus.Io,
                    e.Status);
            }

            bool isOver = own.Failures == 0;
            own.FailAt = 0;
            Check(disk, session.Id, isKept, n);
            string path = SessionFiles.Find(disk, Layout.LiveFolder(id), FileId(Data)) ?? "";
            if (store.Core.State.Health == StoreHealth.Poisoned)
            {
                Assert.Throws<SessionException>(store.Close); // a sync failed, and only an opening puts that right
                store = Stores.Open(disk.OpenAs());
                session = store.OpenSession(id);
            }

            Put(session); // the disk is well again
            Assert.Equal(Data, disk.ReadAll(SessionFiles.Find(disk, Layout.LiveFolder(id), FileId(Data))!));
            store.AssertSound();
            store.Close();
            Assert.Null(disk.Violation);
            if (isOver)
            {
                Assert.True(isKept && path.Length > 0);
                return;
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Killed_or_cut_at_any_change_it_is_whole_or_absent(bool isPowerCut)
    {
        for (long n = 1; ; n++)
        {
            (FaultyDisk disk, string id) = Prepare();
            SessionStore store = Stores.Open(disk.OpenAs());
            Session session = store.OpenSession(id);
            disk.CutAt = disk.Changes + n;
            bool isKept = false;
            try
            {
                Put(session);
                isKept = true;
            }
            catch (PowerCutException)
            {
                Assert.True(disk.IsCut);
            }

            bool isOver = !disk.IsCut;
            for (int seed = 0; seed < (isPowerCut ? 6 : 1); seed++)
            {
                FaultyDisk left = isPowerCut ? disk.AfterPowerCut(seed) : disk.AfterKill();
                SessionStore again = Stores.Open(left.OpenAs());
                Check(left, id, isKept, n);
                again.AssertSound();
                Put(again.OpenSession(id));
                Assert.Equal(1, again.OpenSession(id).GetStat().LastSeq);
                Assert.DoesNotContain(left.List(Layout.Temporary),
                    f => f.Name.Contains("-file-", StringComparison.Ordinal));
                again.Close();
                Assert.Null(left.Violation);
            }

            if (isOver)
            {
                Assert.True(isKept);
                return;
            }
        }
    }

    [Fact]
    public void On_a_full_disk_it_is_refused_and_takes_no_room()
    {
        (FaultyDisk disk, string id) = Prepare();
        using SessionStore store = Stores.Open(disk.OpenAs());
        using Session session = store.OpenSession(id);
        session.Say("so that the segment is there");
        disk.SpaceBytes = disk.UsedBytes + 4096;
        long used = disk.UsedBytes;
        Stores.Fails(SessionStatus.NoSpace, () => Put(session));
        Assert.Equal(used, disk.UsedBytes);
        session.Say("and the session goes on");
        disk.SpaceBytes = null;
        Put(session);
        store.AssertSound();
    }

    private static (FaultyDisk Disk, string Id) Prepare()
    {
        var disk = new FaultyDisk(3);
        using SessionStore store = Stores.Open(disk.OpenAs());
        using Session session = store.Create();
        session.Say("before");
        session.PutFile("first.txt", First, new ArrayBufferWriter<byte>());
        return (disk, session.Id);
    }

    private static void Put(Session session) => session.PutFile("a.txt", Data, new ArrayBufferWriter<byte>());

    private static string FileId(byte[] data)
        => SessionFiles.Id(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(data)));

    private static void Check(FaultyDisk disk, string id, bool isKept, long n)
    {
        string folder = Layout.LiveFolder(id);
        Assert.Equal(First, disk.ReadAll(SessionFiles.Find(disk, folder, FileId(First))!));
        string? path = SessionFiles.Find(disk, folder, FileId(Data));
        Assert.True(path is not null || !isKept, $"call {n}: it was acknowledged and is not there");
        Assert.True(path is null || disk.ReadAll(path).AsSpan().SequenceEqual(Data), $"call {n}: it is not whole");
    }
}
