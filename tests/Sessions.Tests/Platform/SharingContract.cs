using Sessions.Platform;

namespace Sessions.Tests.Platform;

/// <summary>What every disk does alike where processes meet: locks and the shared page.</summary>
public abstract class SharingContract : DiskContract
{
    [Fact]
    public void Two_openings_exclude_each_other()
    {
        (ILockFile first, ILockFile second) = TwoLockFiles();
        Assert.True(first.TryLock(7, exclusive: true));
        Assert.False(second.TryLock(7, exclusive: true));
        Assert.False(second.TryLock(7, exclusive: false));
        Assert.True(second.TryLock(8, exclusive: true));
        Assert.True(first.TryLock(7, exclusive: true));
        first.Unlock(7);
        Assert.True(second.TryLock(7, exclusive: true));
        second.Unlock(99);
    }

    [Fact]
    public void Offsets_reach_far()
    {
        (ILockFile first, ILockFile second) = TwoLockFiles();
        const long epoch = 1L << 60;
        Assert.True(first.TryLock(epoch, exclusive: true));
        Assert.True(second.IsHeldByOther(epoch));
        Assert.False(second.IsHeldByOther(epoch + 1));
    }

    [Fact]
    public void Shared_locks_go_together_and_convert_in_one_step()
    {
        (ILockFile first, ILockFile second) = TwoLockFiles();
        Assert.True(first.TryLock(1, exclusive: false));
        Assert.True(second.TryLock(1, exclusive: false));
        Assert.False(first.TryLock(1, exclusive: true));
        Assert.True(second.IsHeldByOther(1)); // a refused conversion leaves the old lock
        second.Unlock(1);
        Assert.True(first.TryLock(1, exclusive: true));
        Assert.False(second.TryLock(1, exclusive: false));
        Assert.True(first.TryLock(1, exclusive: false));
        Assert.True(second.TryLock(1, exclusive: false));
    }

    [Fact]
    public async Task A_conversion_never_lets_another_in()
    {
        (ILockFile first, ILockFile second) = TwoLockFiles();
        Assert.True(first.TryLock(1, exclusive: false));
        using var done = new CancellationTokenSource();
        Task<int> intruder = Task.Run(
            () =>
            {
                int entered = 0;
                do
                {
                    entered += second.TryLock(1, exclusive: true) ? 1 : 0;
                }
                while (!done.IsCancellationRequested);
                return entered;
            },
            TestContext.Current.CancellationToken);
        for (int i = 0; i < 5_000; i++)
        {
            Assert.True(first.TryLock(1, exclusive: i % 2 == 0));
        }

        await done.CancelAsync();
        Assert.Equal(0, await intruder);
    }

    [Fact]
    public void Others_locks_can_be_asked_for()
    {
        (ILockFile first, ILockFile second) = TwoLockFiles();
        Assert.False(first.IsHeldByOther(3));
        Assert.True(first.TryLock(3, exclusive: false));
        Assert.False(first.IsHeldByOther(3));
        Assert.True(second.IsHeldByOther(3));
        Assert.False(second.IsHeldByOther(4));
        first.Unlock(3);
        Assert.False(second.IsHeldByOther(3));
    }

    [Fact]
    public void Disposing_lets_go_of_all_locks()
    {
        (ILockFile first, ILockFile second) = TwoLockFiles();
        Assert.True(first.TryLock(3, exclusive: true));
        using (IDiskFile same = Disk.Open("lock", OpenMode.Read))
        {
            Assert.Equal(0, same.Length);
        }

        Assert.False(second.TryLock(3, exclusive: true)); // closing another opening lets go of nothing
        first.Dispose();
        first.Dispose();
        Assert.True(second.TryLock(3, exclusive: true));
        Assert.Throws<DiskException>(() => first.TryLock(3, exclusive: true));
    }

    [Fact]
    public void A_read_only_opening_gets_shared_locks_alone()
    {
        (ILockFile first, _) = TwoLockFiles();
        ILockFile reader = Track(Disk.OpenLocks("lock", readOnly: true));
        Assert.True(reader.TryLock(1, exclusive: false));
        Assert.False(first.TryLock(1, exclusive: true));
        Assert.Throws<DiskException>(() => reader.TryLock(2, exclusive: true));
    }

    [Fact]
    public void Locks_need_their_file()
    {
        Fails(DiskError.NotFound, () => Disk.OpenLocks("lock", readOnly: false));
        Fails(DiskError.NotFound, () => Disk.OpenLocks("lock", readOnly: true));
    }

