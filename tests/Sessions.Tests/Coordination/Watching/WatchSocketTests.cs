using Sessions.Platform;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Watching;

/// <summary>How a host learns that there is something: the socket that it polls, and the wake.</summary>
public sealed class WatchSocketTests : IDisposable
{
    private readonly FaultyDisk _disk = new();
    private readonly SessionStore _store;

    public WatchSocketTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Looks at sockets with the calls of Unix.");
        _store = Stores.Open(_disk.OpenAs());
    }

    public void Dispose() => _store?.Dispose();

    [Fact]
    public void The_socket_can_be_read_exactly_while_there_is_something()
    {
        using SessionStore others = Stores.Open(_disk.OpenAs(), processId: 7);
        Session session = others.Create();
        using SessionWatch watch = _store.OpenWatch(new() { Kinds = "renamed,event_appended" });
        nint socket = watch.GetSocket(duplicate: false);
        Assert.Equal(socket, watch.GetSocket(duplicate: false));
        for (int round = 0; round < 50; round++)
        {
            Assert.False(Watches.IsReadable(socket));
            session.UpdateMetadata("{}"u8); // not what it waits for
            session.Say("one");
            session.Say("two");
            Assert.True(Watches.IsReadable(socket, (int)Watches.GuardMs));
            Assert.Equal(1, watch.Next(1).GetProperty("changes").GetArrayLength());
            Assert.True(Watches.IsReadable(socket) || !watch.Next().GetProperty("has_more").GetBoolean());
            watch.All();
            Assert.False(Watches.IsReadable(socket));
        }
    }

    [Fact]
    public void A_page_that_leaves_something_leaves_the_socket_readable()
    {
        Session session = _store.Create();
        using SessionWatch watch = _store.OpenWatch();
        session.Say("one");
        nint socket = watch.GetSocket(duplicate: false);
        Assert.True(Watches.IsReadable(socket)); // at once: it was there before the socket was
        session.Say("two");
        watch.Next(1);
        Assert.True(Watches.IsReadable(socket));
        watch.Next(1);
        Assert.False(Watches.IsReadable(socket));
    }

    [Fact]
    public void A_host_that_takes_the_byte_gets_it_again()
    {
        Session session = _store.Create();
        using SessionWatch watch = _store.OpenWatch();
        nint socket = watch.GetSocket(duplicate: false);
        session.Say("one");
        session.Say("two");
        Watches.Until(() => Watches.IsReadable(socket));
        Assert.Equal(1, Watches.Swallow(socket));
        Assert.True(Watches.IsReadable(socket, (int)Watches.GuardMs)); // though nothing else happens
        Watches.Swallow(socket);
        watch.Next(1);
        Assert.True(Watches.IsReadable(socket));
        watch.All();
        Assert.False(Watches.IsReadable(socket));
        Assert.Equal(-1, Watches.Swallow(socket));
    }

    [Fact]
    public void Nobody_drains_the_socket_and_one_byte_is_all_that_is_ever_in_it()
    {
        // The faulty disk minds that lines of a segment that is synced are applied while the next one is not.
        using SessionStore store = Stores.Open(new MemoryDisk());
        Session session = store.Create();
        using SessionWatch watch = store.OpenWatch();
        nint socket = watch.GetSocket(duplicate: false);
        string events = $"[{string.Join(',', Enumerable.Repeat("""{"type":"note","data":1}""", 100))}]";
        int most = 0;
        for (int i = 0; i < 1000; i++)
        {
            Stores.Text(b => session.AppendBatch(Stores.Utf8(events), AppendFlags.Relaxed, b));
            most = Math.Max(most, Watches.Pending(socket));
        }

        Watches.Until(() => Watches.Pending(socket) > 0);
        Assert.True(Math.Max(most, Watches.Pending(socket)) == 1);
        Assert.Equal(100_000, watch.All().Count);
        Assert.Equal(0, Watches.Pending(socket));
    }

    [Fact]
    public void A_duplicate_is_the_hosts_and_tells_the_end()
    {
        SessionWatch watch = _store.OpenWatch();
        nint own = watch.GetSocket(duplicate: false), copy = watch.GetSocket(duplicate: true);
        Assert.NotEqual(own, copy);
        _store.Create();
        Assert.True(Watches.IsReadable(copy, (int)Watches.GuardMs));
        watch.All();
        Assert.False(Watches.IsReadable(copy));
        watch.Dispose();
        Assert.True(Watches.IsReadable(copy)); // its end
        Assert.Equal(0, Watches.Swallow(copy));
        Assert.Equal(0, Watches.Close((int)copy));
    }

    [Fact]
    public void The_close_of_the_store_can_be_read()
    {
        int wakes = 0;
        using SessionWatch watch = _store.OpenWatch(new() { Wake = () => Interlocked.Increment(ref wakes) });
        nint socket = watch.GetSocket(duplicate: false);
        _store.Close();
        Assert.True(Watches.IsReadable(socket));
        Assert.Equal(1, wakes);
        Stores.Fails(SessionStatus.Closed, () => watch.Next());
    }

    [Fact]
    public void Descriptors_go_with_their_watch()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Counts descriptors in /proc.");
        int before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        for (int i = 0; i < 100; i++)
        {
            using SessionWatch watch = _store.OpenWatch();
            watch.GetSocket(duplicate: false);
            Watches.Close((int)watch.GetSocket(duplicate: true));
        }

        // Other tests open and close descriptors meanwhile; two hundred more would be ours.
        Assert.True(Directory.GetFileSystemEntries("/proc/self/fd").Length < before + 100);
    }

    [Fact]
    public void A_wake_comes_once_until_all_is_taken()
    {
        int wakes = 0;
        using SessionWatch watch = _store.OpenWatch(new() { Wake = () => Interlocked.Increment(ref wakes) });
        using SessionWatch seen = _store.OpenWatch();
        nint socket = seen.GetSocket(duplicate: false);
        Session session = _store.Create();
        for (int round = 1; round <= 5; round++)
        {
            Watches.Until(() => Volatile.Read(ref wakes) == round);
            for (int i = 0; i < 5; i++)
            {
                session.Say("more of it");
                Assert.True(Watches.IsReadable(socket, (int)Watches.GuardMs)); // the thread has looked
                seen.All();
            }

            Assert.Equal(round, Volatile.Read(ref wakes));
            watch.All();
            session.UpdateTitle($"title {round}");
        }
    }

    [Fact]
    public void A_wake_that_throws_harms_nobody()
    {
        int wakes = 0;
        using SessionWatch watch = _store.OpenWatch(new()
        {
            Wake = () =>
            {
                Interlocked.Increment(ref wakes);
                throw new InvalidOperationException("A host's mistake.");
            },
        });
        Session session = _store.Create();
        Watches.Until(() => Volatile.Read(ref wakes) == 1);
        Assert.Equal(["created"], watch.Kinds());
        session.Say("again");
        Watches.Until(() => Volatile.Read(ref wakes) == 2);
    }

    [Fact]
    public void A_wake_never_runs_after_the_watch_was_disposed_of()
    {
        Session session = _store.Create();
        for (int i = 0; i < 200; i++)
        {
            bool isGone = false, isLate = false;
            using var called = new SemaphoreSlim(0);
            SessionWatch watch = _store.OpenWatch(new()
            {
                Wake = () =>
                {
                    called.Release();
                    Thread.Yield();
                    isLate |= Volatile.Read(ref isGone);
                },
            });
            session.Say("something", AppendFlags.Relaxed);
            if (i % 2 == 0)
            {
                called.Wait(TestContext.Current.CancellationToken);
            }

            watch.Dispose();
            Volatile.Write(ref isGone, true);
            Assert.False(Volatile.Read(ref isLate));
        }
    }

    [Fact]
    public void A_watch_may_be_disposed_of_inside_its_wake()
    {
        using var done = new ManualResetEventSlim();
        SessionWatch? watch = null;
        using var isThere = new ManualResetEventSlim();
        watch = _store.OpenWatch(new()
        {
            Wake = () =>
            {
                isThere.Wait();
                watch!.Dispose();
                done.Set();
            },
        });
        isThere.Set();
        _store.Create();
        Assert.True(done.Wait((int)Watches.GuardMs, TestContext.Current.CancellationToken));
        Stores.Fails(SessionStatus.Cancelled, () => watch.Next());
        using SessionWatch other = _store.OpenWatch(); // the thread that ended with it begins again
        _store.Create();
        Assert.Equal("created", Watches.Kind(other.Next(0, Watches.GuardMs).GetProperty("changes")[0]));
    }

    [Fact]
    public void Nothing_is_kept_for_nobody_and_the_thread_ends_with_the_last_watch()
    {
        SessionWatch one = _store.OpenWatch(), two = _store.OpenWatch();
        Assert.NotNull(_store.Core.Replica.Sink);
        one.Dispose();
        Assert.NotNull(_store.Core.Replica.Sink);
        two.Dispose();
        Assert.Null(_store.Core.Replica.Sink);
        _store.Create();
        Assert.Equal(0, _store.Engine.Feed.Ring.Count);
        Watches.Until(() => !_store.Engine.Feed.IsRunning);
    }

    [Fact]
    public async Task A_host_that_makes_its_socket_blocking_makes_nobody_wait()
    {
        Session session = _store.Create();
        SessionWatch watch = _store.OpenWatch(), other = _store.OpenWatch();
        nint copy = watch.GetSocket(duplicate: true), others = other.GetSocket(duplicate: false);
        Watches.MakeBlocking(copy); // as Go's File.Fd() does; the flag is that of all duplicates
        try
        {
            await Task.Run(() =>
            {
                for (int i = 0; i < 3; i++)
                {
                    session.Say("one");
                    Assert.True(Watches.IsReadable(others, (int)Watches.GuardMs)); // the thread of both goes on
                    Assert.Single(other.Await(1));
                    Assert.Single(watch.Await(1));
                    Assert.Empty(watch.All()); // at once
                }

                _store.Dispose();
                watch.Dispose();
            }, TestContext.Current.CancellationToken).WaitAsync(Watches.Guard, TestContext.Current.CancellationToken);
            Assert.Equal(0, Watches.Swallow(copy)); // the end
        }
        finally
        {
            Watches.Close((int)copy);
        }
    }

    [Fact]
    public async Task The_pair_waits_for_nothing_though_both_ends_were_made_blocking()
    {
        using SignalSocket socket = SignalSocket.Open();
        Watches.MakeBlocking(socket.Handle);
        await Task.Run(() =>
        {
            for (int i = 0; i < 3; i++)
            {
                socket.Clear();
                socket.Set();
                socket.Set();
                Assert.Equal(1, Watches.Pending(socket.Handle));
                socket.Clear();
                Assert.False(Watches.IsReadable(socket.Handle));
            }
        }, TestContext.Current.CancellationToken).WaitAsync(Watches.Guard, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void The_pair_is_set_and_cleared_as_often_as_one_likes()
    {
        using SignalSocket socket = SignalSocket.Open();
        nint copy = socket.Duplicate();
        for (int i = 0; i < 3; i++)
        {
            socket.Set();
            socket.Set();
            Assert.Equal(1, Watches.Pending(socket.Handle));
            Assert.True(Watches.IsReadable(copy));
            socket.Clear();
            socket.Clear();
            Assert.False(Watches.IsReadable(copy));
        }

        socket.End();
        socket.End();
        socket.Set(); // to nobody
        Assert.Equal(0, Watches.Swallow(copy));
        Watches.Close((int)copy);
    }
}
