using Sessions.Storage.Files;

namespace Sessions.Tests.Hostile;

/// <summary>The shared page is changed by somebody while a process works with the store: neither that one nor the
/// next that comes is led astray, and what they were told is saved is there afterwards.</summary>
public sealed class LivingPageTests(HostileFolder folder) : IClassFixture<HostileFolder>
{
    private const long Near = long.MaxValue - (1 << 20);

    public static TheoryData<string, int, long> Fields()
    {
        var fields = new TheoryData<string, int, long>();
        (string Name, int Offset)[] offsets = [("generation", 24), ("segment", 32), ("published", 40), ("synced", 56),
            ("applied", 64), ("id", 72), ("indexed", 88), ("health", 104), ("holder", 112), ("floor", 120)];
        foreach ((string name, int offset) in offsets)
        {
            foreach (long word in new[] { 0, -1, 1L << 40, Near, long.MaxValue, long.MinValue })
            {
                fields.Add(name, offset, word);
            }
        }

        return fields;
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_page_that_is_changed_under_its_users_costs_no_event(string field, int offset, long word)
    {
        string around = folder.NewFolder();
        try
        {
            CaseStore store = CaseRunner.Copy(folder.Closed, around);
            using Outside outside = store.Outside;
            HostileFolder.Give(around);
            outside.Watch();
            using var first = new HostileHost(HostileFolder.UserText, "beside", store.Folder, folder.Closed.List);
            Assert.True(first.PhaseUntilWait(), string.Join('\n', first.Faults));
            PageCases.Write(store.At(Layout.SharedPage), offset, word);
            using var second = new HostileHost(HostileFolder.UserText, "write", store.Folder, folder.Closed.List);
            second.Phase();
            second.End();
            first.Go();
            first.End();
            using var last = new HostileHost(HostileFolder.UserText, "read", store.Folder, folder.Closed.List);
            last.Phase();
            last.End();
            List<string> wrong = [.. outside.Touched(), .. CaseRunner.Lost(second, second)];
            foreach (HostileHost host in new[] { first, second, last })
            {
                wrong.AddRange(host.Faults);
                wrong.AddRange(CaseRunner.Judge(host, folder.Closed.MemoryKib));
            }

            foreach (((_, string role), long saved) in first.Saved.Concat(second.Saved))
            {
                if (last.Last.TryGetValue(("read", role), out long there) && there < saved)
                {
                    wrong.Add($"{role} had event {saved} saved, and ends with {there}");
                }
            }

            Assert.True(wrong.Count == 0, $"{field}: {string.Join('\n', wrong.Take(10))}");
        }
        finally
        {
            HostileFolder.Remove(around);
        }
    }
}
