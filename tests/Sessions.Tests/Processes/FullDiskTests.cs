using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>A disk that is really full: a small one in memory, where this machine lets us mount it.</summary>
public sealed partial class FullDiskTests : IDisposable
{
    private const int Bytes = 24 << 20;
    private const int Detach = 2;

    private readonly string _mount = Directory.CreateTempSubdirectory("sessions-full-").FullName;
    private bool _isMounted;

    [Fact]
    public void A_full_disk_refuses_what_does_not_fit_and_loses_nothing()
    {
        MountOrSkip();
        string path = Path.Combine(_mount, "store"), ballast = Path.Combine(_mount, "ballast");
        using SessionStore store = SessionStore.Open(path);
        Session session = store.Create(null, new SessionCreateOptions { Title = "kept" });
        Session doomed = store.Create();
        Session trashed = store.Create();
        trashed.Delete();
        long seq = session.Say("before");
        File.WriteAllBytes(ballast, []);
        Fill(ballast);

        // The journal has its segment, so there is room for a while; then there is not.
        int accepted = 0;
        string text = new('x', 20_000);
        SessionException? refusal = null;
        while (refusal is null)
        {
            try
            {
                seq = session.Say(text);
                accepted++;
                Assert.True(accepted < 2000);
            }
            catch (SessionException e)
            {
                refusal = e;
            }
        }

        Assert.Equal(SessionStatus.NoSpace, refusal.Status);
        Stores.Fails(SessionStatus.NoSpace, () => session.UpdateTitle("refused"));
        Stores.Fails(SessionStatus.NoSpace, () => store.Create().Dispose());
        Assert.Equal(seq, session.GetStat().LastSeq);
        Assert.Equal("kept", session.Info().GetProperty("title").GetString());

        session.Abort("enough"); // these must go
        Assert.True(session.IsAborted);
        seq = session.GetStat().LastSeq; // with what ends the turn
        doomed.Delete();
        Assert.Equal(2, store.Purge(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + 1));
        Stores.Fails(SessionStatus.NotFound, () => store.OpenSession(doomed.Id).Dispose());
        session.ClearAbort();

        File.Delete(ballast);
        Assert.Equal(seq + 1, session.Say("after"));
        session.UpdateTitle("on");
        store.Flush();
        store.AssertSound();
        store.Close();

        using SessionStore again = SessionStore.Open(path);
        Session same = again.OpenSession(session.Id);
        Assert.Equal(seq + 1, same.GetStat().EventCount);
        JsonElement last = same.Last(limit: 1).GetProperty("events")[0];
        Assert.Equal("after", last.GetProperty("data").GetProperty("text").GetString());
        Assert.Equal("on", same.Info().GetProperty("title").GetString());
        Assert.False(same.IsAborted);
        again.AssertSound();
    }

    [Fact]
    public void A_process_killed_on_a_full_disk_has_lost_nothing_once_there_is_space()
    {
        MountOrSkip();
        string path = Path.Combine(_mount, "store"), ballast = Path.Combine(_mount, "ballast");
        var ledger = new Ledger();
        using (HostProcess host = HostProcess.Open(path))
        {
            host.Work(seed: 9, count: 30, "own");
            host.AwaitWork();
            Fill(ballast);
            host.Work(seed: 10, count: 300, "shared"); // much of it is refused
            host.AwaitWork();
            Assert.Contains(host.Said, s => s.Failure == nameof(SessionStatus.NoSpace));
            Assert.All(host.Said.Where(s => s.Failure is not null), s => Assert.True(
                s.Failure is nameof(SessionStatus.NoSpace) or nameof(SessionStatus.Deleted),
                $"{string.Join(' ', s.Order)}: {s.Failure}"));
            host.Kill();
            ledger.Take(host);
        }

        Assert.ThrowsAny<SessionException>(() => SessionStore.Open(path).Dispose()); // a recovery needs some space
        File.Delete(ballast);
        using SessionStore store = SessionStore.Open(path);
        ledger.Check(store);
        store.AssertSound();
        ledger.GoOn(store);
    }

    public void Dispose()
    {
        if (_isMounted)
        {
            Assert.Equal(0, Unmount(_mount, Detach));
        }

        Directory.Delete(_mount, recursive: true);
    }

    private static void Fill(string ballast)
    {
        using FileStream file = File.Open(ballast, FileMode.OpenOrCreate);
        byte[] block = new byte[4096];
        void Write()
        {
            while (true)
            {
                file.Write(block);
                file.Flush();
            }
        }

        Assert.Throws<IOException>(Write);
    }

    private void MountOrSkip()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Mounts a tmpfs.");
        string size = string.Create(CultureInfo.InvariantCulture, $"size={Bytes},mode=0700");
        _isMounted = Mount("none", _mount, "tmpfs", 0, size) == 0;
        Assert.SkipUnless(_isMounted, "Mounting is not allowed here.");
    }

    [LibraryImport("libc", EntryPoint = "mount", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, nuint flags, string options);

    [LibraryImport("libc", EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);
}
