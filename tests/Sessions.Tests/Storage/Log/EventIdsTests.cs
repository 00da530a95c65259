using System.Globalization;
using Sessions.Storage.Log;
using Sessions.Storage.Rows;
using Sessions.Tests.Disks;
using Sessions.Tests.Platform;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Log;

/// <summary>What a store keeps in memory to tell a repeated event.</summary>
// What it measures is the memory of the process.
[Collection(nameof(ProcessStateTests))]
public sealed class EventIdsTests
{
    [Fact]
    public void An_id_whose_hash_another_one_has_too_is_told_from_it_by_the_log()
    {
        using SessionStore store = Stores.Open(new MemoryDisk());
        Session session = store.Create();
        session.Say("1", id: "a");
        session.Say("2", id: "b");
        session.Say("3", AppendFlags.Relaxed, id: "c"); // in the journal alone
        Row row = store.Core.Rows.Find(session.Id)!;
        long? First(string id, long likely)
            => EventLogFile.FirstWith(store.Core.Disk, row, LogState.Plain, lastSeq: 3, id, likely);
        Assert.Equal(2, First("b", likely: 2));
        Assert.Equal(2, First("b", likely: 1));
        Assert.Equal(3, First("c", likely: 2));
        Assert.Null(First("d", likely: 1));
    }

    [Fact]
    public void A_day_of_ids_takes_little_memory()
    {
        const int Count = 100_000;
        byte[][] lines = [.. Enumerable.Range(1, Count).Select(i => Stores.Utf8(string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"seq":{{i}},"type":"note","id":"01999999-9999-7999-8999-{{i:D12}}"}""")))];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var ids = new EventIds();
        foreach (byte[] line in lines)
        {
            ids.AddLines(line);
        }

        long bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(Count, ids.Find("01999999-9999-7999-8999-000000100000"));
        Assert.InRange(bytes / Count, 16, 64);
        GC.KeepAlive(lines);
    }
}