    [Fact]
    public void A_lock_file_knows_when_it_was_removed_or_replaced()
    {
        (ILockFile first, ILockFile second) = TwoLockFiles();
        Assert.True(first.IsLinked);
        Disk.Unlink("lock");
        Assert.False(first.IsLinked);
        Disk.Open("lock", OpenMode.CreateNew).Dispose();
        Assert.False(first.IsLinked);
        ILockFile third = Track(Disk.OpenLocks("lock", readOnly: false));
        Assert.True(third.IsLinked);
        Assert.True(first.TryLock(1, exclusive: true));
        Assert.True(third.TryLock(1, exclusive: true));
        Disk.Rename("lock", "elsewhere");
        Assert.False(third.IsLinked);
        Assert.False(second.IsLinked);
    }

    [Fact]
    public unsafe void The_shared_page_is_zeros_at_first_and_seen_by_all()
    {
        ISharedPage first = Track(Disk.OpenSharedPage("page", readOnly: false)!);
        Assert.Equal(0, (long)first.Address % 8);
        Assert.Equal(-1, new Span<byte>(first.Address, SharedPage.Bytes).IndexOfAnyExcept((byte)0));
        ISharedPage second = Track(Track(OpenAgain()).OpenSharedPage("page", readOnly: false)!);
        ISharedPage reader = Track(Disk.OpenSharedPage("page", readOnly: true)!);
        first.Address[SharedPage.Bytes - 1] = 42;
        Assert.Equal(42, second.Address[SharedPage.Bytes - 1]);
        Assert.Equal(42, reader.Address[SharedPage.Bytes - 1]);
        Assert.Equal(SharedPage.Bytes, Disk.Stat("page")!.Value.Length);
        first.Dispose();
        first.Dispose();
        ISharedPage again = Track(Disk.OpenSharedPage("page", readOnly: false)!);
        Assert.Equal(42, again.Address[SharedPage.Bytes - 1]);
    }

    [Fact]
    public void A_reader_makes_no_shared_page()
    {
        Assert.Null(Disk.OpenSharedPage("page", readOnly: true));
        Assert.Null(Disk.OpenSharedPage("no/page", readOnly: true));
        Disk.Open("page", OpenMode.CreateNew).Dispose();
        Assert.Null(Disk.OpenSharedPage("page", readOnly: true)); // being made just now
        Fails(DiskError.NotFound, () => Disk.OpenSharedPage("no/page", readOnly: false));
    }

    [Fact]
    public void A_shared_page_knows_when_it_was_removed()
    {
        ISharedPage page = Track(Disk.OpenSharedPage("page", readOnly: false)!);
        Assert.True(page.IsLinked);
        Disk.Unlink("page");
        Assert.False(page.IsLinked);
        Track(Disk.OpenSharedPage("page", readOnly: false)!);
        Assert.False(page.IsLinked);
    }

    [Fact]
    public unsafe void A_wake_reaches_the_waiters_of_other_openings()
    {
        ISharedPage first = Track(Disk.OpenSharedPage("page", readOnly: false)!);
        ISharedPage second = Track(Track(OpenAgain()).OpenSharedPage("page", readOnly: false)!);
        int* word = (int*)first.Address;
        int* other = (int*)second.Address;
        var waiters = new Thread[3];
        for (int i = 0; i < waiters.Length; i++)
        {
            waiters[i] = new Thread(() =>
            {
                while (Volatile.Read(ref *other) == 0)
                {
                    second.Wait(other, 0, 60_000);
                }
            });
            waiters[i].Start();
        }

        Volatile.Write(ref *word, 1);
        first.Wake(word, int.MaxValue);
        Assert.All(waiters, w => Assert.True(w.Join(30_000)));
    }

    [Fact]
    public unsafe void A_wait_ends_when_the_value_is_another_or_the_time_is_up()
    {
        ISharedPage page = Track(Disk.OpenSharedPage("page", readOnly: false)!);
        int* word = (int*)page.Address;
        page.Wait(word, 5, 60_000);
        page.Wait(word, 0, 1);
        page.Wait(word, 0, 0);
        page.Wake(word, 1);
        Assert.Equal(0, *word);
    }

    private (ILockFile First, ILockFile Second) TwoLockFiles()
    {
        Disk.Open("lock", OpenMode.CreateNew).Dispose();
        IDisk other = Track(OpenAgain());
        return (Track(Disk.OpenLocks("lock", readOnly: false)), Track(other.OpenLocks("lock", readOnly: false)));
    }
}
