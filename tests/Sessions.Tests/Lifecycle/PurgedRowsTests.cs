using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Lifecycle;

/// <summary>Sessions that are gone for good leave nothing in the memory of any process that has the store
/// open.</summary>
public sealed class PurgedRowsTests : IDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly SessionStore _store;
    private readonly SessionStore _other; // looks on, and makes no checkpoint of its own

    public PurgedRowsTests()
    {
        _store = Stores.Open(_disk.OpenAs());
        _other = Stores.Open(_disk.OpenAs(), processId: 7);
    }

    public void Dispose()
    {
        _store.Dispose();
        _other.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rows_of_purged_sessions_are_forgotten_once_the_index_knows(bool lists)
    {
        Session kept = _store.Create(), held = _store.Create();
        using Session heldThere = _other.OpenSession(held.Id);
        if (lists)
        {
            Assert.Equal(2, Listed(_other));
        }

        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 20; i++)
            {
                Session gone = _store.Create(null, new SessionCreateOptions { IdempotencyKey = $"k{round}-{i}" });
                gone.Say("text", AppendFlags.Relaxed);
                if (i % 2 == 0)
                {
                    Stores.Json(b => gone.WriteShare(null, b));
                }

                gone.Delete(i < 10 ? DeletePolicy.NoTrash : DeletePolicy.Cascade);
            }

            Assert.Equal(round == 0 ? 2 : 1, Listed(_store)); // none of them, though the rows are there
            if (round == 0)
            {
                held.Delete(DeletePolicy.NoTrash);
            }

            Assert.Equal(10, _store.Purge(long.MaxValue >> 12));
            Stores.Fails(SessionStatus.Deleted, () => heldThere.GetStat());
            Assert.True(_store.Engine.Checkpointer.TryRun());
            AssertKnows(_store, kept);
            kept.UpdateTitle($"round {round}");
            AssertKnows(_other, kept);
            Stores.Fails(SessionStatus.Deleted, () => heldThere.GetStat()); // for ever
            Stores.Fails(SessionStatus.Deleted, () => held.GetStat());
            Assert.Equal(1, Listed(_store));
            Assert.Equal(1, Listed(_other));
        }

        _store.Create(null, new SessionCreateOptions { IdempotencyKey = "k0-0" }).Delete(); // the key is free again
        Assert.Equal(1, Listed(_store));
        _store.AssertSound();
    }

    [Fact]
    public void Who_did_not_follow_the_purges_forgets_them_with_the_next_list()
    {
        Session kept = _store.Create();
        Session[] gone = [.. Enumerable.Range(0, 10).Select(_ => _store.Create())];
        using Session held = _other.OpenSession(gone[0].Id);
        Assert.Equal(11, Listed(_other));
        Array.ForEach(gone, s => s.Delete(DeletePolicy.NoTrash));
        Assert.True(_store.Engine.Checkpointer.TryRun()); // the segments go, and their frames with them
        kept.UpdateTitle("after");
        Assert.True(_store.Engine.Checkpointer.TryRun());
        Assert.Equal(1, Listed(_other));
        AssertKnows(_other, kept);
        Stores.Fails(SessionStatus.Deleted, () => held.GetStat());
        Stores.Fails(SessionStatus.NotFound, () => _other.OpenSession(gone[1].Id));
    }

    [Fact]
    public void What_the_index_calls_gone_has_no_row_when_it_is_read()
    {
        Session kept = _store.Create();
        Session[] gone = [.. Enumerable.Range(0, 10).Select(_ => _store.Create())];
        Assert.True(_store.Engine.Checkpointer.TryRun()); // the index has them
        Array.ForEach(gone, s => s.Delete());
        Assert.Equal(10, _store.Purge(long.MaxValue >> 12));
        Assert.True(_store.Engine.Checkpointer.TryRun());
        using SessionStore late = Stores.Open(_disk.OpenAs(), processId: 9);
        Assert.Equal(1, Listed(late));
        AssertKnows(late, kept);
    }

    private static int Listed(SessionStore store) => store.List().GetArrayLength();

    private static void AssertKnows(SessionStore store, Session only)
    {
        lock (store.Core.Rows.Gate)
        {
            store.Core.Refresh();
            Assert.All(store.Core.Rows.Rows, r => Assert.Equal(only.Id, r.Id));
            Assert.All(store.Core.Rows.Touched.Keys, id => Assert.Equal(only.Id, id));
        }
    }
}
