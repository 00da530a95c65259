using System.Text.Json;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>Somebody opens, lists and checks the store, again and again, while others change it.</summary>
public sealed class LookingOnTests
{
    private const int Orders = 400;

    [Fact]
    public void A_check_beside_processes_at_work_finds_no_harm() => Beside(folder =>
    {
        using SessionStore store = folder.Open();
        for (int i = 0; i < 5; i++)
        {
            store.AssertSound();
        }
    });

    [Fact]
    public void A_store_opened_beside_processes_at_work_shows_whole_sessions() => Beside(folder =>
    {
        using SessionStore store = folder.Open();
        Look(store);
    });

    [Fact]
    public void A_store_opened_to_read_beside_processes_at_work_shows_whole_sessions() => Beside(folder =>
    {
        using var store = SessionStore.Open(folder.Store, new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        Look(store);
    });

    [Fact]
    public void Without_an_index_a_store_opened_beside_processes_at_work_shows_whole_sessions() => Beside(folder =>
    {
        File.Delete(folder.At("index.jsonl"));
        using SessionStore store = folder.Open();
        Look(store);
    });

    private static void Beside(Action<StoreFolder> look)
    {
        using var folder = new StoreFolder();
        var ledger = new Ledger();
        using HostProcess left = HostProcess.Open(folder.Store);
        using HostProcess right = HostProcess.Open(folder.Store);
        string shared = left.Ask("create", "shared");
        ledger.Share(shared, "shared");
        left.Work(seed: 31, Orders, "shared", shared);
        right.Work(seed: 32, Orders, "shared", shared);
        for (int toCome = 2 * (Orders + 1); toCome > 0; toCome -= left.ReadOutcomes() + right.ReadOutcomes())
        {
            look(folder);
        }

        left.End();
        right.End();
        ledger.Take(left, right);
        ledger.Check(folder);
    }

    private static void Look(SessionStore store)
    {
        foreach (JsonElement row in store.List(new SessionListOptions { Fields = "id,last_seq" }).EnumerateArray())
        {
            string id = row.GetProperty("id").GetString()!;
            long listed = row.GetProperty("last_seq").GetInt64();
            try
            {
                using Session session = store.OpenSession(id);
                JsonElement[] last = [.. session.Last(limit: 3).GetProperty("events").EnumerateArray()];
                long number = last.Length == 0 ? 0 : last[^1].GetProperty("seq").GetInt64();
                Assert.True(number >= listed, $"{id}: the log ends with {number} of {listed}");
                Assert.All(last, e => Assert.NotEqual("damaged", e.GetProperty("type").GetString()));
            }
            catch (SessionException e)
            {
                bool isDeletedSince = e.Status is SessionStatus.Deleted or SessionStatus.NotFound;
                Assert.True(isDeletedSince, $"{id}: {e.Status} {e.Message} {e.Details}");
            }
        }
    }
}
